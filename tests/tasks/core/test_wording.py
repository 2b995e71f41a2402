import pytest

from tasks.core.wording import NAMES_SHOWN, counted, nearest_name

MANY = [f"column {number:02}" for number in range(NAMES_SHOWN + 1)]


@pytest.mark.parametrize(
    ("name", "names", "end"),
    [
        ("targt", ["id", "target"], "; did you mean target?"),
        ("ID", ["idea", "id"], "; did you mean id?"),
        ("x", ["id", "target"], "; it has id, target."),
        ("x", MANY[:-1], f"; it has {', '.join(MANY[:-1])}."),
        ("x", MANY, f"; it has {', '.join(MANY[:-1])}, ...."),
    ],
)
def test_a_missing_name_is_followed_by_the_nearest_or_by_all(name, names, end):
    assert nearest_name(name, names) == end


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1234567, "1,234,567 rows")]
)
def test_a_noun_is_in_the_plural_unless_there_is_one(number, words):
    assert counted(number, "row") == words
