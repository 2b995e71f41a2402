"""Row counts: what went in must come out, or be in quarantine."""

from collections.abc import Sequence

from tasks.core.errors import AfterfitError
from tasks.core.output.manifest import QUARANTINE, Part
from tasks.core.output.quarantine import allowed_rows
from tasks.core.wording import counted


def check_parts(parts: Sequence[Part], rows: int) -> None:
    """Refuse parts that do not hold every row, scored or in quarantine.

    Raises:
        AfterfitError: rows in are not rows scored and rows in quarantine, or none is scored.
    """
    scored = sum(part.rows for part in parts)
    quarantined = sum(part.quarantined for part in parts)

    if scored + quarantined != rows:
        raise AfterfitError(
            f"{rows:,} rows went in, {scored:,} came out and {quarantined:,} are in quarantine: "
            "nothing was committed."
        )
    if not scored:
        raise AfterfitError(
            f"None of {counted(rows, 'row')} can be scored: nothing was committed. "
            f"{first_examples(parts)}"
        )


def check_quarantine(parts: Sequence[Part], max_bad_rows: float, rows: int) -> None:
    """Refuse more rows in quarantine than the budget allows.

    Raises:
        AfterfitError: with the first few of them.
    """
    quarantined = sum(part.quarantined for part in parts)
    allowed = allowed_rows(max_bad_rows, rows)
    if quarantined <= allowed:
        return

    seen = quarantined + sum(part.rows for part in parts)
    so_far = "" if seen == rows else f" of the {seen:,} looked at so far"
    raise AfterfitError(
        f"{counted(quarantined, 'row')}{so_far} cannot be scored, {allowed:,} may be: "
        f"nothing was committed. {first_examples(parts)} Mend the source, or let some go to "
        f"{QUARANTINE}: `--max-bad-rows` of afterfit score, `scoring.max_bad_rows` of the spec."
    )


def first_examples(parts: Sequence[Part], most: int = 3) -> str:
    """Name the first few rows in quarantine."""
    examples = [example for part in parts for example in part.examples]
    if not examples:
        return ""

    first = "The first is" if len(examples) == 1 else "The first are"
    return f"{first} {'; '.join(examples[:most])}."
