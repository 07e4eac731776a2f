"""The same id gives the same name, on every Python: one browser is known by one name to all."""

from partyline.names import name_of

GOLDEN = {
    "": "tidy-jackal-1c",
    "a": "merry-dolphin-39",
    "b": "proud-robin-ed",
    "browser-1": "patient-bison-20",
    "0123456789abcdef01234567": "kind-koala-bf",
    "ffffffffffffffffffffffff": "velvet-jackal-2b",
    "é": "quick-swan-36",
    "漢字": "eager-tapir-05",
    "😀": "mighty-falcon-26",
    "x" * 200: "kind-stoat-0c",
}


def test_golden_names():
    for browser, name in GOLDEN.items():
        assert name_of(browser) == name, browser


def test_the_same_id_has_the_same_name():
    assert name_of("browser-1") == name_of("browser-1")


def test_a_name_is_two_words_and_two_hexadecimal_digits():
    for number in range(500):
        adjective, animal, digits = name_of(f"browser-{number}").split("-")
        for character in adjective + animal:
            assert character in "abcdefghijklmnopqrstuvwxyz", adjective + animal
        assert len(digits) == 2, digits
        assert 0 <= int(digits, 16) < 256


def test_names_are_spread():
    names = [name_of(f"{number:024x}") for number in range(1000)]
    assert len(set(names)) > 990  # 1.5 alike are to be expected of 1000 out of 330,000
    for part in (0, 1):
        words = {}
        for name in names:
            word = name.split("-")[part]
            words[word] = words.get(word, 0) + 1
        assert len(words) > 30
        assert max(words.values()) < 70  # 28 are to be expected
