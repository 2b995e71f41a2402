"""What a worker of somebody else's cluster tells of itself: its code, and the data it reaches."""

import os
import uuid
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

from distributed import Worker
from distributed.diagnostics.plugin import WorkerPlugin

from tasks.core.storage.digests import digest_of, file_digest
from tasks.core.storage.files import delete, read_whole, write_whole
from tasks.core.storage.location import is_url, join, open_filesystem
from tasks.core.storage.secrets import without_secrets

PACKAGES = ("flows", "tasks")


def code_digest() -> str:
    """Return a digest of the code of the package, as it is installed here.

    Raises:
        ImportError: another package of the name comes first.
    """
    house = Path(__file__).resolve().parents[2]
    flows = find_spec("flows")
    origin = flows.origin if flows else None
    if not origin or Path(origin).resolve().parents[1] != house:
        raise ImportError(f"its `flows` is {origin}")

    files: list[Path] = []
    for package in PACKAGES:
        folder = house / package
        files.extend(folder.rglob("*.py"))

    digests = []
    for path in sorted(files):
        name = path.relative_to(house)
        digests.append([str(name), file_digest(path)])
    return digest_of(digests)


class EnvironmentPlugin(WorkerPlugin):
    """Variables in the environment of every worker, also of one that comes later."""

    idempotent = True

    def __init__(self, name: str, variables: dict[str, str]) -> None:
        """Set these variables. A plugin named after a flow's topic is removed with the flow."""
        self.name, self.variables = name, variables

    def setup(self, worker: Worker) -> None:  # noqa: ARG002 - Dask gives it
        """Set them."""
        os.environ.update(self.variables)


def probe(sizes: dict[str, int], folder: str, token: str) -> str:
    """Return the first thing that this worker does not reach; an empty string if there is none.

    `sizes` are those of the files it will read, in bytes; `token` is the name of a file in the
    folder or URL it will write to, which may be empty.
    """
    problems = chain(_unread(sizes), _unwritten(folder, token))
    return next(problems, "")


def _unread(sizes: dict[str, int]) -> Iterator[str]:
    for path, size in sizes.items():
        name = without_secrets(path)
        try:
            found = size_of(path)
        except Exception as error:  # noqa: BLE001 - of any file system
            yield f"cannot read {name} ({_reason_of(error)})"
        else:
            if found != size:
                yield f"sees another {name} ({found:,} bytes, here {size:,})"


def _unwritten(folder: str, token: str) -> Iterator[str]:
    if not folder:
        return

    name = without_secrets(folder)
    answer = join(folder, f"{token}-{uuid.uuid4().hex}")
    try:
        read_whole(join(folder, token))
        write_whole(answer, b"")
        delete(answer)
    except FileNotFoundError:
        yield f"does not see what was written here to {name}"
    except Exception as error:  # noqa: BLE001 - as above
        yield f"cannot write to {name} ({_reason_of(error)})"


def _reason_of(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}"


def size_of(location: str) -> int:
    """Return the size of a file in bytes, here or on an object store."""
    if not is_url(location):
        return Path(location).stat().st_size

    filesystem, path = open_filesystem(location)
    filesystem.invalidate_cache()
    return int(filesystem.info(path)["size"])
