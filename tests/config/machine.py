"""What tests of the embedded stack stand on: its processes, its commands, and patience."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from config.embedded import keeper

ROOT = Path(__file__).resolve().parents[2]
SECRETS = ("SECRET_KEY", "TICKET_KEY", "WEBHOOK_SECRET")
DJANGO = ("DJANGO_SETTINGS_MODULE", "DEBUG")
OURS = (*DJANGO, "DATABASE_URL", "REDIS_URL", "REDIS_PREFIX", "SITE_URL", "DATA_DIR", "ONSALE_EMBEDDED", *SECRETS)


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
    """Wait until something is so, and say whether it came to be in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.05)
    return False


def manage(*words: str, folder: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a newcomer does, without the test run's own servers."""
    outside = {name: value for name, value in os.environ.items() if name not in OURS}
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=folder, env=outside | env, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
