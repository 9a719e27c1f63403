"""Sells part of an event as a crowd would have: neighbours together, good sections first, gaps in between.

Every order is whole: hold, order, lines, captured payment, the provider's charge and tickets, so that every
invariant holds. The rows are copied in, not bought through the verbs: ten thousand orders take two seconds instead of
ten minutes.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from config.ids import new_id
from events.models import Event
from inventory.demo_world.cast import PLAYERS_FIRST, PLAYERS_LAST
from inventory.models import Hold, Order, Payment, SandboxCharge, Seat, Ticket
from inventory.stock import category_tiers, seat_runs
from seating.adjacency import Group, layout
from seating.geometry import Plan, Row, Section
from seating.plans import plan as plan_of

_REFERENCE = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_SIZES = (1, 2, 3, 4, 5, 6)
_SIZE_WEIGHTS = (9, 54, 10, 21, 3, 3)
_GAPS = (1, 2, 2, 2, 3, 4, 5)


def sell(event: Event, *, share: float, blocked: Sequence[int], since: datetime, until: datetime, seed: str) -> int:
    """Create the event's stock with about `share` of it sold between two times, and return how many seats were.

    With a share of 1 every place is sold. `blocked` seats are kept off sale. One transaction; the same seed sells the
    same seats.
    """
    rng = random.Random(seed)  # noqa: S311 - a made-up crowd, not a secret.
    plan = plan_of(event.plan.content_hash)
    kept = set(blocked)
    groups = [group for group in crowd(plan, share, rng, event.max_per_fan) if kept.isdisjoint(group)]
    with transaction.atomic():
        orders = [_order(event, plan, group, rng) for group in groups]
        sold = {index: order.id for order in orders for index in order.seats}
        _copy_seats(event, plan, sold, kept)
        _copy_orders(event, plan, orders, _moments(len(orders), since, until, rng))
    return len(sold)


def crowd(plan: Plan, share: float, rng: random.Random, most: int = 6) -> Iterator[Group]:
    """Yield the groups of places that are sold, in index order: neighbours of one row, at most `most`."""
    everything = share >= 1
    nearest = sorted(range(len(plan.sections)), key=lambda i: _distance(plan, plan.sections[i]))
    for position, section in enumerate(plan.sections):
        rank = nearest.index(position) / max(1, len(nearest) - 1)
        wanted = 1.0 if everything else min(0.97, share * (1.45 - 0.9 * rank) * rng.uniform(0.6, 1.4))
        if section.is_standing:
            yield from _in_order(section.first, section.first + round(section.count * wanted), rng, most)
        for depth, row in enumerate(section.rows):
            front = 1.15 - 0.3 * depth / len(section.rows)
            yield from _along(plan, row, 1.0 if everything else min(0.98, wanted * front), rng, most)


def _distance(plan: Plan, section: Section) -> float:
    """Return the best score of a section; standing areas are what a crowd runs to first."""
    scores = layout(plan).scores
    return 0.0 if section.is_standing else min(scores[section.first : section.stop])


def _in_order(first: int, stop: int, rng: random.Random, most: int) -> Iterator[Group]:
    at = first
    while at < stop:
        size = min(rng.choices(_SIZES, _SIZE_WEIGHTS)[0], most, stop - at)
        yield tuple(range(at, at + size))
        at += size


def _along(plan: Plan, row: Row, wanted: float, rng: random.Random, most: int) -> Iterator[Group]:
    """Walk along a row, selling groups and skipping gaps so that about `wanted` of it is sold."""
    at, stop = row.first, row.first + row.count
    on_platform = not layout(plan).ordinary[at]
    while at < stop:
        if wanted < 1 and rng.random() >= wanted:
            at += 2 if on_platform else rng.choice(_GAPS)
            continue
        size = 2 if on_platform else rng.choices(_SIZES, _SIZE_WEIGHTS)[0]
        size = min(size, most, stop - at)
        yield tuple(range(at, at + size))
        at += size


@dataclass(frozen=True, slots=True)
class _Sold:
    """One order to be: its rows share these."""

    id: UUID
    hold: UUID
    payment: UUID
    charge: str
    reference: str
    fan: str
    name: str
    paying_seconds: int
    seats: Group


def _order(event: Event, plan: Plan, seats: Group, rng: random.Random) -> _Sold:
    return _Sold(
        id=new_id(),
        hold=new_id(),
        payment=new_id(),
        charge=f"ch_{rng.randbytes(16).hex()}",
        reference="".join(rng.choices(_REFERENCE, k=8)),
        fan="".join(rng.choices(_BASE32, k=26)),
        name=f"{rng.choice(PLAYERS_FIRST)} {rng.choice(PLAYERS_LAST)}",
        paying_seconds=rng.randint(40, 260),
        seats=seats,
    )


def _moments(count: int, since: datetime, until: datetime, rng: random.Random) -> list[datetime]:
    """Return when the orders were placed: most of them soon after the sale opened."""
    span = (until - since).total_seconds()
    return [since + timedelta(seconds=span * rng.random() ** 2.4) for _ in range(count)]


def _copy_seats(event: Event, plan: Plan, sold: dict[int, UUID], blocked: set[int]) -> None:
    # Read before the copy begins: nothing else may use its connection until it ends.
    tiers = category_tiers(event)

    def rows() -> Iterator[tuple[Any, ...]]:
        for first, count, section, tier in seat_runs(plan, tiers):
            for index in range(first, first + count):
                order = sold.get(index)
                state = Seat.State.SOLD if order else Seat.State.BLOCKED if index in blocked else Seat.State.FREE
                yield (event.id, index, section, tier, int(state), order, 0 if state == Seat.State.FREE else 1)

    _copy("inventory_seat", 'event_id, index, section, tier, state, "order", version', rows())


def _copy_orders(event: Event, plan: Plan, orders: Sequence[_Sold], moments: Sequence[datetime]) -> None:
    """Write everything that belongs to the orders, each table in one go, in the order of their foreign keys."""
    organizer, currency = event.organizer, event.organizer.currency
    tiers = list(event.tiers.order_by("number"))
    tier_of = category_tiers(event)
    line_ids = iter(_new_line_ids(sum(len(order.seats) for order in orders)))
    holds, heads, lines, payments, charges, tickets = [], [], [], [], [], []
    for order, at in zip(orders, moments, strict=True):
        paid = at + timedelta(seconds=order.paying_seconds)
        subtotal = fees = 0
        for index in order.seats:
            tier, place, line = tiers[tier_of[plan.category_of(index)]], plan.place(index), next(line_ids)
            fee = organizer.fee(tier.amount)
            subtotal, fees = subtotal + tier.amount, fees + fee
            lines.append(
                (line, order.id, event.id, index, tier.number, tier.name, place.section, place.row, place.number,
                 tier.amount, fee, True)
            )  # fmt: skip
            tickets.append((new_id(), line, event.id, Ticket.State.VALID.value, 1))
        total = subtotal + fees
        email = f"{order.name.lower().replace(' ', '.')}.{order.reference.lower()}@example.com"
        email = email.encode("ascii", "ignore").decode()
        holds.append(
            (
                order.hold,
                event.id,
                order.fan,
                Hold.State.BOUGHT.value,
                list(order.seats),
                at + timedelta(minutes=10),
                False,
                at,
            )
        )
        heads.append(
            (order.id, order.reference, organizer.id, event.id, order.hold, order.fan, order.name, email,
             Order.State.PAID.value, currency, subtotal, fees, total, at, paid)
        )  # fmt: skip
        payments.append(
            (
                order.payment,
                order.id,
                "sandbox",
                order.charge,
                Payment.State.CAPTURED.value,
                total,
                currency,
                "",
                at,
                paid,
            )
        )
        charges.append(
            (order.charge, f"start-{order.payment}", str(order.payment), total, currency, event.name[:200],
             settings.SITE_URL, SandboxCharge.State.CAPTURED.value, "4242", "", 0, at)
        )  # fmt: skip
    _copy("inventory_hold", "id, event_id, fan, state, seats, expires_at, extended, created_at", holds)
    _copy(
        "inventory_order",
        "id, reference, organizer_id, event_id, hold_id, fan, name, email, state, currency, subtotal, fees, total, "
        "created_at, paid_at",
        heads,
    )
    _copy(
        "inventory_orderline",
        'id, order_id, event_id, index, tier, tier_name, section, "row", number, amount, fee, active',
        lines,
    )
    _copy(
        "inventory_payment",
        "id, order_id, gateway, provider_id, state, amount, currency, reason, created_at, captured_at",
        payments,
    )
    _copy(
        "inventory_sandboxcharge",
        "id, idempotency_key, reference, amount, currency, description, return_url, state, card, decline_reason, "
        "refunded, created_at",
        charges,
    )
    _copy("inventory_ticket", "id, line_id, event_id, state, serial", tickets)


def _new_line_ids(count: int) -> list[int]:
    """Take `count` ids from the lines' sequence, so that tickets can name lines that are not written yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('inventory_orderline', 'id')) FROM generate_series(1, %s)", [count]
        )
        return [row[0] for row in cursor.fetchall()]


def _copy(table: str, columns: str, rows: Iterable[Sequence[Any]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
