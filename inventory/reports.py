"""How a sale stands: numbers for the back office.

Money and tickets come from the sales board, places of many events from the programme's rows: both a second behind at
most. Only one event's own board counts its seats, by price and section.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, Func, Q, QuerySet, Sum
from django.db.models.functions import Now
from django.utils import timezone

from events.models import Event, ProgrammeRow
from inventory.models import Hold, Order
from inventory.pace import Pace, pace
from inventory.sales_board import Sold, by_tier
from seating.plans import plan as decoded


@dataclass(frozen=True, slots=True)
class Places:
    """Places by what can be done with them; `held` are held or being paid for and may come back."""

    free: int = 0
    held: int = 0
    sold: int = 0
    blocked: int = 0

    @property
    def total(self) -> int:
        """All places."""
        return self.free + self.held + self.sold + self.blocked

    @property
    def is_sold_out(self) -> bool:
        """Whether there is stock and none of it can be had, not even from a hold that runs out."""
        return self.sold > 0 and self.free == self.held == 0

    @property
    def sold_percent(self) -> int:
        """Sold places in percent of those for sale; 100 only when every one of them is sold."""
        offered = self.total - self.blocked
        return 0 if not offered else self.sold * 100 // offered

    def __add__(self, other: "Places") -> "Places":
        return Places(
            self.free + other.free, self.held + other.held, self.sold + other.sold, self.blocked + other.blocked
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the board: a price or a section, its places and what it has brought in minor units."""

    name: str
    places: Places
    revenue: int = 0
    color: str = ""
    shape: str = ""
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Board:
    """An event's sale at a glance. Amounts are minor units of `currency`; revenue is ticket prices without fees."""

    currency: str
    places: Places
    tiers: Sequence[Line]
    sections: Sequence[Line]
    revenue: int
    fees: int
    refunded: int
    orders: int
    orders_last_hour: int
    tickets_last_hour: int
    whole_sale: Pace | None
    last_hour: Pace | None


# A hold whose time has passed is free to whoever asks, swept or not.
_STATES = """
SELECT section, tier,
       count(*) FILTER (WHERE state = 0 OR (state IN (1, 2) AND held_until <= statement_timestamp())),
       count(*) FILTER (WHERE state IN (1, 2) AND held_until > statement_timestamp()),
       count(*) FILTER (WHERE state = 3),
       count(*) FILTER (WHERE state = 4)
FROM inventory_seat WHERE event_id = %s GROUP BY section, tier
"""


def sales_board(event: Event) -> Board:
    """Return how the event's sale stands, by price and by section, from a fixed number of reads whatever its size."""
    with connection.cursor() as cursor:
        cursor.execute(_STATES, [event.pk])
        counted = [(section, tier, Places(*counts)) for section, tier, *counts in cursor.fetchall()]
    sold = by_tier(event.pk)
    prices = list(event.tiers.order_by("number"))
    tiers = [
        Line(
            name=tier.name,
            places=_total(places for _, number, places in counted if number == tier.number),
            revenue=sold.get(tier.number, Sold()).revenue,
            color=tier.color,
            shape=tier.shape,
            amount=tier.amount,
        )
        for tier in prices
    ]
    sections = [
        Line(name=section.name, places=_total(places for position, _, places in counted if position == k))
        for k, section in enumerate(decoded(event.plan.content_hash).sections)
    ]
    orders = Order.objects.filter(event=event, paid_at__isnull=False).aggregate(
        paid=Count("id", filter=Q(state=Order.State.PAID)), last_hour=Count("id", filter=_recent("paid_at"))
    )
    last_hour = pace(event, prices, since=timezone.now() - timedelta(hours=1))
    return Board(
        currency=event.organizer.currency,
        places=_total(places for _, _, places in counted),
        tiers=tiers,
        sections=sections,
        revenue=sum(of.revenue for of in sold.values()),
        fees=sum(of.fees for of in sold.values()),
        refunded=sum(of.returned for of in sold.values()),
        orders=orders["paid"],
        orders_last_hour=orders["last_hour"],
        tickets_last_hour=last_hour.tickets if last_hour else 0,
        whole_sale=pace(event, prices),
        last_hour=last_hour,
    )


def sold_shares(events: Iterable[Event]) -> dict[UUID, Places]:
    """Return the places of each event that has stock, by state, for a list of events, in two reads."""
    ids = [event.pk for event in events]
    live = Hold.objects.filter(
        event__in=ids, state__in=[Hold.State.LIVE, Hold.State.PAYING], expires_at__gt=Now()
    ).order_by()
    held = dict(live.values_list("event").annotate(held=Sum(Func(F("seats"), function="cardinality"))))
    rows = ProgrammeRow.objects.filter(event__in=ids, places__gt=0)
    return {
        row.event_id: Places(
            row.places - held.get(row.event_id, 0) - row.sold - row.blocked,
            held.get(row.event_id, 0),
            row.sold,
            row.blocked,
        )
        for row in rows.only("places", "sold", "blocked")
    }


def revenue_by_currency(orders: QuerySet[Order]) -> Mapping[str, int]:
    """Return what the paid ones of `orders` brought, fees included, in minor units of each currency."""
    paid = orders.filter(state=Order.State.PAID).order_by()
    return dict(paid.values_list("currency").annotate(Sum("total")))


def _recent(field: str) -> Q:
    return Q(**{f"{field}__gte": Now() - timedelta(hours=1)})


def _total(places: Iterable[Places]) -> Places:
    return reduce(Places.__add__, places, Places())
