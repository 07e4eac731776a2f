"""How a tab follows its worker: port and channel in any order, holes, other workers, other eras, other epochs."""

import json

from partyline import protocol
from partyline.follower import MAX_HELD, Follower


def joined(n, worker="w1", era=0, epoch="e1", ref=1):
    header = {"kind": "joined", "worker": worker, "n": n, "era": era, "epoch": epoch, "ref": ref}
    return protocol.encode(header)


def snapshot(seq, era=0, epoch="e1"):
    header = {"kind": "snapshot", "epoch": epoch, "seq": seq, "topics": [["room", 0]], "era": era}
    return protocol.encode(header, ["[]"])


def caught_up(seq, era=0, epoch="e1"):
    """What ends an answer: the events that the tab lacks, up to ``seq``; here none."""
    return protocol.encode({"kind": "events", "epoch": epoch, "seq": seq, "topics": [], "era": era})


def broadcast(n, seq, worker="w1", era=0, epoch="e1", kind="events"):
    frame = {"kind": kind, "seq": seq, "topics": []}
    bodies = []
    if kind == "events":
        frame["topics"] = [["room", 1]]
        bodies = [json.dumps([{"seq": seq}])]
    return protocol.envelope(n, era, epoch, worker, protocol.encode(frame, bodies))


def shown(frames):
    return [(header["kind"], header.get("seq")) for header, _ in frames]


def began():
    """One that has said its first hello, whose ref is 1."""
    follower = Follower()
    assert follower.hello() == 1
    return follower


def answer(follower, n, seq=0, worker="w1", era=0, epoch="e1", ref=1):
    """All that the worker answers to a hello; returns the frames that come of it."""
    frames = follower.told(joined(n, worker, era, epoch, ref))
    return frames + follower.told(caught_up(seq, era, epoch))


def following(n, seq=0):
    follower = began()
    answer(follower, n, seq)
    return follower


def test_it_follows_from_where_it_joined():
    follower = began()
    assert shown(follower.told(joined(4))) == [("joined", None)]
    assert shown(follower.told(snapshot(9))) == [("snapshot", 9)]
    assert shown(follower.told(caught_up(9))) == [("events", 9)]
    assert shown(follower.heard(broadcast(5, 10))) == [("events", 10)]
    assert shown(follower.heard(broadcast(6, 11))) == [("events", 11)]
    assert not follower.lost


def test_bodies_come_through_as_text():
    follower = following(0)
    ((header, bodies),) = follower.heard(broadcast(1, 7))
    assert header["topics"] == [["room", 1]]
    assert bodies == ['[{"seq": 7}]']


def test_broadcasts_before_the_answer_are_held_and_the_old_ones_dropped():
    follower = began()
    assert follower.heard(broadcast(4, 10)) == []
    assert follower.heard(broadcast(5, 11)) == []
    assert shown(answer(follower, 4, 10)) == [("joined", None), ("events", 10), ("events", 11)]


def test_broadcasts_that_overtake_the_rest_of_the_answer_wait_for_it():
    follower = began()
    follower.told(joined(4))
    assert follower.heard(broadcast(5, 20)) == []  # a store that had 20 now would take 11 to 19 for known
    assert shown(follower.told(snapshot(19))) == [("snapshot", 19)]
    assert follower.seq == 0
    assert shown(follower.told(caught_up(19))) == [("events", 19), ("events", 20)]
    assert follower.seq == 20
    assert shown(follower.heard(broadcast(6, 21))) == [("events", 21)]


def test_an_answer_that_names_no_epoch_is_followed_by_nothing():
    follower = began()
    follower.heard(broadcast(5, 0, epoch="", kind="line"))
    assert shown(follower.told(joined(4, epoch=""))) == [("joined", None), ("line", 0)]
    assert shown(follower.heard(broadcast(6, 0, epoch="", kind="tabs"))) == [("tabs", 0)]


def test_what_was_heard_before_is_not_heard_again():
    follower = following(4)
    follower.heard(broadcast(5, 10))
    assert follower.heard(broadcast(5, 10)) == []
    assert not follower.lost


def test_a_hole_loses_it_until_it_has_joined_anew():
    follower = following(4)
    assert follower.heard(broadcast(6, 11)) == []
    assert follower.lost
    assert follower.heard(broadcast(7, 12)) == []
    follower.hello()
    assert not follower.lost
    assert follower.heard(broadcast(8, 13)) == []
    assert shown(answer(follower, 7, 12, ref=2)) == [("joined", None), ("events", 12), ("events", 13)]


def test_a_hole_among_what_was_held_is_noticed_too():
    follower = began()
    follower.heard(broadcast(5, 11))
    follower.heard(broadcast(7, 13))
    assert shown(answer(follower, 4, 10)) == [("joined", None), ("events", 10), ("events", 11)]
    assert follower.lost


def test_of_two_hellos_the_last_ones_answer_counts():
    follower = following(4, 10)
    follower.heard(broadcast(6, 12))
    follower.hello()  # a hole; and, before that is answered, one more
    follower.hello()
    assert shown(answer(follower, 6, 12, ref=2)) == [("joined", None), ("events", 12)]
    assert follower.heard(broadcast(9, 15)) == []  # 7 and 8 may be lost, too
    assert not follower.lost
    assert shown(answer(follower, 8, 14, ref=3)) == [("joined", None), ("events", 14), ("events", 15)]
    assert follower.seq == 15


def test_an_answer_that_nobody_waits_for_sets_nothing_back():
    follower = following(4, 10)
    follower.heard(broadcast(5, 11))
    assert shown(answer(follower, 4, 10)) == [("joined", None), ("events", 10)]
    assert shown(follower.heard(broadcast(6, 12))) == [("events", 12)]
    assert follower.seq == 12


def test_half_an_answer_is_none_where_hello_was_said_again():
    follower = began()
    follower.told(joined(4))
    follower.hello()
    assert shown(follower.told(caught_up(9))) == [("events", 9)]
    assert follower.heard(broadcast(6, 12)) == []
    assert shown(answer(follower, 5, 11, ref=2)) == [("joined", None), ("events", 11), ("events", 12)]


# digests


def test_a_digest_is_taken_by_who_hears_no_broadcasts():
    follower = following(4, 10)
    frames = follower.told(joined(9, ref=None)) + follower.told(caught_up(30))
    assert shown(frames) == [("joined", None), ("events", 30)]
    assert follower.seq == 30


def test_a_digest_on_its_way_is_no_answer_to_a_tab_that_came_forward():
    follower = following(4, 10)
    follower.hello()
    follower.told(joined(6, ref=None))
    follower.told(caught_up(12))
    assert follower.heard(broadcast(8, 14)) == []  # 7 was told to all before this tab was among them
    assert not follower.lost
    assert shown(answer(follower, 7, 13, ref=2)) == [("joined", None), ("events", 13), ("events", 14)]


def test_a_digest_is_no_answer_either_where_another_worker_speaks():
    follower = following(4, 10)
    follower.hello()
    assert shown(follower.told(joined(6, worker="w2", ref=None))) == [("joined", None)]
    assert follower.heard(broadcast(7, 14, worker="w2")) == []
    assert shown(answer(follower, 7, 14, worker="w2", ref=2)) == [("joined", None), ("events", 14)]


# the cursor


def test_its_cursor_is_where_it_has_come_to():
    follower = began()
    assert (follower.epoch, follower.seq) == ("", 0)
    follower.told(joined(4))
    assert (follower.epoch, follower.seq) == ("e1", 0)
    follower.told(snapshot(9))
    assert follower.seq == 0  # other topics may lack what came up to there
    follower.told(caught_up(9))
    assert follower.seq == 9
    for n, kind in [(5, "events"), (6, "heartbeat"), (7, "subscribed")]:
        follower.heard(broadcast(n, n * 10, kind=kind))
        assert follower.seq == n * 10
    follower.heard(broadcast(8, 99, kind="snapshot"))
    assert follower.seq == 70


def test_what_is_held_or_dropped_moves_no_cursor():
    follower = following(4, 9)
    follower.heard(broadcast(6, 60))
    assert follower.seq == 9
    follower.hello()
    follower.heard(broadcast(7, 70))
    assert follower.seq == 9


def test_its_cursor_never_goes_back_while_the_log_is_the_same():
    follower = following(4, 50)
    follower.hello()
    answer(follower, 1, 40, worker="w2", ref=2)  # one that took over goes on from the lowest cursor
    assert (follower.epoch, follower.seq) == ("e1", 50)
    follower.heard(broadcast(2, 45, worker="w2"))
    assert follower.seq == 50


# other workers, eras, epochs


def test_another_worker_on_the_channel_loses_it():
    follower = following(4)
    assert follower.heard(broadcast(1, 3, worker="w2")) == []
    assert follower.lost


def test_another_worker_that_serves_the_same_log_clears_nothing():
    follower = following(4, 10)
    follower.hello()
    assert shown(answer(follower, 1, 10, worker="w2", ref=2)) == [("joined", None), ("events", 10)]
    assert follower.worker == "w2"
    assert shown(follower.heard(broadcast(2, 11, worker="w2"))) == [("events", 11)]


def test_another_worker_counts_its_eras_anew():
    for before, after in [(0, 5), (5, 0)]:
        follower = began()
        answer(follower, 4, 10, era=before)
        follower.hello()
        assert shown(answer(follower, 1, 10, worker="w2", era=after, ref=2)) == [("joined", None), ("events", 10)]
        assert shown(follower.heard(broadcast(2, 11, worker="w2", era=after))) == [("events", 11)]


def test_another_worker_that_serves_another_log_clears():
    follower = following(4, 10)
    follower.hello()
    frames = answer(follower, 1, 3, worker="w2", epoch="e2", ref=2)
    assert shown(frames) == [("cleared", None), ("joined", None), ("events", 3)]
    assert (follower.epoch, follower.seq) == ("e2", 3)


def test_a_worker_that_does_not_know_its_log_yet_clears_nothing_until_it_does():
    follower = following(4, 10)
    follower.hello()
    assert shown(follower.told(joined(1, worker="w2", epoch="", ref=2))) == [("joined", None)]
    assert (follower.epoch, follower.seq) == ("e1", 10)
    same, other = broadcast(2, 11, "w2"), broadcast(3, 1, "w2", epoch="e2")
    assert shown(follower.heard(same)) == [("events", 11)]
    assert shown(follower.heard(other)) == [("cleared", None), ("events", 1)]
    assert (follower.epoch, follower.seq) == ("e2", 1)


def test_the_first_answer_clears_nothing():
    assert shown(began().told(joined(9, era=3))) == [("joined", None)]


def test_a_new_era_clears_once_whoever_tells_of_it_first():
    heard = following(4, 90)
    assert shown(heard.heard(broadcast(5, 1, era=1))) == [("cleared", None), ("events", 1)]
    assert shown(heard.told(snapshot(1, era=1))) == [("snapshot", 1)]
    assert heard.seq == 1

    told = following(4, 90)
    assert shown(told.told(snapshot(1, era=1))) == [("cleared", None), ("snapshot", 1)]
    assert shown(told.heard(broadcast(5, 1, era=1))) == [("events", 1)]
    assert told.seq == 1


def test_a_new_era_of_a_new_epoch_clears_once():
    follower = following(4, 90)
    assert shown(follower.heard(broadcast(5, 1, era=1, epoch="e2"))) == [("cleared", None), ("events", 1)]
    assert shown(follower.heard(broadcast(6, 2, era=1, epoch="e2"))) == [("events", 2)]


def test_what_is_left_of_an_old_era_is_dropped_and_counted():
    follower = following(4)
    follower.heard(broadcast(5, 1, era=1))
    assert follower.told(snapshot(90, era=0)) == []
    assert follower.told(caught_up(90, era=0)) == []
    assert follower.seq == 1
    follower.told(snapshot(2, era=2))
    assert follower.heard(broadcast(6, 91, era=1)) == []
    assert shown(follower.heard(broadcast(7, 3, era=2))) == [("events", 3)]
    assert not follower.lost


def test_an_answer_of_a_new_era_clears():
    follower = following(4)
    follower.hello()
    assert shown(follower.told(joined(6, era=1, ref=2))) == [("cleared", None), ("joined", None)]


# the rest


def test_other_frames_over_the_port_pass():
    assert shown(Follower().told('{"kind": "booting", "loaded": 1, "total": 2}')) == [("booting", None)]
    assert shown(following(4).told('{"kind": "pong", "worker": "w1"}')) == [("pong", None)]


def test_what_is_held_is_bounded_and_the_rest_is_noticed_as_a_hole():
    follower = began()
    for n in range(1, MAX_HELD + 3):
        follower.heard(broadcast(n, n))
    assert len(answer(follower, 0)) == 2 + MAX_HELD
    follower.heard(broadcast(MAX_HELD + 3, 1))
    assert follower.lost
