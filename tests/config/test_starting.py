"""Whatever stands in the way of a start is told in one sentence."""

import os
import socket
from pathlib import Path

import pytest

from config.embedded import Trouble, bootstrap, demo, installer
from tests.config.machine import ROOT, manage, mine


def test_a_busy_port_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Trouble) as refused:
            demo.check_address("127.0.0.1", port)
    assert str(refused.value) == f"Port {port} is in use. Choose another one: --port {port + 1}"


def test_an_address_of_another_machine_is_one_sentence() -> None:
    with pytest.raises(Trouble, match=r"^This machine cannot listen on 192\.0\.2\.1: .+\.$"):
        demo.check_address("192.0.2.1", 8000)


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
