"""`manage.py seed_demo`: fills an empty site with the demo world."""

from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from inventory import read_models
from inventory.demo_world import people, world
from inventory.demo_world.programme import PROGRAMME

_FILLED = (
    "seating_venue",
    "events_event",
    "events_pricetier",
    "events_salewindow",
    "inventory_seat",
    "inventory_hold",
    "inventory_order",
    "inventory_orderline",
    "inventory_payment",
    "inventory_sandboxcharge",
    "inventory_ticket",
    "inventory_auditentry",
)


class Command(BaseCommand):
    """Makes what is missing of the demo world; a second run changes nothing but the sale that is about to open."""

    help = "Fill the site with organizers, halls and forty events; safe to run again. Writes DATA_DIR/demo.json."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Let tests ask for a small world."""
        parser.add_argument("--scale", type=float, default=1.0, help="share of the usual number of places (default 1)")
        parser.add_argument("--no-images", action="store_true", help="draw no pictures")

    def handle(self, *args: Any, scale: float, no_images: bool, **options: Any) -> None:
        """Make the world and say where to look."""
        if not 0 < scale <= 2:
            raise CommandError(f"--scale must be above 0 and at most 2, not {scale}.")
        began = monotonic()
        now = timezone.now().replace(microsecond=0)
        path = Path(settings.DATA_DIR) / "demo.json"
        if world.is_complete() and people.read_passwords(path):
            self._freshen(now, with_images=not no_images)
            return

        organizers = world.make_organizers()
        logins = people.make_people(organizers, people.read_passwords(path))
        plans = world.make_plans(scale, self._say)
        made = world.make_events(
            organizers=organizers, plans=plans, now=now, progress=self._say, with_images=not no_images
        )
        if made:
            self._analyze()
            read_models.rebuild()
        slugs = {show.part: show.slug for show in PROGRAMME if show.part}
        people.write_demo_file(
            path,
            {
                **logins,
                "sale": f"/e/{slugs['sale']}/",
                "soon": f"/e/{slugs['soon']}/",
                "sold_out": f"/e/{slugs['sold_out']}/",
                "cancelled": f"/e/{slugs['cancelled']}/",
                "presale": {"path": f"/e/{slugs['presale']}/", "code": world.PRESALE_CODE},
            },
        )
        self._say(f"{made} events made in {monotonic() - began:.1f} s")

    def _freshen(self, now: datetime, *, with_images: bool) -> None:
        """Touch a complete world only where time has: every start of the demo comes by here and must be quick."""
        moved = world.move_next_opening(now)
        drawn = world.redraw_missing_images() if with_images else 0
        self._say("The demo world is there" + (", its next sale opens in ten minutes" if moved else ""))
        if drawn:
            self._say(f"{drawn} pictures drawn again")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _analyze(self) -> None:
        """Tell the planner about the rows just copied; autovacuum would take its minute, and the demo opens now."""
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(_FILLED)}")
