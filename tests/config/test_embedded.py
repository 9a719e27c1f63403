"""The embedded stack with real servers and real kills: what a newcomer's machine may do to it."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from email.message import Message
from pathlib import Path

import psycopg
import pytest
import redis

from config.embedded import Trouble, bootstrap, demo, environment, installer, keeper, paths, secrets, servers
from config.embedded.postgres import Postgres
from config.embedded.processes import SERVERS, Process, Program, Supervisor

ROOT = Path(__file__).resolve().parents[2]
SECRETS = ("SECRET_KEY", "TICKET_KEY", "WEBHOOK_SECRET")
DJANGO = ("DJANGO_SETTINGS_MODULE", "DEBUG")
OURS = (*DJANGO, "DATABASE_URL", "REDIS_URL", "REDIS_PREFIX", "SITE_URL", "DATA_DIR", "ONSALE_EMBEDDED", *SECRETS)


@pytest.fixture
def data() -> Iterator[Path]:
    """Return a short folder that the account of Postgres can reach, as a project's `.onsale` is."""
    folder = Path(tempfile.mkdtemp(prefix="onsale-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(paths.outside_folder(folder), ignore_errors=True)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the test run's own servers away, so that embedded ones are started."""
    for name in OURS:
        monkeypatch.delenv(name, raising=False)


def mine(folder: Path) -> list[int]:
    """Return the processes whose command line, folder or environment names a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid() or not keeper.is_alive(int(entry.name)):
            continue
        try:
            said = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in said:
            found.append(int(entry.name))
    return found


def wait_for(is_so: Callable[[], object], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.05)
    return False


@contextmanager
def postgres_on(data: Path) -> Iterator[tuple[Postgres, Process]]:
    started: list[Process] = []

    class Watched(Supervisor):
        def start(self, program: Program) -> Process:
            started.append(super().start(program))
            return started[-1]

    with Watched() as supervisor:
        server = Postgres(data, supervisor)
        server.start()
        yield server, started[-1]


def asked(server: Postgres, query: str) -> object:
    with psycopg.connect(server.url, autocommit=True) as connection:
        cursor = connection.execute(query)  # type: ignore[call-overload]
        return cursor.fetchone()[0] if cursor.description else None


# --- Postgres ---


def test_postgres_keeps_its_data_over_a_stop(data: Path) -> None:
    with postgres_on(data) as (server, process):
        asked(server, "CREATE TABLE kept AS SELECT 42 AS answer")
        assert asked(server, "SHOW listen_addresses") == ""
        assert asked(server, "SHOW server_encoding") == "UTF8"
        assert stat.S_IMODE(server.sockets.stat().st_mode) == 0o700
    assert not keeper.is_alive(process.popen.pid)
    assert list(server.sockets.iterdir()) == []
    began = time.monotonic()
    with postgres_on(data) as (server, _):
        assert time.monotonic() - began < 5
        assert asked(server, "SELECT answer FROM kept") == 42


def test_postgres_comes_back_after_a_kill(data: Path) -> None:
    with postgres_on(data) as (server, process):
        asked(server, "CREATE TABLE kept AS SELECT 42 AS answer")
        os.kill(process.popen.pid, signal.SIGKILL)
        process.popen.wait(5)
        assert (data / "postgres" / "data" / "postmaster.pid").exists()
    with postgres_on(data) as (server, _):
        assert asked(server, "SELECT answer FROM kept") == 42


def test_postgres_starts_beside_a_pid_that_belongs_to_somebody_else_by_now(data: Path) -> None:
    with postgres_on(data):
        pass
    stale = data / "postgres" / "data" / "postmaster.pid"
    with subprocess.Popen(["sleep", "60"]) as other:
        stale.write_text(f"{other.pid}\n{data}\n0\n5432\n\n\n\n")
        with postgres_on(data) as (server, _):
            assert asked(server, "SELECT 1") == 1
        assert other.poll() is None
        other.kill()


def test_postgres_stops_the_server_an_earlier_supervisor_lost(data: Path) -> None:
    with postgres_on(data) as (first, lost):
        with postgres_on(data) as (second, process):
            assert process.popen.pid != lost.popen.pid
            assert lost.popen.wait(5) == 0
            assert asked(second, "SELECT 1") == 1
        assert first.url == second.url


def test_an_interrupted_initdb_is_begun_again(data: Path) -> None:
    account = paths.server_account(data)
    unfinished = paths.server_folder(data, account) / "data.unfinished"
    paths.make_folder(unfinished, mode=0o700, owner=account)
    (unfinished / "PG_VERSION").write_text("18\n")
    with postgres_on(data) as (server, _):
        assert asked(server, "SELECT 1") == 1
    assert not unfinished.exists()


def test_data_of_another_version_is_left_alone_and_named(data: Path) -> None:
    with postgres_on(data):
        pass
    version = data / "postgres" / "data" / "PG_VERSION"
    version.write_text("9\n")
    with pytest.raises(Trouble, match=r"made by PostgreSQL 9 and this is \d+\. Begin anew with: .* demo --fresh"):
        postgres_on(data).__enter__()
    assert version.read_text() == "9\n"


def test_a_socket_never_gets_a_path_too_long_for_the_system(data: Path) -> None:
    deep = data / ("deep" * 30)
    folder = paths.socket_folder(deep / "run", "live.sock")
    try:
        assert len(str(folder / "live.sock")) < paths.LONGEST_SOCKET
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        folder.rmdir()


# --- servers for a command ---


@pytest.mark.usefixtures("alone")
def test_servers_of_a_command_are_gone_after_it(data: Path) -> None:
    with servers.attached(data, "a command") as values:
        with psycopg.connect(values["DATABASE_URL"]) as connection:
            assert connection.execute("SELECT current_database()").fetchone() == ("onsale",)
        with closing(redis.Redis.from_url(values["REDIS_URL"])) as client:
            assert client.config_get("appendonly")["appendonly"] == "yes"
        assert len(mine(data)) >= 2
    assert wait_for(lambda: not mine(data), 5)
    assert not list((data / "run").glob("*.sock"))


@pytest.mark.usefixtures("alone")
def test_a_second_command_attaches_to_the_running_demo(data: Path) -> None:
    published = data / "run" / "environment.json"
    with (
        servers.only_one(data, "A demo on port 8000"),
        Supervisor() as supervisor,
        servers.running(data, supervisor) as values,
    ):
        servers.publish(data, supervisor, values)
        assert stat.S_IMODE(published.stat().st_mode) == 0o600
        with servers.attached(data, "a command") as found:
            assert found == values
    assert not published.exists()
    assert servers.published(data) is None


def test_a_second_demo_on_the_same_folder_is_told_about_the_first(data: Path) -> None:
    with (
        servers.only_one(data, "A demo on port 8000"),
        pytest.raises(Trouble) as refused,
        servers.only_one(data, "A demo on port 8001"),
    ):
        pass
    said = f"A demo on port 8000 (process {os.getpid()}) is already running on {data}."
    assert str(refused.value).startswith(said)
    with servers.only_one(data, "A demo on port 8001"):
        pass


def test_given_servers_are_used_and_not_started(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://somewhere/else")
    monkeypatch.setenv("REDIS_URL", "redis://somewhere:6379/3")
    with Supervisor() as supervisor, servers.running(data, supervisor) as values:
        assert values["DATABASE_URL"] == "postgres://somewhere/else"
        assert values["REDIS_URL"] == "redis://somewhere:6379/3"
        assert mine(data) == []


@pytest.mark.parametrize(
    ("line", "needs"),
    [
        ("manage.py", False),
        ("manage.py check", False),
        ("manage.py check --database default", True),
        ("manage.py migrate --help", False),
        ("manage.py migrate", True),
        ("manage.py makemigrations --check", False),
        ("manage.py check_inventory", True),
        ("manage.py demo --port 8001", False),
    ],
)
def test_servers_are_started_only_for_commands_that_speak_to_them(line: str, needs: bool) -> None:
    assert environment.needs_servers(line.split()) is needs


def test_the_site_is_told_its_address_and_never_the_placeholders(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    for name in OURS:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.NOWHERE.items():
        monkeypatch.setenv(name, value)
    values = {"DATABASE_URL": "postgres://here", "REDIS_URL": "unix:///here", "SECRET_KEY": "kept"}
    env = environment.for_site(values, host="127.0.0.1", port=8123, data=data)
    assert {name: env[name] for name in values} == values
    assert env["SITE_URL"] == "http://localhost:8123"
    assert env["ALLOWED_HOSTS"] == "127.0.0.1,[::1],localhost"
    assert not set(environment.NOWHERE.values()) & set(env.values())


# --- secrets ---


def test_secrets_are_made_once_and_closed_to_others(data: Path) -> None:
    made = secrets.kept_secrets(data)
    file = data / "secrets.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    assert secrets.kept_secrets(data) == made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(made) == {"SECRET_KEY", "TICKET_KEY", "WEBHOOK_SECRET"}
    assert [path.name for path in data.iterdir()] == ["secrets.json"]


def test_damaged_secrets_are_named(data: Path) -> None:
    (data / "secrets.json").write_text("{")
    with pytest.raises(Trouble, match="is damaged"):
        secrets.kept_secrets(data)


# --- the supervisor ---


def sleeper(name: str, *, script: str = "import time; time.sleep(60)", stage: int = SERVERS) -> Program:
    return Program(name=name, argv=[sys.executable, "-I", "-S", "-c", script], stage=stage)


def test_a_crashed_program_is_started_again_and_later_each_time() -> None:
    said: list[tuple[str, str]] = []
    with Supervisor(lambda name, text: said.append((name, text))) as supervisor:
        supervisor.start(sleeper("crasher", script="print('hello', flush=True); raise SystemExit(3)"))

        def restarted_twice() -> bool:
            supervisor.watch_once()
            return sum(text == "hello" for _, text in said) == 3

        assert wait_for(restarted_twice, 10)
    told = [text for _, text in said if text.startswith("ended")]
    assert told[:2] == [
        "ended with code 3; starting it again in 0.5 s",
        "ended with code 3; starting it again in 1 s",
    ]


def test_stages_stop_in_order_and_a_deaf_program_is_killed() -> None:
    log: list[tuple[str, str]] = []
    polite = "import signal,sys,time\nsignal.signal(15, lambda *_: sys.exit(print('bye', flush=True)))\ntime.sleep(60)"
    deaf = "import signal,time\nsignal.signal(15, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(60)"
    supervisor = Supervisor(lambda name, text: log.append((name, text)))
    processes = [supervisor.start(sleeper("base", script=polite, stage=SERVERS))]
    processes.append(supervisor.start(sleeper("front", script=deaf, stage=0)))
    assert wait_for(lambda: ("front", "deaf") in log, 5)
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < 6
    assert [process.popen.returncode for process in processes] == [0, -signal.SIGKILL]
    assert log[-1] == ("base", "bye")


def test_a_killed_keeper_is_replaced_and_still_stops_everything() -> None:
    supervisor = Supervisor()
    process = supervisor.start(sleeper("kept"))
    supervisor._keeper.kill()
    supervisor._keeper.wait()
    supervisor.watch_once()
    supervisor.stop()
    assert process.popen.returncode == -signal.SIGTERM


def test_nothing_outlives_a_supervisor_that_is_killed(data: Path) -> None:
    script = """
import sys
root, data = sys.argv[1:]
sys.path.insert(0, root)
from config.embedded.processes import *
supervisor = Supervisor()
supervisor.remove_at_end(Path(data, "left.sock"))
sleep = "import time; time.sleep(60)"
parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {sleep!r}, {data!r}])"
supervisor.start(Program(name="parent", argv=[sys.executable, "-c", parent, data]))
print("started", flush=True)
supervisor.watch()
"""
    (data / "left.sock").touch()
    process = subprocess.Popen([sys.executable, "-c", script, ROOT, data], stdout=subprocess.PIPE, text=True)
    with process, closing(process.stdout) as said:  # type: ignore[type-var]
        try:
            assert said.readline() == "started\n"
            assert wait_for(lambda: len(mine(data)) == 3, 5)  # The supervisor, its child and that one's child.
        finally:
            process.kill()
    assert wait_for(lambda: not mine(data), 8)
    assert wait_for(lambda: not (data / "left.sock").exists(), 2)


# --- what stands in the way is one sentence ---


def test_a_busy_port_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Trouble) as refused:
            demo.check_address("127.0.0.1", port)
    assert str(refused.value) == f"Port {port} is in use. Choose another one: --port {port + 1}"


def test_an_address_of_another_machine_is_one_sentence() -> None:
    with pytest.raises(Trouble, match=r"^This machine cannot listen on 192\.0\.2\.1: .+\.$"):
        demo.check_address("192.0.2.1", 8000)


def manage(*words: str, folder: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    outside = {name: value for name, value in os.environ.items() if name not in OURS}
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=folder, env=outside | env, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


def test_a_busy_port_ends_the_demo_without_a_traceback(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = manage("demo", "--port", port, DATA_DIR=str(data))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"Port {port} is in use. Choose another one: --port {int(port) + 1}\n"
    assert mine(data) == []


def test_a_folder_that_cannot_be_made_is_one_sentence(data: Path) -> None:
    (data / "file").write_text("not a folder")
    ended = manage("demo", "--port", "1", DATA_DIR=str(data / "file" / "below"))
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert str(data / "file") in ended.stderr


def test_wrong_arguments_are_django_s_usual_answer() -> None:
    ended = manage("demo", "--port", "many")
    assert ended.returncode == 2
    assert "a port is a number from 1 to 65535" in ended.stderr


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
        ("ERROR: Could not install: [Errno 13] Permission denied: '/x'", "This account may not write"),
        ("NewConnectionError: Failed to establish a new connection", "The package registry cannot be reached"),
        ("error: command 'gcc' failed: No such file or directory", "there is no compiler"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES", "differs from the locked one"),
        ("ERROR: No matching distribution found for x==1", "not available for this Python"),
        ("first\nsomething new\n", "It failed: something new"),
    ],
)
def test_an_installer_s_failure_is_one_sentence(output: str, says: str) -> None:
    trouble = str(installer._diagnosis(output, "It failed"))
    assert says in trouble
    assert "\n" not in trouble


@pytest.mark.slow
def test_an_unusable_registry_is_one_sentence(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installer, "_uv", lambda: None)
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    installer.make_venv(data / "venv")
    locked = data / "requirements.txt"
    locked.write_text(f"django==5.2.8 \\\n    --hash=sha256:{'0' * 64}\n")
    with pytest.raises(Trouble, match="registry cannot be reached"):
        installer.install(data / "venv" / "bin" / "python", locked)


def test_an_older_python_gets_a_sentence_it_can_parse() -> None:
    # 3.6 syntax: f-strings are the newest thing in the part that every Python reads.
    import ast

    source = (ROOT / "manage.py").read_text()
    ast.parse(source, feature_version=(3, 7))
    assert "Onsale needs Python 3.11 or later" in source.split("from config.embedded")[0]


def test_the_running_interpreter_holds_the_locked_requirements() -> None:
    assert bootstrap._holds(ROOT / "requirements.txt")


def test_a_missing_requirement_is_noticed(data: Path) -> None:
    locked = data / "requirements.txt"
    locked.write_text("django==5.2.1 \\\n    --hash=sha256:00\n")
    assert not bootstrap._holds(locked)
    locked.write_text("no-such-package==1.0 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n")
    assert bootstrap._holds(locked)


# --- the whole demo ---


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
