"""The machine that was measured on: without it the numbers say little."""

import os
import platform
from pathlib import Path

import psutil


def describe_machine() -> dict[str, str | int | float]:
    """Name the processor, its cores, the memory in GiB, Python and the system."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count() or 0,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "platform": platform.platform(),
    }


def _cpu_model() -> str:
    """Name the processor as Linux does, else as Python does."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""

    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.startswith("model name"):
            return value.strip()
    return platform.processor()
