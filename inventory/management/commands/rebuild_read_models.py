"""`manage.py rebuild_read_models [--event ID]`: make the programme and the sales board from nothing."""

from argparse import ArgumentParser
from time import monotonic
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from events.models import Event
from inventory import read_models


class Command(BaseCommand):
    """Make the rows of every event anew, or of one, while sales go on."""

    help = "Makes the rows behind the programme and the sales boards anew from events, seats, orders and refunds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the id of one event, if not all are meant."""
        parser.add_argument("--event", type=UUID, help="the id of one event (default: all)")

    def handle(self, *args: Any, event: UUID | None, **options: Any) -> None:
        """Rebuild, and say how far it is."""
        if event is not None and not Event.objects.filter(id=event).exists():
            raise CommandError(f"There is no event {event}.")
        began = monotonic()
        done = read_models.rebuild(None if event is None else [event], self._tell)
        self.stdout.write(f"Read models of {done:,} events made anew in {monotonic() - began:.1f} s.")

    def _tell(self, done: int, total: int) -> None:
        self.stdout.write(f"{done:,} of {total:,} events")
        self.stdout.flush()
