"""`manage.py test`: the quick suite on servers of its own, from nothing."""

import os
import signal
import subprocess
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.embedded import paths, servers


class Command(BaseCommand):
    """Runs pytest against a real Postgres and Redis; arguments it does not know go to pytest."""

    help = (
        "Run the tests: the quick ones, or with --all the slow ones and those in a browser too. The rest is pytest's."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Say what can be chosen."""
        _add_own(parser)

    def run_from_argv(self, argv: list[str]) -> None:
        """Keep Django's own parsing away: `-v`, `-k` and `-x` belong to pytest."""
        if {"-h", "--help"} & set(argv):
            super().run_from_argv(argv)
            return
        parser = ArgumentParser(add_help=False, allow_abbrev=False)
        _add_own(parser)
        options, rest = parser.parse_known_args(argv[2:])
        self.execute(all=options.all, pytest=rest, force_color=False, no_color=False, skip_checks=True)

    def handle(self, *args: str, **options: Any) -> None:
        """End with pytest's exit code; its summary is the last thing printed."""
        chosen = [] if options["all"] else ["-m", "not slow and not browser"]
        command = [sys.executable, "-m", "pytest", *chosen, *options.get("pytest", [])]
        # manage.py has set it for itself; what pytest uses is in pyproject.toml.
        inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        with servers.throwaway() as values:
            # The terminal sends Ctrl-C to pytest as well, which then ends by itself and prints its summary.
            before = signal.signal(signal.SIGINT, signal.SIG_IGN)
            try:
                code = subprocess.run(command, cwd=paths.PROJECT, env=inherited | values, check=False).returncode
            finally:
                signal.signal(signal.SIGINT, before)
        sys.exit(code)


def _add_own(parser: ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="also the slow tests and those in a browser")
