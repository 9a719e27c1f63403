"""The knobs of all processes: their table, its mirror in Redis, and the thread with which each process follows it.

A process looks once a second, at the mirror only; whoever finds it missing reads the table under a lease, so that of
all processes one asks Postgres, and so that a board read before a change is not mirrored after it. While the stores are
away every process stays with what it saw last.
"""

import logging
import random
import threading
from contextlib import suppress
from typing import Any, Final

import orjson
from django.db import DatabaseError, InterfaceError, connection, transaction

from config import redis
from config.knobs import KNOBS, knobs
from config.models import KnobSetting
from config.tiers.lease import Lease

log = logging.getLogger(__name__)

FOLLOW_SECONDS: Final = 1.0
MIRRORED_MS: Final = 60_000  # What Redis brings back from an old snapshot is wrong for a minute at most.
LEASE_MS: Final = 2_000

Texts = dict[str, str]


class KnobUnknown(Exception):
    """There is no knob of this name."""


def turn(wanted: Texts) -> dict[str, tuple[str, str]]:
    """Set knobs to these values for all processes; return what changed: from, to, by name.

    They hold within two seconds of the commit. Raises KnobUnknown, and ValueError out of bounds; then nothing changes.
    """
    values = {}
    for name, text in wanted.items():
        if name not in KNOBS:
            raise KnobUnknown(name)
        values[name] = str(KNOBS[name].read(text))
    with transaction.atomic():
        before = settings_of(stored())
        for name, value in values.items():
            if value == str(KNOBS[name].default):
                KnobSetting.objects.filter(name=name).delete()
            else:
                KnobSetting.objects.update_or_create(name=name, defaults={"value": value})
        transaction.on_commit(publish)
    return {name: (before[name], value) for name, value in values.items() if before[name] != value}


def settings_of(texts: Texts) -> Texts:
    """Return where every knob stands, given those that do not stand at their default."""
    return {name: texts.get(name, str(knob.default)) for name, knob in KNOBS.items()}


def stored() -> Texts:
    """Return the knobs that do not stand at their default, from the table."""
    return dict(KnobSetting.objects.values_list("name", "value"))


def publish() -> None:
    """Bring the mirror up to date after a change, and this process. Never raises: the mirror ends within a minute."""
    with suppress(redis.Unavailable):
        token = redis.guarded(lambda client: _lease(client).renew(for_ms=LEASE_MS))
        _mirror(token, stored())
    with suppress(redis.Unavailable):
        refresh()


def refresh() -> None:
    """Let this process's knobs stand where the board says; raises redis.Unavailable, or what the database raises."""

    def look(client: Any) -> tuple[bytes | None, str | None]:
        mirrored = client.get(redis.key("{knobs}"))
        return mirrored, None if mirrored is not None else _lease(client).acquire(for_ms=LEASE_MS)

    mirrored, token = redis.guarded(look)
    if mirrored is not None:
        with suppress(orjson.JSONDecodeError):
            knobs.turn(orjson.loads(mirrored))
    elif token is not None:
        texts = stored()
        knobs.turn(texts)
        _mirror(token, texts)


def _mirror(token: str, texts: Texts) -> None:
    redis.guarded(lambda client: _lease(client).store(token, orjson.dumps(texts), ttl_ms=MIRRORED_MS))


def _lease(client: Any) -> Lease:
    return Lease(client, redis.key("{knobs}"), lease=redis.key("{knobs}", "lease"))


def start() -> None:
    """Follow the board in a thread of its own, once for each process. Call it after the last fork."""
    global _following  # noqa: PLW0603 one board per process.
    if _following is None or not _following.is_alive():
        _following = threading.Thread(target=_follow, name="knobs", daemon=True)
        _following.start()


def _follow() -> None:
    pause = threading.Event()
    while True:
        try:
            refresh()
        except redis.Unavailable:
            log.debug("The knobs stay where they are: Redis gives no answer.")
        except (DatabaseError, InterfaceError) as error:
            log.warning("The knobs stay where they are: %s", str(error).strip())
        finally:
            connection.close()  # Asked for once a minute at most, by one of all processes.
        pause.wait(FOLLOW_SECONDS * random.uniform(0.8, 1.0))  # noqa: S311 spreads the questions, hides nothing


_following: threading.Thread | None = None
