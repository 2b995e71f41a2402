"""What to try after the demo."""

import shlex
from pathlib import Path


def next_steps(spec: Path) -> list[str]:
    """List commands to try next."""
    path = shlex.quote(str(spec))
    return [
        "",
        "Try next (`. .venv/bin/activate` in the checkout puts afterfit on your path):",
        f"  afterfit train {path} --set 'candidates=[{{estimator: sklearn.dummy.DummyClassifier}}]'",
        "                                        a challenger that guesses: the gates refuse it, the champion stays",
        "  afterfit init YOUR.csv --target COLUMN  a first spec for your own table",
        "  afterfit models | status | down       what is registered; where the servers are; stop them",
    ]
