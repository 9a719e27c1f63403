"""Embedded Postgres and Redis, really started and really killed: what a newcomer's machine may do to them."""

import os
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from config.embedded import Trouble, environment, keeper, paths, secrets, servers
from config.embedded.postgres import Postgres
from config.embedded.processes import Process, Program, Supervisor
from tests.config.machine import OURS, mine, wait_for


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
