"""A terminal's escapes: colours become classes, all else goes, wherever the text is cut into pieces."""

import random

from ansi import MOST, Ansi, parsed

CASES = (
    ("plain\n", [("plain\n", "")]),
    ("", []),
    ("\x1b[31mred\x1b[0m plain", [("red", "ansi-1"), (" plain", "")]),
    ("\x1b[1;94mbold\x1b[22m blue\x1b[39m.", [("bold", "ansi-bold ansi-12"), (" blue", "ansi-12"), (".", "")]),
    ("\x1b[1mb\x1b[m.", [("b", "ansi-bold"), (".", "")]),
    ("\x1b[31;1;0;32mgreen", [("green", "ansi-2")]),
    ("\x1b[?25lhid\x1b[?25h", [("hid", "")]),
    ("\x1b[2K\x1b[1A\x1b[10;20Hx\x1b[>4;2mz\x1b[ q!", [("x", ""), ("z", ""), ("!", "")]),
    ("\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\.", [("link", ""), (".", "")]),
    ("\x1b]0;title\x07text", [("text", "")]),
    ("\x1bP1$r\x1b\\a\x1b_x\x1b\\b\x1b(Bc\x1b7d\x1b=e", [("a", ""), ("b", ""), ("c", ""), ("d", ""), ("e", "")]),
    ("\x1b[38;5;9ma\x1b[38;5;200mb\x1b[31;48;2;1;2;3mc", [("a", "ansi-9"), ("b", ""), ("c", "ansi-1")]),
    ("\x1b[32m\x1b[38;2;31;31;31md\x1b[4:3;34me", [("d", ""), ("e", "ansi-4")]),
    ("\x1b[41;33mon\x1b[49m", [("on", "ansi-3")]),
    ("\x1b[38m\x1b[38;5ma\x1b[999mb", [("a", ""), ("b", "")]),
    ("grüße \x1b[35m👋 漢\x1b[0m字", [("grüße ", ""), ("👋 漢", "ansi-5"), ("字", "")]),
    # broken off: what is no sequence is text
    ("\x1b[3\nnext", [("\nnext", "")]),
    ("\x1b]0;title\nnext\x07", [("0;title\nnext\x07", "")]),
    ("a\x1b\nb", [("a", ""), ("\nb", "")]),
    ("\x1b\x1b[31mred", [("red", "ansi-1")]),
    ("\x1b]0;title\x1b[31mred", [("0;title", ""), ("red", "ansi-1")]),
)


def joined(shown):
    """Parts beside each other that have the same classes, made one."""
    found = []
    for text, classes in shown:
        if found and found[-1][1] == classes:
            found[-1] = (found[-1][0] + text, classes)
        else:
            found.append((text, classes))
    return found


def test_what_is_shown():
    for text, wanted in CASES:
        assert parsed(text) == wanted, (text, parsed(text))


def test_what_ends_within_a_sequence():
    assert parsed("a\x1b") == [("a", "")]
    assert parsed("a\x1b[31") == [("a", ""), ("31", "")]
    assert parsed("a\x1b]8;;b") == [("a", ""), ("8;;b", "")]
    assert parsed("a\x1b]8;;b\x1b") == [("a", ""), ("8;;b", "")]


def test_wherever_it_is_cut():
    for text, _ in CASES:
        whole = Ansi().feed(text)
        for first in range(len(text) + 1):
            for second in (first, (first + len(text)) // 2, len(text) - 1):
                ansi = Ansi()
                second = max(first, second)
                pieces = [text[:first], text[first:second], text[second:]]
                shown = [part for piece in pieces for part in ansi.feed(piece)]
                assert joined(shown) == joined(whole), (pieces, shown)


def test_a_sequence_that_never_ends_holds_up_so_much_and_no_more():
    ansi = Ansi()
    assert ansi.feed("\x1b]0;" + "x" * (MOST // 2)) == []
    shown = ansi.feed("y" * MOST)
    assert len(shown) == 1
    assert shown[0][0].endswith("y" * MOST)
    assert ansi.feed("z") == [("z", "")]


def test_no_escape_is_left_of_whatever_comes():
    random.seed(7)
    for _ in range(500):
        text = "".join([random.choice("\x1b\x1b[]m0;19?P\\\x07\nhé👋 (") for _ in range(30)])
        for part, _ in Ansi().feed(text):
            assert "\x1b" not in part, (text, part)


def test_long_text_is_read_in_one_go():
    many = "\x1b[32m漢\x1b[0m." * 5000
    assert len(parsed(many)) == 10000
    assert parsed("x" * 200000) == [("x" * 200000, "")]


def test_what_never_ends_is_none_however_long():
    long = "1" * 100_000
    assert parsed("\x1b[" + long + "mrest") == [(long + "mrest", "")]
    assert parsed("\x1b[31;" + "1" * 100 + "mred") == [("red", "ansi-1")]
