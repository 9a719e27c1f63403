"""`manage.py prewarm EVENT`: make every process ready for an event's crowd, and say how long each took."""

import statistics
import time
from argparse import ArgumentParser
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from config import redis
from events.models import Event
from inventory.availability import Busy
from inventory.warmup import hot_list, process, replay, shapes
from inventory.warmup.hot_list import Hot

PROCESSES_SECONDS: Final = 30.0  # Each looks at the list every five.


class Command(BaseCommand):
    """Puts an event on the hot list, waits for every web and live process to warm it, and replays an earlier sale."""

    help = "Warm every tier of every process for an event, and replay the traffic of an earlier sale against it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say what can be chosen."""
        parser.add_argument("event", help="slug or id")
        parser.add_argument("--like", metavar="EVENT", help="replay this event's recorded sale (default: the latest)")
        parser.add_argument("--through", metavar="URL", default=settings.SITE_URL, help="the edge (default: SITE_URL)")
        parser.add_argument(
            "--requests", type=int, default=replay.REQUESTS, help="how many to replay; 0 leaves the edge as it is"
        )

    def handle(self, *args: str, event: str, like: str | None, through: str, requests: int, **options: Any) -> None:
        """Do it step by step. CommandError when something is still cold at the end."""
        began = time.monotonic()
        found, model = _event(event), _event(like) if like else None
        try:
            hot = hot_list.ask(found.pk)
            self._say(f"{found.name} is on the hot list; every web and live process warms itself.")
            cold = self._processes(hot)
        except redis.Unavailable as error:
            raise CommandError(f"Redis does not answer ({error}); processes cannot be reached without it.") from error
        except Busy as error:
            raise CommandError(f"Postgres does not answer: {error.__cause__ or error}") from error
        failures = self._replay(hot, model, through, requests) if requests else 0
        if cold or failures:
            raise CommandError(f"Not all is warm: {cold} processes did not say so, {failures} requests failed.")
        self._say(f"Warm after {time.monotonic() - began:.1f} s.")

    def _processes(self, hot: Hot) -> int:
        """Show each process as it reports, and return how many did not in time."""
        deadline = time.monotonic() + PROCESSES_SECONDS
        told: dict[str, float] = {}
        waiting = set(process.followers())
        if not waiting:
            self._say("No web or live process follows the hot list now; those that start will find the event on it.")
        while waiting and time.monotonic() < deadline:
            for name, seconds in sorted(process.warmed_by(hot).items()):
                if name not in told:
                    told[name] = seconds
                    self._say(f"  {name} warm in {seconds * 1000:.0f} ms")
            waiting = set(process.followers()) - told.keys()
            time.sleep(0.1)
        for name in sorted(waiting):
            self._say(f"  {name} did not report within {PROCESSES_SECONDS:.0f} s")
        return len(waiting)

    def _replay(self, hot: Hot, model: Event | None, through: str, most: int) -> int:
        """Replay, with a line every second, and return how many requests failed."""
        shape = shapes.latest(like=model)
        wanted = replay.requests(shape, hot.names, most=most)
        self._say(f"Replaying {len(wanted)} requests of an on-sale through {through}.")
        next_line = time.monotonic() + 1

        def progress(done: int) -> None:
            nonlocal next_line
            if time.monotonic() >= next_line:
                next_line += 1
                self._say(f"  {done} of {len(wanted)}")

        outcome = replay.replay(through, wanted, progress=progress)
        answers = ", ".join(f"{count} x {status or 'no answer'}" for status, count in sorted(outcome.statuses.items()))
        self._say(f"  {answers}; median {statistics.median(outcome.seconds) * 1000:.1f} ms")
        return outcome.failures

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _event(name: str) -> Event:
    """Return an event by its slug or id, whose page is public."""
    by: dict[str, Any]
    try:
        by = {"pk": UUID(name)}
    except ValueError:
        by = {"slug": name}
    try:
        return Event.objects.exclude(status=Event.Status.DRAFT).defer("search").get(**by)
    except (Event.DoesNotExist, ValidationError):
        raise CommandError(f"There is no public event {name!r}; name it by its slug or its id.") from None
