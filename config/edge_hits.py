"""How often the edge answers by itself: read from what nginx notes, because it cannot be asked.

nginx appends `family status` for a sample of its requests (deploy/nginx), some hundred notes a write. They are counted
here, each for as many requests as it stands for, and the file is emptied, so it stays small while this process runs.
"""

import os
import threading
from collections import Counter as Tally
from pathlib import Path
from typing import Final

from prometheus_client import Counter

LOOK_SECONDS: Final = 1.0
LONGEST: Final = 1_000_000  # Bytes; a longer file is emptied after it was read.

REQUESTS = Counter(
    "onsale_edge_requests", "Requests at the edge, by what became of them (sampled).", ["family", "status"]
)

_NOTES = {
    f"{family} {note}".encode(): REQUESTS.labels(family, status)
    for family in ("shell", "listing", "plan", "static", "live")
    for note, status in (
        ("HIT", "hit"), ("MISS", "miss"), ("STALE", "stale"), ("UPDATING", "updating"), ("EXPIRED", "expired"),
        ("REVALIDATED", "revalidated"), ("BYPASS", "bypass"), ("-", "none"),
    )
}  # fmt: skip


class Notes:
    """The file of notes at `path`, each of which stands for `every` requests. For one thread."""

    def __init__(self, path: Path, *, every: int) -> None:
        self._path = path
        self._every = every
        self._read = 0
        self._rest = b""

    def count(self) -> None:
        """Count what was noted since the last time; a file that is not there (yet) holds nothing."""
        try:
            with self._path.open("rb") as file:
                self._count(file.fileno())
        except FileNotFoundError:
            self._read, self._rest = 0, b""

    def _count(self, file: int) -> None:
        if os.fstat(file).st_size < self._read:  # Somebody else emptied it.
            self._read, self._rest = 0, b""
        os.lseek(file, self._read, os.SEEK_SET)
        while chunk := os.read(file, LONGEST):
            self._read += len(chunk)
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            for line, times in Tally(lines).items():
                if line in _NOTES:
                    _NOTES[line].inc(times * self._every)
        if self._read > LONGEST:
            # nginx appends, so it goes on at the beginning. What it wrote since the last read is lost: it is a sample.
            os.truncate(self._path, 0)
            self._read, self._rest = 0, b""


def follow(path: Path, *, every: int, ended: threading.Event) -> None:
    """Count until `ended` is set, and what was noted until then."""
    notes = Notes(path, every=every)
    while True:
        is_last = ended.wait(LOOK_SECONDS)
        notes.count()
        if is_last:
            return
