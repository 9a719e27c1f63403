"""`manage.py export_plan PLAN`: writes a seating plan to a file or the terminal."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from seating.exporting import FORMATS, export
from seating.models import SeatingPlan


class Command(BaseCommand):
    """Finds the plan by the beginning of its hash, its id or its name."""

    help = "Write a seating plan as pretix JSON, CSV or its own document."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the plan, the format and where to write."""
        parser.add_argument("plan", help="beginning of its hash (6 characters or more), its id, or its name")
        parser.add_argument("--format", choices=FORMATS, default="pretix", dest="file_format")
        parser.add_argument("--output", type=Path, help="file to write instead of the terminal")

    def handle(self, *args: Any, plan: str, file_format: str, output: Path | None, **options: Any) -> None:
        """Export, or say in one sentence why not."""
        content = export(self._find(plan), file_format)
        if output is None:
            self.stdout.write(content.decode(), ending="")
            return
        try:
            output.write_bytes(content)
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror}") from error

    def _find(self, wanted: str) -> SeatingPlan:
        plans = SeatingPlan.objects.order_by("created_at")
        found = list(plans.filter(name=wanted)[:2])
        if not found and len(wanted) >= 6:
            found = list(plans.filter(content_hash__startswith=wanted.lower())[:2])
        if not found and len(wanted) == 36:
            found = [row for row in plans if str(row.pk) == wanted.lower()]
        if not found:
            raise CommandError(f"There is no plan {wanted!r}.")
        if len(found) > 1:
            raise CommandError(f"{wanted!r} is more than one plan: name one by its hash.")
        return found[0]
