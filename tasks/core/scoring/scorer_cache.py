"""A cache of scorers: models that stay in memory from one bundle to the next."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

import pyarrow as pa

from tasks.core.model.open import Model, open_model
from tasks.core.model.scorer import Scorer
from tasks.core.scoring.run import ScoringOptions


class ScorerCache:
    """The scorers of a process, which threads may share.

    Its owner says how many it holds; the least recently used one is let go first.
    """

    def __init__(self, size: int, open_model: Callable[..., Model] = open_model) -> None:
        """Hold up to `size` scorers of models that are opened so."""
        self._size = size
        self._open_model = open_model
        self._lock = threading.Lock()
        self._scorers: OrderedDict[Hashable, Scorer] = OrderedDict()

    def get(self, options: ScoringOptions, rows: pa.Table) -> Scorer:
        """Return the scorer for some options; its model is opened the first time.

        Short cuts are tried on the rows that come first, whichever source they are of.

        Args:
            options: how rows are scored.
            rows: some of these rows, on which short cuts are tried.

        Raises:
            RequestError: the model cannot be opened.
        """
        # Not the whole version: its aliases move.
        model = options.model
        key = (model.digest, model.version, options.columns, options.shortcuts)

        with self._lock:
            if key not in self._scorers:
                self._scorers[key] = self._open_scorer(options, rows)
            self._scorers.move_to_end(key)

            while len(self._scorers) > self._size:
                self._scorers.popitem(last=False)
            return self._scorers[key]

    def _open_scorer(self, options: ScoringOptions, rows: pa.Table) -> Scorer:
        tried = rows if options.shortcuts else None
        model = self._open_model(options.model, tried, proba=options.columns.proba)
        return model.scorer(options.columns)
