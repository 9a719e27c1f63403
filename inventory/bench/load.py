"""HTTP load by `wrk`, and what a sample of it says."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from config.embedded import Trouble, paths
from config.embedded.processes import FRONT, Program, Supervisor
from inventory.bench import cpu
from inventory.bench.pools import Server

if TYPE_CHECKING:
    from inventory.bench.stage import Stage

SCRIPTS = paths.PROJECT / "deploy" / "load"
CONNECTIONS = 64
_LAST_LINE = '{"requests"'


def check_client() -> None:
    """Make sure that the load client is there, before anything is started. Raises Trouble."""
    if not shutil.which("wrk"):
        raise Trouble("The bench needs the load client wrk: apt-get install wrk")


@dataclass(frozen=True)
class Load:
    """Whom to ask, for what.

    `roots` are the trees of processes that it may cause work, `server` among them; `widths` as in `cpu.limit`.
    """

    url: str
    roots: Mapping[str, int]
    headers: Mapping[str, str]
    widths: Mapping[str, int]
    connections: int = CONNECTIONS
    paths: Path | None = None

    def program(self, name: str, seconds: float) -> Program:
        """Return the client."""
        headers = [word for key, value in self.headers.items() for word in ("-H", f"{key}: {value}")]
        own: list[str | Path] = ["--", self.paths] if self.paths else []
        # FRONT: at a stop the clients go first, so that no server reports a lost connection.
        return Program(
            name=name,
            argv=[
                shutil.which("wrk") or "wrk", "-t1", f"-c{self.connections}", f"-d{seconds:g}s", "--timeout", "10s",
                "-s", SCRIPTS / "http.lua", *headers, self.url, *own,
            ],
            stage=FRONT,
        )  # fmt: skip


def on(stage: "Stage", server: Server, path: str, **headers: str) -> Load:
    """Return load on one address of a server."""
    return Load(
        url=server.url + path,
        roots={**server.roots, **stage.stores()},
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        widths={"server": server.width, "client": 1},
    )


@dataclass(frozen=True)
class Sample:
    """A few seconds of load."""

    requests: int
    rate: float
    bytes_each: float
    p50_ms: float
    p99_ms: float
    server_us: float
    client_us: float
    usage: cpu.Usage


def take(supervisor: Supervisor, load: Load, seconds: float) -> Sample:
    """Put load on for some seconds. Raises Trouble when a request was refused or lost: its price would mean nothing."""
    with cpu.metered(load.roots) as usage:
        told = answered(supervisor, load, seconds)
    usage.parties["client"] = told["cpu"]
    return Sample(
        requests=int(told["requests"]),
        rate=told["requests"] / told["seconds"],
        bytes_each=told["bytes"] / told["requests"],
        p50_ms=told["p50_ms"],
        p99_ms=told["p99_ms"],
        server_us=usage.parties["server"] / told["requests"] * 1e6,
        client_us=told["cpu"] / told["requests"] * 1e6,
        usage=usage,
    )


def answered(supervisor: Supervisor, load: Load, seconds: float) -> dict[str, float]:
    """Return what the client says at its end. Raises Trouble as `take` does."""
    process = supervisor.run(load.program("wrk", seconds))
    return report(list(process.tail), load.url)


def report(lines: list[str], url: str) -> dict[str, float]:
    """Read the client's last line. Raises Trouble when there is none, or when it tells of refusals."""
    line = next((line for line in reversed(lines) if line.startswith(_LAST_LINE)), None)
    if line is None:
        raise Trouble(f"wrk did not measure {url}: {lines[-1] if lines else 'it said nothing'}")
    told: dict[str, float] = json.loads(line)
    if told["refused"] or told["failed"] or not told["requests"]:
        raise Trouble(
            f"{url}: {told['requests']:.0f} requests, {told['refused']:.0f} refused, {told['failed']:.0f} lost"
        )
    return told


def together(supervisor: Supervisor, loads: Sequence[Load], seconds: float) -> list[dict[str, float]]:
    """Put several loads on at once and return what each client says. Raises Trouble as `take` does."""
    clients = [supervisor.start(load.program(f"wrk-{k}", seconds)) for k, load in enumerate(loads)]
    for client in clients:
        supervisor.join(client)
    return [report(list(client.tail), load.url) for client, load in zip(clients, loads, strict=True)]


def interleaved(
    stage: "Stage", contenders: Mapping[str, Load], before: Callable[[str], object] = lambda name: None
) -> dict[str, list[Sample]]:
    """Take the rounds' samples of each contender in turn, A B A B, each after a second that does not count.

    `before` is called with the contender's name before that second.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in contenders}
    for number in range(1, stage.rounds + 1):
        for name, load in contenders.items():
            stage.say(f"{name}, sample {number} of {stage.rounds}")
            before(name)
            answered(stage.supervisor, load, 1)
            samples[name].append(take(stage.supervisor, load, stage.seconds))
    return samples
