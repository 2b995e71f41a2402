import random
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from tasks.core.errors import RequestError
from tasks.core.score_columns import ScoreColumns
from tasks.core.scoring import checks
from tasks.core.scoring.checks import check_columns, check_copies, check_scoring
from tasks.core.scoring.plan import plan_source
from tasks.core.scoring.run import name_run
from tasks.core.tables.csv_copy import copy_csv
from tasks.core.tables.frames import to_frame
from tasks.core.tables.listing import list_source
from tasks.core.tables.reader import read_piece

SCHEMA = pa.schema([
    ("id", pa.string()), ("n", pa.float64()), ("flag", pa.bool_()), ("city", pa.string()),
    ("at", pa.timestamp("us")), ("keep", pa.string()),
])  # fmt: skip
SECTIONS = {
    "data": {"source": "/in/t.csv", "target": "y", "id": "id", "drop": ["keep"]},
    "scoring": {"source": "/in/t.csv", "output": "/out", "keep": ["keep"]},
}


@pytest.fixture
def metadata(make_card):
    return make_card(SCHEMA, **SECTIONS)


@pytest.fixture
def table():
    chance = random.Random(9)  # noqa: S311 - test data
    start = datetime(2024, 1, 1)  # noqa: DTZ001 - dates are stored without a zone

    def some(value):
        return value if chance.random() > 0.2 else None

    rows = [
        {
            "id": f"{row:03}", "n": some(chance.random()), "flag": some(chance.random() < 0.5),
            "city": some(chance.choice(["NA", "Oslo", 'say "x", y', "two\nlines", "007"])),
            "at": some(start + timedelta(minutes=row)), "keep": some(str(2**53 + row)),
        }
        for row in range(200)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, SCHEMA)


def test_a_csv_file_and_a_parquet_file_of_one_table_are_scored_alike(tmp_path, metadata, table):
    pyarrow.csv.write_csv(table, tmp_path / "t.csv")
    copied = pq.read_table(
        copy_csv(
            list_source(str(tmp_path / "t.csv")).files[0],
            metadata.features,
            tmp_path / "c.parquet",
            99,
        )
    )
    assert to_frame(table, metadata.features).equals(to_frame(copied, metadata.features))
    for carried in ("id", "keep"):
        assert table[carried].to_pylist() == copied[carried].to_pylist()


@pytest.mark.parametrize(
    ("moment", "zoned"),
    [
        ("2024-01-31T12:00:00Z", True),
        ("2024-01-31 13:00:00+01:00", True),
        ("2024-01-31T12:00:00.000000999", False),
    ],
)
def test_a_csv_time_with_a_zone_or_nanoseconds_is_the_same_moment_to_the_microsecond(
    tmp_path, write, metadata, moment, zoned
):
    text = f"id,n,flag,city,at,keep\n0,1.5,true,Oslo,{moment},k\n1,1.5,true,Oslo,NA,k\n"
    features = [
        replace(column, zoned=zoned) if column.kind == "date" else column
        for column in metadata.features
    ]
    copied = copy_csv(write("times.csv", text), features, tmp_path / "copy.parquet", 99)
    assert [str(at) for at in pq.read_table(copied)["at"].to_pylist()] == [
        "2024-01-31 12:00:00",
        "None",
    ]


def planned(model, metadata, source, output, tables):
    opened = list_source(str(source))
    run = name_run(model, metadata, opened, str(output))
    return plan_source(run, opened, metadata, tables)[1]


def test_the_pieces_of_a_run_hold_every_row_of_every_file_once_in_order(
    tmp_path, write, metadata, table, model
):
    write("a.parquet", table)
    write("b.parquet", table.slice(0, 0))
    write("c.parquet", table.slice(0, 7), row_group_size=2)
    plan = planned(model, metadata, tmp_path, tmp_path / "out", tmp_path)
    assert plan.rows == 207
    assert [[(item.origin[-9:], item.rows) for item in piece.slices] for piece in plan.pieces] == [
        [("a.parquet", 200), ("c.parquet", 7)]
    ]
    read = pa.concat_tables(read_piece(piece, ["id"]) for piece in plan.pieces)
    assert read["id"].to_pylist() == [*table["id"].to_pylist(), *table["id"].to_pylist()[:7]]


def test_a_piece_of_a_csv_file_names_that_file_and_not_its_copy(tmp_path, metadata, table, model):
    pyarrow.csv.write_csv(table, tmp_path / "t.csv")
    (piece,) = planned(model, metadata, tmp_path / "t.csv", tmp_path / "out", tmp_path).pieces
    assert [item.origin for item in piece.slices] == [str(tmp_path / "t.csv")]
    assert [item.path for item in piece.slices] == [
        str(path) for path in tmp_path.glob("0-*.parquet")
    ]


def test_columns_that_nobody_asked_for_and_another_order_are_noted_and_accepted(
    tmp_path, write, metadata, table, model
):
    wide = table.append_column("colour", table["city"]).append_column("y", table["n"])
    write("t.parquet", wide.select(sorted(wide.column_names)))
    plan = planned(model, metadata, tmp_path, tmp_path / "out", tmp_path)
    assert plan.notes == (
        f"column 'colour' of {tmp_path}/t.parquet is not read",
        f"the features of {tmp_path}/t.parquet stand in another order than the model's",
    )


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.csv", "id,n,flag,city,at,keep\n", "there are no rows to score"),
        ("t.csv", "id,n,flag,city,at,keep", r"t\.csv: "),
        (
            "t.csv",
            "id,n,flag,City,at,keep\n1,1,true,x,2024-01-01,k\n",
            "column 'city' is missing; did you mean 'City'",
        ),
        ("t.csv", "n,flag,city,at,keep\n1,true,x,2024-01-01,k\n", "column 'id' is missing"),
        ("t.csv", "id,n,flag,city,at\n1,1,true,x,2024-01-01\n", "column 'keep' is missing"),
        ("t.parquet", SCHEMA.empty_table(), "there are no rows to score"),
        ("t.parquet", SCHEMA.empty_table().drop_columns(["n"]), "column 'n' is missing"),
        (
            "t.parquet",
            SCHEMA.empty_table().set_column(1, "n", pa.array([], pa.string())),
            "column 'n' is string",
        ),
        (
            "t.parquet",
            SCHEMA.empty_table().set_column(3, "city", pa.array([], pa.int64())),
            "column 'city' is int64",
        ),
    ],
)
def test_a_source_that_the_model_cannot_score_is_refused_before_anything_is_scored(
    tmp_path, write, metadata, model, name, content, words
):
    write(name, content)
    with pytest.raises(RequestError, match=words) as refused:
        planned(model, metadata, tmp_path / name, tmp_path / "out", tmp_path)
    assert str(tmp_path / name) in str(refused.value)


def test_one_file_without_a_column_among_good_ones_is_found_before_the_first_row_is_read(
    tmp_path, write, metadata, table
):
    for number in range(5):
        write(f"{number}.parquet", table if number != 3 else table.drop_columns(["flag"]))
    columns = ScoreColumns("id")
    with pytest.raises(RequestError, match=r"3\.parquet: column 'flag' is missing"):
        check_columns(list_source(str(tmp_path)), metadata.features, columns)
    (tmp_path / "3.parquet").unlink()
    assert check_columns(list_source(str(tmp_path)), metadata.features, columns) is None


@pytest.mark.parametrize("output", ["", "..", "../.."])
def test_scores_never_go_where_their_source_is(tmp_path, write, metadata, model, output):
    write("sub/in/t.parquet", SCHEMA.empty_table())
    source = tmp_path / "sub" / "in"
    (tmp_path / "link").symlink_to(source)
    for path in (source, tmp_path / "link"):
        with pytest.raises(RequestError, match="holds the source itself"):
            name_run(model, metadata, list_source(str(path)), str((source / output).resolve()))
    inside = str(source / "scores")
    run = name_run(model, metadata, list_source(str(source)), inside)
    assert run.destination.output == inside


def test_the_key_of_a_run_depends_on_the_model_the_source_and_what_is_carried_not_on_the_output(
    tmp_path, write, make_card, model
):
    source, other = (
        list_source(write(name, SCHEMA.empty_table()).path) for name in ("t.parquet", "u.parquet")
    )

    def key(source=source, digest=model.digest, output="out", **scoring):
        sections = {**SECTIONS, "scoring": {**SECTIONS["scoring"], **scoring}}
        version = type(model)(model.name, model.version, digest, passed=True, promoted=True)
        run = name_run(version, make_card(SCHEMA, **sections), source, str(tmp_path / output))
        return run.destination.run_key

    assert key() == key(output="elsewhere") == key(on_existing="refuse")
    assert len({key(), key(digest="e" * 64), key(source=other), key(keep=[])}) == 4


def test_pieces_of_a_model_whose_last_step_is_wide_have_fewer_rows(
    tmp_path, write, metadata, table, model
):
    """Memory counts values: a few columns that one-hot encoding makes many of must not fill it."""
    write("t.parquet", table, row_group_size=20)
    narrow = planned(model, metadata, tmp_path, tmp_path / "out", tmp_path)
    wide = planned(model, replace(metadata, width=1 << 18), tmp_path, tmp_path / "out", tmp_path)
    assert [[piece.rows for piece in plan.pieces] for plan in (narrow, wide)] == [
        [200],
        [80, 80, 40],
    ]


def test_a_copy_that_was_typed_by_another_model_is_not_taken(tmp_path, write, make_card, model):
    """A dead attempt of an older champion may have left one: to it, "007" was a number."""
    write("in/t.csv", "id,code\na,007\nb,1e2\n")
    for type_, expected in ((pa.float64(), [7.0, 100.0]), (pa.string(), ["007", "1e2"])):
        metadata = make_card(
            pa.schema([("id", pa.string()), ("code", type_)]), data=SECTIONS["data"] | {"drop": []}
        )
        plan = planned(model, metadata, tmp_path / "in", tmp_path / "out", tmp_path)
        assert read_piece(plan.pieces[0], ["code"])["code"].to_pylist() == expected


def test_files_in_which_a_feature_has_different_types_share_a_piece(
    tmp_path, write, metadata, table, model
):
    """Each type is one that the model takes; together they are what its kind is stored as."""
    day = table["at"].cast(pa.date32(), safe=False)
    other = table.set_column(4, "at", day).set_column(
        3, "city", table["city"].combine_chunks().dictionary_encode()
    )
    whole = pa.array([2**60 + row for row in range(len(table))])
    write("a.parquet", table.slice(0, 5))
    write("b.parquet", other.set_column(1, "n", whole).slice(5, 5))
    write("c.parquet", table.slice(10, 5))
    (piece,) = planned(model, metadata, tmp_path, tmp_path / "out", tmp_path).pieces
    read = read_piece(piece, table.column_names)
    assert read["city"].to_pylist() == table["city"].slice(0, 15).to_pylist()
    assert read["n"].to_pylist()[5:10] == [float(2**60 + row) for row in range(5, 10)]
    assert [str(at)[:10] for at in read["at"].to_pylist()] == [
        str(at)[:10] for at in table["at"].to_pylist()[:15]
    ]


def test_an_id_that_cannot_be_told_apart_is_refused_before_anything_is_scored(
    tmp_path, write, metadata, table, model
):
    write("t.parquet", table.set_column(0, "id", table["id"].cast(pa.binary())))
    with pytest.raises(
        RequestError, match=r"the id 'id' is binary: an id is a number, a text or a date"
    ):
        planned(model, metadata, tmp_path, tmp_path / "out", tmp_path)


@pytest.mark.parametrize(
    ("name", "output", "cluster", "refused"),
    [
        ("t.csv", "s3://bucket/out", "tcp://127.0.0.1:1", True),
        ("t.csv", "s3://bucket/out", None, False),
        ("t.csv", "/out", "tcp://127.0.0.1:1", False),
        ("t.parquet", "s3://bucket/out", "tcp://127.0.0.1:1", False),
    ],
)
def test_copies_that_the_workers_of_a_cluster_could_not_read_are_refused(
    write, table, name, output, cluster, refused
):
    source = list_source(write(name, table if name.endswith("parquet") else "a\n1\n").path)
    if not refused:
        assert check_copies(source, output, cluster) is None
        return
    with pytest.raises(RequestError, match="make them Parquet first, or leave --cluster out"):
        check_copies(source, output, cluster)


@pytest.mark.parametrize(("rows_that_pay", "pays"), [(200, True), (201, False)])
def test_only_a_source_with_rows_enough_is_meant_for_the_kernel(
    tmp_path, write, metadata, table, model, rows_that_pay, pays
):
    source = list_source(write("t.parquet", table).path)
    run = name_run(model, metadata, source, str(tmp_path / "out"))
    planned_run, _ = plan_source(run, source, metadata, tmp_path, rows_that_pay)
    assert planned_run.options.shortcuts is pays


@pytest.mark.parametrize(
    ("scoring", "data", "cluster", "words"),
    [
        ({}, {}, None, None),
        ({}, {"id": "prediction"}, None, "column 'prediction' would occur twice"),
        ({"keep": ["at", "city"]}, {"id": "id"}, None, None),
        ({"keep": ["nope"]}, {}, None, "column 'nope' is missing"),
        ({"output": "in"}, {}, None, "holds the source itself"),
        ({"output": "in/t.parquet/out"}, {}, None, "cannot be written to"),
        ({"source": "t.csv", "output": "s3://b/out"}, {}, "tcp://h:1", "make them Parquet first"),
    ],
)
def test_what_could_not_be_scored_is_found_from_the_spec_alone(
    tmp_path, write, make_spec, monkeypatch, scoring, data, cluster, words
):
    write("in/t.parquet", SCHEMA.empty_table())
    write("t.csv", "id,n\n1,2\n")
    places = {"source": "in", "output": "out", **scoring}
    for field in ("source", "output"):
        if "://" not in places[field]:
            places[field] = str(tmp_path / places[field])
    table = {"source": "/in/a.csv", "target": "y", **data}
    spec = make_spec(data=table, scoring={**scoring, **places})
    monkeypatch.setattr(checks, "open_output", lambda output: SimpleNamespace(location=output))

    if words is None:
        assert [file.path for file in check_scoring(spec).files] == [f"{tmp_path}/in/t.parquet"]
        return
    with pytest.raises(RequestError, match=words):
        check_scoring(spec, cluster)
