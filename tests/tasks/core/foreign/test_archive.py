"""The file of a model is copied once, and never unpacks to more than it may."""

import os
import zipfile
from pathlib import Path

import pytest

from tasks.core.errors import RequestError
from tasks.core.foreign import archive
from tasks.core.foreign.archive import ALWAYS_ALLOWED, check_archive, copy_model

MEGABYTE = 1 << 20


def pack(path, sizes, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for number, size in enumerate(sizes):
            with archive.open(f"{number}.npy", "w") as member:
                for _ in range(size // MEGABYTE):
                    member.write(bytes(MEGABYTE))
    return path


@pytest.mark.parametrize(
    ("sizes", "compression", "most", "words"),
    [
        ([MEGABYTE], zipfile.ZIP_STORED, 2 * MEGABYTE, None),
        ([ALWAYS_ALLOWED], zipfile.ZIP_DEFLATED, 2 * ALWAYS_ALLOWED, None),
        ([3 * MEGABYTE], zipfile.ZIP_STORED, 2 * MEGABYTE, r"to 3\.1 MB"),
        ([ALWAYS_ALLOWED, MEGABYTE], zipfile.ZIP_DEFLATED, 4 * ALWAYS_ALLOWED, r"0\.1 MB to 68"),
        ([ALWAYS_ALLOWED // 2] * 3, zipfile.ZIP_DEFLATED, 4 * ALWAYS_ALLOWED, r"to 100\.7 MB"),
    ],
)
def test_a_zip_bomb_is_refused_by_its_directory(tmp_path, sizes, compression, most, words):
    path = pack(tmp_path / "m.skops", sizes, compression)
    if words is None:
        assert check_archive(path, most) == sum(sizes)
        return
    with pytest.raises(RequestError, match=rf"would unpack from .*{words}.*do not use it"):
        check_archive(path, most)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_zip_file_is_told(tmp_path, content):
    path = tmp_path / "m.skops"
    path.write_bytes(content)
    if content.endswith(bytes(18)):
        assert check_archive(path) == 0
        return
    with pytest.raises(RequestError, match="is not a skops file"):
        check_archive(path)


def test_what_is_checked_is_a_copy_of_the_bytes_that_were_there(tmp_path):
    given = tmp_path / "m.skops"
    given.write_bytes(b"first")
    copy = copy_model(str(given), tmp_path / "copy")
    given.write_bytes(b"other")
    assert copy.read_bytes() == b"first"


def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for given in (tmp_path / "pipe", Path("/dev/zero"), tmp_path, tmp_path / "none"):
        with pytest.raises(RequestError, match=r"There is no file|is a (pipe|device)"):
            copy_model(str(given), tmp_path / "copy")


def test_a_pipe_that_takes_the_place_of_the_file_is_not_waited_for(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(archive, "check_exists", lambda _: None)
    with pytest.raises(RequestError, match="pipe is no regular file"):
        copy_model(str(tmp_path / "pipe"), tmp_path / "copy")


def test_a_file_that_is_too_large_is_refused_before_it_is_copied(tmp_path):
    given = tmp_path / "m.skops"
    with given.open("wb") as file:
        file.truncate(1 << 40)  # a hole
    with pytest.raises(RequestError, match=r"1,099,511\.6 MB, and a model file may have"):
        copy_model(str(given), tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_size == 0
