"""Which names are topics, and which patterns carry them."""

from partyline.topics import MAX_LENGTH, any_matches, is_pattern, is_topic, matches

TOPICS = ["room", "host.cpu", "a", "A", "0", "_", "-", "a.b.c.d", "ROOM", "a-b_c.9", "-.-", "x" * MAX_LENGTH]
NOT_TEXT = [None, True, 0, 1.5, b"room", ["room"], ("room",), {"room": 1}]
ODD = " \t\n\r\0*>/\\#+:;,$%&?!\"'()[]{}<|~^`@=\x7f\xa0é١１漢😀\u2028\ufeff"
ODD_DOTS = [".", "..", ".room", "room.", "host..cpu", "host.cpu."]


def test_topics():
    for name in TOPICS:
        assert is_topic(name) is True, name


def test_no_text_is_no_topic():
    for name in NOT_TEXT:
        assert is_topic(name) is False, name
        assert is_pattern(name) is False, name


def test_empty_text_is_no_topic():
    assert not is_topic("")
    assert not is_pattern("")


def test_each_word_has_a_character():
    for name in ODD_DOTS:
        assert not is_topic(name), name
        assert not is_pattern(name), name


def test_odd_characters_are_refused_wherever_they_stand():
    for character in ODD:
        for name in [character, "room" + character, character + "room", "ro" + character + "om", "host." + character]:
            assert not is_topic(name), repr(name)


def test_a_lone_surrogate_is_refused():
    assert not is_topic("room" + chr(0xD800))
    assert not is_pattern(chr(0xDFFF) + ".*")


def test_length():
    assert MAX_LENGTH == 200
    assert is_topic("a." * 99 + "bc")
    assert not is_topic("x" * (MAX_LENGTH + 1))
    assert not is_topic("a." * 100 + "b")
    assert not is_topic("x" * 10000)
    assert not is_pattern("x" * 10000)
    assert not is_pattern("x" * 10000 + ".*")


def test_every_topic_is_a_pattern():
    for name in TOPICS:
        assert is_pattern(name) is True, name
        assert is_pattern(name + ".*") is True, name


def test_a_wildcard_stands_only_at_the_end_and_for_whole_words():
    for name in ["*", ".*", "*.*", "host*", "host.c*", "*.cpu", "a.*.b", "host.*.*", "host.**", "host.>", "host..*"]:
        assert not is_pattern(name), name
        assert not is_topic(name), name
    assert not is_topic("host.*")


def test_the_longest_pattern_is_the_longest_topic_and_its_wildcard():
    assert is_pattern("x" * MAX_LENGTH + ".*")
    assert not is_pattern("x" * (MAX_LENGTH + 1) + ".*")


def test_a_topic_matches_itself_alone():
    for topic in TOPICS:
        assert matches(topic, topic) is True, topic
    for topic in ["rooms", "roo", "Room", "room.a", "a.room"]:
        assert matches("room", topic) is False, topic


def test_a_wildcard_matches_all_that_stands_below():
    for topic in ["host.cpu", "host.cpu.0", "host.a.b.c"]:
        assert matches("host.*", topic) is True, topic
    for topic in ["host", "hosts.cpu", "hostcpu", "a.host.cpu", "Host.cpu"]:
        assert matches("host.*", topic) is False, topic
    assert matches("host.cpu.*", "host.cpu.0")
    assert not matches("host.cpu.*", "host.cpu")
    assert not matches("host.cpu.*", "host.cpus.0")


def test_any_matches():
    assert any_matches(["room", "host.*"], "host.cpu") is True
    assert any_matches(["room", "host.*"], "room") is True
    assert any_matches(["room", "host.*"], "host") is False
    assert any_matches([], "room") is False


def test_patterns_come_in_any_collection():
    for patterns in [("a", "room"), {"a", "room"}, {"a": 1, "room": 2}, (name for name in ["a", "room"])]:
        assert any_matches(patterns, "room")
