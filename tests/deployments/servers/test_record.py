"""A record is written whole, for its owner alone; what cannot be read is no record."""

import pytest

from deployments.servers.record import Record, read_record, write_record


def test_a_record_is_read_back_and_is_for_its_owner_alone(tmp_path):
    path = tmp_path / "prefect.json"
    record = Record(pid=12, created=1.25, host="here", nonce="n", port=4200)
    write_record(path, record)

    assert read_record(path) == record
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "7",
        '{"pid": 12',
        '{"pid": "x", "created": 1, "host": "h", "nonce": "n", "port": 1}',
        '{"pid": 0, "created": 1, "host": "h", "nonce": "n", "port": 1}',
        '{"pid": Infinity, "created": 1, "host": "h", "nonce": "n", "port": 1}',
        '{"pid": 9, "created": 1, "host": "h", "nonce": "n", "port": 70000}',
        '{"pid": 9, "created": 1, "host": "h", "nonce": "", "port": 1}',
        "\udcff",
    ],
)
def test_a_damaged_record_is_no_record(tmp_path, text):
    path = tmp_path / "prefect.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert read_record(path) is None


def test_a_missing_record_is_no_record(tmp_path):
    assert read_record(tmp_path / "prefect.json") is None
