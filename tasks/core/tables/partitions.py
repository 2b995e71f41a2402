"""Partitions: columns whose values stand in the names of folders, as in `region=EU/month=1`.

Hive began it; Spark, pyarrow, Polars and DuckDB write and read it.
"""

import posixpath
import re
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from tasks.core.errors import RequestError

NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
INTEGER = re.compile(r"-?[0-9]{1,19}")
LARGEST = 2**63 - 1


def is_partition(folder: str) -> bool:
    """Return whether the name of a folder is a key with a value.

    >>> is_partition("region=EU"), is_partition("region"), is_partition("=EU")
    (True, False, False)
    """
    key, equals, _ = folder.partition("=")
    return bool(equals and key) and not key.startswith(".")


def keys_of(path: str) -> dict[str, str | None]:
    """Return the keys in the folders of a path with their values, outermost first.

    They are those of the whole path, so a file has the same columns however it is named.

    >>> keys_of("/sales/region=New%20York/month=01/part=0.parquet")
    {'region': 'New York', 'month': '01'}

    Raises:
        RequestError: a key occurs twice, or a name is not UTF-8 behind its percent signs.
    """
    keys: dict[str, str | None] = {}
    for folder in filter(is_partition, _folders(path)):
        key, _, value = folder.partition("=")
        name = _decoded(key, path)
        if name in keys:
            raise RequestError(
                f"{path!r} names the key {name!r} twice: rename one of these folders."
            )
        keys[name] = None if value == NO_VALUE else _decoded(value, path)
    return keys


def _folders(path: str) -> list[str]:
    scheme, separator, inside = path.partition("://")
    if not separator:
        inside = path
    if scheme in {"http", "https"}:
        inside = urlsplit(path).path  # what follows a question mark names no folder

    return posixpath.normpath(inside).split("/")[:-1]


def _decoded(name: str, path: str) -> str:
    try:
        return unquote(name, errors="strict")
    except UnicodeDecodeError as error:
        raise RequestError(f"{path!r}: the folder {name!r} is not UTF-8: rename it.") from error


def key_types(paths: Sequence[str]) -> dict[str, pa.DataType]:
    """Return the keys of files with their types: int64 if every value is an integer, else string.

    >>> key_types(["/in/a=1/b=x/0.csv", "/in/a=02/b=3/0.csv"])
    {'a': DataType(int64), 'b': DataType(string)}

    Raises:
        RequestError: the files do not have the same keys.
    """
    keys = [keys_of(path) for path in paths]
    for path, others in zip(paths, keys, strict=True):
        odd = keys[0].keys() ^ others.keys()
        if odd:
            raise RequestError(
                f"{paths[0]} and {path} do not lie in folders of the same keys: {min(odd)!r} is a "
                "key=value folder of one only. Name files whose folders have the same keys."
            )

    return {name: _type_of([values[name] for values in keys]) for name in keys[0]}


def _type_of(values: Sequence[str | None]) -> pa.DataType:
    given = [value for value in values if value is not None]
    are_integers = bool(given) and all(_is_integer(value) for value in given)
    return pa.int64() if are_integers else pa.string()


def _is_integer(value: str) -> bool:
    return bool(INTEGER.fullmatch(value)) and abs(int(value)) <= LARGEST
