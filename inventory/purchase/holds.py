"""Holding seats: picked on the map, or the best that fit; and more time for them, once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.db import OperationalError, transaction
from psycopg.errors import LockNotAvailable

from config.ids import new_id
from events.models import Event, PresaleCode, SaleWindow
from inventory import audit
from inventory.models import FanLimit, Hold
from inventory.purchase import statements
from inventory.purchase.held import CommitWith, Held, check_live, event_of, held_seats, live_hold
from inventory.purchase.pictures import allowed_mask, fresh_picture, near_picture, nearest_groups, refuse_by_picture
from inventory.purchase.refusals import (
    AlreadyExtended,
    EventUnknown,
    HoldExpired,
    LimitReached,
    NoSeatsNamed,
    NoSeatsTogether,
    PaymentRunning,
    PresaleCodeInvalid,
    PresaleCodeNeeded,
    SaleClosed,
    SeatOutOfRange,
    SeatsRepeated,
    SeatsTaken,
    SectionUnknown,
    TooManySeats,
)
from inventory.purchase.releases import end_holds
from inventory.purchase.turns import HELD, Turn, lock_live_seats, move_seats, take_turn, tell_after_commit
from seating.adjacency import best_groups, free_mask
from seating.plans import plan as plan_of

MAX_SEATS_NAMED = 50
BEST_LOOKS = 3  # Fresh pictures after the near one: in a rush each is old when its groups are tried.
BEST_TRIES = 8  # Groups tried under one turn: enough to step aside for a crowd, few enough to end in milliseconds.

P = ParamSpec("P")
R = TypeVar("R")


def hold_seats(
    *, event_id: UUID, fan: str, indexes: Sequence[int], presale_code: str = "", commit_with: CommitWith = None
) -> Held:
    """Hold exactly these seats for the fan, all or none, and return everything he now holds at the event.

    Seats are added to his live hold, whose clock goes on; without one a new clock starts. Seats he has are no error.
    Of many fans after the same seats one wins and the others are told at once: `SeatsTaken`, with alternatives from
    this process's own picture of the hall. Also refuses by `EventUnknown`, `SaleClosed`, `PresaleCodeNeeded`,
    `PresaleCodeInvalid`, `LimitReached`, `PaymentRunning`, `SeatOutOfRange`, `SeatsRepeated`, `TooManySeats`.
    """
    _check_named(indexes)
    try:
        refuse_by_picture(event_id, indexes)
        return _hold_picked(event_id, fan, indexes, presale_code, commit_with)
    except SeatsTaken as refusal:
        refusal.extra["alternatives"] = nearest_groups(event_id, indexes, refusal.extra["taken"])
        raise


def hold_best(
    *,
    event_id: UUID,
    fan: str,
    quantity: int,
    max_amount: int | None = None,
    tiers: Iterable[int] | None = None,
    section: int | None = None,
    accessible: bool = False,
    presale_code: str = "",
    commit_with: CommitWith = None,
) -> Held:
    """Hold the best `quantity` places next to each other that fit, and return everything the fan now holds.

    Candidates come from this process's picture of the hall, shuffled among equals; what somebody else is deciding about
    is passed over. If all of them are gone the picture is read afresh from Postgres, a few times, before
    `NoSeatsTogether`. In a standing section any places will do. `max_amount` is minor units a place, `tiers` are tier
    numbers, `section` is a position in the plan. Refuses as `hold_seats` does, and by `SectionUnknown`.
    """
    if quantity > MAX_SEATS_NAMED:
        raise TooManySeats(MAX_SEATS_NAMED)
    if quantity < 1:
        raise NoSeatsNamed
    known = Event.objects.select_related("plan").defer("search", "plan__body", "plan__guids")
    event = known.filter(id=event_id).exclude(status=Event.Status.DRAFT).first()
    if event is None:
        raise EventUnknown
    plan = plan_of(event.plan.content_hash)
    if section is not None and not 0 <= section < len(plan.sections):
        raise SectionUnknown(section, len(plan.sections))
    allowed = allowed_mask(event, plan, max_amount, tiers)
    any_will_do = plan.sections[section].is_standing if section is not None else False

    for picture in (near_picture, *[fresh_picture] * BEST_LOOKS):
        free = free_mask(picture(event_id), plan.seat_count)
        if len(free) < plan.seat_count:
            continue
        groups = best_groups(
            plan, free, quantity, allowed=allowed, section=section, accessible=accessible, limit=BEST_TRIES
        )
        candidates = [sorted({index for group in groups for index in group})] if any_will_do and groups else groups
        held = _hold_first(
            event_id=event_id,
            fan=fan,
            groups=candidates,
            quantity=quantity,
            presale_code=presale_code,
            commit_with=commit_with,
        )
        if held is not None:
            return held
    raise NoSeatsTogether(quantity)


def extend_hold(*, hold_id: UUID, fan: str, commit_with: CommitWith = None) -> Held:
    """Prolong the hold by the event's `extend_seconds`, once, and return it.

    Refuses by `HoldUnknown`, `HoldExpired`, `AlreadyExtended` and `PaymentRunning`. A hold whose time has passed is not
    prolonged even if nobody has taken its seats.
    """
    event_id = event_of(hold_id, fan)
    with transaction.atomic(durable=True):
        turn = take_turn(event_id=event_id, fan=fan, actor=f"fan:{fan}", lazy=True)
        hold = Hold.objects.get(id=hold_id)
        check_live(hold, turn.now)
        if hold.state == Hold.State.PAYING:
            raise PaymentRunning
        if hold.extended:
            raise AlreadyExtended
        lock_live_seats(hold)
        hold.expires_at += timedelta(seconds=turn.extend_seconds)
        hold.extended = True
        move_seats(event_id, hold.seats, edge=(HELD, HELD), hold=(hold.id, hold.id), held_until=hold.expires_at)
        hold.save(update_fields=["expires_at", "extended"])
        audit.record(actor=f"fan:{fan}", action="hold.extended", subject=hold.id, event_id=event_id)
        held = live_hold(event_id=event_id, fan=fan)
        if held is None:
            raise HoldExpired
        if commit_with:
            commit_with(held)
        tell_after_commit(event_id, fan, is_own_request=True)
        return held


class _OwnHoldOver(Exception):
    """The fan's own hold ran out unswept and stands in the way of a new one: a fan has one live hold an event."""

    def __init__(self, hold_id: UUID) -> None:
        super().__init__(hold_id)
        self.hold_id = hold_id


@dataclass(frozen=True, slots=True)
class _Claim:
    """What claim.sql found and did."""

    quantity: int
    is_granted: bool
    hold: UUID
    mine_state: str | None
    mine_is_over: bool | None
    held: int
    owned: int
    until: datetime
    extended: bool
    at: datetime
    usable: int
    fresh: list[int]
    taken: list[int]
    moved: int
    kept: int
    seats: list[list[int]] | None

    @property
    def is_complete(self) -> bool:
        """Whether as many seats as asked for can be had."""
        return self.usable == self.quantity


def _claim(turn: Turn, sql: str, indexes: Sequence[int], quantity: int) -> _Claim:
    """Run the claim under the fan's turn; a claim that is not granted comes back only for want of seats."""
    parameters: dict[str, Any] = {
        "event": turn.event_id,
        "fan": turn.fan,
        "indexes": list(indexes),
        "quantity": quantity,
        "new_hold": new_id(),
        "hold_seconds": turn.hold_seconds,
        "max_per_fan": turn.max_per_fan,
    }
    claim = _Claim(quantity, *_claim_row(sql, parameters))
    if claim.mine_is_over:
        raise _OwnHoldOver(claim.hold)
    if claim.mine_state == Hold.State.PAYING:
        raise PaymentRunning
    if claim.is_granted:
        # The second wall, behind the row lock: what was judged free must be what was moved.
        if claim.moved != len(claim.fresh) or claim.kept != 1:
            raise RuntimeError(f"{claim.moved} of {len(claim.fresh)} seats of {turn.event_id} claimed.")
    elif claim.is_complete:
        raise LimitReached(turn.max_per_fan, claim.held + claim.owned)
    return claim


def _claim_row(sql: str, parameters: dict[str, Any]) -> tuple[Any, ...]:
    try:
        return statements.rows(sql, parameters)[0]
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise SeatsTaken(parameters["indexes"]) from None
        raise


def _finish(turn: Turn, claim: _Claim, commit_with: CommitWith) -> Held:
    held = Held(
        hold_id=claim.hold,
        event_id=turn.event_id,
        seats=held_seats(claim.seats),
        expires_at=claim.until,
        extendable=not claim.extended,
        currency=turn.currency,
        at=claim.at,
    )
    if commit_with:
        commit_with(held)
    tell_after_commit(turn.event_id, turn.fan, is_own_request=True)
    return held


def _ending_own_hold(hold: Callable[P, R]) -> Callable[P, R]:
    """Run the transaction `hold` again after ending the fan's own hold, if that ran out and nobody has swept it.

    In a transaction of its own, because the old hold's seats and the new ones' would not be locked in one order.
    """

    @wraps(hold)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return hold(*args, **kwargs)
        except _OwnHoldOver as over:
            _end_own_hold(over.hold_id)
            return hold(*args, **kwargs)

    return run


def _end_own_hold(hold_id: UUID) -> None:
    hold = Hold.objects.get(id=hold_id)
    with transaction.atomic(durable=True):
        turn = take_turn(event_id=hold.event_id, fan=hold.fan, actor=f"fan:{hold.fan}", lazy=True)
        end_holds(list(Hold.objects.filter(id=hold_id, state__in=["live", "paying"], expires_at__lte=turn.now)))
        tell_after_commit(hold.event_id)


@_ending_own_hold
def _hold_picked(event_id: UUID, fan: str, indexes: Sequence[int], presale_code: str, commit_with: CommitWith) -> Held:
    """Hold exactly these seats, or raise and change nothing."""
    with transaction.atomic(durable=True):
        turn = take_turn(event_id=event_id, fan=fan, actor=f"fan:{fan}", lazy=True)
        _check_may_buy(turn, presale_code)
        _check_in_plan(indexes, turn.seat_count)
        claim = _claim(turn, statements.CLAIM_PICKED, indexes, len(indexes))
        if not claim.is_complete:
            raise SeatsTaken(claim.taken or indexes)
        return _finish(turn, claim, commit_with)


@_ending_own_hold
def _hold_first(
    *,
    event_id: UUID,
    fan: str,
    groups: Sequence[Sequence[int]],
    quantity: int,
    presale_code: str,
    commit_with: CommitWith,
) -> Held | None:
    """Hold the first of these groups that can be had as a whole; None, and nothing changed, if none can."""
    with transaction.atomic(durable=True):
        turn = take_turn(event_id=event_id, fan=fan, actor=f"fan:{fan}", lazy=True)
        _check_may_buy(turn, presale_code)
        for group in groups:
            claim = _claim(turn, statements.CLAIM_ANY, group, quantity)
            if claim.is_granted:
                return _finish(turn, claim, commit_with)
        transaction.set_rollback(True)
        return None


def _check_named(indexes: Sequence[int]) -> None:
    if not indexes:
        raise NoSeatsNamed
    if len(indexes) > MAX_SEATS_NAMED:
        raise TooManySeats(MAX_SEATS_NAMED)
    seen: set[int] = set()
    for index in indexes:
        if index in seen:
            raise SeatsRepeated(index)
        seen.add(index)


def _check_in_plan(indexes: Iterable[int], count: int) -> None:
    for index in indexes:
        if not 0 <= index < count:
            raise SeatOutOfRange(index, count)


def _check_may_buy(turn: Turn, presale_code: str) -> None:
    """Refuse unless the sale is open to this fan by the database's clock; in a presale, bind his code to him."""
    if turn.sale == "open" or (turn.sale == "presale" and turn.has_code):
        return
    if turn.sale == "draft":
        raise EventUnknown
    if turn.sale != "presale":
        raise SaleClosed(turn.sale)
    if not presale_code.strip():
        raise PresaleCodeNeeded
    # The row lock lets the fans with one code be counted one after the other.
    code = (
        PresaleCode.objects.select_for_update(of=("self",))
        .filter(
            window__event_id=turn.event_id,
            window__access=SaleWindow.Access.PRESALE,
            window__opens_at__lte=turn.now,
            window__closes_at__gt=turn.now,
            code=presale_code.strip(),
        )
        .order_by("id")
        .first()
    )
    if code is None:
        raise PresaleCodeInvalid("This code opens no presale of this event.")
    if FanLimit.objects.filter(presale_code=code).count() >= code.max_fans:
        raise PresaleCodeInvalid("This code has been used up.")
    FanLimit.objects.filter(id=turn.limit_id).update(presale_code=code)
