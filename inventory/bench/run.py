"""Runs the chosen measures one after the other and shows what they find."""

import time
import traceback
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from config.embedded import Trouble
from config.embedded.processes import Stopped
from inventory.bench import load, report, stage
from inventory.bench.findings import Family, Finding

_EVERY_SECONDS = 5.0  # Where lines cannot be written over, this often is enough.


class Progress:
    """A line that tells what is being done; on a terminal it is written over, elsewhere it is one of many."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._began = time.monotonic()
        self._told = -_EVERY_SECONDS
        self._family = ""

    def begin(self, family: str) -> None:
        """Name the family that is measured from now on."""
        self._family = family
        self._told = -_EVERY_SECONDS

    def say(self, text: str) -> None:
        """Tell."""
        line = f"[{self.elapsed:5.0f} s] {self._family}: {text}"
        if self._out.isatty():
            self._out.write(f"\r\033[K{line[:118]}")
        elif self.elapsed - self._told >= _EVERY_SECONDS:
            self._told = self.elapsed
            self._out.write(f"{line}\n")
        self._out.flush()

    def clear(self) -> None:
        """Make room for a result."""
        if self._out.isatty():
            self._out.write("\r\033[K")
            self._out.flush()

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began


def run(suite: str, families: Sequence[Family], *, is_quick: bool, json: Path | None, out: TextIO, err: TextIO) -> int:
    """Measure and return the exit code: 1 if a target is missed, 130 if somebody ended it. Raises Trouble."""
    load.check_client()
    began = datetime.now(UTC)
    progress = Progress(err)
    findings: list[Finding] = []
    code = 0
    try:
        for finding in _measured(families, progress, is_quick=is_quick, err=err):
            findings.append(finding)
            progress.clear()
            _show(finding, progress, out)
    except Stopped:
        progress.clear()
        print("Ended before everything was measured.", file=err)
        code = 130
    if json:
        told = report.document(findings, suite=suite, is_quick=is_quick, began=began, versions=report.versions())
        report.write(json, told)
    print(report.summary(findings, is_quick=is_quick), file=out, flush=True)
    return code or int(not is_quick and not all(finding.is_met for finding in findings))


def _measured(families: Sequence[Family], progress: Progress, *, is_quick: bool, err: TextIO) -> Iterator[Finding]:
    progress.begin("bench")
    rounds, seconds = (2, 1) if is_quick else (stage.ROUNDS, stage.SECONDS)
    with stage.opened(progress.say, rounds=rounds, seconds=seconds) as opened:
        for family in families:
            progress.begin(family.name)
            yield from completely(family, opened, err)


def completely(family: Family, opened: stage.Stage, err: TextIO) -> Iterator[Finding]:
    """Yield a finding for each target of a family; what could not be measured has no figure, and is missed."""
    waiting = {target.key: target for target in family.targets}
    why = "it was not measured"
    opened.log.clear()
    try:
        for finding in family.measure(opened):
            waiting.pop(finding.target.key)
            yield finding
    except Trouble as trouble:
        why = str(trouble)
    except (Stopped, KeyboardInterrupt):
        raise
    except Exception as error:  # A fault of one measure must not cost the figures of all others.
        traceback.print_exc(file=err)
        why = f"{type(error).__name__}: {error}"
    for target in waiting.values():
        yield Finding(target, float("nan"), "unknown", {}, notes=(why, *opened.log))


def _show(finding: Finding, progress: Progress, out: TextIO) -> None:
    print(f"[{progress.elapsed:5.0f} s] {report.row(finding)}", file=out)
    for note in finding.notes:
        print(f"{'':18}{note}", file=out)
    out.flush()
