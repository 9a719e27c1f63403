"""Whether an event can be bought now: one pure rule, shared by pages, slots, the purchase and the back office."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from events.models import Event, SaleWindow

State = Literal["draft", "cancelled", "closed", "paused", "upcoming", "presale", "open"]


@dataclass(frozen=True, slots=True)
class SaleState:
    """What the sale is doing at one moment.

    `window` is the window that is open now, or else the next one to open; `opens_at` and `closes_at` are its.
    `public_opens_at` is when everybody may next begin to buy, while they may not (during a presale, or before).
    `changes_at` is the next moment at which the clock alone changes this answer.
    """

    state: State
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    window: SaleWindow | None = None
    public_opens_at: datetime | None = None
    changes_at: datetime | None = None

    @property
    def is_buyable(self) -> bool:
        """Whether a fan may hold seats now, in a presale with a code."""
        return self.state in ("open", "presale")


def sale_state(event: Event, now: datetime, windows: Iterable[SaleWindow] | None = None) -> SaleState:
    """Return the state of the event's sale at `now`; sold out is not told here, because stock decides it.

    A window is open from `opens_at` (included) to `closes_at` (excluded). Where windows overlap, one for everybody
    wins over a presale, then the one that closes last. An organiser's switch outranks the clock, except that a paused
    sale whose last window has passed is closed. `windows` saves the query where the caller has them already.
    """
    if event.status == Event.Status.DRAFT:
        return SaleState("draft")
    if event.status == Event.Status.CANCELLED:
        return SaleState("cancelled")
    if event.sale_switch == Event.SaleSwitch.CLOSED:
        return SaleState("closed")

    remaining = [w for w in (event.windows.all() if windows is None else windows) if w.closes_at > now]
    current = [w for w in remaining if w.opens_at <= now]
    coming = [w for w in remaining if w.opens_at > now]
    if not remaining:
        return SaleState("closed")

    state: State
    if current:
        window = max(current, key=lambda w: (_is_public(w), w.closes_at))
        state = "open" if _is_public(window) else "presale"
    else:
        window = min(coming, key=lambda w: (w.opens_at, not _is_public(w)))
        state = "upcoming"
    public_opens_at = min((w.opens_at for w in coming if _is_public(w)), default=None) if state != "open" else None
    boundaries = [w.closes_at for w in current] + [w.opens_at for w in coming]
    if event.sale_switch == Event.SaleSwitch.PAUSED:
        state = "paused"
        boundaries = [max(w.closes_at for w in remaining)]
    return SaleState(state, window.opens_at, window.closes_at, window, public_opens_at, min(boundaries))


def _is_public(window: SaleWindow) -> bool:
    return window.access == SaleWindow.Access.PUBLIC
