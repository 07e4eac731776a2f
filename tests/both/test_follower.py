"""How a tab follows its worker: port and channel in any order, holes, other workers, other eras."""

from partyline import protocol
from partyline.follower import MAX_HELD, Follower


def joined(n, worker="w1", era=0):
    return protocol.encode({"kind": "joined", "worker": worker, "n": n, "era": era})


def snapshot(seq, era=0):
    header = {"kind": "snapshot", "seq": seq, "topics": [["room", 0]], "era": era}
    return protocol.encode(header, ["[]"])


def broadcast(n, seq, worker="w1", era=0):
    frame = protocol.encode({"kind": "events", "seq": seq, "topics": [["room", 1]]}, ['[{"seq": %d}]' % seq])
    return protocol.envelope(n, era, worker, frame)


def shown(frames):
    return [(header["kind"], header.get("seq")) for header, _ in frames]


def test_it_follows_from_where_it_joined():
    follower = Follower()
    assert shown(follower.told(joined(4))) == [("joined", None)]
    assert shown(follower.told(snapshot(9))) == [("snapshot", 9)]
    assert shown(follower.heard(broadcast(5, 10))) == [("events", 10)]
    assert shown(follower.heard(broadcast(6, 11))) == [("events", 11)]
    assert not follower.lost


def test_bodies_come_through_as_text():
    follower = Follower()
    follower.told(joined(0))
    ((header, bodies),) = follower.heard(broadcast(1, 7))
    assert header["topics"] == [["room", 1]]
    assert bodies == ['[{"seq": 7}]']


def test_broadcasts_before_the_answer_are_held_and_the_old_ones_dropped():
    follower = Follower()
    assert follower.heard(broadcast(4, 10)) == []
    assert follower.heard(broadcast(5, 11)) == []
    assert shown(follower.told(joined(4))) == [("joined", None), ("events", 11)]


def test_what_was_heard_before_is_not_heard_again():
    follower = Follower()
    follower.told(joined(4))
    follower.heard(broadcast(5, 10))
    assert follower.heard(broadcast(5, 10)) == []
    assert not follower.lost


def test_a_hole_loses_it_until_it_has_joined_anew():
    follower = Follower()
    follower.told(joined(4))
    assert follower.heard(broadcast(6, 11)) == []
    assert follower.lost
    assert follower.heard(broadcast(7, 12)) == []
    follower.hello()
    assert not follower.lost
    assert follower.heard(broadcast(8, 13)) == []
    assert shown(follower.told(joined(7))) == [("joined", None), ("events", 13)]


def test_a_hole_among_what_was_held_is_noticed_too():
    follower = Follower()
    follower.heard(broadcast(5, 11))
    follower.heard(broadcast(7, 13))
    assert shown(follower.told(joined(4))) == [("joined", None), ("events", 11)]
    assert follower.lost


def test_another_worker_loses_it_and_its_answer_clears():
    follower = Follower()
    follower.told(joined(4))
    assert follower.heard(broadcast(1, 3, worker="w2")) == []
    assert follower.lost
    follower.hello()
    assert shown(follower.told(joined(1, worker="w2"))) == [("cleared", None), ("joined", None)]
    assert follower.worker == "w2"
    assert shown(follower.heard(broadcast(2, 4, worker="w2"))) == [("events", 4)]


def test_the_first_answer_clears_nothing():
    assert shown(Follower().told(joined(9, era=3))) == [("joined", None)]


def test_a_new_era_clears_once_whoever_tells_of_it_first():
    heard = Follower()
    heard.told(joined(4))
    assert shown(heard.heard(broadcast(5, 1, era=1))) == [("cleared", None), ("events", 1)]
    assert shown(heard.told(snapshot(1, era=1))) == [("snapshot", 1)]

    told = Follower()
    told.told(joined(4))
    assert shown(told.told(snapshot(1, era=1))) == [("cleared", None), ("snapshot", 1)]
    assert shown(told.heard(broadcast(5, 1, era=1))) == [("events", 1)]


def test_what_is_left_of_an_old_era_is_dropped_and_counted():
    follower = Follower()
    follower.told(joined(4))
    follower.heard(broadcast(5, 1, era=1))
    assert follower.told(snapshot(90, era=0)) == []
    follower.told(snapshot(2, era=2))
    assert follower.heard(broadcast(6, 91, era=1)) == []
    assert shown(follower.heard(broadcast(7, 3, era=2))) == [("events", 3)]
    assert not follower.lost


def test_an_answer_of_a_new_era_clears():
    follower = Follower()
    follower.told(joined(4))
    follower.hello()
    assert shown(follower.told(joined(6, era=1))) == [("cleared", None), ("joined", None)]


def test_other_frames_over_the_port_pass():
    assert shown(Follower().told('{"kind": "booting", "loaded": 1, "total": 2}')) == [("booting", None)]


def test_what_is_held_is_bounded_and_the_rest_is_noticed_as_a_hole():
    follower = Follower()
    for n in range(1, MAX_HELD + 3):
        follower.heard(broadcast(n, n))
    assert len(follower.told(joined(0))) == 1 + MAX_HELD
    follower.heard(broadcast(MAX_HELD + 3, 1))
    assert follower.lost
