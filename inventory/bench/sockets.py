"""Five thousand sockets: what one costs while nothing happens, and how fast a frame reaches all of them."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from inventory.bench import cpu, ratios
from inventory.bench.baselines.socket import TRIGGER
from inventory.bench.crowds import Crowd, watching
from inventory.bench.findings import Family, Finding, at_least, at_most, percentile
from inventory.bench.frames import frame
from inventory.bench.load import Sample
from inventory.bench.pools import Server
from inventory.bench.stage import Stage

SOCKETS, STEP = 5_000, 1_000
MEMORY = at_most("sockets.memory", "memory per idle socket in live", 40, "KiB")
BROADCAST = at_least("sockets.broadcast", f"broadcast to {SOCKETS:,} sockets / a bare ASGI WebSocket app", 0.8)
_FRAMES = 5  # A sample: one second or two.


def measure(stage: Stage) -> Iterator[Finding]:
    """First the memory, in a process that has held no socket yet; then frames, each sent when all have the last."""
    show = stage.event("half")
    with stage.relay(), stage.live() as live:
        stage.settled(live, show)
        yield _memory(stage, live, show.socket_path)
        bare_trigger, trigger = stage.socket("bare.trigger"), stage.socket("ours.trigger")
        with (
            stage.running(stage.child("publisher", show.id, str(trigger))) as publisher,
            stage.live(
                app="inventory.bench.baselines.socket", name="bare-socket", env={TRIGGER: str(bare_trigger)}
            ) as bare,
            watching(stage, live, show.socket_path, SOCKETS, "sockets-ours") as ours,
            watching(stage, bare, "/", SOCKETS, "sockets-bare") as theirs,
        ):
            stage.until(trigger.exists, "the publisher did not listen", {"publisher": publisher})
            yield _broadcast(stage, (live, ours, trigger), (bare, theirs, bare_trigger))


def _memory(stage: Stage, live: Server, path: str) -> Finding:
    """Open the sockets a thousand at a time; the first thousand also loads what the first socket needs."""
    each = []
    with ExitStack() as stack:
        before = cpu.resident_bytes(live.pid)
        for number in range(SOCKETS // STEP):
            stack.enter_context(watching(stage, live, path, STEP, f"sockets-{number}"))
            stage.supervisor.pause(2)  # Greetings are out, and what the handshakes needed has been given back.
            now = cpu.resident_bytes(live.pid)
            each.append((now - before) / STEP / 1024)
            before = now
    notes = (f"{before / 2**20:.0f} MiB with {SOCKETS:,} sockets",)
    return Finding(MEMORY, median(each), "nothing: a size", {"KiB": each}, notes=notes)


def _broadcast(stage: Stage, ours: tuple[Server, Crowd, Path], bare: tuple[Server, Crowd, Path]) -> Finding:
    contenders = {"ours": ours, "bare app": bare}
    samples: dict[str, list[Sample]] = {name: [] for name in contenders}
    for number in range(stage.rounds + 1):
        for name, (server, crowd, trigger) in contenders.items():
            stage.say(f"{name}, {'warming' if not number else f'sample {number} of {stage.rounds}'}")
            sample = _sample(stage, server, crowd, trigger)
            if number:
                samples[name].append(sample)
    widths = {"server": 1, "client": 1}
    return ratios.throughput(BROADCAST, samples["ours"], samples["bare app"], widths=(widths, widths), unit="frame")


def _sample(stage: Stage, server: Server, crowd: Crowd, trigger: Path) -> Sample:
    """Send some frames; what is counted as a request is one frame at one socket."""
    with cpu.metered({"server": server.pid, **stage.stores()}) as usage:
        told = crowd.ask("broadcast", trigger, _FRAMES)
    stage.check(told["open"] == SOCKETS, f"{told['closed']} sockets were closed")
    spent = sorted(told["seconds"])
    frames = len(spent) * SOCKETS
    usage.wall = sum(spent)  # Without the calm before.
    usage.parties["client"] = told["cpu"]
    return Sample(
        requests=frames,
        rate=frames / sum(spent),
        bytes_each=len(frame(0)),
        p50_ms=percentile(spent, 0.5) * 1000,
        p99_ms=percentile(spent, 0.99) * 1000,
        server_us=usage.parties["server"] / frames * 1e6,
        client_us=told["cpu"] / frames * 1e6,
        usage=usage,
    )


FAMILY = Family("sockets", (MEMORY, BROADCAST), measure)
