"""`manage.py demo`: the whole box office on this machine, from nothing."""

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.embedded import demo
from config.embedded.console import Console


class Command(BaseCommand):
    """Starts servers, site and front door, shows where everything is and stops it all on Ctrl-C."""

    help = "Run the whole box office with demo data on one port, until Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Say what can be chosen."""
        parser.add_argument("--port", type=_port, default=8000, help="where the site answers (8000)")
        parser.add_argument(
            "--host", default="127.0.0.1", help="the address to listen on (127.0.0.1: only this machine)"
        )
        parser.add_argument("--fresh", action="store_true", help="throw the demo's data away and begin anew")

    def handle(self, *args: str, host: str, port: int, fresh: bool, **options: Any) -> None:
        """Return when the demo was asked to end and nothing of it is left. Raises Trouble."""
        demo.run(Console(), host=host, port=port, fresh=fresh)


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65_535:
        raise ArgumentTypeError("a port is a number from 1 to 65535")
    return int(text)
