"""The certificates of a cluster of a runner's own."""

import pickle
import ssl
from datetime import datetime

import dask
import pytest
from cryptography import x509

from tasks.runner.certificates import make_security


def test_each_cluster_has_its_own():
    one, two = make_security(), make_security()
    assert one.require_encryption
    assert one.tls_ca_file != two.tls_ca_file
    assert one.tls_worker_key != two.tls_worker_key


@pytest.mark.parametrize("year", [2001, 2026, 2999])
def test_they_hold_whatever_the_clock_says(year):
    """A clock that is set back while a cluster runs shuts nobody out."""
    certificate = x509.load_pem_x509_certificate(make_security().tls_ca_file.encode())
    now = datetime(year, 1, 1, tzinfo=certificate.not_valid_before_utc.tzinfo)
    assert certificate.not_valid_before_utc < now < certificate.not_valid_after_utc


def test_what_a_user_has_set_for_other_clusters_does_not_hold_for_them():
    theirs = {
        "distributed.comm.tls.ciphers": "ECDHE-RSA-AES256-SHA",
        "distributed.comm.tls.max-version": 1.2,
        "distributed.comm.tls.ca-file": "/their/ca.pem",
    }
    with dask.config.set(theirs):
        security = make_security()
    assert (security.tls_ciphers, security.tls_max_version) == (None, None)
    assert security.tls_min_version == ssl.TLSVersion.TLSv1_3
    assert "BEGIN CERTIFICATE" in security.tls_ca_file


def test_they_travel_to_a_process_and_show_no_key():
    security = make_security()
    back = pickle.loads(pickle.dumps(security))  # noqa: S301 - our own
    assert back.get_connection_args("worker")["require_encryption"]
    assert "PRIVATE" not in repr(security)
