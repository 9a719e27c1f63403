"""Small, real things for tests: each function makes one row (and what it cannot be without) and returns it.

Every argument has a default that works; names and slugs never collide. Times are relative to `now`, so that a sale
is open by default whatever the clock says.
"""

import gzip
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from django.contrib.auth import get_user_model

from events.models import Event, Membership, Organizer, PresaleCode, PriceTier, SaleWindow
from inventory import read_models
from seating.geometry import Category, Plan, Row, Section, Stage
from seating.models import SeatingPlan, Venue
from seating.shapes import Line

_numbers = count(1)

SEATS_PER_ROW = 10


def now() -> datetime:
    """Return the present moment to the second, in UTC."""
    return datetime.now(UTC).replace(microsecond=0)


def make_organizer(*, name: str = "", **fields: Any) -> Organizer:
    """Make an organizer in euros, without fees unless given."""
    number = next(_numbers)
    fields.setdefault("slug", f"organizer-{number}")
    return Organizer.objects.create(name=name or f"Organizer {number}", **fields)


def make_member(organizer: Organizer, *, role: str = Membership.Role.MANAGER, **fields: Any) -> Any:
    """Make a staff user who is a member of `organizer`; the password is "a good password"."""
    fields.setdefault("username", f"staff-{next(_numbers)}")
    fields.setdefault("is_staff", True)
    user = get_user_model().objects.create_user(password="a good password", **fields)
    Membership.objects.create(organizer=organizer, user=user, role=role)
    return user


def make_venue(*, name: str = "", **fields: Any) -> Venue:
    """Make a venue in Berlin."""
    number = next(_numbers)
    defaults = {"slug": f"venue-{number}", "address": "Am Ufer 1", "city": "Berlin", "country": "DE"}
    return Venue.objects.create(name=name or f"Venue {number}", **defaults | fields)


def small_hall(*, rows: int = 4, standing: int = 0, name: str = "Small hall", balcony: bool = True) -> Plan:
    """Return a hall of `rows` stalls rows of ten, two balcony rows of ten and `standing` places, without storing it.

    The categories are Stalls, Balcony and, with standing places, Floor. Seats 0 and 1 are a wheelchair place and its
    companion. Index order: stalls row A, B, ..., balcony row A, B, then the floor.
    """
    sections = [_block("Stalls", 0, rows, 100, 0)]
    categories = [Category("Stalls", "#b4552d")]
    if balcony:
        categories.append(Category("Balcony", "#2d6cb4"))
        sections.append(_block("Balcony", sections[-1].stop, 2, 200 + rows * 40, 1))
    if standing:
        categories.append(Category("Floor", "#4d7c0f"))
        outline = (100.0, 20.0, 400.0, 20.0, 400.0, 80.0, 100.0, 80.0)
        first = sections[-1].stop
        sections.append(Section("Floor", "standing", first, standing, outline, (250, 50), len(categories) - 1))
    return Plan(
        name=name,
        width=500,
        height=400 + rows * 40,
        categories=tuple(categories),
        sections=tuple(sections),
        stage=Stage((150.0, 0.0, 350.0, 0.0, 350.0, 15.0, 150.0, 15.0)),
        flags={"wheelchair": (0,), "companion": (1,)},
    )


def _block(name: str, first: int, rows: int, top: int, category: int) -> Section:
    right = 125.0 + (SEATS_PER_ROW - 1) * 25
    made = tuple(
        Row(
            label=chr(ord("A") + r),
            first=first + r * SEATS_PER_ROW,
            count=SEATS_PER_ROW,
            at=Line.of((125, top + r * 40), (right, top + r * 40)),
            numbers=(1, 1),
            categories=category,
        )
        for r in range(rows)
    )
    bottom = float(top + rows * 40)
    outline = (110.0, top - 15.0, right + 15, top - 15.0, right + 15, bottom, 110.0, bottom)
    return Section(
        name, "seated", first, rows * SEATS_PER_ROW, outline, (235, top), category, entrance="North", rows=made
    )


def make_plan(venue: Venue | None = None, hall: Plan | None = None, **hall_fields: Any) -> SeatingPlan:
    """Store a plan (by default `small_hall(**hall_fields)`: 60 seats) for `venue`, or return it if it is stored."""
    hall = hall or small_hall(**hall_fields)
    stored = SeatingPlan.objects.filter(content_hash=hall.content_hash).first()
    return stored or SeatingPlan.objects.create(
        venue=venue or make_venue(),
        name=hall.name,
        content_hash=hall.content_hash,
        seat_count=hall.seat_count,
        body=gzip.compress(hall.body, mtime=0),
    )


def make_event(
    *,
    tiers: Iterable[tuple[str, int]] | None = None,
    windows: Iterable[Mapping[str, Any]] | None = None,
    plan: SeatingPlan | None = None,
    venue: Venue | None = None,
    organizer: Organizer | None = None,
    starts_in: timedelta = timedelta(days=30),
    **fields: Any,
) -> Event:
    """Make a published event thirty days ahead, on sale for the next twenty to everybody; it has no stock yet.

    `tiers` are (name of a plan category, amount in minor units), numbered as given; by default the categories of the
    plan at 90.00, 45.00 and 30.00. `windows` are fields of `make_window`.
    """
    number = next(_numbers)
    if plan is None:
        plan = make_plan(venue)
    defaults: dict[str, Any] = {
        "slug": f"event-{number}",
        "name": f"Event {number}",
        "category": Event.Category.MUSIC,
        "starts_at": now() + starts_in,
        "status": Event.Status.PUBLISHED,
    }
    event = Event.objects.create(
        organizer=organizer or make_organizer(), venue=venue or plan.venue, plan=plan, **defaults | fields
    )
    for position, (name, amount) in enumerate(_default_tiers(plan) if tiers is None else tiers):
        make_tier(event, number=position, name=name, amount=amount)
    for window in [{}] if windows is None else windows:
        make_window(event, **window)
    event.refresh_from_db()
    read_models.feed()
    return event


def _default_tiers(plan: SeatingPlan) -> list[tuple[str, int]]:
    from seating.plans import plan as decoded

    names = [category.name for category in decoded(plan.content_hash).categories]
    return [(name, (9000, 4500, 3000)[k % 3]) for k, name in enumerate(names)]


def make_tier(
    event: Event, *, number: int, name: str, amount: int, categories: Sequence[str] = (), **fields: Any
) -> PriceTier:
    """Make a price tier that sells the plan category of the same name."""
    shapes = PriceTier.Shape.values
    fields.setdefault("shape", shapes[number % len(shapes)])
    return PriceTier.objects.create(
        event=event, number=number, name=name, amount=amount, categories=list(categories) or [name], **fields
    )


def make_window(
    event: Event,
    *,
    opens_in: timedelta = timedelta(days=-1),
    closes_in: timedelta = timedelta(days=20),
    access: str = SaleWindow.Access.PUBLIC,
    codes: Iterable[str] = (),
    **fields: Any,
) -> SaleWindow:
    """Make a sale window relative to now, open by default; `codes` are presale codes for one fan each."""
    start = now()
    window = SaleWindow.objects.create(
        event=event, access=access, opens_at=start + opens_in, closes_at=start + closes_in, **fields
    )
    PresaleCode.objects.bulk_create(PresaleCode(window=window, code=code) for code in codes)
    return window
