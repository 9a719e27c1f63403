"""What is on: the reads behind the listing, the search, and the pages of events, organizers and venues.

Every public read goes through `public_events`, one statement that brings an event with its venue, organizer, prices
and sale windows: one statement is one snapshot, so the version it carries is the version of everything it carries.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.search import SearchQuery, SearchRank, TrigramWordSimilarity
from django.db.models import (
    Case,
    DateField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    Min,
    OuterRef,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, JSONObject
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual

from events.models import Event, Organizer, PriceTier, SaleWindow
from events.money import ODD_EXPONENTS
from events.sale_state import SaleState, sale_state
from seating.models import Venue

PER_PAGE = 24
# A show without an announced end is taken to last this long.
USUAL_LENGTH = timedelta(hours=4)
# word_similarity of a word with one slip in it ("hamlte") is about 0.5; of a stranger, under 0.3.
TYPO_SIMILARITY = 0.42


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
    """An event with what its page and its line in the programme show."""

    event: Event
    tiers: tuple[PriceTier, ...]
    windows: tuple[SaleWindow, ...]
    state: SaleState
    has_ended: bool

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
        """The state as badges and pages name it: that of the sale, or `past` once the show is over."""
        return "past" if self.has_ended and self.state.state != "cancelled" else self.state.state

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
        _seen()
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
    windows = tuple(
        SaleWindow(
            event=event,
            name=row["name"],
            access=row["access"],
            opens_at=datetime.fromisoformat(row["opens_at"]),
            closes_at=datetime.fromisoformat(row["closes_at"]),
        )
        for row in event.window_rows  # type: ignore[attr-defined]
    )
    tiers = tuple(PriceTier(event=event, **row) for row in event.tier_rows)  # type: ignore[attr-defined]
    ended = (event.ends_at or event.starts_at + USUAL_LENGTH) <= now
    return Entry(event, tiers, windows, sale_state(event, now, windows), ended)


def entry(slug: str, now: datetime) -> Entry:
    """Return one event by its slug; `Event.DoesNotExist` if there is none or it is a draft."""
    return entry_of(
        public_events().select_related("plan").defer("search", "plan__body", "plan__guids").get(slug=slug), now
    )


def listing(filters: Filters, *, page: int, now: datetime) -> Listing:
    """Return one page of the events to come that match; a page past the end is the last one.

    Words are searched in full text (websearch syntax, accents folded, last word as a beginning); if nothing has
    them, by trigrams, so that a slip of the finger still finds the show. The trigram pass reads every event to come:
    bounded by what is on sale, not by what ever was.
    """
    events = _to_come(_filtered(_seen(), filters), now)
    if not filters.q:
        return _page(events.order_by("starts_at", "id"), page, now)
    query = _search_query(filters.q)
    found = _page(
        events.filter(search=query).order_by(SearchRank(F("search"), query).desc(), "starts_at", "id"), page, now
    )
    if found.count:
        return found
    guess = _page(_similar(events, filters.q), page, now)
    return Listing(guess.entries, guess.count, guess.page, guess.pages, is_guess=True)


def coming_on_sale(now: datetime, *, limit: int = 4) -> tuple[Entry, ...]:
    """Return the events whose sale to everybody opens next; if none will, those that begin soonest and are on sale."""
    events = Event.objects.filter(
        status=Event.Status.PUBLISHED,
        sale_switch=Event.SaleSwitch.ON,
        starts_at__gt=now,
        windows__access=SaleWindow.Access.PUBLIC,
        windows__closes_at__gt=now,
    ).annotate(opens_at=Min("windows__opens_at"))
    opens_next = Case(When(opens_at__gt=now, then=F("opens_at")))
    return _entries_in_order(events.order_by(opens_next.asc(nulls_last=True), "starts_at", "id")[:limit], now)


def cities(now: datetime) -> list[str]:
    """Return the cities where something is to come, in alphabetical order."""
    events = _to_come(_seen(), now)
    return list(events.order_by("venue__city").values_list("venue__city", flat=True).distinct())


def of_organizer(organizer: Organizer, now: datetime) -> tuple[Entry, ...]:
    """Return an organizer's events to come, soonest first; at most a hundred."""
    return _first_hundred(public_events().filter(organizer=organizer), now)


def at_venue(venue: Venue, now: datetime) -> tuple[Entry, ...]:
    """Return a venue's events to come, soonest first; at most a hundred."""
    return _first_hundred(public_events().filter(venue=venue), now)


def _first_hundred(events: QuerySet[Event], now: datetime) -> tuple[Entry, ...]:
    return _entries(_to_come(events, now).order_by("starts_at", "id")[:100], now)


def _entries(events: Iterable[Event], now: datetime) -> tuple[Entry, ...]:
    return tuple(entry_of(event, now) for event in events)


def _entries_in_order(events: QuerySet[Event], now: datetime) -> tuple[Entry, ...]:
    """Choose first and bring afterwards: prices and windows are then read of these few, not of all that match."""
    ids = list(events.values_list("pk", flat=True))
    rows = {event.pk: event for event in public_events().filter(pk__in=ids)} if ids else {}
    return _entries((rows[pk] for pk in ids if pk in rows), now)


def _seen() -> QuerySet[Event]:
    return Event.objects.exclude(status=Event.Status.DRAFT)


def _to_come(events: QuerySet[Event], now: datetime) -> QuerySet[Event]:
    return events.filter(Q(ends_at__gt=now) | Q(ends_at=None, starts_at__gt=now - USUAL_LENGTH))


def _page(events: QuerySet[Event], page: int, now: datetime) -> Listing:
    count = events.count()
    pages = max(1, -(-count // PER_PAGE))
    page = min(page, pages)
    entries = _entries_in_order(events[(page - 1) * PER_PAGE : page * PER_PAGE], now) if count else ()
    return Listing(entries, count, page, pages)


def _filtered(events: QuerySet[Event], filters: Filters) -> QuerySet[Event]:
    if filters.city:
        events = events.filter(venue__city__iexact=filters.city)
    if filters.category:
        events = events.filter(category=filters.category)
    if filters.starts_from:
        events = events.filter(GreaterThanOrEqual(_local_day(), filters.starts_from))
    if filters.starts_to:
        events = events.filter(LessThanOrEqual(_local_day(), filters.starts_to))
    if filters.min_price is not None or filters.max_price is not None:
        events = events.filter(Exists(_tiers_between(filters.min_price, filters.max_price)))
    return events


def _local_day() -> Cast:
    """The day the show begins on the venue's calendar: a midnight show in New York is not tomorrow's."""
    return Cast(Func(F("venue__timezone"), F("starts_at"), function="timezone"), DateField())


def _tiers_between(low: Decimal | None, high: Decimal | None) -> QuerySet[PriceTier]:
    unit = Case(
        *(When(event__organizer__currency=code, then=10**places) for code, places in ODD_EXPONENTS.items()),
        default=100,
        output_field=IntegerField(),
    )
    tiers = PriceTier.objects.filter(event=OuterRef("pk")).annotate(unit=unit)
    if low is not None:
        tiers = tiers.filter(amount__gte=ExpressionWrapper(F("unit") * low, output_field=IntegerField()))
    if high is not None:
        tiers = tiers.filter(amount__lte=ExpressionWrapper(F("unit") * high, output_field=IntegerField()))
    return tiers


def _search_query(text: str) -> SearchQuery:
    query = SearchQuery(text, config="onsale", search_type="websearch")
    words = re.findall(r"\w+", text)
    if words and re.fullmatch(r"[\w\s]+", text):  # Quotes, minus and "or" are the fan's own operators.
        beginnings = " & ".join([*words[:-1], f"{words[-1]}:*"])
        query |= SearchQuery(beginnings, config="onsale", search_type="raw")
    return query


def _similar(events: QuerySet[Event], text: str) -> QuerySet[Event]:
    names = Func(
        Value(" "), F("name"), F("venue__name"), F("venue__city"), F("organizer__name"),
        function="concat_ws", output_field=TextField(),
    )  # fmt: skip
    words = Func(Value(text), function="unaccent")
    likeness = TrigramWordSimilarity(words, Func(names, function="unaccent"))  # type: ignore[arg-type]
    return (
        events.annotate(likeness=likeness)
        .filter(likeness__gte=TYPO_SIMILARITY)
        .order_by("-likeness", "starts_at", "id")
    )
