"""Changes of a text, as CodeMirror tells them: lengths in UTF-16 units, whatever Python counts in."""

import json

from partyline.changes import ChangesError, appending, apply, cutting, inserted, size


def refused(changes, text):
    try:
        apply(changes, text)
    except ChangesError as error:
        return str(error)
    return None


def test_sizes():
    for text, units in [("", 0), ("abc", 3), ("é漢", 2), ("a😀b", 4), ("😀😀", 4)]:
        assert size(text) == units


def test_keep_delete_insert_and_replace():
    for changes, text, expected in [
        ([], "", ""),
        ([3], "abc", "abc"),
        ([1, [1], 1], "abc", "ac"),
        ([[0, "x"], 3], "abc", "xabc"),
        ([3, [0, "", "x"]], "abc", "abc\nx"),
        ([1, [1, "one", "two"], 1], "abc", "aone\ntwoc"),
        ([1, [0, "漢"], [1], [1, ""]], "éa\n", "é漢"),
        ([[0]], "", ""),
    ]:
        assert apply(changes, text) == expected
        assert apply(json.loads(json.dumps(changes)), text) == expected


def test_an_emoji_is_two_units():
    assert apply([1, [2, "x"], 1], "a😀b") == "axb"
    assert apply([3, [0, "é"], 1], "a😀b") == "a😀éb"
    assert apply([[2], 2], "😀😀") == "😀"
    assert apply([1, [1, "😀"]], "ab") == "a😀"
    assert "halves" in refused([2, [0, "x"], 2], "a😀b")


def test_changes_of_another_text_do_not_fit():
    for changes, text in [([2], "abc"), ([4], "abc"), ([[4]], "abc"), ([], "a"), ([2], "😀😀"), ([5], "😀😀")]:
        assert "end" in refused(changes, text)


def test_what_is_no_changeset():
    for changes in [
        None,
        {},
        "abc",
        ["a"],
        [None],
        [-1, 4],
        [True],
        [1.5],
        [[]],
        [["a"]],
        [[-1]],
        [[0, 1]],
        [[0, None]],
    ]:
        assert refused(changes, "abc") is not None


def test_what_is_put_in():
    assert inserted([3, [1, "a", "b"], [2], [0, "c"]]) == ["a", "b", "c"]
    assert inserted([]) == []


def test_changes_that_are_made_here():
    for text in ["", "abc", "a😀b", "one\ntwo"]:
        for more in ["x", "\n\nx😀\n", "é"]:
            assert apply(appending(text, more), text) == text + more
        for length in range(len(text) + 1):
            assert apply(cutting(text, length), text) == text[:length]


RECORDED = [  # made by @codemirror/state 6.7.6: a text, the JSON of a ChangeSet, the text after it
    ["bb漢é😀😀ab", [4, [4, "é", ""], 1, [1, "a"]], "bb漢éé\naa"],
    ["\nb漢漢漢éb😀\n😀bé", [[0, "a"], 3, [0, "😀a", "é"], 4, [6, "😀bb"], 1], "a\nb漢😀a\né漢漢éb😀bbé"],
    ["\n😀ba\n", [4, [0, "😀é"], 2, [0, "b😀", "bé"]], "\n😀b😀éa\nb😀\nbé"],
    ["😀ab😀a😀abé", [[0, "😀", "b😀"], 2, [1, "漢"], 6, [2, "", "", "😀a"], 1], "😀\nb😀😀漢b😀a😀\n\n😀aé"],
    ["a\n😀\naa漢\n", [2, [3, "", ""], 1, [3, "漢b😀漢漢"]], "a\n\na漢b😀漢漢"],
    ["a😀béé\nbb", [[1, "ab"], [6, "漢", "b"], 2, [0, "", "😀b"]], "ab漢\nbbb\n😀b"],
    ["漢\nbaaé\n漢漢\naéé😀", [3, [2, "é😀a😀"], 4, [1, "", "b漢", ""], [5, "😀é"]], "漢\nbé😀a😀é\n漢漢\nb漢\n😀é"],
    ["béabébéé漢😀é😀漢", [3, [1, "漢b", "漢"], 3, [1], 3, [3, "b", ""], 1], "béa漢b\n漢ébé漢😀b\n漢"],
]


def test_what_codemirror_made():
    for text, changes, after in RECORDED:
        assert apply(changes, text) == after
