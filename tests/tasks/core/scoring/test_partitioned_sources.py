"""A source in `key=value` folders is the table that one file without them would be."""

import random
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from tasks.core.errors import RequestError
from tasks.core.model.scorer import columns_read
from tasks.core.score_columns import ScoreColumns
from tasks.core.scoring.plan import plan_source
from tasks.core.scoring.run import name_run
from tasks.core.spec.sections import Data
from tasks.core.tables.listing import list_source
from tasks.core.tables.reader import read_piece
from tasks.core.training.first_spec import write_first_spec
from tasks.core.training.table import read_files
from tasks.core.windows.templates import fill
from tasks.core.windows.window import Window

NULL = "__HIVE_DEFAULT_PARTITION__"
REGIONS = ["EU", "New York", "NA", None, "a/b=50%"]
KEYS = {"region": "categorical", "month": "numeric", "day": "categorical"}
SCHEMA = pa.schema(
    [
        ("sale", pa.int64()),
        ("qty", pa.float64()),
        ("amount", pa.float64()),
        ("region", pa.string()),
        ("month", pa.int64()),
        ("day", pa.string()),
    ]
)
DATA = Data(source="/in", target="amount", id="sale")
SECTIONS = {"data": {"source": "/in", "target": "amount", "id": "sale"}}


@pytest.fixture
def sales():
    """Sales of five regions, three months and two days, in random order."""
    chance = random.Random(27)  # noqa: S311 - test data
    rows = []
    for sale in range(300):
        region = chance.choice(REGIONS)
        month = chance.randrange(1, 4)
        qty = float(chance.randrange(1, 9))
        day = chance.choice(["2026-01-01", "2026-01-02"])
        amount = 2 * qty + 30 * REGIONS.index(region) + month
        values = (sale, qty, amount, region, month, day)
        rows.append(dict(zip(SCHEMA.names, values, strict=True)))
    return pa.Table.from_pylist(rows, SCHEMA)


def folder_of(row):
    """Return the folders of a row as Spark writes them."""
    region = NULL if row["region"] is None else row["region"]
    for sign, code in {"%": "%25", "/": "%2F", "=": "%3D", " ": "%20"}.items():
        region = region.replace(sign, code)
    return f"region={region}/month={row['month']:02}/day={row['day']}"


@pytest.fixture(params=["parquet", "csv"])
def folder(request, tmp_path, sales):
    """The sales in a folder of three nested keys, beside the marker files of Spark."""
    by_folder = {}
    for row in sales.to_pylist():
        by_folder.setdefault(folder_of(row), []).append(row)

    for name, rows in by_folder.items():
        place = tmp_path / "sales" / name
        place.mkdir(parents=True)
        table = pa.Table.from_pylist(rows, SCHEMA).drop_columns(list(KEYS))
        if request.param == "csv":
            pyarrow.csv.write_csv(table, place / "part-0.csv")
        else:
            pq.write_table(table, place / "part-0.parquet")
    (tmp_path / "sales" / "_SUCCESS").touch()
    return tmp_path / "sales"


def in_order(table):
    """Return a table in the order of its ids, which a CSV file has as text."""
    ids = table["sale"].cast(pa.int64())
    table = table.set_column(table.column_names.index("sale"), "sale", ids)
    return table.sort_by("sale").combine_chunks()


@pytest.mark.parametrize("pattern", ["", "**/*.{}", "region=*/month=*/day=*/*.{}"])
def test_it_trains_as_one_file_would(folder, sales, pattern):
    ending = next(folder.rglob("part-0.*")).suffix[1:]
    found = read_files(list_source(str(folder / pattern.format(ending))).files, DATA)
    assert in_order(found).to_pydict() == sales.to_pydict()
    assert [found.schema.field(name).type for name in KEYS] == [
        pa.string(), pa.int64(), pa.string(),
    ]  # fmt: skip


def scored_from(source, metadata, model, tmp_path, columns=None):
    """Return what is read of a source to be scored, in the order of the planned pieces."""
    listing = list_source(str(source))
    run = name_run(model, metadata, listing, str(tmp_path / "out"))
    (tmp_path / "tables").mkdir(exist_ok=True)
    _, plan = plan_source(run, listing, metadata, tmp_path / "tables")
    names = columns or columns_read(metadata.features, run.options.columns)
    return pa.concat_tables(read_piece(piece, names) for piece in plan.pieces)


def test_it_is_scored_as_one_file_would_be(folder, sales, make_card, model, tmp_path):
    metadata = make_card(SCHEMA, **SECTIONS)
    assert {column.name: column.kind for column in metadata.features[1:]} == KEYS
    found = scored_from(folder, metadata, model, tmp_path)
    expected = sales.select(found.column_names)
    assert in_order(found).to_pydict() == expected.to_pydict()
    assert found.schema.field("month").type == pa.int64()


def test_keys_are_carried_through_to_the_scores(folder, sales, make_card, model, tmp_path):
    """They need not be features; every piece has them in one type, be its value missing or not."""
    data = {**SECTIONS["data"], "drop": list(KEYS)}
    metadata = make_card(SCHEMA, data=data, scoring={"keep": list(KEYS)})
    assert metadata.columns == ScoreColumns("sale", tuple(KEYS))
    found = scored_from(folder, metadata, model, tmp_path)
    assert found.column_names == ["sale", *KEYS, "qty"]
    assert in_order(found).to_pydict() == sales.select(found.column_names).to_pydict()
    assert [found.schema.field(name).type for name in KEYS] == [
        pa.string(), pa.int64(), pa.string(),
    ]  # fmt: skip


def test_a_model_that_knows_a_key_as_text_gets_it_as_it_is_written(
    folder, sales, make_card, model, tmp_path
):
    schema = SCHEMA.set(4, pa.field("month", pa.string()))
    found = scored_from(folder, make_card(schema, **SECTIONS), model, tmp_path)
    months = [f"{month:02}" for month in sales["month"].to_pylist()]
    assert in_order(found)["month"].to_pylist() == months


def test_a_model_that_knows_dates_gets_a_date(folder, sales, make_card, model, tmp_path):
    schema = SCHEMA.set(5, pa.field("day", pa.timestamp("us")))
    found = scored_from(folder, make_card(schema, **SECTIONS), model, tmp_path)
    days = [str(day)[:10] for day in in_order(found)["day"].to_pylist()]
    assert days == sales["day"].to_pylist()


def test_a_value_that_the_model_cannot_take_is_refused_before_anything_is_scored(
    folder, make_card, model, tmp_path
):
    schema = SCHEMA.set(3, pa.field("region", pa.float64()))
    with pytest.raises(RequestError, match="'region' is 'EU', which is no number"):
        scored_from(folder, make_card(schema, **SECTIONS), model, tmp_path)


def test_one_file_has_the_same_columns_when_it_is_named_alone(folder, make_card, model, tmp_path):
    alone = min(folder.glob("region=EU/month=02/day=2026-01-01/part-0.*"))
    found = scored_from(alone, make_card(SCHEMA, **SECTIONS), model, tmp_path)
    assert len(found)
    for name, value in {"region": "EU", "month": 2, "day": "2026-01-01"}.items():
        assert set(found[name].to_pylist()) == {value}


def test_rows_are_counted_where_only_keys_are_read(folder, sales, make_card, model, tmp_path):
    found = scored_from(folder, make_card(SCHEMA, **SECTIONS), model, tmp_path, ["month"])
    assert sorted(found["month"].to_pylist()) == sorted(sales["month"].to_pylist())


def test_a_source_without_the_folders_lacks_a_column(folder, make_card, model, tmp_path):
    alone = min(folder.glob("region=EU/month=02/day=2026-01-01/part-0.*"))
    moved = tmp_path / alone.name
    alone.rename(moved)
    with pytest.raises(RequestError, match="column 'region' is missing"):
        scored_from(moved, make_card(SCHEMA, **SECTIONS), model, tmp_path)


def test_files_at_several_depths_are_refused_by_the_key_that_one_lacks(folder):
    (folder / "region=EU" / "whole.csv").write_text("sale,qty,amount\n1,2,3\n")
    (folder / "region=EU" / "month=01" / "one.csv").write_text("sale,qty,amount\n1,2,3\n")
    with pytest.raises(RequestError, match=r"one\.csv and .*whole\.csv do not .* 'month' is a key"):
        list_source(str(folder / "region=EU" / "**" / "*e.csv"))


@pytest.mark.parametrize("target", ["amount", "region"])
def test_a_first_spec_is_written_for_a_folder_of_partitions(folder, tmp_path, target):
    path = tmp_path / "sales.yaml"
    write_first_spec(str(folder), target, path)
    text = path.read_text()
    assert "  source: sales " in text
    assert f"  target: {target}\n" in text
    assert "  id: sale " in text


def test_a_window_that_is_named_in_a_key_is_a_column(tmp_path, write):
    for day in ("2026-01-30", "2026-01-31"):
        write(f"day={day}/a.parquet", pa.table({"n": [1.0]}))
    template = f"{tmp_path}/day={{window:%Y-%m-%d}}/*.parquet"
    window = Window(datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))

    (file,) = list_source(fill(template, window)).files
    found = read_files([file] * 10, Data(source="/in", target="n"))
    assert found["day"].to_pylist() == ["2026-01-31"] * 10
