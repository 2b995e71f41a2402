"""Fixtures: empty places on each kind of storage."""

import uuid

import pytest


def make_url(request, kind):
    root = "memory:/"
    if kind == "s3":
        root = request.getfixturevalue("s3")
    unique = uuid.uuid4().hex
    return f"{root}/{unique}"


@pytest.fixture(params=["memory", "s3"])
def url(request):
    """An empty place for files on an object store: in memory, or on a real S3 server."""
    return make_url(request, request.param)


@pytest.fixture(params=["folder", "memory", "s3"])
def location(request, tmp_path):
    """An empty place for files, on each kind of storage."""
    if request.param == "folder":
        return str(tmp_path)
    return make_url(request, request.param)
