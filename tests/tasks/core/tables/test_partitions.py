import pyarrow as pa
import pytest

from tasks.core.errors import RequestError
from tasks.core.tables.partitions import key_types, keys_of

NULL = "__HIVE_DEFAULT_PARTITION__"
INT = pa.int64()
STRING = pa.string()


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("/in/a.parquet", {}),
        ("/in/a=1.parquet", {}),
        ("/in/year=2026/month=01/day=31/a.parquet", {"year": "2026", "month": "01", "day": "31"}),
        ("s3://bucket/in/region=EU/a.parquet", {"region": "EU"}),
        ("memory:///in/region=EU/a.csv", {"region": "EU"}),
        ("https://host/region=EU/a.csv?sig=a/b=c/d", {"region": "EU"}),
        ("/in/name=New%20York/a.csv", {"name": "New York"}),
        ("/in/name=New York/a.csv", {"name": "New York"}),
        ("/in/share=50%/a.csv", {"share": "50%"}),
        ("/in/sum=1+1/a.csv", {"sum": "1+1"}),
        ("/in/city=M%C3%BCnchen/a.csv", {"city": "München"}),
        ("/in/unit%20price=a%2Fb/a.csv", {"unit price": "a/b"}),
        ("/in/rule=a=b/a.csv", {"rule": "a=b"}),
        ("/in/empty=/a.csv", {"empty": ""}),
        ("/in/=EU/.x=1/a.csv", {}),
        (f"/in/region={NULL}/a.csv", {"region": None}),
        ("/in/region=EU/../region=US/./a.csv", {"region": "US"}),
    ],
)
def test_the_keys_of_a_path_are_those_of_its_folders_decoded(path, keys):
    assert keys_of(path) == keys
    assert list(keys_of(path)) == list(keys)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/in/a=1/a=2/x.csv", "names the key 'a' twice"),
        ("/in/a=%FF/x.csv", "the folder '%FF' is not UTF-8"),
    ],
)
def test_a_path_whose_keys_mean_nothing_is_refused(path, words):
    with pytest.raises(RequestError, match=words):
        keys_of(path)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "2"], INT),
        (["01", "-12", NULL], INT),
        (["1", "x"], STRING),
        (["1", ""], STRING),
        (["1.5"], STRING),
        (["2026-01-31"], STRING),
        (["true"], STRING),
        ([NULL], STRING),
        (["+1"], STRING),
        (["0x10"], STRING),
        (["\N{ARABIC-INDIC DIGIT ONE}"], STRING),
        (["9223372036854775807"], INT),
        (["9223372036854775808"], STRING),
    ],
)
def test_a_key_is_an_integer_if_all_its_values_are(values, expected):
    assert key_types([f"/in/k={value}/a.csv" for value in values]) == {"k": expected}


def test_keys_are_typed_apart_whatever_their_order():
    types = key_types(["/in/a=1/b=x/0.csv", "/in/b=2/a=2/0.csv"])
    assert types == {"a": INT, "b": STRING}


@pytest.mark.parametrize("odd", ["/in/0.csv", "/in/day=1/0.csv", "/in/month=1/day=1/0.csv"])
def test_files_of_other_keys_are_refused_by_name(odd):
    first = "/in/month=1/0.csv"
    with pytest.raises(RequestError, match=rf"^{first} and {odd} do not .* '(day|month)' is a key"):
        key_types([first, odd])
