"""Who used the processor, out of /proc: what limited a measure is read here, never guessed."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

_TICK = os.sysconf("SC_CLK_TCK")
CORES = len(os.sched_getaffinity(0))
FULL = 0.85  # Of what it may use: the rest goes to waking up and being moved between cores.
MACHINE_FULL = 0.92


def tree(root: int) -> set[int]:
    """Return a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = set(), [root]
    while waiting:
        pid = waiting.pop()
        found.add(pid)
        waiting += children.get(pid, [])
    return found


def _stat(pid: int) -> list[bytes]:
    """Return /proc/PID/stat from the state on (field 3 of proc(5)); empty for a process that has gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return []


def seconds(root: int) -> float:
    """Return the processor time of a tree, with that of children who have ended and been waited for."""
    return sum(sum(map(int, fields[11:15])) for pid in tree(root) if (fields := _stat(pid))) / _TICK


def resident_bytes(root: int) -> int:
    """Return the memory of a tree: each page shared by several processes is divided among them (PSS)."""
    return sum(_pss(pid) for pid in tree(root))


def _pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def machine_seconds() -> float:
    """Return the processor time of everything on this machine since it started."""
    user, nice, system, _idle, _wait, irq, soft, *_ = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + irq + soft) / _TICK


@dataclass
class Usage:
    """Processor seconds of each party during `wall` seconds; `machine` is everybody's together."""

    parties: dict[str, float] = field(default_factory=dict)
    machine: float = 0.0
    wall: float = 0.0

    @property
    def cores(self) -> dict[str, float]:
        """How many cores each party used, on average."""
        return {name: used / self.wall for name, used in self.parties.items()}

    @property
    def others(self) -> float:
        """How many cores were used by programs that have nothing to do with the measure."""
        return max(0.0, (self.machine - sum(self.parties.values())) / self.wall)


@contextmanager
def metered(roots: Mapping[str, int]) -> Iterator[Usage]:
    """Measure what the trees under `roots` use meanwhile; the answer is complete when the block has ended."""
    usage = Usage()
    before = {name: seconds(root) for name, root in roots.items()}
    machine, began = machine_seconds(), time.monotonic()
    yield usage
    usage.wall = time.monotonic() - began
    usage.machine = machine_seconds() - machine
    usage.parties.update({name: seconds(root) - before[name] for name, root in roots.items()})


@dataclass(frozen=True)
class Limit:
    """What kept a measure from being faster, and by which shares that was told."""

    name: str
    cores: Mapping[str, float]

    @property
    def told(self) -> str:
        """The shares, for a note under the row."""
        used = ", ".join(f"{name} {share:.2f}" for name, share in self.cores.items() if share >= 0.005)
        return f"cores used: {used}"


WORDS = {"server": "server CPU"}


def limit(usages: list[Usage], widths: Mapping[str, int]) -> Limit:
    """Name the party that was full: it used what its `widths` (processes or threads that can run at once) allow.

    When nobody was full but the machine was, that is who used most of it; when neither was, nothing here was.
    """
    cores = {name: median(usage.cores[name] for usage in usages) for name in usages[0].cores}
    shown = {**cores, "others": median(usage.others for usage in usages)}
    fullness = {name: used / min(widths.get(name, CORES), CORES) for name, used in cores.items()}
    fullest = max(fullness, key=lambda name: fullness[name])
    if fullness[fullest] >= FULL:
        return Limit(WORDS.get(fullest, fullest), shown)
    if sum(shown.values()) >= MACHINE_FULL * CORES:
        most = max(shown, key=lambda name: shown[name])
        return Limit(WORDS.get(most, most), shown)
    return Limit("nothing was full", shown)
