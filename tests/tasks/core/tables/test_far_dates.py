"""Dates outside 1677 to 2262, where nanoseconds end, are read as what they are from every file."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest

from tasks.core.tables.columns import Column, feature_columns
from tasks.core.tables.csv_copy import copy_csv
from tasks.core.tables.csv_files import read_csv
from tasks.core.tables.frames import parse_dates, stored, to_frame
from tasks.core.tables.listing import list_source
from tasks.core.tables.parquet import read_footer, read_parquet
from tasks.core.tables.pieces import Piece, RowRange
from tasks.core.tables.reader import read_piece

AT = Column("at", "date")
TEXTS = ["0001-01-01", "1000-01-01", "1582-10-15", "2024-05-06", "2262-04-12", "9999-12-31"]
DATES = [datetime.fromisoformat(text) for text in TEXTS]
MOMENTS = np.array(TEXTS, dtype="datetime64[us]")
TABLE = pa.table({"n": range(6), "at": pa.array(DATES, pa.timestamp("us"))})


def moments(table):
    return to_frame(table, [AT])["at"].to_numpy()


def read_as_scored(path, file):
    rows = RowRange(path, file.path, file.revision, 0, 0, 6)
    return read_piece(Piece(0, (rows,), 0), ["at"])


@pytest.mark.parametrize("store_schema", [True, False])
def test_int96_is_read_as_microseconds_are(write, store_schema):
    file = write(
        "old.parquet", TABLE, use_deprecated_int96_timestamps=True, store_schema=store_schema
    )
    listed = list_source(file.path).schemas[0]
    assert listed.field("at").type == pa.timestamp("us")
    assert read_footer(file.path, file.path).schema == listed

    for table in (read_parquet(file.path, file.revision), read_as_scored(file.path, file)):
        assert table.schema.field("at").type == pa.timestamp("us")
        assert moments(table).tolist() == MOMENTS.tolist()


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Kathmandu"])
def test_every_unit_of_a_parquet_file_holds_far_dates(write, unit, zone):
    counts = TABLE["at"].cast(pa.timestamp(unit)).cast(pa.int64())
    table = TABLE.set_column(1, "at", counts.cast(pa.timestamp(unit, zone)))
    file = write("in.parquet", table)

    assert moments(read_parquet(file.path, file.revision)).tolist() == MOMENTS.tolist()
    assert moments(read_as_scored(file.path, file)).tolist() == MOMENTS.tolist()


@pytest.mark.parametrize(
    "end",
    [
        "",
        " 00:00:00",
        "T00:00",
        "T00:00:00Z",
        " 00:00:00.5",
        "T00:00:00.123456",
        "T00:00:00.123456789",
        "T05:45:00.25+05:45",
    ],
)
def test_a_csv_file_gives_training_and_scoring_the_same_far_dates(write, tmp_path, end):
    lines = "".join(f"{number},{text}{end}\n" for number, text in enumerate(TEXTS))
    file = write("in.csv", f"n,at\n{lines}")
    fraction = end.partition(".")[2].partition("+")[0][:6].ljust(6, "0")
    expected = (MOMENTS + np.timedelta64(int(fraction), "us")).tolist()

    trained = read_csv(file)
    assert moments(trained).tolist() == expected
    copied = copy_csv(file, [AT], tmp_path / "copy.parquet", 10)
    assert moments(read_as_scored(str(copied), file)).tolist() == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9999-12-31T23:59:59.999999999", "9999-12-31T23:59:59.999999"),
        ("0001-01-01 00:00:00.0000001Z", "0001-01-01T00:00:00.000000"),
        ("1500-01-01T00:00:00.123456789+01:00", "1499-12-31T23:00:00.123456"),
    ],
)
def test_nanoseconds_of_a_far_date_are_cut_off(text, expected):
    (found,) = parse_dates(pa.array([text])).to_numpy(zero_copy_only=False)
    assert str(found) == expected


@pytest.mark.parametrize("text", ["2024-01-01T00:00:00.1234567890", "2024-13-01", "10000-01-01"])
def test_what_is_no_date_stays_none(text):
    with pytest.raises(ValueError, match="parse"):
        parse_dates(pa.array([text]))


def test_dates_in_a_dictionary_are_dates():
    encoded = TABLE["at"].cast(pa.timestamp("s", "UTC")).combine_chunks().dictionary_encode()
    column = pa.chunked_array([encoded])
    assert stored(column).equals(TABLE["at"])
    assert moments(pa.table({"at": column})).tolist() == MOMENTS.tolist()


@pytest.mark.parametrize(
    ("zones", "zoned"), [(["Z", "+02:00"], True), (["", ""], False), (["", "Z"], None)]
)
def test_far_dates_of_a_csv_file_have_a_zone_if_they_all_have_one(write, zones, zoned):
    file = write("in.csv", "n,at\n" + "".join(f"1,9999-12-31T05:00:00.5{end}\n" for end in zones))
    found = feature_columns(read_csv(file).schema, ["n"])[0]
    assert (found.kind, found.zoned) == ("date" if zoned is not None else "categorical", zoned)
