"""What the database is asked when every copy of the hottest slot is gone at once, under full load."""

import signal
from collections.abc import Iterator

from inventory.bench import cpu, load
from inventory.bench.findings import Family, Finding, at_most
from inventory.bench.slot import AS_BROWSERS_ASK
from inventory.bench.stage import READERS, Stage
from inventory.bench.statements import Statements

HOTTEST = at_most(
    "expiry.hottest",
    "recomputations when the hottest key expires under full load, 2 live workers, cold Redis",
    3,
    "reads",
)
_REBUILD = "%inventory_seatplane%"
_AWAY_SECONDS = 1.2  # Longer than a process keeps its own copy, so that each of them has to look for another.
_BACK_SECONDS = 1.5


def measure(stage: Stage) -> Iterator[Finding]:
    """Empty Redis while the relay stands still: else it would have written the copies again before anyone asked."""
    show = stage.event("half")
    env = stage.environment_of_readers()
    with stage.database() as connection, stage.relay() as relay, stage.live(workers=2, env=env) as live:
        stage.settled(live, show)
        asked = load.on(stage, live, show.seats_path, Accept_Encoding=AS_BROWSERS_ASK)
        statements = Statements(connection, READERS)
        counts = []
        seconds = (stage.rounds + 1) * (_AWAY_SECONDS + _BACK_SECONDS) + 3
        with cpu.metered(asked.roots) as usage, stage.running(asked.program("wrk", round(seconds))) as client:
            stage.supervisor.pause(2)
            for number in range(1, stage.rounds + 1):
                stage.say(f"expiry {number} of {stage.rounds}")
                statements.begin()
                relay.popen.send_signal(signal.SIGSTOP)
                stage.empty_redis()
                stage.supervisor.pause(_AWAY_SECONDS)
                relay.popen.send_signal(signal.SIGCONT)
                stage.supervisor.pause(_BACK_SECONDS)
                counts.append(statements.count(_REBUILD))
            stage.supervisor.join(client)
            told = load.report(list(client.tail), asked.url)
        usage.parties["client"] = told["cpu"]
    stage.check(min(counts) >= 1, f"nothing was recomputed ({counts}), so nothing had expired")
    limit = cpu.limit([usage], asked.widths)
    yield Finding(
        HOTTEST,
        max(counts),
        limit.name,
        {"recomputations": counts},
        notes=(
            f"the worst of {len(counts)} expiries, at {told['requests'] / told['seconds']:,.0f} requests a second",
            limit.told,
        ),
    )


FAMILY = Family("expiry", (HOTTEST,), measure, needs_wrk=True)
