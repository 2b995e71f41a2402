"""The mistakes a person can be told about in one sentence."""


class AfterfitError(Exception):
    """A failure that its message explains in full; `exit_status` is what the command line ends
    with.
    """

    exit_status = 1


class RequestError(AfterfitError):
    """What was asked for is wrong: a bad spec, a missing file, an unknown model."""

    exit_status = 2


class GateError(AfterfitError):
    """The evidence does not allow what was asked for."""

    exit_status = 3


class WorkerLostError(AfterfitError):
    """A task's worker died with it; `memory` tells whether it had used up its memory."""

    def __init__(self, reason: str, *, memory: bool = False) -> None:
        super().__init__(reason)
        self.memory = memory

    def __reduce__(self) -> tuple[object, ...]:
        return _worker_lost, (str(self), self.memory)


def _worker_lost(reason: str, memory: bool) -> WorkerLostError:
    return WorkerLostError(reason, memory=memory)
