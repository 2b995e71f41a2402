"""Bundles: what is still at work when a scoring run stops."""

from types import SimpleNamespace

import pytest

from flows import bundles
from tasks.core.errors import AfterfitError


def test_a_run_that_stops_leaves_its_runner_at_once(monkeypatch):
    """Not when the garbage collector comes by: what is left must not score beside the next run."""
    left = []

    def score_for_ever(*_):
        try:
            while True:
                yield ("a part",)
        finally:
            left.append(True)

    def stop(_):
        raise AfterfitError("too many rows are bad")

    piece = SimpleNamespace(number=0)
    bundle = SimpleNamespace(rows=1, pieces=(piece,))
    planned = SimpleNamespace(
        run=SimpleNamespace(destination=SimpleNamespace(max_bad_rows=0)),
        plan=SimpleNamespace(rows=2, pieces=(piece,)),
        finished={},
        unfinished=(piece,),
    )
    monkeypatch.setattr(bundles, "score_bundles", score_for_ever)
    monkeypatch.setattr(bundles, "bundle_pieces", lambda *_: (bundle, bundle))
    monkeypatch.setattr(bundles, "check_quarantine", lambda *_: None)
    monkeypatch.setattr(bundles, "Progress", lambda *_: SimpleNamespace(advance=stop))

    with pytest.raises(AfterfitError, match="too many rows are bad"):
        bundles.score_pieces(planned, None, SimpleNamespace(cluster=None, parallelism=2))
    assert left == [True]
