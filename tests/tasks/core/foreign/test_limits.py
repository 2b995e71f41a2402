"""A process that has limited itself takes no more memory, time or disk, and outlives nobody."""

import json
import subprocess
import sys

import psutil

LIMITED = """
import json, mmap, resource, signal, sys
from tasks.core.foreign.limits import limit_memory, limit_process

limit_process(60, 50)
found = {"cpu": resource.getrlimit(resource.RLIMIT_CPU)[0], "seconds": signal.alarm(60)}
try:
    mmap.mmap(-1, 1 << 32)
except OSError as error:
    found["memory"] = error.strerror

limit_memory(1 << 33)
found["raised"] = len(mmap.mmap(-1, 1 << 32))

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    with open(sys.argv[1], "wb") as file:
        file.write(bytes(1 << 25))
except OSError as error:
    found["file"] = error.strerror
sys.stdout.write(json.dumps(found))
"""
PARENT = """
import subprocess, sys

code = "from tasks.core.foreign.limits import *; limit_process(60, 50); print(1); signal.pause()"
child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
child.wait()
"""


def test_a_limited_process_gets_no_more(tmp_path):
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "large")]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    assert json.loads(ended.stdout) == {
        "cpu": 50, "seconds": 60, "memory": "Cannot allocate memory", "raised": 1 << 32,
        "file": "File too large",
    }  # fmt: skip


def test_a_limited_process_ends_when_its_parent_is_killed():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    _, alive = psutil.wait_procs([child], timeout=60)
    assert alive == []
