"""The comparison of a challenger with the champion: what the gates judge."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.core.evaluation.evidence import ChampionLosses
from tasks.core.predictions import Floats
from tasks.core.spec.spec import Spec
from tasks.core.tables.columns import Column


@dataclass(frozen=True)
class Comparison:
    """A challenger and the champion on the same held-out rows.

    `losses` are the challenger's, shape (n,); `champion` is None where there is none yet. `train`
    are the rows that trained, of which `features` are the features.
    """

    metrics: dict[str, float]
    losses: Floats
    champion: ChampionLosses | None
    rows: pa.Table
    spec: Spec
    train: pa.Table
    features: tuple[Column, ...]

    @property
    def judging(self) -> NDArray[np.bool_]:
        """Which rows judge, shape (n,): all, or those whose loss the champion has."""
        champion = self.champion
        if champion is None or champion.problem:
            return np.ones(len(self.rows), dtype=bool)

        return ~np.isnan(champion.losses)
