"""Names that others give become parts of paths only in one form."""

import pytest

from tasks.core.errors import RequestError
from tasks.core.storage.names import check_digest, is_digest, is_file_name, lock_name

OUTSIDE = ["", ".", "..", "/", "../x", "/etc", "a/b", "a\\b", "a\0b", "a\nb", "\x1b[2J", "x" * 256]


@pytest.mark.parametrize("name", [*OUTSIDE, "5F" * 32, "5f" * 31, f"{'5f' * 32}\n", "\uff15f" * 32])
def test_what_is_no_digest_is_refused_with_its_owner_and_shown_briefly(name):
    assert not is_digest(name)
    with pytest.raises(
        RequestError, match=r"^bike version 3 cannot be used: .*no sha256"
    ) as caught:
        check_digest(name, "bike version 3")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


def test_a_digest_is_a_digest():
    assert is_digest("0123456789abcdef" * 4)
    check_digest("5f" * 32, "bike version 3")


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_name_that_leads_elsewhere_names_no_file(name):
    assert not is_file_name(name)


@pytest.mark.parametrize("name", ["a", "part-0.parquet", "é", "...", "a b", "x" * 255])
def test_an_ordinary_name_names_a_file(name):
    assert is_file_name(name)


@pytest.mark.parametrize("name", [*OUTSIDE, "bike", "\udcff", "it's"])
def test_the_lock_of_any_name_is_a_plain_file(name):
    assert is_file_name(lock_name(name))
    assert lock_name(name).isascii()


def test_each_name_has_a_lock_of_its_own():
    names = {*OUTSIDE, "bike", "Bike", "bike "}
    assert len({lock_name(name) for name in names}) == len(names)
