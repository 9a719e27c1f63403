"""Fans who hold one seat after another while something is measured."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from config.embedded.processes import Process
from inventory.bench.shows import Show
from inventory.bench.stage import Stage

PER_SECOND = 50


@dataclass
class Buying:
    """What they do; `committed` tells of each seat's index when its hold was committed, once all are done."""

    process: Process
    committed: dict[int, float] = field(default_factory=dict)


_bought: dict[str, int] = {}  # How far down its random order each event has been bought.


@contextmanager
def buying(stage: Stage, show: Show, seconds: float) -> Iterator[Buying]:
    """Let fifty seats a second change for `seconds`; the block ends when all are held. Raises Trouble if not."""
    wanted = int(PER_SECOND * seconds)
    first = _bought.get(show.id, 0)
    _bought[show.id] = first + wanted
    path = stage.folder / "bought.txt"
    plan = {"event": show.id, "seats": show.seats, "first": first, "count": wanted, "per_second": PER_SECOND}
    path.unlink(missing_ok=True)
    with stage.running(stage.child("buyer", json.dumps(plan), str(path))) as process:
        found = Buying(process)
        yield found
        stage.supervisor.join(process)
    stage.check(process.popen.returncode == 0, "the buyers failed")
    found.committed.update(_read(path))
    stage.check(len(found.committed) >= 0.98 * wanted, f"only {len(found.committed)} of {wanted} seats were held")


def _read(path: Path) -> dict[int, float]:
    lines = (line.split() for line in path.read_text().splitlines())
    return {int(index): float(at) for index, at in lines}
