"""Lighthouse's scores of a page, mobile as it comes: its own throttling, simulated from a load that it observed."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from inventory.bench import chromium

VERSION = "12.8.2"
CATEGORIES = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
_RUN_SECONDS = 180  # The first run downloads it.
# Now and then Chromium hands over a recording without its beginning; Lighthouse then says so and gives no score.
_AGAIN = "Please run Lighthouse again"
_TRIES = 3


class NoLighthouse(Exception):
    """Lighthouse cannot be run here, or it did not score the page; says why."""


def scores(url: str, folder: Path) -> dict[str, float]:
    """Return the score of each category, 0 to 100. `NoLighthouse`; `NoBrowser` without a Chromium."""
    npx = shutil.which("npx")
    if npx is None:
        raise NoLighthouse("there is no npx: install Node.js 20 with npm")
    report = folder / "lighthouse.json"
    flags = " ".join(flag for flag in chromium.FLAGS if flag != "--disable-gpu")
    words = [url, "--quiet", "--output=json", f"--output-path={report}", f"--chrome-flags={flags}"]
    for _ in range(_TRIES):
        ended = _run([npx, "--yes", f"lighthouse@{VERSION}", *words])
        if _AGAIN not in ended.stderr:
            break
    if ended.returncode:
        lines = ended.stderr.strip().splitlines()
        raise NoLighthouse(f"Lighthouse failed: {lines[-1] if lines else ended.returncode}")
    return read(json.loads(report.read_text()))


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            env=os.environ | {"CHROME_PATH": str(chromium.binary())},
            capture_output=True,
            text=True,
            timeout=_RUN_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NoLighthouse(f"Lighthouse took more than {_RUN_SECONDS} s") from None


def read(report: dict[str, dict[str, dict[str, float | None]]]) -> dict[str, float]:
    """Return the scores in a report; `NoLighthouse` if it could not score one."""
    found = {name: report["categories"][name]["score"] for name in CATEGORIES}
    missing = [name for name, score in found.items() if score is None]
    if missing:
        raise NoLighthouse(f"Lighthouse gave no score for {', '.join(missing)}")
    return {name: round(100 * (score or 0)) for name, score in found.items()}
