"""A cache of scorers: models that stay in memory from one bundle to the next."""

import threading
from collections import OrderedDict

import pyarrow as pa

from tasks.core.model.open import open_model
from tasks.core.model.scorer import Scorer
from tasks.core.scoring.run import ScoringOptions


class ScorerCache:
    """The scorers of a process, which threads may share.

    Its owner says how many it holds; the least recently used one is let go first.
    """

    def __init__(self, size: int) -> None:
        """Hold up to `size` scorers."""
        self._size = size
        self._lock = threading.Lock()
        self._scorers: OrderedDict[ScoringOptions, Scorer] = OrderedDict()

    def get(self, options: ScoringOptions, rows: pa.Table) -> Scorer:
        """Return the scorer for some options; its model is opened the first time.

        Args:
            options: how rows are scored.
            rows: some of these rows, on which short cuts are tried.

        Raises:
            RequestError: the model cannot be opened.
        """
        with self._lock:
            if options not in self._scorers:
                self._scorers[options] = _open_scorer(options, rows)
            self._scorers.move_to_end(options)

            while len(self._scorers) > self._size:
                self._scorers.popitem(last=False)
            return self._scorers[options]


def _open_scorer(options: ScoringOptions, rows: pa.Table) -> Scorer:
    tried = rows if options.shortcuts else None
    model = open_model(options.model, tried, proba=options.columns.proba)
    return model.scorer(options.columns)
