"""What the measures are compared with: the barest programs that send the same bytes from the same servers.

Each is started like the pool it stands beside and reads what to send from the file that ONSALE_BENCH_ANSWER names.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

VARIABLE = "ONSALE_BENCH_ANSWER"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer to give again: its headers and, in a file of its own, its body."""

    headers: dict[str, str]
    body: Path

    def store(self, path: Path) -> None:
        """Write it for a baseline to read."""
        path.write_text(json.dumps(asdict(self), default=str))


def given() -> tuple[dict[str, str], bytes]:
    """Return the headers and the body to send."""
    told = json.loads(Path(os.environ[VARIABLE]).read_text())
    return told["headers"], Path(told["body"]).read_bytes()
