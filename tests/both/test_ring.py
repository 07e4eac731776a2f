"""The last events of a topic, kept unread."""

import json

from partyline.ring import Ring


def body_of(*seqs):
    return json.dumps([{"seq": seq} for seq in seqs])


def seqs_of(ring):
    return [event["seq"] for event in json.loads(ring.body())]


def test_a_new_ring_is_empty():
    ring = Ring(10, 1000)
    assert (ring.count, ring.size) == (0, 0)
    assert json.loads(ring.body()) == []


def test_bodies_come_out_as_one_in_order():
    ring = Ring(10, 1000)
    ring.append(1, body_of(1), 1)
    ring.append(2, body_of(2, 3), 3)
    ring.append(1, body_of(5), 5)
    assert seqs_of(ring) == [1, 2, 3, 5]
    assert ring.count == 4


def test_events_come_out_as_they_went_in():
    events = [
        {"seq": 1, "data": {"text": 'a "quote", a \\, a ] and\na line; é 漢 😀', "n": [1, [2, []], None, True, -1.5]}}
    ]
    ring = Ring(10, 1000)
    ring.append(1, json.dumps(events), 1)
    ring.append(1, json.dumps(events), 1)
    assert json.loads(ring.body()) == events + events


def test_its_body_is_one_line():
    ring = Ring(10, 1000)
    ring.append(1, json.dumps([{"text": "a\nb\r\nc"}]), 1)
    ring.append(1, json.dumps([{"text": "d"}]), 2)
    assert "\n" not in ring.body()


def test_bodies_are_not_read():
    ring = Ring(10, 1000)
    ring.append(2, "[not json]", 2)
    assert ring.body() == "[not json]"
    assert ring.count == 2


def test_white_space_around_and_inside_is_let_go():
    ring = Ring(10, 1000)
    ring.append(1, ' [ {"seq": 1} ] ', 1)
    ring.append(1, "\t[\t" + '{"seq": 2}' + "\r]\r", 2)
    assert seqs_of(ring) == [1, 2]
    assert ring.size == len('{"seq": 1}{"seq": 2}')


def test_empty_bodies_leave_no_trace():
    ring = Ring(10, 1000)
    for body in ["[]", "[ ]", " [] ", ""]:
        ring.append(0, body, 0)
        ring.append(3, body, 3)  # a header that is wrong breaks no text
    assert (ring.count, ring.size) == (0, 0)
    ring.append(1, body_of(1), 1)
    ring.append(0, "[]", 2)
    ring.append(1, body_of(2), 2)
    ring.append(0, "[]", 2)
    assert seqs_of(ring) == [1, 2]
    assert ring.count == 2


def test_a_count_of_none_or_less_adds_nothing():
    ring = Ring(10, 1000)
    ring.append(0, body_of(1), 1)
    ring.append(-1, body_of(2), 2)
    assert (ring.count, ring.size, seqs_of(ring)) == (0, 0, [])


def test_single_events_are_bounded_by_the_limit_exactly():
    ring = Ring(3, 1000)
    for seq in range(1, 11):
        ring.append(1, body_of(seq), seq)
        assert ring.count == min(seq, 3)
    assert seqs_of(ring) == [8, 9, 10]


def test_the_oldest_body_stays_while_the_rest_is_less_than_the_limit():
    ring = Ring(5, 1000)
    ring.append(4, body_of(1, 2, 3, 4), 4)
    ring.append(4, body_of(5, 6, 7, 8), 8)
    assert seqs_of(ring) == [1, 2, 3, 4, 5, 6, 7, 8]  # 4 alone would be too few
    ring.append(1, body_of(9), 9)
    assert seqs_of(ring) == [5, 6, 7, 8, 9]


def test_a_large_body_stays_until_newer_ones_make_up_the_limit():
    ring = Ring(3, 1000)
    ring.append(10, body_of(*range(10)), 9)
    for seq in (10, 11):
        ring.append(1, body_of(seq), seq)
        assert seqs_of(ring)[0] == 0
    ring.append(1, body_of(12), 12)
    assert seqs_of(ring) == [10, 11, 12]


def test_one_body_can_let_go_of_many():
    ring = Ring(4, 1000)
    for seq in range(4):
        ring.append(1, body_of(seq), seq)
    ring.append(5, body_of(4, 5, 6, 7, 8), 8)
    assert seqs_of(ring) == [4, 5, 6, 7, 8]


def test_a_limit_of_one_keeps_the_newest_body():
    ring = Ring(1, 1000)
    ring.append(1, body_of(1), 1)
    ring.append(2, body_of(2, 3), 3)
    assert seqs_of(ring) == [2, 3]


def test_size_is_bounded_whatever_the_limit_says():
    ring = Ring(1000, 50)
    for seq in range(100, 200):
        ring.append(1, body_of(seq), seq)  # each is 12 characters inside its brackets
        assert ring.size <= 50
    assert seqs_of(ring) == [196, 197, 198, 199]
    assert (ring.count, ring.size) == (4, 48)


def test_a_size_that_is_just_reached_is_kept():
    ring = Ring(1000, 24)
    ring.append(1, body_of(100), 100)
    ring.append(1, body_of(101), 101)
    assert seqs_of(ring) == [100, 101]


def test_the_newest_body_stays_however_large():
    ring = Ring(1000, 50)
    ring.append(1, body_of(1), 1)
    ring.append(100, body_of(*range(100)), 99)
    assert seqs_of(ring) == list(range(100))
    assert ring.size > 50
    ring.append(1, body_of(100), 100)
    assert seqs_of(ring) == [100]


def test_size_counts_characters_not_bytes():
    ring = Ring(10, 1000)
    ring.append(1, '["😀é"]', 1)
    assert ring.size == 4


def test_reading_changes_nothing():
    ring = Ring(3, 1000)
    ring.append(2, body_of(1, 2), 2)
    assert ring.body() == ring.body()
    assert ring.count == 2


def test_whatever_comes_the_bounds_hold_and_the_newest_are_kept():
    chance = 1
    for limit, max_bytes in [(1, 10000), (7, 10000), (20, 100), (1000, 300)]:
        ring = Ring(limit, max_bytes)
        bodies = []
        seq = 0
        for _ in range(200):
            chance = chance * 1103515245 + 12345 & 0x7FFFFFFF
            many = (chance >> 16) % 6
            bodies.append(list(range(seq, seq + many)))
            seq += many
            ring.append(many, body_of(*bodies[-1]), seq - 1)
            kept = seqs_of(ring)
            assert kept == list(range(seq - len(kept), seq))
            assert ring.count == len(kept)
            filled = [body for body in bodies if body]
            newest = filled[-1] if filled else []
            assert ring.size <= max_bytes or kept == newest
            if max_bytes == 10000:  # more than all bodies need: the limit alone decides
                assert len(kept) >= min(limit, seq)
                assert len(kept) < limit + 6


def after_of(ring, seq):
    count, body = ring.after(seq)
    return count, [event["seq"] for event in json.loads(body)]


def test_what_came_after_a_seq_is_told_in_whole_bodies():
    ring = Ring(10, 1000)
    ring.append(2, body_of(1, 2), 2)
    ring.append(3, body_of(4, 5, 6), 6)
    ring.append(1, body_of(9), 10)  # the window went on to 10, with nothing more for this topic
    assert after_of(ring, 0) == (6, [1, 2, 4, 5, 6, 9])
    assert after_of(ring, 2) == (4, [4, 5, 6, 9])
    assert after_of(ring, 5) == (4, [4, 5, 6, 9])  # a body is not cut, for that it would have to be read
    assert after_of(ring, 6) == (1, [9])
    assert after_of(ring, 9) == (1, [9])
    assert after_of(ring, 10) == (0, [])
    assert after_of(ring, 99) == (0, [])


def test_nothing_came_after_anything_in_an_empty_ring():
    assert after_of(Ring(10, 1000), 0) == (0, [])


def test_it_says_since_when_it_holds_all():
    ring = Ring(2, 1000, 7)
    assert ring.since == 7
    ring.append(1, body_of(9), 10)
    ring.append(1, body_of(11), 12)
    assert ring.since == 7
    ring.append(1, body_of(13), 14)
    assert ring.since == 10  # up to there may miss what was let go
    ring.append(5, body_of(15, 16, 17, 18, 19), 20)
    assert (seqs_of(ring), ring.since) == ([15, 16, 17, 18, 19], 14)


def test_what_size_lets_go_moves_its_beginning_too():
    ring = Ring(1000, 24, 3)
    for seq in (100, 101, 102):
        ring.append(1, body_of(seq), seq)
    assert (seqs_of(ring), ring.since) == ([101, 102], 100)


def test_whoever_has_all_up_to_its_beginning_misses_nothing():
    chance = 5
    for limit in (1, 4, 30):
        ring = Ring(limit, 10000)
        all_seqs = []
        seq = 0
        for _ in range(100):
            chance = chance * 1103515245 + 12345 & 0x7FFFFFFF
            many = 1 + (chance >> 16) % 4
            body = list(range(seq + 1, seq + 1 + many))
            all_seqs += body
            seq += many + (chance >> 20) % 2
            ring.append(many, body_of(*body), seq)
            for cursor in (ring.since, (ring.since + seq) // 2, seq):
                count, told = after_of(ring, cursor)
                assert count == len(told)
                assert [each for each in told if each > cursor] == [each for each in all_seqs if each > cursor]
