"""What can be turned while the site runs: a value each, within bounds, the same in every process within a second.

The truth is the table `config_knob` (an absent row means the default), edited in the back office;
`config/knob_board.py` carries it to every process. Reading a knob is reading an attribute: `knobs.seats_copies`.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Knob:
    """One knob: a whole number if its default is one. `help` says what turning it up does, and what it costs."""

    name: str
    label: str
    default: int | float
    low: int | float
    high: int | float
    unit: str
    help: str

    def read(self, text: str) -> int | float:
        """Return the value that `text` spells; ValueError, in a sentence, if it spells none or is out of bounds."""
        kind = type(self.default)
        try:
            value = kind(text)
        except ValueError:
            raise ValueError(f"This must be a {'whole ' if kind is int else ''}number.") from None
        if not self.low <= value <= self.high:
            raise ValueError(f"This must be between {self.low:g} and {self.high:g}.")
        return value


KNOBS = {
    knob.name: knob
    for knob in (
        Knob(
            "seats_copies", "Copies of a hot seat plane", settings.SEATS_COPIES, 1, 20, "copies",
            "How many Redis copies of each seat plane that people look at the relay writes. Each live process reads its"
            " own, so more copies spread the reads of one hot event over more shards of a cluster, and cost the relay"
            " that many writes a change.",
        ),
        Knob(
            "seats_lru_ms", "Memory of a live process", settings.SEATS_LRU_MS, 0, 2000, "ms",
            "For how long a live process answers from its own memory before it asks Redis. Longer spares Redis; polled"
            " seats may be that much older.",
        ),
        Knob(
            "relay_tick_ms", "Tick of the relay", settings.RELAY_TICK_MS, 20, 2000, "ms",
            "How often the relay looks for seat changes and sends at most one frame per event. Longer coalesces more"
            " changes into a frame and spares every browser and socket; maps move later.",
        ),
        Knob(
            "xfetch_beta", "Earliness of refreshes", 1.0, 0.1, 10.0, "",
            "How early shared values are made anew before they expire. 1 is optimal as a rule; more begins earlier,"
            " which costs more database reads and lets fewer readers wait.",
        ),
    )
}  # fmt: skip


class Knobs:
    """This process's values, one attribute a knob."""

    __slots__ = ("relay_tick_ms", "seats_copies", "seats_lru_ms", "xfetch_beta")

    seats_copies: int
    seats_lru_ms: int
    relay_tick_ms: int
    xfetch_beta: float

    def __init__(self) -> None:
        self.turn({})

    def turn(self, texts: Mapping[str, str]) -> None:
        """Take these values; a knob that is absent, or says nonsense, stands at its default."""
        for name, knob in KNOBS.items():
            value = knob.default
            if name in texts:
                try:
                    value = knob.read(texts[name])
                except ValueError as error:
                    log.warning("The knob %s stands at its default: %s", name, error)
            if getattr(self, name, None) != value:
                setattr(self, name, value)


knobs = Knobs()
