"""The shape of an on-sale's traffic: which addresses were asked for, in which encodings, and how often.

Families, not ids: an address is a template such as `/e/{slug}/`, so that the shape of one sale can be told to another.
Counts are by steps of ten seconds around the opening. `TrafficShape` keeps one for each sale that was recorded.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Final

from events.models import Event
from inventory.models import TrafficShape

STEP_SECONDS: Final = 10
SEATS: Final = "/live/events/{event_id}/seats"


@dataclass(frozen=True, slots=True)
class Asked:
    """How often an address was asked for in an encoding ("br", "gzip" or ""), step by step."""

    address: str
    encoding: str
    counts: list[int]

    @property
    def is_slot(self) -> bool:
        """Whether `live` answers it."""
        return self.address.startswith("/live/")

    def of(self, names: Mapping[str, str]) -> str:
        """Return the address for one event; `names` are its event_id, slug and plan."""
        return self.address.format_map(names)


# What browsers ask for and how they accept it: for a first sale, and so that nothing of it is left out of any.
USUAL: Final = (
    Asked("/e/{slug}/", "br", [60]),
    Asked("/e/{slug}/", "gzip", [5]),
    Asked("/e/{slug}/", "", [1]),
    Asked("/plans/{plan}", "br", [30]),
    Asked("/plans/{plan}", "gzip", [3]),
    Asked(SEATS, "br", [200]),
    Asked(SEATS, "gzip", [20]),
    Asked("/live/events/{event_id}/me", "", [30]),
    Asked("/", "br", [10]),
    Asked("/", "gzip", [1]),
)


def latest(*, like: Event | None = None) -> list[Asked]:
    """Return the shape of the latest recorded sale, or of the event `like`; what is usual and not in it comes last."""
    shapes = TrafficShape.objects.filter(event=like) if like else TrafficShape.objects.order_by("-opened_at")
    rows = shapes.values_list("rows", flat=True).first() or []
    found = [Asked(*row) for row in rows]
    known = {(asked.address, asked.encoding) for asked in found}
    return found + [asked for asked in USUAL if (asked.address, asked.encoding) not in known]


def store(event: Event, opened_at: datetime, shape: list[Asked]) -> None:
    """Keep the shape of an event's sale; a second record of the same sale replaces the first."""
    rows = [astuple(asked) for asked in shape]
    TrafficShape.objects.update_or_create(event=event, defaults={"opened_at": opened_at, "rows": rows})
