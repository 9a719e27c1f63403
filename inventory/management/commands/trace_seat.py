"""`manage.py trace_seat EVENT INDEX`: follow one seat from the database to the edge."""

from argparse import ArgumentParser
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from inventory.models import Seat
from inventory.trace import CODE_NAMES, diagnosis, differs, trace


class Command(BaseCommand):
    """Print what each place on its way to the browser says of a seat; exit 1 if one disagrees with the database."""

    help = "Follows one seat through database, change queue, Redis copies and edge, and says where it is stale."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the event's id and the seat's index in its plan."""
        parser.add_argument("event", type=UUID, help="The event's id.")
        parser.add_argument("index", type=int, help="The seat's position in its plan, from 0.")

    def handle(self, *args: object, **options: object) -> None:
        """Print one line for each place, and where the truth got stuck."""
        try:
            stations = trace(options["event"], options["index"])  # type: ignore[arg-type]
        except Seat.DoesNotExist:
            raise CommandError(f"Event {options['event']} has no seat {options['index']}.") from None
        for station in stations:
            code = "-" if station.code is None else CODE_NAMES[station.code]
            mark = "!" if differs(station, stations) else " "
            version = "" if station.version is None else f"v{station.version}"
            self.stdout.write(f"{mark} {station.name:<14} {code:<8} {version:<16} {station.note}".rstrip())
        if found := diagnosis(stations):
            raise CommandError(f"Stale where marked. {found}", returncode=1)
