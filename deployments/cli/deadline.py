"""The deadline of an interrupted command: whatever it waits for, it is out in time."""

import os
import signal
import threading
import time
from functools import partial

from deployments.cli.process import INTERRUPTED, has_spoken

SECONDS = 20.0  # for an orderly end: supervisors kill what is not out 30 s after SIGTERM
WORDS = {signal.SIGINT: "Interrupted", signal.SIGTERM: "Terminated"}


def set_deadline(seconds: float = SECONDS) -> None:
    """Let this process be out so long after the first SIGINT or SIGTERM, in whatever state.

    What was scored by then is kept, as after any death. The system writes the number of each signal
    into a pipe, also while the main thread is in a library that does not return, or waits at its
    exit for a server that does not answer.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    os.register_at_fork(after_in_child=partial(signal.set_wakeup_fd, -1))  # its signals are its own

    threading.Thread(target=_end_in_time, args=(reader, seconds), daemon=True).start()


def _end_in_time(reader: int, seconds: float) -> None:
    number = 0
    while number not in WORDS:
        number = os.read(reader, 1)[0]

    time.sleep(seconds)
    if not has_spoken():
        word = WORDS[signal.Signals(number)]
        # Another thread may hold the lock of `sys.stderr`.
        os.write(2, f"afterfit: {word}: run the same command again.\n".encode())
    os._exit(INTERRUPTED)
