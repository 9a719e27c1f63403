"""The whole demo: from nothing, behind nginx, stopped and killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from pathlib import Path

import pytest

from tests.config.machine import OURS, ROOT, manage, mine, wait_for


@contextmanager
def a_demo(data: Path) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    outside = {name: value for name, value in os.environ.items() if name not in OURS}
    log = data.with_name(f"{data.name}.log")
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--port", str(port)],
            cwd=ROOT, env=outside | {"DATA_DIR": str(data)}, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        ready = wait_for(lambda: b"Ctrl-C stops everything" in log.read_bytes() or process.poll() is not None, 240)
        assert ready, log.read_text()
        assert process.poll() is None, log.read_text()
        yield process, f"http://127.0.0.1:{port}", log
    finally:
        process.kill()
        process.wait()
        wait_for(lambda: not mine(data), 15)
        log.unlink()


def fetched(url: str, *, body: bytes | None = None, **headers: str) -> tuple[int, Message]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, data=body, headers=named), timeout=30) as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers


def see_the_edge(url: str, sale: str) -> None:
    """Ask nginx what a CDN would be asked: one copy for everybody, and nobody's own in it."""
    fetched(f"{url}{sale}")
    status, headers = fetched(f"{url}{sale}?utm_source=mail", Cookie="sessionid=somebody; fan=x.y")
    assert (status, headers["X-Cache"], headers["Set-Cookie"]) == (200, "HIT", None)
    assert "s-maxage=60" in headers["Cache-Control"]
    fetched(f"{url}/?q=a&utm_source=mail")
    assert fetched(f"{url}/?utm_source=other&q=a")[1]["X-Cache"] == "HIT"
    assert fetched(f"{url}/?q=b")[1]["X-Cache"] == "MISS"
    assert fetched(f"{url}/accounts/login/")[1]["X-Cache"] is None
    assert fetched(f"{url}/metrics")[0] == 404
    status, headers = fetched(f"{url}/api/v1/orders", body=b"x" * 70_000)
    assert (status, headers["Content-Type"]) == (413, "application/problem+json")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_demo_stops_without_a_trace_and_goes_on_where_it_was(data: Path) -> None:
    began = time.monotonic()
    with a_demo(data) as (process, url, log):
        first_start = time.monotonic() - began
        world = json.loads((data / "demo.json").read_text())
        assert f"{url.replace('127.0.0.1', 'localhost')}{world['sale']}" in log.read_text()
        see_the_edge(url, world["sale"])
        second = manage("demo", "--port", "18198", DATA_DIR=str(data))
        assert second.returncode == 1
        assert "is already running" in second.stderr
        checked = manage(
            "shell", "-c", "from events.models import Event; print(Event.objects.count())", DATA_DIR=str(data)
        )
        assert int(checked.stdout.split()[-1]) >= 40
        process.send_signal(signal.SIGTERM)
        assert process.wait(25) == 0
        assert wait_for(lambda: not mine(data), 2)
        sockets = [path for path in data.rglob("*") if path.is_socket()]
        assert sockets == []
    began = time.monotonic()
    with a_demo(data) as (process, _, log):
        assert time.monotonic() - began < first_start
        assert json.loads((data / "demo.json").read_text())["sale"] == world["sale"]
        process.kill()
        process.wait()
        assert wait_for(lambda: not mine(data), 15), log.read_text()
        assert [path for path in data.rglob("*") if path.is_socket()] == []
        assert not (data / "run" / "environment.json").exists()
