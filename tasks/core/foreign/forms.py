"""Forms: how a column may have looked when a model was fitted on it elsewhere."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tasks.core.errors import RequestError
from tasks.core.foreign.learned import (
    NAN,
    Learned,
    as_list,
    known_values,
    knows_none,
    learned_values,
    share_known,
)

SHOWN = 5


def fitted_form(model: Any, ours: pd.DataFrame, read: pd.DataFrame) -> pd.DataFrame:
    """Return rows in the form that a model was fitted on, as far as that can be told.

    A column is as pandas reads it by default. Where an encoder learned its values, these tell: it
    may be the form with None for missing values, or that which we hand over.

    Args:
        model: the fitted pipeline.
        ours: the rows as we hand them over.
        read: the same rows as pandas reads them; columns that it does not have are ours.

    Raises:
        RequestError: an encoder knows no value of a column in any form.
    """
    learned = learned_values(model, list(ours.columns))
    is_none_seen = any(None in known for known in learned.values())
    # An encoder somewhere inside, of which the columns are not known: then it may be any.
    by_default = with_none if knows_none(model) and not is_none_seen else _as_read

    columns = {}
    for name in ours.columns:
        column = read[name] if name in read.columns else ours[name]
        columns[name] = by_default(column)
        if learned.get(name):
            columns[name] = _best_known(name, [column, with_none(column), ours[name]], learned)
    return pd.DataFrame(columns)


def _best_known(name: str, forms: Sequence[pd.Series], learned: Learned) -> pd.Series:
    """Return the form in which most of what an encoder learned is found: the first of equals.

    That counts the values that it learned; where as many are found, the rows whose value it knows.
    """
    known = learned[name]
    _check_known(name, forms, known)

    found = [len(known & known_values(form)) for form in forms]
    shares = [share_known(form, known) for form in forms]
    best = max(range(len(forms)), key=lambda position: (found[position], shares[position]))
    return forms[best]


def _check_known(name: str, forms: Sequence[pd.Series], known: set[Any]) -> None:
    """Refuse a column of which an encoder knows no value at all: it would predict from nothing."""
    given = [form.dropna() for form in forms]
    if not len(given[0]) or any(share_known(form, known) > 0 for form in given):
        return

    way_out = "fit it on the column as it stands in the source"
    is_text = all(isinstance(value, str) for value in known - {NAN, None})
    if is_text and forms[-1].dtype.kind in "iuf":
        way_out = (
            "fit it on numbers, which the source has for us, as `pd.read_csv` reads them by "
            "default, or make the source a Parquet file in which they are text"
        )

    learned = sorted(repr(value) for value in known)[:SHOWN]
    raise RequestError(
        f"column {name!r}: the model learned {', '.join(learned)} and knows none of its values, "
        f"such as {as_list(given[0])[0]!r}: {way_out}."
    )


def _as_read(column: pd.Series) -> pd.Series:
    return column


def with_none(column: pd.Series) -> pd.Series:
    """Return a column of objects with None for missing values, as database drivers give it.

    Numbers and dates stay as they are.

    >>> with_none(pd.Series(["a", None])).tolist()
    ['a', None]
    """
    is_missing = column.isna()
    if column.dtype.kind in "biufmM" or not is_missing.any():
        return column

    values = column.to_numpy(dtype=object).copy()
    values[is_missing.to_numpy()] = None
    return pd.Series(values, index=column.index, dtype=object)


def differs_in_form(one: pd.Series, other: pd.Series) -> bool:
    """Return whether two columns are of another type, or hold another value in any row."""
    return one.dtype != other.dtype or bool(differing_values(one, other).any())


def differing_values(one: pd.Series, other: pd.Series) -> NDArray[np.bool_]:
    """Return the rows in which two columns hold other values, shape (n,).

    None and NaN differ; 1 and 1.0 and True do not.

    >>> differing_values(pd.Series([1, 2]), pd.Series([1.0, None])).tolist()
    [False, True]
    """
    if one.dtype.kind in "biuf" and other.dtype.kind in "biuf":
        numbers, others = one.to_numpy(), other.to_numpy()
        is_same = (numbers == others) | (np.isnan(numbers) & np.isnan(others))
        return np.asarray(~is_same)

    pairs = zip(as_list(one), as_list(other), strict=True)
    return np.array([not _is_same(*pair) for pair in pairs], dtype=bool)


def _is_same(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    if pd.isna(one) or pd.isna(other):
        return bool(pd.isna(one) and pd.isna(other))
    return bool(one == other)
