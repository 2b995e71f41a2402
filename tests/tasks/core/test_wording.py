import pytest

from tasks.core.wording import NAMES_SHOWN, counted, nearest_name, printable

MANY = [f"column {number:02}" for number in range(NAMES_SHOWN + 1)]
SHOWN = ", ".join(repr(name) for name in MANY[:-1])


@pytest.mark.parametrize(
    ("name", "names", "end"),
    [
        ("targt", ["id", "target"], "; did you mean 'target'?"),
        ("ID", ["idea", "id"], "; did you mean 'id'?"),
        ("x", ["id", "target"], "; it has 'id', 'target'."),
        ("x", MANY[:-1], f"; it has {SHOWN}."),
        ("x", MANY, f"; it has {SHOWN}, ...."),
        ("qty", ["id", " qty"], "; there is ' qty': the two differ in the blanks around them."),
        ("Qty ", ["id", "qty"], "; there is 'qty': the two differ in the blanks around them."),
        ("qty", ["\ufeffqty"], "; did you mean '\\ufeffqty'?"),
        ("", ["id", "x"], "; it has 'id', 'x'."),
    ],
)
def test_a_missing_name_is_followed_by_the_nearest_or_by_all(name, names, end):
    assert nearest_name(name, names) == end


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1234567, "1,234,567 rows")]
)
def test_a_noun_is_in_the_plural_unless_there_is_one(number, words):
    assert counted(number, "row") == words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain 東京 é 🚀", "plain 東京 é 🚀"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b2J", r"\x9b2J"),
        ("a\rb\nc\td", r"a\rb\nc\td"),
        ("a\x08\x7f\x00", r"a\x08\x7f\x00"),
        ("a\u2028b\u2029c\x85d", r"a\u2028b\u2029c\x85d"),
        ("\u202egpj.exe\u2066\u200f", r"\u202egpj.exe\u2066\u200f"),
        ("no\u200bspace\ufeff\xad", r"no\u200bspace\ufeff\xad"),
        ("\udcff", r"\udcff"),
        ("[red]", "[red]"),
    ],
)
def test_what_a_terminal_would_obey_is_written_as_an_escape(text, shown):
    assert printable(text) == shown
    assert printable(text).isprintable()


@pytest.mark.parametrize("length", [499, 500, 501, 10_000])
def test_a_long_sentence_is_cut_in_the_middle_and_keeps_its_way_out(length):
    end = "write data.header: none."
    sentence = "a" * (length - len(end)) + end
    shown = printable(sentence)
    assert len(shown) == min(length, 500)
    assert shown.endswith(f"a{end}")
    assert (" ... " in shown) is (length > 500)
