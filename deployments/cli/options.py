"""The options that commands share."""

from dataclasses import dataclass, field
from typing import Annotated

from cyclopts import Parameter


@Parameter(name="*")
@dataclass(frozen=True)
class OutputOptions:
    """How a command answers."""

    json: Annotated[bool, Parameter(negative=())] = False
    "Print exactly one JSON object on standard output, everything else on standard error."
    verbose: Annotated[bool, Parameter(negative=())] = False
    "Show the logs of Prefect, Dask and MLflow."


@Parameter(name="*")
@dataclass(frozen=True)
class ComputeOptions(OutputOptions):
    """Where the work is done."""

    workers: int | None = None
    (
        "Worker processes to start on this machine; by default threads of this process, which suit "
        "nearly all models."
    )
    cluster: str | None = None
    (
        "The address of a Dask scheduler that runs, such as tls://10.0.0.5:8786 "
        "(see docs/clusters.md)."
    )


@Parameter(name="*")
@dataclass(frozen=True)
class SpecOptions(ComputeOptions):
    """How a spec is changed for one command."""

    set: Annotated[list[str], Parameter(negative=())] = field(default_factory=list)
    "Change a field of the spec, as in --set data.target=cnt; can be given many times."


# The defaults of the commands' parameters.
OUTPUT_OPTIONS = OutputOptions()
COMPUTE_OPTIONS = ComputeOptions()
SPEC_OPTIONS = SpecOptions()
