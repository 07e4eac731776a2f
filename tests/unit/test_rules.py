"""Rules by topic: the most specific pattern wins, and a rule's text says the rule."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from partyline.topics import matches
from server.rules import PerTopic, parse, read_count, read_duration


def test_the_topic_itself_wins_then_the_longest_prefix_then_the_default() -> None:
    rule = parse("100, a.*=1, a.b.*=2, a.b.c=3, a=4", read_count)
    topics = ["a.x", "a.b", "a.b.x", "a.b.c.d", "a.b.c", "a", "ab.c", "b"]
    assert [rule.of(topic) for topic in topics] == [1, 1, 2, 2, 3, 4, 100, 100]
    assert rule.largest == 100
    assert parse("1, a=7", read_count).largest == 7


def test_durations() -> None:
    texts = ["0", "5s", "90s", "15m", "12h", "7d"]
    assert [read_duration(text) for text in texts] == [0, 5, 90, 900, 43_200, 604_800]


WORDS = st.sampled_from(["a", "b", "c"])
TOPICS = st.lists(WORDS, min_size=1, max_size=4).map(".".join)
PATTERNS = st.one_of(TOPICS, TOPICS.map(lambda topic: f"{topic}.*"))


@given(TOPICS, st.integers(1, 9), st.dictionaries(PATTERNS, st.integers(1, 9)))
def test_a_value_is_the_defaults_or_that_of_a_pattern_that_fits(
    topic: str, default: int, rules: dict[str, int]
) -> None:
    rule = PerTopic(default, tuple(rules.items()))
    assert parse(str(rule), read_count) == rule
    fitting = {pattern: value for pattern, value in rules.items() if matches(pattern, topic)}
    expected = fitting[max(fitting, key=lambda pattern: (pattern == topic, len(pattern)))] if fitting else default
    assert rule.of(topic) == expected
