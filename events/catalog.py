"""What is on: the reads behind the listing, the search, and the pages of events, organizers and venues.

An event's own page reads `public_events`, one statement that brings an event with its venue, organizer, prices and sale
windows: one statement is one snapshot, so the version it carries is the version of everything it carries. Whatever
shows several events reads the programme's rows (`events.programme`), each complete in itself.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.search import SearchQuery, SearchRank, TrigramWordSimilarity
from django.db.models import (
    BooleanField,
    DecimalField,
    ExpressionWrapper,
    F,
    Func,
    Model,
    OuterRef,
    QuerySet,
    TextField,
    Value,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import JSONObject, Lower

from events import hidden
from events.models import Event, Organizer, PriceTier, ProgrammeRow, SaleWindow
from events.sale_state import SaleState, sale_state
from seating.models import Venue

M = TypeVar("M", bound=Model)

PER_PAGE = 24
# A show without an announced end is taken to last this long.
USUAL_LENGTH = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Filters:
    """What the fan is looking for; amounts are in whole units of the event's currency, dates in its venue's zone."""

    q: str = ""
    city: str = ""
    category: str = ""
    starts_from: date | None = None
    starts_to: date | None = None
    min_price: Decimal | None = None
    max_price: Decimal | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for."""
        return self == Filters()


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with what its page and its line in the programme show; its page, which is cached longer, no `stock`."""

    event: Event
    tiers: tuple[PriceTier, ...]
    windows: tuple[SaleWindow, ...]
    state: SaleState
    has_ended: bool
    stock: str = ""

    @property
    def currency(self) -> str:
        """ISO code of every amount of the event."""
        return self.event.organizer.currency

    @property
    def from_amount(self) -> int | None:
        """The lowest price in minor units."""
        return min((tier.amount for tier in self.tiers), default=None)

    @property
    def to_amount(self) -> int | None:
        """The highest price in minor units."""
        return max((tier.amount for tier in self.tiers), default=None)

    @property
    def shown_state(self) -> str:
        """The state as badges and pages name it: that of the sale, `sold_out`, or `past` once the show is over."""
        if self.has_ended and self.state.state != "cancelled":
            return "past"
        if self.state.is_buyable and self.stock == ProgrammeRow.Stock.SOLD_OUT:
            return "sold_out"
        return self.state.state

    @property
    def is_low(self) -> bool:
        """Whether the last places are on sale."""
        return self.shown_state in ("open", "presale") and self.stock == ProgrammeRow.Stock.FEW

    @property
    def starts_local(self) -> datetime:
        """The beginning on the venue's clock."""
        return self.event.starts_at.astimezone(ZoneInfo(self.event.venue.timezone))


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the programme. `is_guess`: nothing matched the words, so these are the nearest spellings."""

    entries: tuple[Entry, ...]
    count: int
    page: int
    pages: int
    is_guess: bool = False


def public_events() -> QuerySet[Event]:
    """Return the events that may be seen, each row complete in itself: make it an `Entry` with `entry_of`."""
    own = OuterRef("pk")
    tiers = PriceTier.objects.filter(event=own).order_by("number")
    windows = SaleWindow.objects.filter(event=own).order_by("opens_at", "id")
    return (
        Event.objects.exclude(status=Event.Status.DRAFT)
        .select_related("venue", "organizer")
        .defer("search")
        .annotate(
            tier_rows=ArraySubquery(
                tiers.values(
                    row=JSONObject(
                        number="number",
                        name="name",
                        categories="categories",
                        amount="amount",
                        color="color",
                        shape="shape",
                    )
                )
            ),
            window_rows=ArraySubquery(
                windows.values(row=JSONObject(name="name", access="access", opens_at="opens_at", closes_at="closes_at"))
            ),
        )
    )


def entry_of(event: Event, now: datetime) -> Entry:
    """Return the entry of a row of `public_events` as it is at `now`."""
    return _entry(event, event.tier_rows, event.window_rows, now)  # type: ignore[attr-defined]


def _entry(
    event: Event, tier_rows: list[dict[str, Any]], window_rows: list[dict[str, Any]], now: datetime, stock: str = ""
) -> Entry:
    windows = tuple(
        SaleWindow(
            event=event,
            name=row["name"],
            access=row["access"],
            opens_at=datetime.fromisoformat(row["opens_at"]),
            closes_at=datetime.fromisoformat(row["closes_at"]),
        )
        for row in window_rows
    )
    tiers = tuple(PriceTier(event=event, **row) for row in tier_rows)
    ended = (event.ends_at or event.starts_at + USUAL_LENGTH) <= now
    return Entry(event, tiers, windows, sale_state(event, now, windows), ended, stock)


def listed(row: ProgrammeRow, now: datetime) -> Entry:
    """Return the entry of a row of the programme as it is at `now`; what the row lacks is fetched when asked for."""
    event = _known(
        Event,
        id=row.event_id,
        organizer_id=row.organizer_id,
        venue_id=row.venue_id,
        **{name: getattr(row, name) for name in _SAME},
    )
    event.venue = _known(Venue, id=row.venue_id, name=row.venue_name, city=row.city, timezone=row.timezone)
    event.organizer = _known(Organizer, id=row.organizer_id, currency=row.currency)
    return _entry(event, row.tiers, row.windows, now, row.stock)


# Fields that an event and its row both have.
_SAME = (
    "version", "slug", "name", "subtitle", "category", "image", "status", "sale_switch", "max_per_fan", "starts_at",
    "ends_at",
)  # fmt: skip


def _known(model: type[M], **values: Any) -> M:
    """Return an instance of which these fields are known and the others deferred."""
    names = [field.attname for field in model._meta.concrete_fields if field.attname in values]
    return model.from_db(None, names, [values[name] for name in names])


def entry(slug: str, now: datetime) -> Entry:
    """Return one event by its slug; `Event.DoesNotExist` if there is none or it is a draft."""
    return entry_of(
        public_events().select_related("plan").defer("search", "plan__body", "plan__guids").get(slug=slug), now
    )


def listing(filters: Filters, *, page: int, now: datetime) -> Listing:
    """Return one page of the events to come that match; a page past the end is the last one.

    Words are searched in full text (websearch syntax, accents folded, last word as a beginning); if nothing has
    them, by trigrams, so that a slip of the finger still finds the show.
    """
    rows = _filtered(_to_come(now), filters)
    soonest = ("starts_at", "event_id")
    if not filters.q:
        return _page(rows, soonest, page, now)
    query = _search_query(filters.q)
    found = _page(rows.filter(search=query), (SearchRank(F("search"), query).desc(), *soonest), page, now)
    if found.count:
        return found
    guess = _page(_similar(rows, filters.q, now), (_likeness(filters.q).desc(), *soonest), page, now)
    return Listing(guess.entries, guess.count, guess.page, guess.pages, is_guess=True)


def coming_on_sale(now: datetime, *, limit: int = 4) -> tuple[Entry, ...]:
    """Return the events whose sale to everybody opens next; if too few will, those that begin soonest and are on sale.

    A row's `opens_at` is that of its first public window that has not closed, so one in the future means that nobody
    without a code can buy yet.
    """
    rows = ProgrammeRow.objects.filter(
        status=Event.Status.PUBLISHED, sale_switch=Event.SaleSwitch.ON, starts_at__gt=now, closes_at__gt=now
    )
    found = list(rows.filter(opens_at__gt=now).order_by("opens_at", "starts_at", "event_id")[:limit])
    if len(found) < limit:
        on_sale = rows.filter(opens_at__lte=now).exclude(stock=ProgrammeRow.Stock.SOLD_OUT)
        found += on_sale.order_by("starts_at", "event_id")[: limit - len(found)]
    return _entries(found, now)


def cities(now: datetime) -> list[str]:
    """Return the cities where something is to come, in alphabetical order."""
    return list(_to_come(now).order_by("city").values_list("city", flat=True).distinct())


def of_organizer(organizer: Organizer, now: datetime) -> tuple[Entry, ...]:
    """Return an organizer's events to come, soonest first; at most a hundred."""
    return _first_hundred(_to_come(now).filter(organizer=organizer), now)


def at_venue(venue: Venue, now: datetime) -> tuple[Entry, ...]:
    """Return a venue's events to come, soonest first; at most a hundred."""
    return _first_hundred(_to_come(now).filter(venue=venue), now)


def _first_hundred(rows: QuerySet[ProgrammeRow], now: datetime) -> tuple[Entry, ...]:
    return _entries(rows.order_by("starts_at", "event_id")[:100], now)


def _entries(rows: Iterable[ProgrammeRow], now: datetime) -> tuple[Entry, ...]:
    return tuple(listed(row, now) for row in hidden.shown(rows))


def _to_come(now: datetime) -> QuerySet[ProgrammeRow]:
    return ProgrammeRow.objects.filter(over_at__gt=now).defer("search", "words")


def _page(rows: QuerySet[ProgrammeRow], order: Sequence[Any], page: int, now: datetime) -> Listing:
    """Choose first and bring afterwards: the order is found in an index or narrow columns, not in whole rows."""
    count = rows.count()
    pages = max(1, -(-count // PER_PAGE))
    page = min(page, pages)
    chosen = rows.order_by(*order)[(page - 1) * PER_PAGE : page * PER_PAGE].values("pk")
    shown = ProgrammeRow.objects.filter(pk__in=chosen).defer("search", "words").order_by(*order) if count else ()
    return Listing(_entries(shown, now), count, page, pages)


def _filtered(rows: QuerySet[ProgrammeRow], filters: Filters) -> QuerySet[ProgrammeRow]:
    if filters.city:
        rows = rows.filter(city__iexact=filters.city)
    if filters.category:
        rows = rows.filter(category=filters.category)
    if filters.starts_from:
        rows = rows.filter(local_day__gte=filters.starts_from)
    if filters.starts_to:
        rows = rows.filter(local_day__lte=filters.starts_to)
    low, high = filters.min_price, filters.max_price
    if low is not None:
        rows = rows.filter(to_amount__gte=_minor(low))
    if high is not None:
        rows = rows.filter(from_amount__lte=_minor(high))
    if low is not None and high is not None:  # One price lies between them, not one below and one above.
        between = "EXISTS (SELECT FROM unnest(amounts) price WHERE price BETWEEN unit * %s AND unit * %s)"
        rows = rows.filter(RawSQL(between, [low, high], output_field=BooleanField()))  # noqa: S611
    return rows


def _minor(amount: Decimal) -> ExpressionWrapper:
    return ExpressionWrapper(F("unit") * amount, output_field=DecimalField())


def _search_query(text: str) -> SearchQuery:
    query = SearchQuery(text, config="onsale", search_type="websearch")
    words = re.findall(r"\w+", text)
    if words and re.fullmatch(r"[\w\s]+", text):  # Quotes, minus and "or" are the fan's own operators.
        beginnings = " & ".join([*words[:-1], f"{words[-1]}:*"])
        query |= SearchQuery(beginnings, config="onsale", search_type="raw")
    return query


def _similar(rows: QuerySet[ProgrammeRow], text: str, now: datetime) -> QuerySet[ProgrammeRow]:
    """Keep the rows that hold a word like one of the text's (`events_similar`: migration 0003)."""
    return rows.filter(event__in=RawSQL("SELECT events_similar(%s, %s)", [text, now]))


def _likeness(text: str) -> TrigramWordSimilarity:
    words = Lower(Func(Value(text), function="unaccent", output_field=TextField()))
    return TrigramWordSimilarity(words, "words")  # type: ignore[arg-type]
