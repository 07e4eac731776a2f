"""What a tab knows: each event once, in order, however its frames came."""

import json

from partyline.protocol import EVENTS, GAP, NEW, RESET, SNAPSHOT, decode, encode
from partyline.store import Store

NOT_JSON = "this is not JSON"


def event(seq, text=""):
    return {"seq": seq, "time": 1767225600.5, "id": f"id-{seq}", "data": {"text": text}}


def body_of(*seqs):
    return json.dumps([event(seq) for seq in seqs])


def live(store, *seqs, topic="room"):
    """A frame of live events of one topic, over the wire and into the store."""
    header = {"kind": EVENTS, "epoch": "e", "seq": seqs[-1], "topics": [[topic, len(seqs)]]}
    return store.take(*decode(encode(header, [body_of(*seqs)])))


def snapshot(store, seq, *seqs, topic="room", reason=NEW):
    """A snapshot of one topic up to ``seq``, over the wire and into the store."""
    header = {"kind": SNAPSHOT, "epoch": "e", "seq": seq, "topics": [[topic, len(seqs)]], "reason": reason}
    return store.take(*decode(encode(header, [body_of(*seqs)])))


def seqs(store, topic="room"):
    return [each["seq"] for each in store.events(topic)]


def test_a_new_store_is_empty():
    store = Store(["room"])
    assert store.topics() == []
    assert store.events("room") == []
    assert store.latest("room") is None
    assert (store.gaps, store.duplicates) == (0, 0)


def test_events_come_out_as_they_were_sent():
    store = Store(["room"])
    sent = [event(1, 'é 漢 😀 "\\\n'), event(2, "<b>&amp;")]
    store.take({"kind": EVENTS, "seq": 2, "topics": [["room", 2]]}, [json.dumps(sent)])
    assert store.events("room") == sent
    assert store.latest("room") == sent[1]


def test_the_revision_grows_where_more_has_changed_than_what_came_last():
    store = Store(["room"])
    snapshot(store, 5, 4, 5)
    live(store, 6)
    snapshot(store, 7, 5, 6, 7)
    snapshot(store, 30, 29, 30)  # after a hole: what was known before is no longer shown, but nothing stands before it
    assert store.revision("room") == 0
    live(store, 40)
    snapshot(store, 39, 28, 29, 30, 31)
    assert store.revision("room") == 1
    assert store.revision("another") == 0
    assert seqs(store) == [28, 29, 30, 31, 40]
    store.clear()
    assert (store.clears, store.revision("room")) == (1, 0)


def test_live_events_are_added_in_order():
    store = Store(["room"])
    assert live(store, 1, 2) == ["room"]
    assert live(store, 5) == ["room"]
    assert seqs(store) == [1, 2, 5]
    assert store.latest("room")["seq"] == 5
    assert store.duplicates == 0


def test_a_snapshot_then_live():
    store = Store(["room"])
    assert snapshot(store, 10, 3, 7, 10) == ["room"]
    live(store, 11, 12)
    assert seqs(store) == [3, 7, 10, 11, 12]
    assert store.duplicates == 0


def test_live_before_the_snapshot():
    store = Store(["room"])
    live(store, 11, 12)
    snapshot(store, 10, 3, 7, 10)
    assert seqs(store) == [3, 7, 10, 11, 12]
    live(store, 13)
    assert seqs(store) == [3, 7, 10, 11, 12, 13]


def test_live_before_the_snapshot_that_holds_it_too():
    store = Store(["room"])
    live(store, 9, 10)
    live(store, 11)
    snapshot(store, 10, 3, 9, 10)
    assert seqs(store) == [3, 9, 10, 11]


def test_live_after_the_snapshot_that_holds_it_too():
    store = Store(["room"])
    snapshot(store, 10, 9, 10)
    assert live(store, 9, 10, 11) == ["room"]
    assert seqs(store) == [9, 10, 11]
    assert store.duplicates == 2


def test_a_snapshot_covers_what_stands_up_to_its_seq_though_it_holds_less():
    store = Store(["room"])
    snapshot(store, 10, 3)
    assert live(store, 8) == []
    assert seqs(store) == [3]
    assert store.duplicates == 1


def test_the_same_frame_twice():
    store = Store(["room"])
    live(store, 1, 2)
    assert live(store, 1, 2) == []
    assert seqs(store) == [1, 2]
    assert store.duplicates == 2


def test_the_same_snapshot_twice():
    store = Store(["room"])
    snapshot(store, 10, 3, 10)
    live(store, 11)
    snapshot(store, 10, 3, 10)
    assert seqs(store) == [3, 10, 11]
    assert live(store, 11) == []


def test_a_newer_snapshot_that_does_not_reach_back_replaces():
    store = Store(["room"])
    snapshot(store, 10, 3, 10)
    live(store, 11)
    snapshot(store, 50, 48, 50, reason=GAP)
    assert seqs(store) == [48, 50]
    live(store, 51)
    assert seqs(store) == [48, 50, 51]


def test_what_was_known_before_a_snapshot_stays_where_the_two_overlap():
    store = Store(["room"])
    snapshot(store, 10, 3, 10)
    live(store, 11, 12)
    for reason in (NEW, RESET, GAP):
        snapshot(store, 15, 12, 14, 15, reason=reason)
        assert seqs(store) == [3, 10, 11, 12, 14, 15]
    assert (store.gaps, store.after_gap) == (0, set())


def test_what_is_known_of_an_overlap_is_as_the_snapshot_has_it():
    store = Store(["room"])
    live(store, 1, 2, 3)
    snapshot(store, 5, 2, 5)  # the server keeps no 3 any more, and is right
    assert seqs(store) == [1, 2, 5]


def test_what_was_known_before_and_after_a_snapshot_stays():
    store = Store(["room"])
    live(store, 1, 2, 3)
    live(store, 8, 9)  # the catch-up between came late
    snapshot(store, 8, 3, 5, 8)
    assert seqs(store) == [1, 2, 3, 5, 8, 9]
    assert store.gaps == 0


def test_where_they_do_not_overlap_a_hole_is_counted_and_marked():
    store = Store(["room"])
    live(store, 1, 2, 3)
    snapshot(store, 9, 7, 9, reason=NEW)
    assert (seqs(store), store.gaps, store.after_gap) == ([7, 9], 1, {7})
    snapshot(store, 20, 18, 20, reason=GAP)
    assert (seqs(store), store.gaps, store.after_gap) == ([18, 20], 2, {7, 18})
    snapshot(store, 20, 18, 20, reason=GAP)  # the same one again
    assert (seqs(store), store.gaps, store.after_gap) == ([18, 20], 2, {7, 18})


def test_a_gap_is_believed_where_nothing_was_known():
    store = Store(["room"])
    snapshot(store, 9, 7, 9, reason=GAP)
    assert (store.gaps, store.after_gap) == (1, {7})


def test_a_hole_before_a_snapshot_of_nothing_stands_before_the_next_event():
    store = Store(["room"])
    live(store, 1, 2)
    snapshot(store, 5, reason=GAP)
    assert (seqs(store), store.gaps, store.after_gap) == ([], 1, set())
    live(store, 8, 9)
    live(store, 10)
    assert (store.gaps, store.after_gap) == (1, {8})

    store = Store(["room"])
    live(store, 1, 2)
    live(store, 8, 9)
    snapshot(store, 5, reason=GAP)
    assert (seqs(store), store.gaps, store.after_gap) == ([8, 9], 1, {8})


def test_a_hole_that_the_limit_would_have_let_go_is_none():
    store = Store(["room"], limit=3)
    live(store, 1, 2)
    snapshot(store, 9, 7, 8, 9, reason=GAP)
    assert (seqs(store), store.gaps, store.after_gap) == ([7, 8, 9], 0, set())
    snapshot(store, 20, 19, 20, reason=GAP)
    assert (seqs(store), store.gaps, store.after_gap) == ([19, 20], 1, {19})


def test_a_snapshot_that_a_newer_one_has_overtaken_changes_nothing():
    store = Store(["room"])
    snapshot(store, 50, 48, 50)
    live(store, 51)
    assert snapshot(store, 10, 3, 10) == []
    assert seqs(store) == [48, 50, 51]
    assert live(store, 20) == []
    assert live(store, 50, 51) == []


def test_another_topics_snapshot_overtakes_nothing():
    store = Store(["a", "b"])
    snapshot(store, 50, 50, topic="a")
    assert snapshot(store, 10, 10, topic="b") == ["b"]
    assert seqs(store, "b") == [10]


def test_another_logs_snapshot_is_overtaken_by_nothing():
    store = Store(["room"])
    snapshot(store, 50, 50)
    store.clear()
    assert snapshot(store, 10, 10) == ["room"]
    assert seqs(store) == [10]


def test_an_empty_snapshot_makes_the_topic_known():
    store = Store(["room"])
    assert snapshot(store, 10) == ["room"]
    assert store.topics() == ["room"]
    assert store.events("room") == []
    assert store.latest("room") is None
    assert live(store, 10) == []
    assert live(store, 11) == ["room"]
    assert seqs(store) == [11]


def test_an_empty_snapshot_replaces_too():
    store = Store(["room"])
    live(store, 1, 2)
    snapshot(store, 5)
    assert seqs(store) == []


def test_an_empty_body_changes_nothing():
    store = Store(["room"])
    assert store.take({"kind": EVENTS, "seq": 1, "topics": [["room", 0]]}, ["[]"]) == []
    assert store.topics() == []


def test_a_hole_is_counted_whatever_the_reason_and_a_beginning_is_none():
    store = Store(["room"])
    snapshot(store, 10, 10, reason=NEW)
    assert store.gaps == 0
    snapshot(store, 20, 20, reason=NEW)
    snapshot(store, 30, 30, reason=GAP)
    store.take({"kind": SNAPSHOT, "seq": 40, "topics": [["room", 1]]}, [body_of(40)])  # says no reason
    assert store.gaps == 3
    live(store, 99)  # a hole in the numbers is none in the topic: others have numbers too
    assert store.gaps == 3


def test_another_logs_snapshot_is_no_hole():
    store = Store(["room"])
    snapshot(store, 10, 10)
    store.clear()
    snapshot(store, 20, 20, reason=RESET)
    assert (store.gaps, store.after_gap) == (0, set())


def test_a_gap_in_an_unwanted_topic_is_not_ours():
    store = Store(["room"])
    assert snapshot(store, 10, 10, topic="host.cpu", reason=GAP) == []
    assert store.gaps == 0


def test_clear():
    store = Store(["room", "b"])
    snapshot(store, 10, 10, reason=GAP)
    snapshot(store, 10, topic="b", reason=GAP)
    live(store, 10, 11)
    store.clear()
    assert store.topics() == []
    assert store.events("room") == []
    assert store.latest("room") is None
    assert (store.gaps, store.duplicates) == (2, 1)  # what was counted stays counted
    assert live(store, 1) == ["room"]  # another log begins at 1 again
    assert live(store, 2, topic="b") == ["b"]
    assert seqs(store) == [1]
    assert store.after_gap == set()


def test_the_limit_holds_for_live_events():
    store = Store(["room"], limit=3)
    for seq in range(1, 10):
        live(store, seq)
    assert seqs(store) == [7, 8, 9]
    live(store, *range(10, 20))
    assert seqs(store) == [17, 18, 19]


def test_the_limit_holds_for_snapshots():
    store = Store(["room"], limit=3)
    live(store, 11)
    snapshot(store, 10, *range(1, 11))
    assert seqs(store) == [9, 10, 11]


def test_what_the_limit_let_go_does_not_come_back():
    store = Store(["room"], limit=2)
    live(store, 1, 2, 3)
    assert live(store, 1) == []
    assert seqs(store) == [2, 3]
    assert store.duplicates == 1


def test_the_limit_is_each_topics_own():
    store = Store(["a", "b"], limit=2)
    for seq in range(1, 7):
        live(store, seq, topic="ab"[seq % 2])
    assert seqs(store, "a") == [4, 6]
    assert seqs(store, "b") == [3, 5]


def test_500_events_are_kept_where_nothing_is_said():
    store = Store(["room"])
    live(store, *range(1, 602))
    assert len(store.events("room")) == 500
    assert seqs(store)[0] == 102


def test_unwanted_topics_are_not_even_parsed():
    store = Store(["room", "host.*"])
    header = {
        "kind": EVENTS,
        "seq": 3,
        "topics": [["secret", 1], ["room", 1], ["hosts", 1], ["host.cpu", 1], ["host", 1]],
    }
    assert store.take(header, [NOT_JSON, body_of(1), NOT_JSON, body_of(2), NOT_JSON]) == ["room", "host.cpu"]
    assert store.topics() == ["host.cpu", "room"]
    header["kind"] = SNAPSHOT
    assert store.take(header, [NOT_JSON, body_of(1), NOT_JSON, body_of(2), NOT_JSON]) == ["room", "host.cpu"]
    assert store.events("secret") == []


def test_a_wanted_body_that_is_not_json_is_an_error():
    store = Store(["room"])
    live(store, 1)
    for kind in (EVENTS, SNAPSHOT):
        try:
            store.take({"kind": kind, "seq": 2, "topics": [["room", 1]]}, [NOT_JSON])
        except ValueError:
            pass
        else:
            raise AssertionError(f"{kind} was taken")
    assert seqs(store) == [1]


def test_nothing_is_wanted_where_there_are_no_patterns():
    store = Store([])
    assert store.take({"kind": EVENTS, "seq": 1, "topics": [["room", 1]]}, [NOT_JSON]) == []
    assert store.topics() == []


def test_patterns_come_in_any_collection():
    for patterns in [("room", "host.*"), {"room", "host.*"}, (name for name in ["room", "host.*"])]:
        store = Store(patterns)
        assert sorted(store.patterns) == ["host.*", "room"]
        live(store, 1, topic="host.cpu")
        live(store, 2)
        assert store.topics() == ["host.cpu", "room"]


def test_several_topics_in_one_frame_are_each_their_own():
    store = Store(["a", "b"])
    header = {"kind": EVENTS, "seq": 4, "topics": [["a", 2], ["b", 2]]}
    assert store.take(header, [body_of(1, 3), body_of(2, 4)]) == ["a", "b"]
    assert (seqs(store, "a"), seqs(store, "b")) == ([1, 3], [2, 4])
    header = {"kind": EVENTS, "seq": 5, "topics": [["a", 1], ["b", 1]]}
    assert store.take(header, [body_of(3), body_of(5)]) == ["b"]
    assert store.duplicates == 1


def test_topics_are_sorted():
    store = Store(["c", "a", "b.*"])
    for seq, topic in enumerate(["c", "b.z", "b.a", "a"]):
        live(store, seq + 1, topic=topic)
    assert store.topics() == ["a", "b.a", "b.z", "c"]


def test_a_frame_of_another_kind_changes_nothing():
    store = Store(["room"])
    assert store.take({"kind": "later", "seq": 1, "topics": [["room", 1]]}, [body_of(1)]) == []
    assert store.topics() == []


def test_escaped_text_is_the_text_it_stands_for():
    store = Store(["room"])
    store.take({"kind": EVENTS, "seq": 1, "topics": [["room", 1]]}, ['[{"seq": 1, "id": "\\ud83d\\ude00\\u00e9"}]'])
    assert store.latest("room")["id"] == "😀é"


def test_whatever_overlaps_each_event_stands_once_and_in_order():
    chance = 7
    for _ in range(20):
        store = Store(["room"], limit=1000)
        position = 0  # live frames come in order, with overlaps; snapshots come at any time, and may be late
        for _ in range(30):
            chance = chance * 1103515245 + 12345 & 0x7FFFFFFF
            draw = chance >> 16
            if draw % 4 == 0:
                upto = max(0, position - draw % 7)
                snapshot(store, upto, *range(1, upto + 1))
            else:
                first = max(1, position + 1 - draw % 3)
                position = first + draw % 5
                live(store, *range(first, position + 1))
            position = max(position, seqs(store)[-1] if seqs(store) else 0)
            assert seqs(store) == list(range(1, position + 1))


def test_a_snapshot_whose_bodies_overlap_is_taken_once_each():
    store = Store(["room"])
    snapshot(store, 6, 3, 4, 5, 6, 4, 5, 6)
    assert seqs(store) == [3, 4, 5, 6]
    assert store.duplicates == 3
