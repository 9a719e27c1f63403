"""Builds the demo world, event by event, each in one transaction: what is there already is left as it is."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from events.models import Event, Organizer, PresaleCode, PriceTier, SaleWindow
from inventory.demo_world.cast import HOUSES, PROMOTERS, House
from inventory.demo_world.posters import poster
from inventory.demo_world.programme import PROGRAMME, USUAL_PRICES, Show
from inventory.demo_world.sales import sell
from inventory.models import Order, Seat
from inventory.stock import create_stock
from seating import generators
from seating.geometry import Plan
from seating.importing import store_plan
from seating.models import SeatingPlan, Venue
from seating.plans import plan as plan_of

Progress = Callable[[str], Any]

PRESALE_CODE = "KITES"
SOON = timedelta(minutes=10)
_SERIES = 778  # Of a few thousand series of pictures, one in which neighbours look different.
_SMALLEST = {"stadium": 600, "theatre": 200, "club": 40}


def make_organizers() -> dict[str, Organizer]:
    """Make the organizers and return them by slug."""
    made = {}
    for promoter in PROMOTERS:
        fields = {
            "name": promoter.name,
            "about": promoter.about,
            "website": f"https://{promoter.slug}.example",
            "email": f"hello@{promoter.slug}.example",
            "currency": promoter.currency,
            "fee_basis_points": promoter.fee_basis_points,
            "fee_fixed": promoter.fee_fixed,
        }
        made[promoter.slug], _ = Organizer.objects.get_or_create(slug=promoter.slug, defaults=fields)
    return made


def make_plans(scale: float, progress: Progress) -> dict[str, SeatingPlan]:
    """Make the venues and their plans, with `scale` times the usual places, and return the plans by venue slug."""
    made = {}
    for house in HOUSES:
        fields = {
            "name": house.name,
            "address": house.address,
            "city": house.city,
            "country": house.country,
            "timezone": house.timezone,
            "latitude": house.latitude,
            "longitude": house.longitude,
        }
        venue, is_new = Venue.objects.get_or_create(slug=house.slug, defaults=fields)
        existing = None if is_new else venue.plans.order_by("created_at").first()
        made[house.slug] = existing or store_plan(venue=venue, plan=_hall(house, scale))
        progress(f"{house.name}, {house.city}: {made[house.slug].seat_count:,} places")
    return made


def _hall(house: House, scale: float) -> Plan:
    places = max(_SMALLEST[house.hall], round(house.places * scale))
    generate: Callable[..., Plan] = getattr(generators, house.hall)
    return generate(places, name=f"{house.name}: {house.plan_name}")


def make_events(
    *,
    organizers: dict[str, Organizer],
    plans: dict[str, SeatingPlan],
    now: datetime,
    progress: Progress,
    with_images: bool = True,
) -> int:
    """Make the events that are missing, with prices, windows, stock and sales; return how many were made."""
    for promoter in PROMOTERS:
        slugs = {show.house for show in PROGRAMME if show.promoter == promoter.slug}
        organizers[promoter.slug].venues.add(*Venue.objects.filter(slug__in=slugs))
    there = set(Event.objects.filter(slug__in=[s.slug for s in PROGRAMME]).values_list("slug", flat=True))
    made = 0
    for number, show in enumerate(PROGRAMME, 1):
        if show.slug in there:
            continue
        with transaction.atomic():
            event = _event(show, organizers[show.promoter], plans[show.house], now)
            _price(event, show)
            _open_windows(event, show, now)
            sold = _stock(event, show, now)
            if with_images:
                _draw(event, show)
        made += 1
        progress(f"[{number:2}/{len(PROGRAMME)}] {show.name}: {event.plan.seat_count:,} places, {sold:,} sold")
    return made


def is_complete() -> bool:
    """Tell whether every event of the programme is there."""
    return Event.objects.filter(slug__in=[show.slug for show in PROGRAMME]).count() == len(PROGRAMME)


def move_next_opening(now: datetime) -> bool:
    """Let the sale that opens in ten minutes do so again, unless somebody bought since; tell whether it moved."""
    show = next(show for show in PROGRAMME if show.part == "soon")
    window = SaleWindow.objects.filter(event__slug=show.slug, opens_at__lte=now).order_by("opens_at").first()
    if window is None or Order.objects.filter(event_id=window.event_id).exists():
        return False
    if Seat.objects.filter(event_id=window.event_id).exclude(state=Seat.State.FREE).exists():
        return False
    if window.closes_at <= now + SOON:
        return False
    window.opens_at = now + SOON
    window.save(update_fields=["opens_at"])
    return True


def _event(show: Show, organizer: Organizer, plan: SeatingPlan, now: datetime) -> Event:
    house = next(house for house in HOUSES if house.slug == show.house)
    zone = ZoneInfo(house.timezone)
    day = now.astimezone(zone).date() + timedelta(days=show.days)
    starts_at = datetime(day.year, day.month, day.day, int(show.hour), int(show.hour % 1 * 60), tzinfo=zone)
    doors = timedelta(minutes=150 if house.places > 20_000 else 60 if house.hall == "club" else 45)
    status = Event.Status.CANCELLED if show.part == "cancelled" else Event.Status.PUBLISHED
    switch = Event.SaleSwitch.PAUSED if show.part == "paused" else Event.SaleSwitch.ON
    return Event.objects.create(
        organizer=organizer,
        venue=plan.venue,
        plan=plan,
        slug=show.slug,
        name=show.name,
        subtitle=show.subtitle,
        description=f"{show.text}\n\n{_practical(show, house)}",
        category=show.category,
        doors_at=starts_at - doors,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=show.minutes),
        status=status,
        sale_switch=switch,
        max_per_fan=4 if house.hall == "club" else 8,
    )


def _practical(show: Show, house: House) -> str:
    hours, minutes = divmod(show.minutes, 60)
    length = f"{hours} h {minutes:02} min" if minutes else f"{hours} hours" if hours != 1 else "an hour"
    seats = (
        "Standing only; a raised place with a seat is kept for whoever needs one, tell us before."
        if house.hall == "club"
        else "Wheelchair places come with a companion seat beside them and are marked in the plan."
    )
    return f"Lasts about {length}. {seats}\n\nGetting there: {house.getting_there}"


def _price(event: Event, show: Show) -> None:
    """Give every category of the plan a price tier of the same name."""
    plan = plan_of(event.plan.content_hash)
    used = sorted(set(plan.seat_categories))
    shapes = PriceTier.Shape.values
    PriceTier.objects.bulk_create(
        PriceTier(
            event=event,
            number=number,
            name=plan.categories[k].name,
            categories=[plan.categories[k].name],
            amount=max(500, round(USUAL_PRICES[plan.categories[k].name] * show.price / 100) * 100),
            color=plan.categories[k].color,
            shape=shapes[number % len(shapes)],
        )
        for number, k in enumerate(used)
    )


def _morning(event: Event, now: datetime, days: int) -> datetime:
    """Return ten in the morning, where the event is, `days` from today."""
    zone = ZoneInfo(event.venue.timezone)
    day = now.astimezone(zone).date() + timedelta(days=days)
    return datetime(day.year, day.month, day.day, 10, tzinfo=zone)


def _opened_at(event: Event, show: Show, now: datetime) -> datetime:
    """Return when an event that is on sale began to be: weeks ago, earlier for what is sooner."""
    return _morning(event, now, -10 - max(0, 60 - show.days) // 2)


def _open_windows(event: Event, show: Show, now: datetime) -> None:
    closes_at = event.starts_at - timedelta(hours=1)
    opens_at = _opened_at(event, show, now)
    match show.part:
        case "soon":
            opens_at = now + SOON
        case "upcoming":
            opens_at = _morning(event, now, min(21, show.days // 3))
        case "closed":
            closes_at = now - timedelta(hours=2)
        case "presale":
            opens_at = _morning(event, now, 6)
            presale = SaleWindow.objects.create(
                event=event,
                name="Mailing list presale",
                access=SaleWindow.Access.PRESALE,
                opens_at=_morning(event, now, -2),
                closes_at=opens_at,
            )
            PresaleCode.objects.create(window=presale, code=PRESALE_CODE, max_fans=5000)
    SaleWindow.objects.create(event=event, opens_at=opens_at, closes_at=closes_at)


def _stock(event: Event, show: Show, now: datetime) -> int:
    """Create the stock, part of it sold, and return how many places were."""
    if not show.sold:
        create_stock(event)
        return 0
    since = _morning(event, now, -2) if show.part == "presale" else _opened_at(event, show, now)
    until = now - timedelta(hours=2, minutes=5) if show.part == "closed" else now - timedelta(minutes=10)
    blocked = [] if show.sold >= 1 else _blocked(plan_of(event.plan.content_hash), show)
    return sell(event, share=show.sold, blocked=blocked, since=since, until=until, seed=show.slug)


def _blocked(plan: Plan, show: Show) -> list[int]:
    """Return a few seats that the house keeps for itself: whole rows at the back, where cameras and desks stand."""
    rng = random.Random(show.slug)  # noqa: S311 - a made-up house, not a secret.
    seated = [section for section in plan.sections if len(section.rows) > 3]
    chosen = rng.sample(seated, min(len(seated), 1 + len(seated) // 12))
    rows = [row for section in chosen for row in section.rows[-3:-1]]
    return [i for row in rows for i in range(row.first, row.first + row.count) if i not in plan.accessible]


def _draw(event: Event, show: Show) -> None:
    """Draw the event's picture into the media folder, in place of one that an earlier world left there."""
    name = f"events/{show.slug}.jpg"
    default_storage.delete(name)
    event.image.save(name.removeprefix("events/"), ContentFile(poster(show.category, f"{show.slug}/{_SERIES}")))


def redraw_missing_images() -> int:
    """Draw the pictures whose files are gone (a media folder that was emptied); return how many."""
    shows = {show.slug: show for show in PROGRAMME}
    events = Event.objects.filter(slug__in=shows).exclude(image="")
    missing = [event for event in events if not default_storage.exists(str(event.image.name))]
    for event in missing:
        _draw(event, shows[event.slug])
    return len(missing)
