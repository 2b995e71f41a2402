"""An interrupted process is out in time, whatever it waits for."""

import signal
import subprocess
import sys

import pytest

BEGIN = """
import hashlib, os, signal, sys, time
from deployments.cli.deadline import set_deadline
from deployments.cli.process import say
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: None)
set_deadline(0.1)
"""
READY = "sys.stdout.write('ready\\n'); sys.stdout.flush()\n"
# What does not end by itself, though it may know of the signal.
WAITS = {
    "goes on after the signal": "time.sleep(60)",
    "is in a library that does not return": "hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)",
}


def start(*code):
    return subprocess.Popen(
        [sys.executable, "-c", "".join([BEGIN, *code])],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
@pytest.mark.parametrize(
    ("number", "word"), [(signal.SIGINT, "Interrupted"), (signal.SIGTERM, "Terminated")]
)
def test_a_process_that_does_not_end_by_itself_is_ended_with_a_sentence(wait, number, word):
    process = start(READY, wait)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)

    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == f"afterfit: {word}: run the same command again.\n"


def test_a_process_that_has_said_its_sentence_says_no_other():
    process = start("say('Interrupted.', 130)\n", READY, "time.sleep(60)")
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)

    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == "afterfit: Interrupted.\n"


def test_a_signal_to_a_forked_child_does_not_end_its_parent():
    child = "pid = os.fork()\nif not pid: os.kill(os.getpid(), signal.SIGTERM); os._exit(0)\n"
    process = start(child, "os.waitpid(pid, 0); time.sleep(0.3); sys.exit(7)")
    process.communicate(timeout=30)
    assert process.returncode == 7
