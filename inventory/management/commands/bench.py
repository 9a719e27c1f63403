"""`manage.py bench`: measure Onsale beside its baselines, on servers of its own, from nothing."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inventory.bench.families import SUITES
from inventory.bench.findings import Family
from inventory.bench.run import run


class Command(BaseCommand):
    """Starts servers and baselines, measures, shows a row per target and ends with 1 if one of them is missed."""

    help = "Measure Onsale beside its baselines on this machine: `bench read` for pages, slots and sockets."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say what can be chosen."""
        parser.add_argument("suite", choices=sorted(SUITES), help="what to measure")
        parser.add_argument("--only", default="", metavar="NAME[,NAME]", help="measure these families only")
        parser.add_argument(
            "--list",
            dest="is_list",
            action="store_true",
            help="show the families and their targets, and measure nothing",
        )
        parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured to a file")
        parser.add_argument("--quick", action="store_true", help="take few and short samples, and count no targets")

    def handle(
        self, *args: str, suite: str, only: str, is_list: bool, json: Path | None, quick: bool, **options: Any
    ) -> None:
        """End with the code of the run. Raises Trouble."""
        families = _chosen(SUITES[suite], only)
        if is_list:
            for family in families:
                for target in family.targets:
                    self.stdout.write(
                        f"{family.name:<10} {target.title}: {target.kind} {target.bound:g} {target.unit}".rstrip()
                    )
            return
        sys.exit(run(suite, families, is_quick=quick, json=json, out=sys.stdout, err=sys.stderr))


def _chosen(families: tuple[Family, ...], only: str) -> list[Family]:
    names = [name.strip() for name in only.split(",") if name.strip()]
    known = {family.name: family for family in families}
    if unknown := [name for name in names if name not in known]:
        raise CommandError(f"There is no measure {', '.join(unknown)}; there are: {', '.join(known)}.")
    return [known[name] for name in names] if names else [*families]
