"""Runs the chosen measures one after the other and shows what they find."""

import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
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
    if any(family.needs_wrk for family in families):
        load.check_client()
    progress = Progress(err)
    measured = _measured(families, progress, is_quick=is_quick, err=err)
    return tell(measured, progress, suite=suite, is_quick=is_quick, json=json, out=out)


def tell(
    measured: Iterable[Finding], progress: Progress, *, suite: str, is_quick: bool, json: Path | None, out: TextIO
) -> int:
    """Show each finding as it comes and all of them in `json`, and return the exit code."""
    began = datetime.now(UTC)
    findings: list[Finding] = []
    is_whole = False
    try:
        for finding in measured:
            findings.append(finding)
            progress.clear()
            print(f"[{progress.elapsed:5.0f} s] {report.row(finding)}", file=out)
            print(*(f"{'':18}{note}\n" for note in finding.notes), sep="", end="", file=out, flush=True)
        is_whole = True
    except Stopped:
        progress.clear()
        print("Ended before everything was measured.", file=out)
    if json:
        told = report.document(findings, suite=suite, is_quick=is_quick, began=began, versions=report.versions())
        report.write(json, told)
    print(report.summary(findings, is_quick=is_quick), file=out, flush=True)
    if not is_whole:
        return 130
    return int(not is_quick and not all(finding.is_met for finding in findings))


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
