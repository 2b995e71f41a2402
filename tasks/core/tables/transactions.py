"""Transactions of Databricks: files that were never committed, or were removed by a later write.

Their names hold the number of the write, and files beside them say what became of it.
"""

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from tasks.core.errors import RequestError
from tasks.core.storage.location import join
from tasks.core.tables.table_formats import names_in

TRANSACTION = re.compile(r"-tid-(\d+)-")
COMMITTED = re.compile(r"_committed_\d+")


def check_committed(filesystem: Any, paths: Sequence[str]) -> None:
    """Refuse files of a Databricks write that do not count, or no longer.

    Raises:
        RequestError: with the file, and the way out.
    """
    written: dict[str, dict[str, str]] = defaultdict(dict)
    for path in paths:
        folder, _, name = path.rpartition("/")
        if transaction := TRANSACTION.search(name):
            written[folder][name] = transaction[1]

    for folder, transactions in written.items():
        _check_folder(filesystem, folder, transactions)


def _check_folder(filesystem: Any, folder: str, transactions: dict[str, str]) -> None:
    """Check files of one folder, each with the number of its write."""
    beside = set(names_in(filesystem, folder))
    removed = _removed(filesystem, folder, beside)

    for name, number in transactions.items():
        is_open = f"_started_{number}" in beside and f"_committed_{number}" not in beside
        if is_open or name in removed:
            what = "was never finished" if is_open else "was replaced by a later one"
            raise RequestError(
                f"{join(folder, name)!r} belongs to a write of Databricks that {what}: only "
                "Databricks reads such a folder rightly. Write its rows anew into another one, "
                f"with spark.read.parquet({folder!r}).write.parquet('snapshot')."
            )


def _removed(filesystem: Any, folder: str, beside: set[str]) -> set[str]:
    removed: set[str] = set()
    for name in filter(COMMITTED.fullmatch, beside):
        commit = json.loads(filesystem.cat_file(join(folder, name)))
        removed.update(commit.get("removed", ()))
    return removed
