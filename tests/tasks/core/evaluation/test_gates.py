import math

import numpy as np
import pyarrow as pa
import pytest

from tasks.core.evaluation.evidence import ChampionLosses
from tasks.core.evaluation.gates import judge, pick_best

ROWS = pa.table({"y": np.arange(100.0), "season": ["warm"] * 40 + ["cold"] * 60})
LOSSES = np.full(100, 0.5)
UNSEEN = np.arange(100) >= 10
LIMIT, CHAMPION = "limit of mae", "not worse than the champion"
NOT_COMPARED = "champion not compared"
SEGMENTS = ["segment cold", "segment warm"]
LEAKS = ["no feature gives the target away", "no feature counts the rows"]


@pytest.mark.parametrize(
    ("champion", "gates", "rows"),
    [
        (None, [LIMIT, CHAMPION], 100),
        (ChampionLosses(np.full(100, np.nan), 0, "it cannot"), [LIMIT, NOT_COMPARED], 100),
        (ChampionLosses(np.where(UNSEEN, 0.5, np.nan), 10), [LIMIT, CHAMPION, *SEGMENTS], 90),
        (ChampionLosses(np.full(100, np.nan), 100), [LIMIT, CHAMPION], 0),
    ],
)
def test_limits_are_judged_first_then_the_whole_then_each_segment(make_spec, champion, gates, rows):
    spec = make_spec(
        data={"source": "/in", "target": "y", "segment": "season"},
        gates={"limits": {"mae": {"max": 1}}},
    )
    verdict = judge({"mae": 0.5}, LOSSES, champion, ROWS, spec, ROWS, ())

    assert [gate.name for gate in verdict.gates] == [*gates, *LEAKS]
    assert verdict.rows == rows
    seen = champion.rows_seen if champion else 0
    assert verdict.rows_seen_by_champion == seen


@pytest.mark.parametrize(
    ("losses", "best"),
    [
        ([3.0, 1.0, 2.0], 1),
        ([1.0, 1.0], 0),
        ([math.nan, 5.0], 1),
        ([math.inf, 2.0], 1),
        ([math.nan, math.nan], 0),
    ],
)
def test_the_best_is_the_first_of_the_smallest(losses, best):
    assert pick_best(losses) == best
