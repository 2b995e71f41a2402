"""What lets somebody in is taken out of a URL, in whatever form and wherever it stands."""

import pytest

from tasks.core.errors import RequestError
from tasks.core.storage.location import absolute, check_absolute
from tasks.core.storage.secrets import check_no_secrets, without_secrets

PLANTED = "hunter2"
# A URL with a secret -> what of it is shown.
FORMS = {
    "s3://key:hunter2@bucket/in/*.parquet": "s3://bucket/in/*.parquet",
    "s3://AKIA:hun/ter/hunter2@bucket/in": "s3://bucket/in",
    "s3://AKIA:12/hunter2@bucket/in": "s3://bucket/in",
    "s3://key%3Ahunter2%40bucket/in": "s3://bucket/in",
    "s3%3A%2F%2Fkey%3Ahunter2%40bucket%2Fin": "s3://bucket/in",
    "s3:/key:hunter2@bucket/in": "s3:/bucket/in",
    "simplecache::s3://key:hunter2@bucket/x.csv": "simplecache::s3://bucket/x.csv",
    "zip://a.csv::https://ann:hunter2@h/x.zip": "zip://a.csv::https://h/x.zip",
    "zip://a.csv::https://h/x.zip?sv=2024&sig=hunter2": "zip://a.csv::https://h/x.zip",
    "https://h/x.csv?X-Amz-Expires=9&X-Amz-Signature=hunter2": "https://h/x.csv",
    "https://h/x.csv?Expires=9&Signature=hunter2&Key-Pair-Id=K": "https://h/x.csv",
    "https://h/x.csv?%73ig=hunter2": "https://h/x.csv",
    "https://h/x.csv?v=1&api_key=hunter2": "https://h/x.csv",
    "https://h/x.csv?v=1;password=hunter2": "https://h/x.csv",
    "https://h/x.csv#access_token=hunter2": "https://h/x.csv",
    "https://h/x.csv?k=hunter2hunter2hunter2": "https://h/x.csv",
    "https://h/x.csv?k=eyJhbGciOi.hunter2.x": "https://h/x.csv",
    "https://h/x;jsessionid=hunter2": "https://h/x",
    "https://ann:p@s/hunter2@h/x.csv": "https://h/x.csv",
    "https://ann:123/hunter2@h/x.csv": "https://h/x.csv",
    "https://hunter2@h/x.csv": "https://h/x.csv",
    "HTTPS://ann:HUNTER2hunter2@h:8443/x.csv?v=1": "HTTPS://h:8443/x.csv?v=1",
    "https://h/x?next=https://ann:hunter2@g/y": "https://h/x?next=https://g/y",
    "postgresql+psycopg2://ann:hunter2@h:5432/db": "postgresql+psycopg2://h:5432/db",
    "mysql://ann:a#hunter2@h/db": "mysql://h/db",
    "mysql://ann:hunter2?b@h/db?charset=utf8": "mysql://h/db?charset=utf8",
    "mysql://ann:a@b;hunter2@h:3306/db": "mysql://h:3306/db",
    "mssql+pyodbc:///?odbc_connect=UID%3Dann%3BPWD%3Dhunter2": "mssql+pyodbc:///",
    "https://h/x?a=b%26sig=hunter2": "https://h/x",
    "https%253A%252F%252Fann%253Ahunter2%2540h%252Fx": "https://h/x",
    "https://h/x?next=https%253A%252F%252Fann%253Ahunter2%2540g%252Fy": "https://h/x?next=https://g/y",
    "redis://:hunter2@h:6379/0": "redis://h:6379/0",
    "abfs://key:hunter2@account.dfs.core.windows.net/x": "abfs://account.dfs.core.windows.net/x",
}
PLAIN = [
    "s3://bucket/in@home/x.csv",
    "s3://bucket/day=2026-01-31/part-?.csv",
    "/data/ann@host/x.csv",
    "https://data.example.org:8443/ann@home/x.csv?v=1&format=csv",
    "http://127.0.0.1:5500/#/models/bike@x/versions/3",
    "http://[::1]:5500/a@b",
    "http://localhost:4200/runs/flow-run/01970000-aaaa-bbbb-cccc-123456789012",
    "abfs://container@account.dfs.core.windows.net/x.csv",
    "s3://bucket/x.csv?versionId=3sL4kqtJlcpXroDTDmJrmSpXd3dIbrHY",
    "https://data.example.org:8443/x.csv?by=ann@home",
    "https://data.example.org/x.csv?by=ann@home#b:c",
    "hdfs://namenode:9000/user/x.csv",
    "sqlite:////tmp/a b/x.db",
    "tls://10.0.0.5:8786",
    "ann@example.org wrote: see the page",
]


@pytest.mark.parametrize(("url", "shown"), FORMS.items())
def test_the_secret_is_taken_out(url, shown):
    assert PLANTED in url
    assert without_secrets(url) == shown


@pytest.mark.parametrize(("url", "shown"), FORMS.items())
def test_it_is_taken_out_of_a_sentence_too(url, shown):
    said = without_secrets(f"OSError: cannot read '{url}' (see\n{url}).")
    assert said == f"OSError: cannot read '{shown}' (see\n{shown})."


@pytest.mark.parametrize("url", PLAIN)
def test_what_holds_no_secret_stays_as_it_is(url):
    assert without_secrets(url) == url
    check_no_secrets(url)


@pytest.mark.parametrize("url", [*FORMS, "s3://key:hun ter hunter2@bucket/x"])
def test_a_location_that_holds_one_is_refused_without_it(url, tmp_path):
    words = "credentials belong in the environment"
    for check in (check_no_secrets, check_absolute, lambda url: absolute(url, tmp_path)):
        with pytest.raises(RequestError, match=words) as refused:
            check(url)
        assert PLANTED not in str(refused.value)


@pytest.mark.parametrize(
    "text", ["a" * 99_999, "a:/" * 33_333, "https://x?" + "." * 99_999, "https://" + "a.:" * 33_333]
)
def test_a_long_text_of_others_takes_no_long_time(text):
    """Each of these would, if a pattern looked at it from every letter again."""
    assert without_secrets(text) == text
