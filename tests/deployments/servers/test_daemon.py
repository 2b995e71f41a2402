"""A process of ours is told from another that has its pid, and from a dead one."""

import dataclasses
import os
import socket
import subprocess
import time

import psutil
import pytest

from deployments.servers import daemon
from deployments.servers.record import Record


@pytest.mark.parametrize(
    ("change", "expected"),
    [({}, True), ({"created": 1.0}, False), ({"host": "elsewhere"}, False), ({"port": 1}, False)],
)
def test_where_no_environment_can_be_read_start_host_and_command_line_decide(
    monkeypatch, change, expected
):
    def refuse(_):
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "environ", refuse)
    with subprocess.Popen(["/bin/sh", "-c", "read line", "4200"], stdin=subprocess.PIPE) as child:
        created = psutil.Process(child.pid).create_time()
        record = Record(child.pid, created, socket.gethostname(), "nonce", 4200)
        changed = dataclasses.replace(record, **change)
        assert bool(daemon.find(changed)) is expected


def test_a_process_is_recognised_though_its_exec_shows_no_environment_at_first(monkeypatch):
    answers = iter([{}, {}, {daemon.NONCE: "nonce"}])
    monkeypatch.setattr(psutil.Process, "environ", lambda _: next(answers))

    assert daemon.find(Record(os.getpid(), 1.0, "elsewhere", "nonce", 4200))


def test_a_zombie_is_dead():
    with subprocess.Popen(["/bin/sh", "-c", ""]) as child:
        process = psutil.Process(child.pid)
        while process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)

        assert not daemon.is_alive(process)


@pytest.mark.parametrize(
    ("text", "expected"),
    [(None, ""), ("", ""), ("one\n two \n\n  \n", "two"), ("x" * 9000 + "\nend", "end")],
)
def test_the_last_line_of_a_log_is_the_last_that_is_not_blank(tmp_path, text, expected):
    path = tmp_path / "server.log"
    if text is not None:
        path.write_text(text)

    assert daemon.read_last_line(path) == expected
