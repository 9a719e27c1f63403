"""`manage.py relay`: carry seat changes from the database to Redis and the sockets."""

import asyncio
import signal
from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from config import health, knob_board, pulse
from inventory.relay import Relay


class Command(BaseCommand):
    """Run one relay. Start two: one leads, the other takes over within a second of its death."""

    help = "Carries seat changes from the database to Redis and the sockets. Run two: one leads, one stands by."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the port for Prometheus, if any."""
        parser.add_argument("--metrics-port", type=int, help="Serve /metrics on this port of 127.0.0.1.")

    def handle(self, *args: object, **options: object) -> None:
        """Run until SIGTERM or SIGINT."""
        if port := options["metrics_port"]:
            health.serve(int(str(port)))
        pulse.start("relay")
        knob_board.start()
        try:
            asyncio.run(self._run())
        finally:
            pulse.stop()

    async def _run(self) -> None:
        relay = Relay()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, relay.stop)
        await relay.run()
