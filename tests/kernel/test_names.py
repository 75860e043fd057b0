import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitvault.kernel import names
from bitvault.kernel.names import InvalidName

VECTORS = [
    # What is the same name, and what is another one. Clients may test their own key function with this table.
    ("readme", "README", True),
    ("readme", "readme.txt", False),
    ("Caf\u00e9", "Cafe\u0301", True),  # NFC and NFD
    ("\u1e9b\u0323", "\u017f\u0323\u0307", True),  # marks in another order
    ("stra\u00dfe", "STRASSE", True),  # full case folding
    ("\u1e9e", "ss", True),  # capital sharp s
    ("\u03c3", "\u03c2", True),  # sigma and final sigma
    ("\ufb01n", "fin", True),  # a ligature folds to its letters
    ("\u212a", "k", True),  # Kelvin sign
    ("\u2126", "\u03c9", True),  # Ohm sign
    ("\u0130", "i\u0307", True),  # dotted capital i is i with a dot
    ("\u0130", "i", False),  # and not i
    ("\u0131", "i", False),  # dotless i is not i
    ("\u0131", "I", False),  # nor its capital: casefold is no locale's
    ("I", "i", True),
    ("a\u00a0b", "a b", False),  # a no-break space is another character
    ("\uff21", "a", False),  # full-width letters stay apart from narrow ones
    ("\uff21", "\uff41", True),
    ("\u0345", "\u03b9", True),  # the iota subscript folds to iota
    ("a ", "a", False),
    ("\u00c5", "\u212b", True),  # Ångström sign
    ("\uac00", "\u1100\u1161", True),  # Hangul composed and decomposed
]


@pytest.mark.parametrize(("one", "other", "same"), VECTORS)
def test_which_names_are_the_same(one, other, same):
    assert (names.key_of(one) == names.key_of(other)) is same


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("\u00a0\u3000", "empty"),
        (".", "dots"),
        ("..", "dots"),
        (" .. ", "dots"),
        ("a/b", "slash"),
        ("/", "slash"),
        ("../x", "slash"),
        ("nul\0", "control"),
        ("line\nbreak", "control"),
        ("line\r\nbreak", "control"),
        ("tab\t", "control"),
        ("bell\x07", "control"),
        ("del\x7f", "control"),
        ("c1\x85", "control"),
        ("a\u2028b", "control"),
        ("a\u2029b", "control"),
        ("\u2028", "control"),
        ("\u200b", "empty"),
        ("\u2060\ufeff \u00ad", "empty"),
        ("\u3164", "empty"),
        ("\u2800\u2800", "empty"),
        ("\ufe0f", "empty"),
        ("\u202e", "empty"),
        (".\u200b.", "dots"),
        ("\ufeff.", "dots"),
        ("\ud800", "surrogate"),
        ("a\udfffb", "surrogate"),
        ("x" * 256, "too_long"),
        ("\u00e9" * 128, "too_long"),
        ("\U0001f600" * 64, "too_long"),
        ("\ufb2c" * 43, "too_long"),  # 129 bytes as given, 258 in NFC
    ],
)
def test_what_is_no_name(text, reason):
    with pytest.raises(InvalidName) as refused:
        names.parse(text)
    assert refused.value.facts["reason"] == reason


@pytest.mark.parametrize(
    "text",
    [
        "x" * 255,
        "\u00e9" * 127,
        "e\u0301" * 127,  # 381 bytes as given, 254 in NFC
        "\U0001f600" * 63,
        "...",
        ".hidden",
        "a..b",
        "..a",
        "con",
        "a:b",
        'quote"and;semicolon',
        "\u202etxt.exe",
        "CR without LF is refused, spaces are not ",
        "\u2024\u2024",  # one dot leaders: NFKC would make dots of them
        "\u2044",  # fraction slash
        "C\\windows",
    ],
)
def test_what_is_a_name(text):
    assert names.parse(text).text == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("plain.txt", []),
        ("a:b", ["windows_character"]),
        ("what?.txt", ["windows_character"]),
        ("back\\slash", ["windows_character"]),
        ("dot.", ["windows_trailing"]),
        ("space ", ["windows_trailing"]),
        ("CON", ["windows_device"]),
        ("nul.txt", ["windows_device"]),
        ("Com1.tar.gz", ["windows_device"]),
        ("lpt9 .txt", ["windows_device"]),
        ("com10", []),
        ("COM\u00b9", ["windows_device"]),
        ("lpt\u00b3.txt", ["windows_device"]),
        ("com\u2074", []),
        ("CONIN$", ["windows_device"]),
        ("conout$.log", ["windows_device"]),
        ("conin", []),
        ("\ufefffile.txt", ["invisible_character"]),
        ("fi\u200ble.txt", ["invisible_character"]),
        ("fi\u200dle.txt", ["invisible_character"]),
        ("file\u00ad.txt", ["invisible_character"]),
        ("file\u3164.txt", ["invisible_character"]),
        ("a\U000e0061", ["invisible_character"]),
        ("\U0001f469\u200d\U0001f4bb", []),  # an emoji of two
        ("\u2764\ufe0f.txt", []),  # an emoji by its style
        ("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", []),  # the flag of England
        ("\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", []),  # Persian parts a word so
        ("\u0915\u094d\u200d\u0937", []),  # Devanagari joins so
        ("\u0440aypal.txt", ["mixed_script"]),  # Cyrillic er
        ("micr\u03bfsoft", ["mixed_script"]),  # Greek omicron
        ("\u041e\u0442\u0447\u0451\u0442 Q3.pdf", []),  # two words, each of one script
        ("\u03b1-test", []),
        ("\u6771\u4eac\u30bf\u30ef\u30fc\u3067Tokyo", []),  # Japanese writes all of them
        ("5\u00b5m", []),
        ("Stra\u00dfe \u00c9mile na\u00efve", []),
        ("e\u0301", []),
        ("console", []),
        ("\u202etxt.exe", ["bidi_control"]),
        ("aux:.", ["windows_character", "windows_trailing"]),
    ],
)
def test_what_other_systems_cannot_hold_is_named(text, problems):
    assert names.find_portability_problems(text) == problems


@pytest.mark.parametrize(
    "expected",
    [
        ["file2", "file10", "file100"],
        ["1", "2", "10", "a"],
        ["v1.2.9", "v1.2.10", "v1.10.1"],
        ["2026-1-9", "2026-1-10", "2026-02-01"],
        ["a", "B", "c"],
        ["img \u0662", "img 10"],  # digits of any script
        ["a", "a 1", "a 1 b", "a 2"],
        ["Ebene", "\u00c9cole", "Emil", "\u00c9mile", "Zebra"],
        ["cote", "cot\u00e9", "c\u00f4te", "c\u00f4t\u00e9"],
        ["\u00e4pfel", "Apfelmus", "Birne", "\u00d6l", "Otto", "\u00dcbung", "Zoo"],
        ["r\u00e9sum\u00e9 2", "Resume 10"],
        ["resume", "Resume", "r\u00e9sum\u00e9"],
        ["_a", "1", "a", "\u03b1", "\u0430", "\u4e00"],
    ],
)
def test_numbers_sort_by_value(expected):
    assert sorted(random.Random(1).sample(expected, len(expected)), key=names.sort_key_of) == expected


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a.txt", ("a", ".txt")),
        ("a.tar.gz", ("a", ".tar.gz")),
        ("A.TAR.BZ2", ("A", ".TAR.BZ2")),
        (".tar.gz", (".tar", ".gz")),
        ("a.txt.gz", ("a.txt", ".gz")),
        (".hidden", (".hidden", "")),
        ("none", ("none", "")),
        ("dot.", ("dot.", "")),
        ("Dr. Who and a long end", ("Dr. Who and a long end", "")),
        ("a." + "x" * 17, ("a." + "x" * 17, "")),
    ],
)
def test_what_is_an_extension(text, parts):
    assert names.split_extension(text) == parts


def test_automatic_names_keep_the_extension():
    assert names.numbered(names.parse("report.pdf"), 2).text == "report (2).pdf"
    assert names.numbered(names.parse("a.tar.gz"), 2).text == "a (2).tar.gz"
    assert names.numbered(names.parse("folder"), 12).text == "folder (12)"


def test_a_folder_has_no_extension():
    assert names.numbered(names.parse("Release v1.0"), 2, is_folder=True).text == "Release v1.0 (2)"
    assert names.numbered(names.parse(".config"), 2, is_folder=True).text == ".config (2)"


def test_a_stored_name_that_would_be_refused_now_keeps_its_keys():
    assert names.of_stored("a\u2028b").key == "a\u2028b"


# --- properties ------------------------------------------------------------------------------------------------------------

TEXTS = st.text(min_size=1, max_size=60)


@given(TEXTS)
def test_a_key_is_stable_when_keyed_again(text):
    assert names.key_of(names.key_of(text)) == names.key_of(text)


@given(TEXTS)
def test_every_canonical_spelling_has_the_same_key(text):
    assert len({names.key_of(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")} | {names.key_of(text)}) == 1


@given(TEXTS)
def test_a_name_is_taken_in_one_way_or_refused(text):
    try:
        name = names.parse(text)
    except InvalidName:
        return
    assert name.text == unicodedata.normalize("NFC", text)
    assert 0 < name.size_bytes <= 255
    assert names.parse(name.text) == name
    assert not set(name.text) & set("/\0\r\n")


@given(TEXTS, st.integers(min_value=2, max_value=100_000))
def test_an_automatic_variant_is_a_name_of_its_own(text, number):
    try:
        name = names.parse(text * 8)
    except InvalidName:
        return
    variant = names.numbered(name, number)
    assert variant.key != name.key
    assert variant.size_bytes <= 255


@given(st.lists(st.integers(min_value=0, max_value=10**9), min_size=1, max_size=20))
def test_numbers_of_any_length_sort_by_value(numbers):
    texts = [f"scan {number}.pdf" for number in numbers]
    assert sorted(texts, key=names.sort_key_of) == [f"scan {number}.pdf" for number in sorted(numbers)]


@given(TEXTS, st.integers(min_value=0, max_value=100))
def test_a_cut_text_fits_and_stays_whole(text, limit):
    kept = names.cut(text, limit)
    assert len(kept.encode()) <= limit
    assert text.startswith(kept)


@given(TEXTS.filter(lambda text: "\x00" not in text), st.integers(min_value=1, max_value=10**9), st.booleans())
def test_the_key_of_each_variant_is_made_of_its_parts(text, number, is_folder):
    try:
        name = names.parse(text)
    except InvalidName:
        return
    prefixes, suffix = names.list_variant_keys(name, is_folder=is_folder)
    key = f"{prefixes[len(str(number)) - 1]}{number}{suffix}"
    assert names.numbered(name, number, is_folder=is_folder).key == key


@given(st.text(alphabet="aA1\u00e9\u4e00\U0001f600\ud7fb\uffa0z .", max_size=255))
def test_a_sort_key_fits_into_an_index_and_is_text(text):
    assert len(names.sort_key_of(text).encode()) <= 1000
