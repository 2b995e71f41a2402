import contextlib
import hashlib
import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.storage.digests import digest_of, file_digest, folder_digest, read_folder

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), DOCUMENTS, max_size=5), st.randoms(use_true_random=False))
def test_a_digest_does_not_depend_on_the_order_of_keys(document, chance):
    names = list(document)
    chance.shuffle(names)
    shuffled = {name: document[name] for name in names}

    assert digest_of(shuffled) == digest_of(document)


@given(DOCUMENTS, DOCUMENTS)
def test_different_documents_have_different_digests(one, other):
    same_digest = digest_of([one]) == digest_of([other])
    same_document = repr(sorted_keys(one)) == repr(sorted_keys(other))

    assert same_digest == same_document


def sorted_keys(document):
    if isinstance(document, dict):
        return {name: sorted_keys(document[name]) for name in sorted(document)}
    if isinstance(document, list):
        return [sorted_keys(item) for item in document]
    return document


def test_a_digest_is_the_same_in_every_version():
    """It is stored with outputs and models: a change would make every one of them another."""
    digest = digest_of({"b": [1, "é"], "a": None})
    assert digest == "a44633ba036df25280e4fd9ef09da6f54dfe6d3611c755e31f993ab16f108f34"


def test_the_digest_of_a_folder_is_that_of_its_names_and_contents(tmp_path):
    """It is stored with models, as `sha256sum` would list them."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b").write_bytes(b"2")
    (tmp_path / "a").write_bytes(b"1")
    first, second = file_digest(tmp_path / "a"), file_digest(tmp_path / "sub" / "b")

    assert first == hashlib.sha256(b"1").hexdigest()
    listed = f"{first}  a\n{second}  sub/b\n".encode()
    assert folder_digest(tmp_path) == hashlib.sha256(listed).hexdigest()


def test_the_contents_that_are_kept_are_those_that_were_digested(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b").write_bytes(b"2")
    (tmp_path / "a").write_bytes(b"1")

    digest, contents = read_folder(tmp_path, {"sub/b", "none"})
    assert contents == {"sub/b": b"2"}
    assert digest == folder_digest(tmp_path)


@pytest.mark.parametrize("odd", ["link", "dangling", "folder link", "pipe", "socket"])
def test_a_folder_with_anything_but_files_is_no_other_folder(tmp_path, odd):
    """A link is not followed, even to the same content, and a pipe is not waited for."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "b").write_bytes(b"1")
    plain = folder_digest(folder)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a").write_bytes(b"1")
    (folder / "a").write_bytes(b"1")
    with_file = folder_digest(folder)
    (folder / "a").unlink()

    make_odd(odd, folder / "a", tmp_path / "outside")
    digest, contents = read_folder(folder, {"a", "b"})
    assert digest not in {plain, with_file}
    assert contents == {"b": b"1"}


def make_odd(odd, path, outside):
    """Make something at a path that is no file."""
    if odd == "pipe":
        os.mkfifo(path)
    elif odd == "socket":
        with socket.socket(socket.AF_UNIX) as server, contextlib.chdir(path.parent):
            server.bind(path.name)
    else:
        targets = {"link": outside / "a", "dangling": outside / "none", "folder link": outside}
        path.symlink_to(targets[odd])


def test_a_name_that_is_no_text_is_digested_too(tmp_path):
    (tmp_path / os.fsdecode(b"\xff")).write_bytes(b"1")
    listed = hashlib.sha256(b"1").hexdigest().encode() + b"  \xff\n"
    assert folder_digest(tmp_path) == hashlib.sha256(listed).hexdigest()
