"""Say whether the books are right."""

from typing import Any

from django.core.management.base import BaseCommand

from inventory.invariants import INVARIANTS, broken_invariants


class Command(BaseCommand):
    """Check every invariant in one snapshot of the database; name the rows that break one and exit 1."""

    help = (
        "Checks that seats, holds, orders, payments and tickets agree, in one snapshot; exits 1 with the rows if not."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line for each invariant, and under a broken one its rows."""
        broken = {breach.sentence: breach for breach in broken_invariants()}
        for invariant in INVARIANTS:
            breach = broken.get(invariant.sentence)
            mark = self.style.ERROR("BROKEN") if breach else self.style.SUCCESS("ok    ")
            self.stdout.write(f"{invariant.number:>4}  {mark}  {invariant.sentence}")
            for row in breach.rows if breach else ():
                self.stdout.write("              " + "  ".join(f"{name}={value}" for name, value in row.items()))
        if broken:
            self.stderr.write(self.style.ERROR(f"{len(broken)} of {len(INVARIANTS)} do not hold."))
            raise SystemExit(1)
        self.stdout.write(f"All {len(INVARIANTS)} hold.")
