import pyarrow as pa
import pytest

from tasks.core.errors import RequestError
from tasks.core.tables.columns import Column
from tasks.core.tables.schemas import check_schema, check_zones

FEATURES = (Column("a", "numeric"), Column("b", "categorical"))


@pytest.mark.parametrize(
    "fields",
    [
        [("a", pa.int64()), ("b", pa.string()), ("id", pa.int64())],
        [
            ("id", pa.string()),
            ("extra", pa.binary()),
            ("b", pa.dictionary(pa.int8(), pa.string())),
            ("a", pa.float32()),
        ],
        [("a", pa.null()), ("b", pa.null()), ("id", pa.null())],
    ],
)
def test_extra_reordered_and_empty_columns_are_welcome(fields):
    assert check_schema(pa.schema(fields), FEATURES, ["id"], "in.parquet") is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ([("a", pa.int64()), ("id", pa.int64())], "column 'b' is missing; it has 'a', 'id'"),
        ([("a", pa.int64()), ("B", pa.string()), ("id", pa.int64())], "column 'b' is missing"),
        ([("a", pa.int64()), ("b", pa.string())], "column 'id' is missing"),
        (
            [("a", pa.string()), ("b", pa.string()), ("id", pa.int64())],
            "column 'a' is string, .* on a numeric one: make it numbers.$",
        ),
        ([("a", pa.bool_()), ("b", pa.string()), ("id", pa.int64())], "column 'a' is bool"),
        (
            [("a", pa.int64()), ("b", pa.int64()), ("id", pa.int64())],
            "column 'b' is int64, .* on a categorical one: make it text.$",
        ),
        (
            [("a", pa.int64()), ("a", pa.int64()), ("b", pa.string()), ("id", pa.int8())],
            "column 'a' occurs twice",
        ),
    ],
)
def test_a_missing_renamed_doubled_or_retyped_column_is_refused_by_name(fields, words):
    with pytest.raises(RequestError, match=f"^in.parquet: {words}"):
        check_schema(pa.schema(fields), FEATURES, ["id"], "in.parquet")


@pytest.mark.parametrize(
    ("found", "way_out"),
    [
        (pa.large_string(), "make it dates, as `pandas.to_datetime` does"),
        (pa.int64(), "make it dates"),  # of which unit, nobody knows
    ],
)
def test_a_column_that_was_dates_says_how_it_becomes_one(found, way_out):
    """As `pandas.read_csv` reads a column of dates: as text."""
    schema = pa.schema([("day", found)])
    with pytest.raises(RequestError, match=f"a date one: {way_out}.$"):
        check_schema(schema, [Column("day", "date")], [], "the rows")


def test_the_message_about_a_wide_table_stays_short():
    fields = [(f"c{number}", pa.int8()) for number in range(10_000)]
    schema = pa.schema(fields)

    with pytest.raises(RequestError, match=r"'c28', 'c29', \.\.\.\.") as refused:
        check_schema(schema, FEATURES, [], "wide.parquet")

    assert len(str(refused.value)) < 250


@pytest.mark.parametrize(
    ("type_", "zoned", "is_refused"),
    [
        (pa.timestamp("us", "Europe/Oslo"), True, False),
        (pa.timestamp("ns", "UTC"), True, False),
        (pa.timestamp("us"), True, True),
        (pa.date32(), True, True),
        (pa.timestamp("s"), False, False),
        (pa.date32(), False, False),
        (pa.timestamp("us", "UTC"), False, True),
        (pa.dictionary(pa.int8(), pa.timestamp("us", "UTC")), False, True),
        (pa.timestamp("us", "UTC"), None, False),
        (pa.null(), True, False),
    ],
)
def test_a_date_with_a_zone_is_another_one_than_the_same_clock_without(type_, zoned, is_refused):
    given = pa.schema([("at", type_)]), [Column("at", "date", zoned)], "in.parquet"
    if not is_refused:
        assert check_zones(*given) is None
        return
    known = "with a time zone" if zoned else "without a time zone"
    with pytest.raises(RequestError, match=f"'at' is .*, the model was trained on dates {known}"):
        check_zones(*given)
