"""Database reads while a crowd looks at one event through the edge, as Postgres itself counts them."""

from collections.abc import Iterator
from statistics import median

from inventory.bench import buyers, cpu, load
from inventory.bench.findings import Family, Finding, at_most
from inventory.bench.shows import Show
from inventory.bench.slot import AS_BROWSERS_ASK
from inventory.bench.stage import OWNER, READERS, Stage
from inventory.bench.statements import Statements

PAGES, SLOTS = 200_000, 400_000
STILL = at_most(
    "reads.still", f"database reads during {PAGES:,} page views and {SLOTS:,} slot reads, nothing sold", 10, "reads"
)
MOVING = at_most("reads.moving", "the same while 50 seats a second change", 2, "reads/s")
_TURN_SECONDS = 4


def measure(stage: Stage) -> Iterator[Finding]:
    """Web and live have a database role of their own; what relay and buyers ask for is told apart."""
    show = stage.event("sale")
    with stage.database() as connection, stage.site(env=stage.environment_of_readers()) as site:
        views = {"pages": load.on(stage, site, show.path, Accept_Encoding=AS_BROWSERS_ASK)}
        views["slots"] = load.on(stage, site, show.seats_path, Accept_Encoding=AS_BROWSERS_ASK)
        statements = Statements(connection, READERS)
        stage.settled(site, show)
        stage.say("opening every worker's connections")
        load.together(stage.supervisor, list(views.values()), 2)
        # A count that stays at nothing proves something only if it can rise.
        stage.check(statements.count() > 0, "Postgres counted nothing while web and live were cold")
        yield _still(stage, statements, views)
        yield _moving(stage, statements, views, show)


def _still(stage: Stage, statements: Statements, views: dict[str, load.Load]) -> Finding:
    """Go on until both numbers are reached; whoever has reached his rests."""
    scale = 1 if stage.is_complete else 20
    wanted = {"pages": PAGES // scale, "slots": SLOTS // scale}
    seen = dict.fromkeys(wanted, 0)
    usages = []
    statements.begin()
    while waiting := [name for name in wanted if seen[name] < wanted[name]]:
        stage.say(", ".join(f"{seen[name]:,} {name}" for name in seen))
        with cpu.metered(views["slots"].roots) as usage:
            told = load.together(stage.supervisor, [views[name] for name in waiting], _TURN_SECONDS)
        usage.parties["client"] = sum(each["cpu"] for each in told)
        usages.append(usage)
        for name, each in zip(waiting, told, strict=True):
            seen[name] += int(each["requests"])
    reads, seconds = statements.count(), sum(usage.wall for usage in usages)
    relay = f"the relay's own in {seconds:.0f} s: {Statements(statements.connection, OWNER).count():,} statements"
    limit = cpu.limit(usages, {"client": 2})
    return Finding(
        STILL,
        reads,
        limit.name,
        {"reads": [reads]},
        notes=(
            f"{seen['pages']:,} pages and {seen['slots']:,} slots through the edge",
            *_told(statements),
            relay,
            limit.told,
        ),
    )


def _moving(stage: Stage, statements: Statements, views: dict[str, load.Load], show: Show) -> Finding:
    rates, usages = [], []
    with buyers.buying(stage, show, (stage.rounds + 1) * (_TURN_SECONDS + 1)):
        statements.begin()
        for number in range(1, stage.rounds + 1):
            stage.say(f"while seats change, sample {number} of {stage.rounds}")
            before = statements.count()
            with cpu.metered(views["slots"].roots) as usage:
                told = load.together(stage.supervisor, list(views.values()), _TURN_SECONDS)
            usage.parties["client"] = sum(each["cpu"] for each in told)
            usages.append(usage)
            rates.append((statements.count() - before) / usage.wall)
        seen = _told(statements)
    limit = cpu.limit(usages, {"client": 2})
    return Finding(MOVING, median(rates), limit.name, {"reads/s": rates}, notes=(*seen, limit.told))


def _told(statements: Statements) -> tuple[str, ...]:
    return tuple(statements.most()) or ("web and live asked for nothing",)


FAMILY = Family("reads", (STILL, MOVING), measure, needs_wrk=True)
