"""Frames: what goes in on one side comes out on the other, and what is no frame is refused with a reason."""

import json

from partyline import protocol
from partyline.protocol import ProtocolError, decode, decode_header, encode, envelope, is_id

DEEP = 10000


def refused(text, read=decode):
    """What ``text`` is refused with."""
    try:
        header = read(text)
    except ProtocolError as error:
        return error
    raise AssertionError(f"{text[:60]!r} was taken for {header!r}")


def refusal(text, read=decode):
    """The code that ``text`` is refused with."""
    return refused(text, read).code


def publish_of(data):
    """The text of a header with ``data``, itself JSON text, in it."""
    return '{"kind": "publish", "topic": "room", "id": "a1", "data": ' + data + "}"


# encode and decode


def test_a_header_comes_back():
    header = {
        "kind": "events",
        "epoch": "9f2c",
        "seq": 42,
        "big": 9007199254740993,
        "time": 1767225600.123456,
        "topics": [["room", 1], ["host.cpu", 2]],
        "none": None,
        "flags": [True, False],
        "nested": {"a": {"b": []}, "c": {}},
        "empty": "",
        "negative": -1.5,
    }
    assert decode(encode(header)) == (header, [])


def test_a_frame_without_bodies_is_one_line():
    text = encode({"kind": "heartbeat", "seq": 1})
    assert "\n" not in text
    assert json.loads(text) == {"kind": "heartbeat", "seq": 1}


def test_each_body_is_a_line():
    text = encode({"kind": "events"}, ["[1]", "[2]"])
    assert text.split("\n")[1:] == ["[1]", "[2]"]
    assert decode(text) == ({"kind": "events"}, ["[1]", "[2]"])


def test_bodies_come_in_any_collection():
    for bodies in [("[1]", "[2]"), ["[1]", "[2]"], (f"[{n}]" for n in (1, 2))]:
        assert decode(encode({"kind": "events"}, bodies))[1] == ["[1]", "[2]"]


def test_bodies_are_not_read():
    bodies = ["", "not JSON", " [1] ", "{", "[" * DEEP, "é 漢 😀", "\\ud83d"]
    assert decode(encode({"kind": "events"}, bodies))[1] == bodies


def test_line_breaks_in_text_break_no_line():
    for text in ["a\nb", "\n", "\r\n", "\r", "\u2028\u2029", "\x85", "\x0b\x0c\x1c", 'a\\nb"\n"', "\0\x01\x1f\x7f"]:
        frame = encode({"kind": "publish", "data": {"text": text, text: 1}}, ["[1]"])
        assert frame.count("\n") == 1, repr(text)
        header, bodies = decode(frame)
        assert header["data"] == {"text": text, text: 1}
        assert bodies == ["[1]"]


def test_only_a_line_feed_ends_a_line():
    for character in "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029":
        body = '["a' + character + 'b"]'
        assert decode(encode({"kind": "events"}, [body, "[2]"]))[1] == [body, "[2]"], repr(character)


def test_text_of_all_the_world_comes_back():
    for text in ["é", "ß", "漢字", "😀", "👩‍👩‍👧", "שלום", "a\u0301", "\uffff", "\U0010ffff", "\ufeff", "𝄞 and 𝄢"]:
        assert decode(encode({"kind": "x", "text": text}))[0]["text"] == text
        assert decode('{"kind": "x", "text": "' + text + '"}')[0]["text"] == text, "as it is"


def test_escaped_text_is_the_text_it_stands_for():
    for escaped, text in [
        ("\\u00e9", "é"),
        ("\\u6f22\\u5B57", "漢字"),
        ("\\ud83d\\ude00", "😀"),
        ("\\uD83D\\uDE00!", "😀!"),
        ("\\udbff\\udfff\\ud800\\udc00", "\U0010ffff\U00010000"),
        ("\\\\\\ud83d\\ude00", "\\😀"),
        ("\\\\ud83d\\\\ude00", "\\ud83d\\ude00"),  # backslashes, escaped: no characters are meant
        ('\\"\\/\\n\\u000a', '"/\n\n'),
    ]:
        header = decode_header('{"kind": "x", "' + escaped + '": "' + escaped + '"}')
        assert header == {"kind": "x", text: text}, escaped


def test_half_a_surrogate_pair_stays_what_it_is():
    for escaped, codes in [
        ("\\ud83d", [0xD83D]),
        ("\\ude00", [0xDE00]),
        ("\\ud83d\\u0041", [0xD83D, 0x41]),
        ("\\ud83d\\ud83d\\ude00", [0xD83D, 0x1F600]),
        ("\\ude00\\ud83d", [0xDE00, 0xD83D]),
    ]:
        text = decode_header('{"kind": "x", "text": "' + escaped + '"}')["text"]
        assert [ord(character) for character in text] == codes, escaped


def test_white_space_around_the_header_is_let_be():
    for line in [' {"kind": "x"}', '{"kind": "x"} ', '\t{ "kind" :\t"x" }\r']:
        assert decode_header(line) == {"kind": "x"}
    assert decode('{"kind": "x"}\r\n[1]\r') == ({"kind": "x"}, ["[1]\r"])


def test_a_kind_may_be_any_text():
    for kind in ["", "hello", "of a newer version", "é"]:
        assert decode(encode({"kind": kind}))[0]["kind"] == kind


def test_a_line_feed_at_the_end_is_an_empty_body():
    assert decode('{"kind": "x"}\n') == ({"kind": "x"}, [""])


# what is no frame


def test_not_json():
    # MicroPython's parser takes some more than RFC 8259 does: "{]", "[1,,2]", "\\x"; those are not tried here
    for text in [
        "",
        " ",
        "\n",
        '\n{"kind": "x"}',
        "hello",
        "{",
        "}",
        "[",
        '{"kind": "x"',
        '{"kind": "x',
        "{'kind': 'x'}",
        "{kind: 1}",
        '{"kind": "x"} {"kind": "y"}',
        '{"kind": "x"}x',
        '\ufeff{"kind": "x"}',
        "nul",
        "True",
        "\0",
        "漢",
        "<html>",
        '{"kind": "\\ud83d\\u"}',
    ]:
        assert refusal(text) == "not_json", repr(text)
        assert refusal(text.split("\n")[0], decode_header) == "not_json", repr(text)


def test_not_an_object():
    for text in ["[]", "[1]", '["kind"]', '[{"kind": "x"}]', '"text"', '""', "0", "-1", "1.5", "true", "false", "null"]:
        assert refusal(text) == "not_object", text
        assert refusal(text + '\n{"kind": "x"}') == "not_object", text


def test_no_kind():
    for text in ["{}", '{"Kind": "x"}', '{"kin": "x"}', '{"data": {"kind": "x"}}']:
        assert refusal(text) == "no_kind", text


def test_a_kind_that_is_no_text():
    for kind in ["null", "1", "1.5", "true", "[]", '["x"]', "{}", '{"kind": "x"}']:
        assert refusal('{"kind": ' + kind + "}") == "no_kind", kind


def test_a_header_over_two_lines_is_none():
    assert refusal('{"kind":\n"x"}') == "not_json"


def test_what_a_refusal_holds():
    for text, code in [("hello", "not_json"), ("[]", "not_object"), ("{}", "no_kind"), ("[" * DEEP, "too_deep")]:
        error = refused(text)
        assert isinstance(error, ValueError)
        assert error.code == code
        assert error.message == str(error)
        assert error.message.startswith("The frame")
        assert len(error.message) < 100  # what came is not said again


# depth


def test_nested_10000_deep_is_refused_and_harms_nothing():
    for start, end in [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")]:
        deep = start * DEEP + "1" + end * DEEP
        assert refusal(deep) == "too_deep"
        assert refusal(publish_of(deep)) == "too_deep"
        assert decode(publish_of("1"))[0]["data"] == 1


def test_what_opens_10000_times_and_never_ends_is_refused_too():
    for text in ["[" * DEEP, '{"a":' * DEEP, publish_of("[" * DEEP), "[" * 100000]:
        assert refusal(text) == "too_deep"
    assert refusal("]" * DEEP) == "not_json"


def test_depth_is_counted_exactly():
    most = protocol.MAX_DEPTH
    for start, end in [("[", "]"), ('{"a":', "}")]:
        deep = start * (most - 1) + "1" + end * (most - 1)  # the header itself is one more
        decode(publish_of(deep))
        decode(publish_of(deep + ', "more": ' + deep))
        assert refusal(publish_of(start + deep + end)) == "too_deep"
        assert refusal(publish_of(deep + ', "more": ' + start + deep + end)) == "too_deep"


def test_what_is_wide_is_not_deep():
    header = {"kind": "events", "topics": [[f"topic.{n}", n] for n in range(2000)], "more": [{}] * 1000}
    assert decode(encode(header))[0] == header


def test_brackets_in_text_are_no_depth():
    for text in ["[" * DEEP, "{" * DEEP, '"[' * DEEP, "\\" + "[" * DEEP, '\\"' + "[" * DEEP, '[\\\\"' * 1000]:
        header = {"kind": "publish", "data": {"text": text, "after": [text, {text: text}]}}
        assert decode(encode(header))[0] == header


def test_depth_between_texts_is_seen():
    for text in ['"', "\\", '\\"', '\\\\"', "]" * 100, "[\\"]:
        data = 1
        for _ in range(protocol.MAX_DEPTH):
            data = [text, data]
        assert refusal(encode({"kind": "publish", "data": data})) == "too_deep", text


# envelopes


def test_an_envelope_holds_the_frame_as_it_came():
    frame = encode({"kind": "events", "text": "a\nb"}, ["[1]", "not JSON"])
    text = envelope(7, 2, "9f2c", "w-1", frame)
    cut = text.index("\n")
    header = {"kind": "relay", "n": 7, "era": 2, "epoch": "9f2c", "worker": "w-1"}
    assert decode_header(text[:cut]) == header
    assert text[cut + 1 :] == frame
    assert decode(text) == (header, frame.split("\n"))


def test_an_envelope_holds_odd_names_and_large_numbers():
    for number, era, epoch, worker in [(0, 0, "", ""), (2**53, 2**31, 'e\n"', 'a\n"b"\\ 😀')]:
        text = envelope(number, era, epoch, worker, "frame")
        header = {"kind": "relay", "n": number, "era": era, "epoch": epoch, "worker": worker}
        assert decode(text) == (header, ["frame"])


# ids


def test_ids():
    for value in ["a", "0", " ", "a b", "é", "漢", "😀", "a/b?c=d", "'\"\\", "\xa0", "x" * 200, "😀" * 200]:
        assert is_id(value) is True, repr(value)


def test_no_ids():
    for value in ["", "x" * 201, "😀" * 201, "x" * 10000, None, 0, 1, 1.5, True, b"a", ["a"], {"a": 1}]:
        assert is_id(value) is False, repr(value)


def test_control_characters_and_surrogates_are_in_no_id():
    for code in list(range(32)) + [127, 128, 159, 0xD800, 0xDBFF, 0xDC00, 0xDFFF]:
        for value in [chr(code), "a" + chr(code), chr(code) + "a"]:
            assert is_id(value) is False, code
    for code in [32, 126, 160, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF]:
        assert is_id("a" + chr(code)) is True, code


# the words


def test_no_two_kinds_of_one_direction_are_the_same():
    to_tab = (protocol.BOOTING, protocol.FAILED, protocol.JOINED, protocol.ANSWER, protocol.PING, protocol.PONG)
    to_tab += (protocol.SNAPSHOT, protocol.EVENTS, protocol.ACK, protocol.ERROR)
    to_all = protocol.SERVER_KINDS + (protocol.LINE, protocol.TABS, protocol.CLEARED)
    from_worker = to_tab + tuple(kind for kind in to_all if kind not in to_tab) + (protocol.RELAY,)
    for kinds in (protocol.CLIENT_KINDS, protocol.TAB_KINDS, protocol.SERVER_KINDS, to_all, from_worker):
        assert len(set(kinds)) == len(kinds)
    assert len({protocol.NEW, protocol.GAP, protocol.RESET}) == 3


def test_a_tab_may_say_what_a_client_may():
    # but for what the worker says on behalf of all its tabs
    assert set(protocol.CLIENT_KINDS) - {protocol.ALIVE, protocol.TABS} <= set(protocol.TAB_KINDS)


def test_worker_and_tab_may_each_ask_whether_the_other_is_there():
    assert {protocol.PING, protocol.PONG} <= set(protocol.TAB_KINDS)


def test_final_close_codes():
    for code in protocol.FINAL_CLOSE_CODES:
        assert code in (1008, 4001)
    for code in (protocol.CLOSE_NORMAL, protocol.CLOSE_GOING_AWAY, protocol.CLOSE_RESTART, protocol.CLOSE_SILENT, 1006):
        assert code not in protocol.FINAL_CLOSE_CODES
