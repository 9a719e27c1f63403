"""A primary and its streaming replica, of a test's own, and a site that browses from the replica."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from html import unescape
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from config.embedded import paths
from config.embedded.postgres import DATABASE, USER, Postgres
from config.embedded.processes import Supervisor
from tests.inventory.live_servers import ROOT, environment, process, until


class Replica(Postgres):
    """A hot standby, copied from a running primary and fed by it."""

    def __init__(self, data: Path, supervisor: Supervisor, primary: Postgres) -> None:
        super().__init__(data, supervisor)
        self._primary = primary

    def _initialise(self) -> None:
        if (self._data / "PG_VERSION").exists():
            return
        command = [
            self._binary("pg_basebackup"), "-h", self._primary.sockets, "-U", USER, "-D", self._data,
            "--write-recovery-conf", "--checkpoint=fast", "--no-sync",
        ]  # fmt: skip
        copied = self._supervisor.run(self._program("pg_basebackup", command))
        assert copied.popen.returncode == 0, list(copied.tail)


@contextmanager
def servers() -> Iterator[tuple[Postgres, Replica]]:
    """Run a primary and its replica; each under a supervisor of its own, because they have the same name."""
    with ExitStack() as stack:
        primary = Postgres(*_home(stack), durable=False)
        primary.start()
        replica = Replica(*_home(stack), primary)
        replica.start()
        yield primary, replica


def _home(stack: ExitStack) -> tuple[Path, Supervisor]:
    data = Path(tempfile.mkdtemp(prefix="onsale-replica-"))
    data.chmod(0o711)  # Postgres may be another account's, and must find its own folder inside.
    supervisor = stack.enter_context(Supervisor())
    supervisor.remove_at_end(data)
    supervisor.remove_at_end(paths.outside_folder(data))
    return data, supervisor


def execute(server: Postgres, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Run a statement on a server, and return its rows."""
    with psycopg.connect(host=str(server.sockets), user=USER, dbname=DATABASE, autocommit=True) as connection:
        cursor = connection.execute(statement, values)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []


def delay(replica: Replica, seconds: int) -> None:
    """Let the replica apply every commit so many seconds late from now on."""
    execute(replica, f"ALTER SYSTEM SET recovery_min_apply_delay = '{seconds}s'")
    execute(replica, "SELECT pg_reload_conf()")


def has_all(primary: Postgres, replica: Replica) -> bool:
    """Tell whether the replica has applied everything the primary has written."""
    ((written,),) = execute(primary, "SELECT pg_current_wal_lsn()::text")
    ((has,),) = execute(replica, "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", written)
    return bool(has)


@contextmanager
def frozen(server: Postgres) -> Iterator[None]:
    """Stop every process of a server for the length of the block: it takes connections and never answers."""
    postmaster = server._supervisor.pid("postgres")
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    stopped = [postmaster, *map(int, children)]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def manage(*arguments: str, **env: str) -> None:
    """Run a command of manage.py to its end."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment(**env), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


class Browser:
    """Somebody with cookies; each request is made on a connection of its own."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}
        self.csrf = ""

    def get(self, path: str) -> tuple[int, str]:
        """Return the status and text of a page."""
        return self._ask("GET", path, None, {})

    def become_a_fan(self) -> None:
        """Get the cookie and token that the purchase API wants."""
        self.csrf = json.loads(self.get("/api/v1/fan")[1])["csrf"]

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send a request to the purchase API."""
        headers = {"Content-Type": "application/json", "X-CSRF-Token": self.csrf, "Idempotency-Key": str(uuid4())}
        status, text = self._ask("POST", path, json.dumps(body), headers)
        return status, json.loads(text)

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> tuple[int, str]:
        asked = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            asked.request(method, path, body, headers | {"Host": "localhost:8000", "Cookie": cookies})
            answer = asked.getresponse()
            for line in answer.headers.get_all("Set-Cookie", []):
                self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
            return answer.status, unescape(answer.read().decode())
        finally:
            asked.close()


@contextmanager
def site(**env: str) -> Iterator[int]:
    """Run the pages and the purchase API in one process, and yield their port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--worker-class", "gthread", "--threads", "8", "--log-level", "warning"]
    with process("-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", *options, **env) as running:
        until(lambda: _answers(port, running), seconds=60)
        yield port


def _answers(port: int, running: "subprocess.Popen[bytes]") -> bool:
    assert running.poll() is None, "the site did not start"
    try:
        return Browser(port).get("/healthz")[0] == 200
    except OSError:
        return False
