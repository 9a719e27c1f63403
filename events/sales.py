"""The verbs that move an event through its sale: publish, open, pause, resume, close, reopen, cancel, reschedule.

Each joins or opens one transaction, locks the event's row first, and commits its change or raises a refusal and changes
nothing. Stock, refunds and messages belong to upper floors: `inventory.boxoffice` wraps every verb and hands in
`record`, which writes the audit log in the same transaction.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from events import hidden
from events.models import Event, SaleWindow
from events.sale_state import State, sale_state
from events.tiers import pricing_faults

# Called with actor, action, subject, event_id, organizer_id and detail.
Record = Callable[..., Any]


class SaleRefusal(Exception):
    """A verb's answer when it changes nothing: `code` for programs, `detail` for people."""

    code = "sale_refused"
    status = 409

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class EventUnknown(SaleRefusal):
    """There is no such event."""

    code = "event_unknown"
    status = 404


class NotReady(SaleRefusal):
    """The event cannot be published yet; `reasons` are sentences an organiser can act on."""

    code = "event_not_ready"

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


class NotDraft(SaleRefusal):
    """The event is public already, or cancelled."""

    code = "event_not_draft"


class NotPublished(SaleRefusal):
    """The event is still a draft, or cancelled for good."""

    code = "event_not_published"


class SaleStands(SaleRefusal):
    """The sale is not in a state from which this step leads anywhere."""

    code = "sale_state_unfit"


class TimesImpossible(SaleRefusal):
    """The new times contradict each other or the clock."""

    code = "times_impossible"


def publish(*, event_id: UUID, actor: str, record: Record) -> Event:
    """Make a draft public; its stock must exist in the same transaction. Refuses: NotDraft, NotReady."""
    with transaction.atomic():
        event, now = _lock(event_id)
        if event.status != Event.Status.DRAFT:
            raise NotDraft(f"This event is already {event.get_status_display().lower()}.")
        if reasons := publishing_faults(event, now):
            raise NotReady(reasons)
        event.status = Event.Status.PUBLISHED
        event.save(update_fields=["status"])
        _tell(record, actor, "event.published", event)
        return event


def publishing_faults(event: Event, now: datetime) -> list[str]:
    """Return what still stands between a draft and its publication, one sentence each; empty when it is ready."""
    faults = pricing_faults(event.plan, list(event.tiers.all()))
    windows = list(event.windows.all())
    if event.starts_at <= now:
        faults.append("The show begins in the past: give it a date to come.")
    if event.plan.venue_id != event.venue_id:
        faults.append("The seating plan belongs to another venue: choose a plan of this venue.")
    if not windows:
        faults.append("There is no sale window: say from when to when tickets are sold.")
    elif all(w.closes_at <= now for w in windows):
        faults.append("Every sale window is over: let one close in the future.")
    return faults


def open_now(*, event_id: UUID, actor: str, record: Record) -> Event:
    """Let everybody buy from this moment: the next public window opens now, or a new one until the show begins.

    Refuses: NotPublished, SaleStands (already open, paused, closed, or the show has begun).
    """
    with transaction.atomic():
        event, now = _lock(event_id)
        state = _published_state(event, now)
        if state == "open":
            raise SaleStands("The sale is open already.")
        if event.sale_switch != Event.SaleSwitch.ON:
            raise SaleStands(f"The sale is {event.sale_switch}: {_way_back(event)} it first.")
        public = event.windows.filter(access=SaleWindow.Access.PUBLIC, opens_at__gt=now)
        window = public.order_by("opens_at").first()
        if window is None:
            if event.starts_at <= now:
                raise SaleStands("The show has begun: add a sale window by hand if tickets are still sold.")
            window = SaleWindow(event=event, closes_at=event.starts_at)
        before = window.opens_at.isoformat() if window.opens_at else None
        window.opens_at = now
        window.save()
        _tell(record, actor, "sale.opened", event, {"window": window.name, "opened_instead_of": before})
        return event


def pause(*, event_id: UUID, actor: str, record: Record) -> Event:
    """Stop new holds until `resume`; live holds and payments go on. Refuses: NotPublished, SaleStands."""
    with transaction.atomic():
        event, now = _lock(event_id)
        state = _published_state(event, now)
        if state not in ("open", "presale", "upcoming"):
            raise SaleStands(f"The sale is {state}: there is nothing to pause.")
        return _switch(event, Event.SaleSwitch.PAUSED, record, actor, "sale.paused")


def resume(*, event_id: UUID, actor: str, record: Record) -> Event:
    """Give a paused sale back to its windows. Refuses: NotPublished, SaleStands."""
    with transaction.atomic():
        event, now = _lock(event_id)
        _published_state(event, now)
        if event.sale_switch != Event.SaleSwitch.PAUSED:
            raise SaleStands("The sale is not paused.")
        return _switch(event, Event.SaleSwitch.ON, record, actor, "sale.resumed")


def close(*, event_id: UUID, actor: str, record: Record) -> Event:
    """End the sale whatever its windows say; live holds and payments go on. Refuses: NotPublished, SaleStands."""
    with transaction.atomic():
        event, now = _lock(event_id)
        _published_state(event, now)
        if event.sale_switch == Event.SaleSwitch.CLOSED:
            raise SaleStands("The sale is closed already.")
        return _switch(event, Event.SaleSwitch.CLOSED, record, actor, "sale.closed")


def reopen(*, event_id: UUID, actor: str, record: Record) -> Event:
    """Give a sale closed by hand back to its windows. Refuses: NotPublished, SaleStands."""
    with transaction.atomic():
        event, now = _lock(event_id)
        _published_state(event, now)
        if event.sale_switch != Event.SaleSwitch.CLOSED:
            raise SaleStands("The sale was not closed by hand.")
        return _switch(event, Event.SaleSwitch.ON, record, actor, "sale.reopened")


def cancel(*, event_id: UUID, actor: str, reason: str, record: Record) -> Event:
    """Call the show off for good and close its sale; refunds are the caller's. Refuses: NotPublished."""
    with transaction.atomic():
        event, _ = _lock(event_id)
        if event.status == Event.Status.CANCELLED:
            raise NotPublished("This event is cancelled already.")
        if event.status == Event.Status.DRAFT:
            raise NotPublished("A draft has no buyers: delete it instead.")
        event.status = Event.Status.CANCELLED
        event.sale_switch = Event.SaleSwitch.CLOSED
        event.save(update_fields=["status", "sale_switch"])
        hidden.hide_older(event_id)
        _tell(record, actor, "event.cancelled", event, {"reason": reason})
        return event


def reschedule(
    *,
    event_id: UUID,
    starts_at: datetime,
    doors_at: datetime | None = None,
    ends_at: datetime | None = None,
    actor: str,
    record: Record,
) -> Event:
    """Move the show to other times; sale windows that closed when it began close when it now begins.

    Refuses: NotPublished (cancelled), TimesImpossible.
    """
    with transaction.atomic():
        event, now = _lock(event_id)
        if event.status == Event.Status.CANCELLED:
            raise NotPublished("A cancelled event cannot be moved: create it anew.")
        if starts_at <= now:
            raise TimesImpossible("The new beginning is in the past.")
        if ends_at is not None and ends_at <= starts_at:
            raise TimesImpossible("The show must end after it begins.")
        if doors_at is not None and doors_at > starts_at:
            raise TimesImpossible("The doors must open before the show begins.")
        following = event.windows.filter(closes_at=event.starts_at)
        if following.filter(opens_at__gte=starts_at).exists():
            raise TimesImpossible("A sale window would open after the show has begun: change the window first.")
        before = event.starts_at
        following.update(closes_at=starts_at)
        event.starts_at, event.doors_at, event.ends_at = starts_at, doors_at, ends_at
        event.save(update_fields=["starts_at", "doors_at", "ends_at"])
        hidden.hide_older(event_id)
        moved = {"from": before.isoformat(), "to": starts_at.isoformat()}
        _tell(record, actor, "event.rescheduled", event, moved)
        return event


def _lock(event_id: UUID) -> tuple[Event, datetime]:
    """Lock the event's row, so that two clicks come one after the other; return it with the time of Postgres."""
    rows = Event.objects.select_for_update(of=("self",)).select_related("organizer", "plan")
    event = rows.annotate(clock=Now()).filter(pk=event_id).first()
    if event is None:
        raise EventUnknown("There is no such event.")
    return event, event.clock


def _published_state(event: Event, now: datetime) -> State:
    if event.status != Event.Status.PUBLISHED:
        raise NotPublished(f"This event is {event.get_status_display().lower()}: there is no sale to change.")
    return sale_state(event, now).state


def _switch(event: Event, switch: Event.SaleSwitch, record: Record, actor: str, action: str) -> Event:
    event.sale_switch = switch
    event.save(update_fields=["sale_switch"])
    _tell(record, actor, action, event)
    return event


def _way_back(event: Event) -> str:
    return "resume" if event.sale_switch == Event.SaleSwitch.PAUSED else "reopen"


def _tell(record: Record, actor: str, action: str, event: Event, detail: dict[str, Any] | None = None) -> None:
    record(
        actor=actor,
        action=action,
        subject=str(event.pk),
        event_id=event.pk,
        organizer_id=event.organizer_id,
        detail=detail,
    )
