"""Makes the events of a recipe: published, on sale, with stock and pictures as a promoter would have put them there."""

import json
import random
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.utils import timezone

from events.models import Event, Organizer, PriceTier, SaleWindow
from inventory.bench.shows import RECIPES, Recipe, Show
from inventory.demo_world.posters import poster
from inventory.models import Seat
from inventory.stock import category_tiers, create_stock, seat_runs
from seating import generators
from seating.importing import store_plan
from seating.models import SeatingPlan, Venue
from seating.plans import plan as plan_of

_DESCRIPTION = (
    "A band, a hall, one night. Doors open an hour before; the support plays at once.\n\n"
    "Wheelchair places come with a companion seat beside them and are marked in the plan. Bags larger than a sheet of "
    "paper stay in the cloakroom. There is no re-entry.\n\nGetting there: five minutes from the station."
)


def main(name: str) -> None:
    """Make them and print them as one line of JSON."""
    print(json.dumps([asdict(show) for show in make(name, RECIPES[name])]))


def make(name: str, recipe: Recipe) -> list[Show]:
    """Make the events of a recipe and return them."""
    now = timezone.now()
    with transaction.atomic():
        organizer, _ = Organizer.objects.get_or_create(
            slug="bench", defaults={"name": "The Bench", "fee_basis_points": 500, "fee_fixed": 50}
        )
        plan = _hall(recipe)
        shows = []
        for number in range(1, recipe.events + 1):
            event = _event(f"bench-{name}-{number}", organizer, plan, now)
            seats = _stock(event, recipe.sold)
            if recipe.has_picture:
                event.image.save(f"{event.slug}.jpg", ContentFile(poster(event.category, event.slug)))
            shows.append(Show(str(event.pk), event.slug, seats))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE inventory_seat")
    return shows


def _hall(recipe: Recipe) -> SeatingPlan:
    place = {"address": "Am Ufer 1", "city": "Berlin", "country": "DE", "latitude": 52.5, "longitude": 13.4}
    venue, _ = Venue.objects.get_or_create(slug=f"bench-{recipe.hall}", defaults={"name": "The Hall", **place})
    generate: Callable[..., Any] = getattr(generators, recipe.hall)
    return store_plan(venue=venue, plan=generate(recipe.places, name=f"A {recipe.hall} of {recipe.places:,}"))


def _event(slug: str, organizer: Organizer, plan: SeatingPlan, now: datetime) -> Event:
    starts_at = now + timedelta(days=60)
    event = Event.objects.create(
        organizer=organizer,
        venue=plan.venue,
        plan=plan,
        slug=slug,
        name="The Long Evening",
        subtitle="One night only",
        description=_DESCRIPTION,
        category=Event.Category.MUSIC,
        doors_at=starts_at - timedelta(hours=1),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=3),
        status=Event.Status.PUBLISHED,
    )
    hall = plan_of(plan.content_hash)
    shapes = PriceTier.Shape.values
    PriceTier.objects.bulk_create(
        PriceTier(
            event=event,
            number=number,
            name=hall.categories[k].name,
            categories=[hall.categories[k].name],
            amount=15_000 - 1_500 * number,
            color=hall.categories[k].color,
            shape=shapes[number % len(shapes)],
        )
        for number, k in enumerate(sorted(set(hall.seat_categories)))
    )
    SaleWindow.objects.create(event=event, opens_at=now - timedelta(hours=1), closes_at=now + timedelta(days=59))
    return event


def _stock(event: Event, share: float) -> int:
    """Create the stock, a share of it sold at random (the plane that compresses worst), and return how much it is."""
    if not share:
        return create_stock(event)
    plan, tiers = plan_of(event.plan.content_hash), category_tiers(event)
    seats = plan.seat_count
    sold = set(random.Random("bench").sample(range(seats), round(seats * share)))  # noqa: S311 - a made-up crowd.
    with (
        connection.cursor() as cursor,
        cursor.copy('COPY inventory_seat (event_id, index, section, tier, state, "order", version) FROM STDIN') as copy,
    ):
        for first, count, section, tier in seat_runs(plan, tiers):
            for index in range(first, first + count):
                own = (Seat.State.SOLD.value, event.pk, 1) if index in sold else (Seat.State.FREE.value, None, 0)
                copy.write_row((event.pk, index, section, tier, *own))
    return seats
