"""The pools' own gunicorn file: a worker that dies takes its gauges along."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def pool(tmp_path):
    """Ask two workers behind one port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "-c", "python:config.gunicorn", "tests.config.counting_app"]
    running = subprocess.Popen(
        [*command, "--workers", "2", "--bind", f"127.0.0.1:{port}"],
        cwd=ROOT,
        env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
    )

    def ask(path):
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.read().decode()

    try:
        yield ask
    finally:
        running.terminate()
        running.wait(20)


def until(holds):
    end = time.monotonic() + 30
    while True:
        with suppress(OSError):
            if found := holds():
                return found
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_killed_worker_takes_its_gauges_along(pool, tmp_path):
    pids = set()
    until(lambda: pids.add(int(pool("/pid"))) or len(pids) == 2)
    assert "onsale_probe_open 2.0" in pool("/metrics")

    killed = pids.pop()
    os.kill(killed, signal.SIGKILL)

    until(lambda: not (tmp_path / f"gauge_livesum_{killed}.db").exists())
    until(lambda: int(pool("/pid")) not in {killed, *pids})
    assert "onsale_probe_open 2.0" in pool("/metrics")
