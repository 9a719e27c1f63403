"""How the audit log is told to people: names instead of numbers, seats as they are called, money as it is written."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model

from events.models import Event
from events.money import money
from inventory.models import AuditEntry
from seating.geometry import Plan
from seating.plans import plan as decoded

MOST_GROUPS = 3
SEAT_WORDS = {
    "seat.held": "Seats held",
    "seat.paying": "Seats being paid",
    "seat.sold": "Seats sold",
    "seat.freed": "Seats freed",
    "seat.blocked": "Seats blocked",
}
MONEY_KEYS = ("total", "amount", "refunded")
# Said by the line itself, or by where it stands.
UNSAID = ("from", "to", "currency", "order", "hold", "event")


class Teller:
    """Tells some entries of the log; asks for the people and the halls of all of them at once."""

    def __init__(self, entries: Iterable[AuditEntry]) -> None:
        entries = list(entries)
        self._people = _people({entry.actor for entry in entries})
        events = Event.objects.filter(pk__in={entry.event_id for entry in entries if entry.event_id})
        rows = events.values_list("pk", "plan__content_hash", "organizer__currency")
        self._events: dict[UUID | None, tuple[str, str]] = {pk: (plan, currency) for pk, plan, currency in rows}

    def who(self, entry: AuditEntry) -> str:
        """Return who did it: a colleague by name, a fan by the beginning of his number, or which machine."""
        kind, _, rest = entry.actor.partition(":")
        if kind == "staff":
            return self._people.get(rest, f"Former staff {rest}")
        if kind == "fan":
            return f"Fan {rest[:6]}"
        return f"System ({rest})" if rest else entry.actor

    def what(self, entry: AuditEntry) -> str:
        """Return what was done."""
        return SEAT_WORDS.get(entry.action) or entry.action.replace(".", " ").replace("_", " ").capitalize()

    def about(self, entry: AuditEntry) -> str:
        """Return the details worth a glance; all of them are on the entry's own page."""
        moved = entry.action == "event.rescheduled"
        said = [
            self._say(entry, key, value)
            for key, value in entry.detail.items()
            if (moved or key not in UNSAID) and value not in (None, "", {}, [])
        ]
        return " · ".join(part for part in said if part)

    def _say(self, entry: AuditEntry, key: str, value: Any) -> str:
        content_hash, currency = self._events.get(entry.event_id, ("", entry.detail.get("currency", "EUR")))
        if key == "seats" and isinstance(value, list):
            return _seats(decoded(content_hash), value) if content_hash else f"{len(value):,} seats"
        if key in MONEY_KEYS and isinstance(value, int):
            return money(value, entry.detail.get("currency") or currency)
        if isinstance(value, list):
            return f"{len(value):,} {key}" if value and _is_id(value[0]) else ", ".join(str(v) for v in value)
        return "" if _is_id(value) else f"{key.replace('_', ' ')}: {value}"


def _people(actors: set[str]) -> dict[str, str]:
    numbers = [actor.removeprefix("staff:") for actor in actors if actor.startswith("staff:")]
    users = get_user_model().objects.filter(pk__in=[number for number in numbers if number.isdigit()])
    return {str(user.pk): user.get_full_name() or user.get_username() for user in users}


def _seats(hall: Plan, indexes: list[int]) -> str:
    """Return "Stalls A 1, 2; Stalls B 7", or how many there are when that would be long."""
    known = [i for i in indexes if isinstance(i, int) and 0 <= i < hall.seat_count]
    groups = []
    for (section, row), places in groupby(map(hall.place, known), key=lambda place: (place.section, place.row)):
        numbers = [place.number for place in places]
        seats = ", ".join(numbers) if any(numbers) else f"{len(numbers)} places"
        groups.append(" ".join(part for part in (section, row, seats) if part))
    if len(groups) > MOST_GROUPS or len(known) > 12:
        return f"{len(known):,} seats"
    return "; ".join(groups)


def _is_id(value: Any) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True
