"""Errors that say in one sentence what went wrong and what to do."""


class AfterfitError(Exception):
    """A failure that its message explains in full.

    `exit_status` is the exit status of the command that fails with it.
    """

    exit_status = 1


class RequestError(AfterfitError):
    """The request itself is wrong: a bad spec, a missing file, an unknown model."""

    exit_status = 2


class SourceChangedError(AfterfitError):
    """A file of a source changed while a run read it."""


class GateError(AfterfitError):
    """The evidence does not allow what was asked for."""

    exit_status = 3


class WorkerLostError(AfterfitError):
    """The worker of a task died while it ran the task.

    `memory` says whether the worker had used up its memory.
    """

    def __init__(self, reason: str, *, memory: bool = False) -> None:
        super().__init__(reason)
        self.memory = memory
