"""What a worker of somebody else's cluster tells of itself: its code, and whether it reaches the
data.
"""

import os
import uuid
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from distributed import Worker
from distributed.diagnostics.plugin import WorkerPlugin

from tasks.core.storage.digests import digest_of, file_digest
from tasks.core.storage.files import delete, read_whole, write_whole
from tasks.core.storage.location import is_url, join, open_filesystem, without_secrets


def code_digest() -> str:
    """Digest the code of the package, as it is installed here.

    Raises:
        ImportError: another package of the name comes first.
    """
    house = Path(__file__).resolve().parents[2]
    flows = find_spec("flows")
    if not (flows and flows.origin and Path(flows.origin).resolve().parent.parent == house):
        raise ImportError(f"its `flows` is {flows and flows.origin}")
    files = sorted(path for name in ("flows", "tasks") for path in (house / name).rglob("*.py"))
    return digest_of([[str(path.relative_to(house)), file_digest(path)] for path in files])


class EnvironmentPlugin(WorkerPlugin):
    """Variables in the environment of every worker, also of one that comes later."""

    idempotent = True

    def __init__(self, name: str, variables: dict[str, str]) -> None:
        """Set these variables; the name begins with the topic of a flow, with which it goes."""
        self.name, self.variables = name, variables

    def setup(self, worker: Worker) -> None:  # noqa: ARG002 - Dask gives it
        """Set them."""
        os.environ.update(self.variables)


def probe(sizes: dict[str, int], folder: str, token: str) -> str:
    """Tell what a worker does not reach, or nothing."""
    return next(_unreached(sizes.items(), folder, token), "")


def _unreached(sizes: Iterable[tuple[str, int]], folder: str, token: str) -> Iterator[str]:
    for path, size in sizes:
        try:
            if (found := size_of(path)) != size:
                yield f"sees another {without_secrets(path)} ({found:,} bytes, here {size:,})"
        except Exception as error:  # noqa: BLE001 - of any file system: all that matters is that it is not there
            yield f"cannot read {without_secrets(path)} ({_reason(error)})"
    if not folder:
        return
    answer = join(folder, f"{token}-{uuid.uuid4().hex}")
    try:
        read_whole(join(folder, token))
        write_whole(answer, b"")
        delete(answer)
    except FileNotFoundError:
        yield f"does not see what was written here to {without_secrets(folder)}"
    except Exception as error:  # noqa: BLE001 - as above
        yield f"cannot write to {without_secrets(folder)} ({_reason(error)})"


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or f"{type(error).__name__}: {error}"


def size_of(location: str) -> int:
    """Give the size of a file in bytes, here or on an object store."""
    if not is_url(location):
        return Path(location).stat().st_size
    filesystem, path = open_filesystem(location)
    filesystem.invalidate_cache()
    return int(filesystem.info(path)["size"])
