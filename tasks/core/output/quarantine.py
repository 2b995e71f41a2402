"""Quarantine: which rows a model cannot score, and why; what is kept of them."""

from tasks.core.errors import RequestError


def allowed_rows(max_bad_rows: float, rows: int) -> int:
    """Return how many rows may go to quarantine.

    `max_bad_rows` is a count or, below 1, a share of the rows.

    >>> allowed_rows(0.01, 1000), allowed_rows(25, 1000), allowed_rows(0, 1000)
    (10, 25, 0)
    """
    if max_bad_rows >= 1:
        return int(max_bad_rows)
    # 0.57 * 100 is a little less than 57.
    return int(max_bad_rows * rows + 1e-9)


def check_budget(max_bad_rows: float) -> None:
    """Refuse a budget that is neither a count nor a share.

    Raises:
        RequestError: it is negative, or above 1 and no whole number.
    """
    is_share = 0 <= max_bad_rows < 1
    is_count = max_bad_rows >= 1 and float(max_bad_rows).is_integer()
    if not (is_share or is_count):
        raise RequestError(
            f"max_bad_rows is {max_bad_rows:g}: give a whole number of rows, "
            "or a share below 1, such as 0.01."
        )
