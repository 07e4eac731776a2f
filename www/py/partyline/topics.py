"""Topic names and the patterns that match them.

A topic is words of ``A-Z a-z 0-9 _ -`` joined by dots, as in NATS subjects: ``room``, ``host.cpu``.
A pattern is a topic, or a topic followed by ``.*``, which matches every topic below it: ``host.*``.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:  # MicroPython has no typing
    from collections.abc import Iterable

MAX_LENGTH = 200

_WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"


def is_topic(name: object) -> bool:
    """Whether ``name`` may be published to: text, 1 to 200 characters, words joined by single dots."""
    if not isinstance(name, str) or not 0 < len(name) <= MAX_LENGTH:
        return False
    for word in name.split("."):
        if not word:
            return False
        for character in word:
            if character not in _WORD:
                return False
    return True


def is_pattern(name: object) -> bool:
    """Whether ``name`` may be subscribed to: a topic, or a topic and ``.*``."""
    if isinstance(name, str) and name.endswith(".*"):
        return is_topic(name[:-2])
    return is_topic(name)


def matches(pattern: str, topic: str) -> bool:
    """Whether a subscription to ``pattern`` carries ``topic``. Both must be valid."""
    if pattern.endswith(".*"):
        return topic.startswith(pattern[:-1])
    return pattern == topic


def any_matches(patterns: "Iterable[str]", topic: str) -> bool:
    """Whether one of ``patterns`` carries ``topic``."""
    return any(matches(pattern, topic) for pattern in patterns)
