"""The events that are measured, by name; `children/world.py` makes them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Show:
    """An event as the measures need it."""

    id: str
    slug: str
    seats: int

    @property
    def path(self) -> str:
        """The address of its page."""
        return f"/e/{self.slug}/"

    @property
    def seats_path(self) -> str:
        """The address of its slot."""
        return f"/live/events/{self.id}/seats"

    @property
    def socket_path(self) -> str:
        """The address of its socket."""
        return f"/live/events/{self.id}/socket"


@dataclass(frozen=True)
class Recipe:
    """How many events of which hall, and which share of them is sold, seat by seat at random."""

    hall: str
    places: int
    sold: float = 0.0
    events: int = 1
    has_picture: bool = True


RECIPES = {
    "opening": Recipe("stadium", 60_000),
    "half": Recipe("stadium", 60_000, sold=0.5),
    "sale": Recipe("stadium", 60_000),
    "small": Recipe("theatre", 2_000),
    "large": Recipe("stadium", 120_000),
    "crowd": Recipe("theatre", 2_000, events=499, has_picture=False),
}
