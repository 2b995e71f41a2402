"""The names of files: which of them are tables, and of which format."""

from typing import Literal

from tasks.core.errors import RequestError
from tasks.core.storage.location import last_name
from tasks.core.tables.partitions import is_partition

Format = Literal["parquet", "csv"]
FORMATS: dict[str, Format] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".csv.gz": "csv",
}


def format_of(path: str) -> Format:
    """Return the format of a file, by the ending of its name.

    >>> format_of("in/hours.csv.gz")
    'csv'

    Raises:
        RequestError: it is neither Parquet nor CSV.
    """
    for ending, format_ in FORMATS.items():
        if path.lower().endswith(ending):
            return format_
    raise RequestError(
        f"{path} is neither Parquet nor CSV: its name must end in {', '.join(FORMATS)}."
    )


def is_table(path: str) -> bool:
    """Return whether a file or a folder is named as tables are, and not hidden.

    >>> is_table("in/hours.csv"), is_table("in/_hours.csv"), is_table("in/_SUCCESS")
    (True, False, False)
    """
    return not is_hidden(path) and path.lower().endswith(tuple(FORMATS))


def is_hidden(path: str) -> bool:
    """Return whether a name begins with a dot or with _, as what is no data does.

    >>> is_hidden("in/.cache"), is_hidden("in/_temporary"), is_hidden("in/_year=2026")
    (True, True, False)
    """
    name = last_name(path)
    return name.startswith(".") or (name.startswith("_") and not is_partition(name))
