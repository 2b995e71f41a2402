"""Limits that a process sets itself, before it opens a file that it does not trust."""

import ctypes
import resource
import signal
from contextlib import suppress

BASE_MEMORY = 1 << 31  # bytes of address space: libraries, and room to predict some rows
MOST_WRITTEN = 1 << 24  # bytes in any file
PR_SET_PDEATHSIG = 1  # of prctl(2)


def limit_process(seconds: int, cpu_seconds: int) -> None:
    """Limit the time, the memory and the files of this process.

    Args:
        seconds: how long it may live.
        cpu_seconds: how long it may compute.
    """
    _end_with_parent()
    signal.alarm(seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_WRITTEN, MOST_WRITTEN))
    limit_memory(BASE_MEMORY)


def limit_memory(size: int) -> None:
    """Limit the address space of this process, in bytes; it can be raised again."""
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    wanted = size if most == resource.RLIM_INFINITY else min(size, most)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, most))


def _end_with_parent() -> None:
    """End this process with the one that started it, however that ends; only Linux can."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
