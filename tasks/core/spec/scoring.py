"""The section of a spec about scoring."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from tasks.core.spec.sections import Section, check_location
from tasks.core.windows.templates import check_distinct, check_template, fill, has_window
from tasks.core.windows.window import Window, parse_length


class Scoring(Section):
    """What is scored, and where the scores go."""

    source: str = Field(
        "", description="like data.source, and may name a window: in/{window:%Y-%m-%d}/*.parquet"
    )
    output: str = Field("scores", description="a folder; must name a window where the source does")
    window: str | None = Field(
        None, description="the length of a window, such as 15m, 1h, 1d or 1w"
    )
    on_existing: Literal["replace", "refuse"] = "replace"
    proba: bool = False
    keep: tuple[str, ...] = ()
    max_bad_rows: float = Field(
        0, ge=0, description="rows that may go to quarantine: a count, or a share below 1"
    )

    @field_validator("source", "output")
    @classmethod
    def _check_template(cls, template: str) -> str:
        check_location(template)
        check_template(template)
        return template

    @field_validator("max_bad_rows")
    @classmethod
    def _check_budget(cls, rows: float) -> float:
        if rows >= 1 and not rows.is_integer():
            raise ValueError(
                f"{rows:g} is neither a whole number of rows nor a share below 1, such as 0.01"
            )
        return rows

    @field_validator("window", mode="before")
    @classmethod
    def _check_length(cls, length: object) -> object:
        if length is not None:
            parse_length(str(length))
        return length

    @model_validator(mode="after")
    def _check_windows(self) -> Self:
        """Require a name of its own for each window, above all for its output."""
        names = {"source": self.source, "output": self.output}
        windowed = {field: template for field, template in names.items() if has_window(template)}
        if self.window is None:
            _check_no_window(windowed)
        else:
            _check_window_names(windowed, self.window, self.output)
        return self


def _check_no_window(windowed: Mapping[str, str]) -> None:
    for field, template in windowed.items():
        raise ValueError(
            f"`{field}` is {template!r} and there is no `window`: give its length, such as 1d"
        )


def _check_window_names(windowed: Mapping[str, str], window: str, output: str) -> None:
    if not windowed:
        raise ValueError(
            f"`window` is {window!r}, and neither `source` nor `output` names a window: leave it "
            "out, or name the window in them, as in scores/{window:%Y-%m-%d}"
        )

    if "output" not in windowed:
        raise ValueError(
            f"`output` is {output!r}, where each window would replace the scores of the one "
            "before: name the window in it, as in scores/{window:%Y-%m-%d}"
        )

    for field, template in windowed.items():
        try:
            check_distinct(template, parse_length(window))
        except ValueError as error:
            raise ValueError(f"`{field}`: {error}") from error


def fill_scoring(scoring: Scoring, window: Window) -> Scoring:
    """Return a scoring section whose source and output are those of one window.

    >>> from datetime import UTC, datetime
    >>> day = Window(datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    >>> fill_scoring(Scoring(output="out/{window:%Y-%m-%d}", window="1d"), day).output
    'out/2026-01-31'
    """
    filled = {
        "source": fill(scoring.source, window),
        "output": fill(scoring.output, window),
        "window": None,
    }
    return scoring.model_copy(update=filled)
