"""Postgres and Redis for whoever needs them: given ones, the running demo's, or some for the length of a command."""

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from config.embedded import Trouble, environment, explain, paths, secrets
from config.embedded.postgres import Postgres
from config.embedded.processes import Supervisor
from config.embedded.redis import Redis

_ENVIRONMENT = "environment.json"


def run_folder(data: Path) -> Path:
    """Return the private folder of sockets, lock and environment.json."""
    paths.make_folder(data)
    return paths.make_folder(data / "run", mode=0o700)


@contextmanager
def only_one(data: Path, purpose: str) -> Iterator[None]:
    """Hold the folder's lock, under which its servers may run. Raises Trouble when somebody else does."""
    path = run_folder(data) / "lock"
    try:
        lock = path.open("a+")
    except OSError as error:
        raise explain(error, f"opening {path}") from error
    with lock:
        if not _locked(lock):
            lock.seek(0)
            holder = lock.read().strip() or "another command"
            raise Trouble(f"{holder} is already running on {data}. Stop it first, or use another copy of the project.")
        lock.truncate(0)
        lock.write(f"{purpose} (process {os.getpid()})")
        lock.flush()
        yield
        lock.truncate(0)


def _locked(lock: IO[str]) -> bool:
    """Take the lock; a second try, because `published` touches it for an instant."""
    for wait in (0.2, 0.0):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(wait)
        else:
            return True
    return False


@contextmanager
def running(
    data: Path, supervisor: Supervisor, *, durable: bool = True, settings: Mapping[str, str] | None = None
) -> Iterator[dict[str, str]]:
    """Start the servers that are not given and yield the environment that leads to all of them. Raises Trouble.

    `settings` are further ones of Postgres.
    """
    started = {"DATABASE_URL": environment.given("DATABASE_URL"), "REDIS_URL": environment.given("REDIS_URL")}
    if not started["REDIS_URL"]:
        folder = paths.socket_folder(run_folder(data), "redis.sock")
        redis = Redis(data, folder, supervisor, durable=durable)
        redis.start()
        started["REDIS_URL"] = redis.url
    if not started["DATABASE_URL"]:
        postgres = Postgres(data, supervisor, durable=durable, settings=settings)
        postgres.start()
        started["DATABASE_URL"] = postgres.url
    found = {name: value for name, value in started.items() if value}
    yield secrets.kept_secrets(data) | {"DATA_DIR": str(data), "ONSALE_EMBEDDED": "1"} | found


def publish(data: Path, supervisor: Supervisor, values: dict[str, str]) -> None:
    """Let other commands on this folder find the running demo's servers, until it ends."""
    path = run_folder(data) / _ENVIRONMENT
    supervisor.remove_at_end(path)
    secrets.write_private(path, json.dumps(values))


def published(data: Path) -> dict[str, str] | None:
    """Return the environment of the demo that runs on this folder; None when none does."""
    folder = data / "run"
    try:
        with (folder / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None  # Nobody holds it: whatever the file says is left over from a power cut.
    except FileNotFoundError:
        return None
    except BlockingIOError:
        pass
    except OSError as error:
        raise explain(error, f"opening {folder}") from error
    try:
        return dict(json.loads((folder / _ENVIRONMENT).read_text()))
    except (OSError, ValueError):
        return None


@contextmanager
def attached(data: Path, purpose: str) -> Iterator[dict[str, str]]:
    """Yield the running demo's environment, or start its servers for the length of one command. Raises Trouble."""
    if values := published(data):
        yield values
        return
    with only_one(data, purpose), Supervisor() as supervisor, running(data, supervisor) as values:
        yield values


@contextmanager
def throwaway(echo: Callable[[str, str], None] | None = None) -> Iterator[dict[str, str]]:
    """Yield the environment of servers that forget everything at the end; for tests. Raises Trouble."""
    try:
        data = Path(tempfile.mkdtemp(prefix="onsale-test-"))
        data.chmod(0o711)  # Postgres may be another account's, and must find its own folder inside.
    except OSError as error:
        raise explain(error, "making a folder for the tests' servers") from error
    with Supervisor(echo) as supervisor:
        # The keeper removes them once the servers have ended, also after a kill -9.
        supervisor.remove_at_end(data)
        supervisor.remove_at_end(paths.outside_folder(data))
        with running(data, supervisor, durable=False) as values:
            yield values
