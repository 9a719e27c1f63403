"""`manage.py relay`: carry seat changes from the database to Redis and the sockets."""

import asyncio
import signal

from django.core.management.base import BaseCommand

from inventory.relay import Relay


class Command(BaseCommand):
    """Run one relay. Start two: one leads, the other takes over within a second of its death."""

    help = "Carries seat changes from the database to Redis and the sockets. Run two: one leads, one stands by."

    def handle(self, *args: object, **options: object) -> None:
        """Run until SIGTERM or SIGINT."""
        asyncio.run(self._run())

    async def _run(self) -> None:
        relay = Relay()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, relay.stop)
        await relay.run()
