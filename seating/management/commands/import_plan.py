"""`manage.py import_plan FILE --venue V`: stores a seating plan from a file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from seating.geometry import NotAPlan
from seating.importing import import_plan, read_file
from seating.models import Venue


class Command(BaseCommand):
    """Reads the whole file, tells what is odd about it, and stores the plan or nothing."""

    help = "Store a seating plan: pretix JSON (both versions), CSV (see seating/csv_format.py) or a plan document."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file and the venue."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--venue", required=True, help="slug or name of the venue")
        parser.add_argument("--name", default="", help="name of the plan, instead of the file's own")
        parser.add_argument("--check", action="store_true", help="only say what would be stored")

    def handle(self, *args: Any, file: Path, venue: str, name: str, check: bool, **options: Any) -> None:
        """Import, or say in one sentence why not."""
        place = Venue.objects.filter(slug=venue).first() or Venue.objects.filter(name=venue).first()
        if place is None:
            known = ", ".join(Venue.objects.values_list("slug", flat=True)[:20]) or "none yet"
            raise CommandError(f"There is no venue {venue!r}. Venues: {known}.")
        try:
            if check:
                reading = read_file(file, name=name)
                content_hash, count, warnings = reading.plan.content_hash, reading.plan.seat_count, reading.warnings
            else:
                row, warnings = import_plan(path=file, venue=place, name=name)
                content_hash, count = row.content_hash, row.seat_count
        except NotAPlan as error:
            raise CommandError(f"{file}: {error}") from error
        for warning in warnings:
            self.stderr.write(f"warning: {warning}")
        self.stdout.write(f"{content_hash} {count:,} places{' (not stored)' if check else ''}")
