"""Makes `.venv` with the locked requirements and re-executes inside it, as Firefox's `mach` and Rust's `x.py` do.

Standard library only: it runs before anything is installed. The stamp in `.venv` is the hash of the requirements file
it was filled from, so an unchanged environment costs one small read.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from config.embedded import Trouble, explain, installer

PROJECT = Path(__file__).resolve().parents[2]
VENV = PROJECT / ".venv"
STAMP = VENV / "onsale-requirements"
LOCKED = {"run": PROJECT / "requirements.txt", "dev": PROJECT / "requirements-dev.txt"}
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)(?: *; *([^\\]+?))? *\\?$", re.MULTILINE)


def ensure_requirements(argv: list[str]) -> None:
    """Return inside an environment that holds the locked requirements; otherwise make one and re-execute there.

    `test` needs the development requirements, which contain the others; every other command needs only those to run.
    Raises Trouble.
    """
    level = "dev" if argv[1:2] == ["test"] else "run"
    inside = Path(sys.prefix).resolve() == VENV.resolve()
    if inside and _is_stamped(level):
        return
    if sys.prefix != sys.base_prefix and _holds(LOCKED[level]):
        return
    if os.environ.get("ONSALE_BOOTSTRAPPED") == str(os.getpid()):
        raise Trouble(f"{VENV} does not work with this Python ({sys.executable}). Remove that folder and try again.")
    if not _is_stamped(level):
        try:
            _build(level)
        except OSError as error:
            raise explain(error, f"making {VENV}") from error
    _reexecute(argv)


def _reexecute(argv: list[str]) -> None:
    python = VENV / "bin" / "python"
    environment = {**os.environ, "ONSALE_BOOTSTRAPPED": str(os.getpid()), "VIRTUAL_ENV": str(VENV)}
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execve(python, [str(python), *argv], environment)  # noqa: S606 - our own interpreter.
    except OSError as error:
        raise Trouble(f"{python} cannot be run ({error.strerror}). Remove {VENV} and try again.") from error


def _is_stamped(level: str) -> bool:
    """Say whether `.venv` was filled for this level, or for `dev`, from the files as they are now."""
    try:
        stamp = STAMP.read_text().split()
    except OSError:
        return False
    fits = [f"{name}:{_digest(path)}" for name, path in LOCKED.items() if name in (level, "dev")]
    return any(each in stamp for each in fits) and (VENV / "bin" / "python").exists()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _holds(requirements: Path) -> bool:
    """Say whether this very interpreter has every pinned requirement: an active environment is used as it is."""
    for name, version, marker in _PIN.findall(requirements.read_text()):
        try:
            if metadata.version(name) != version:
                return False
        except metadata.PackageNotFoundError:
            # A marker ("only on Windows") explains most absences; reading markers needs a package we may not have.
            if not marker:
                return False
    return True


def _build(level: str) -> None:
    """Make or repair `.venv`; two commands started at once in a fresh clone take turns."""
    with _only_one():
        if _is_stamped(level):
            return
        if level == "run" and any(VENV.glob("lib/python*/site-packages/pytest")):
            level = "dev"  # Never take a developer's tools away.
        python = VENV / "bin" / "python"
        if not _works(python):
            installer.say(f"Making {VENV.relative_to(PROJECT)} with Python {sys.version.split()[0]} ...")
            shutil.rmtree(VENV, ignore_errors=True)
            installer.make_venv(VENV)
        STAMP.unlink(missing_ok=True)
        installer.install(python, LOCKED[level])
        # The development requirements contain the others at the same versions.
        stamped = LOCKED if level == "dev" else {"run": LOCKED["run"]}
        STAMP.write_text("\n".join(f"{name}:{_digest(path)}" for name, path in stamped.items()) + "\n")


def _works(python: Path) -> bool:
    """Say whether the environment's Python runs and is the version that is starting it (a moved folder breaks it)."""
    report = "import sys; print(sys.version_info[:2])"
    try:
        answer = subprocess.run([python, "-c", report], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and answer.stdout.strip() == str(sys.version_info[:2])


@contextmanager
def _only_one() -> Iterator[None]:
    folder = PROJECT / ".onsale"
    folder.mkdir(mode=0o755, exist_ok=True)
    with (folder / "venv.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            installer.say("Another command is installing the requirements; waiting for it ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
