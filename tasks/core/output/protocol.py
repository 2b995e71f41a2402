"""Output: what every place for scores promises, whether a folder or an object store."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from tasks.core.output.manifest import Manifest
from tasks.core.output.staging import Staging


class Output(Protocol):
    """A place where the scores of a run appear whole or not at all.

    A run locks the output, gathers its parts in a staging, and commits them:

        with output.locked(), output.stage(run_key) as staging:
            ...  # write parts to staging.parts, and their records to staging.records
            output.commit(manifest, staging)

    These laws hold whatever fails or is killed, and whenever:

    1. Until the commit, a reader sees the output as it was: the older scores, or none.
    2. From the commit on, a reader sees all the new scores. It never sees a mix of two runs, and
       never older scores again.
    3. Of two runs at the same time, each has either committed or raised an error.
    4. An attempt that fails keeps its finished parts, and the next attempt of the same run takes
       them over. A worker of the failed attempt that wakes up late changes nothing.
    5. After a commit, nothing is left of the attempts that failed before it.
    6. Nothing is deleted, moved or written to but what afterfit has made. Where somebody else's
       files are in the way, a run is refused, and has changed nothing.
    """

    @property
    def location(self) -> str:
        """The path or URL of the output."""

    def locked(
        self, while_waiting: Callable[[], None] = ..., /
    ) -> AbstractContextManager[tuple[str, ...]]:
        """Keep other runs from writing to the output, unless its commits are conditional anyway.

        The context is what the user is to be told of what a dead run has left.

        Args:
            while_waiting: is called again and again while another run is waited for; it may raise.

        Raises:
            RequestError: nothing can be written there.
            AfterfitError: another run has been writing to the output for too long.
        """

    def stage(self, run_key: str, /) -> AbstractContextManager[Staging]:
        """Begin an attempt: make a staging, with the parts that the run has finished already.

        If the body fails, what is finished stays for the next attempt; if no part is finished,
        nothing stays. Call it under the lock.

        Raises:
            AfterfitError: the body failed, and another run has committed since this one began.
        """

    def commit(self, manifest: Manifest, staging: Staging) -> tuple[str, ...]:
        """Make the parts of a staging the output, in one step. Call it in the body of `stage`.

        Returns:
            what the user is to be told of it.

        Raises:
            AfterfitError: another run has committed since this one began, or somebody else's files
                have come into the output.
        """

    def clean(self, manifest: Manifest, /) -> None:
        """Delete what is left from before the commit of this manifest. Call it under the lock.

        A commit does so too. This is for a run whose scores are committed already: the one that
        committed them may have been killed before it could clean up.
        """

    def failure(self) -> str | None:
        """Return why the last attempt did not end with a commit; None if it did, or was none."""

    def remember(self, failure: str) -> None:
        """Keep why an attempt failed, until the next commit."""
