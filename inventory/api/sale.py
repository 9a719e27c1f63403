"""Holding, letting go, prolonging and ordering."""

from typing import Any
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse
from ninja import Router

from inventory import fan_state, purchase
from inventory.api.requests import answer_once, fan_request, signed_in_user
from inventory.api.schemas import HoldIn, HoldOut, OrderIn, PlacedOut, ProblemOut, ReleasedOut, ReleaseIn
from inventory.idempotency import Answer, Keep
from inventory.links import order_path
from inventory.payments import process

router = Router(auth=fan_request, tags=["sale"])

REFUSALS = {400: ProblemOut, 403: ProblemOut, 404: ProblemOut, 409: ProblemOut, 422: ProblemOut, 503: ProblemOut}


@router.post("/events/{event_id}/holds", response={201: HoldOut, **REFUSALS})
def hold(request: HttpRequest, event_id: UUID, body: HoldIn) -> HttpResponse:
    """Hold places: picked seats, the best that fit, or standing places; all of them or none.

    They are added to the fan's live hold at the event, whose clock goes on. `seats_taken` names the seats that are gone
    (`taken`) and up to three groups as good (`alternatives`).
    """
    fan: str = request.auth  # type: ignore[attr-defined]

    def act(keep: Keep) -> Answer:
        def keep_held(held: purchase.Held | None) -> None:
            keep(Answer(201, orjson.dumps(hold_json(held))))

        wanted: dict[str, Any] = {
            "event_id": event_id,
            "fan": fan,
            "presale_code": body.presale_code,
            "commit_with": keep_held,
        }
        if body.seats is not None:
            purchase.hold_seats(indexes=body.seats, **wanted)
        elif body.best is not None:
            purchase.hold_best(**body.best.model_dump(), **wanted)
        elif body.standing is not None:
            purchase.hold_best(**body.standing.model_dump(), **wanted)
        return _kept(keep)

    return answer_once(request, "hold", act)


@router.post("/holds/{hold_id}/release", response={200: ReleasedOut, **REFUSALS})
def release(request: HttpRequest, hold_id: UUID, body: ReleaseIn | None = None) -> HttpResponse:
    """Let go of these seats of the hold, or of all of them; twice is as good as once."""
    seats = body.seats if body else None

    def act(keep: Keep) -> Answer:
        purchase.release_hold(
            hold_id=hold_id,
            fan=request.auth,  # type: ignore[attr-defined]
            indexes=seats,
            commit_with=lambda left: keep(Answer(200, orjson.dumps({"hold": hold_json(left)}))),
        )
        return _kept(keep)

    return answer_once(request, "release", act)


@router.post("/holds/{hold_id}/extend", response={200: HoldOut, 410: ProblemOut, **REFUSALS})
def extend(request: HttpRequest, hold_id: UUID) -> HttpResponse:
    """Prolong the hold, once."""

    def act(keep: Keep) -> Answer:
        purchase.extend_hold(
            hold_id=hold_id,
            fan=request.auth,  # type: ignore[attr-defined]
            commit_with=lambda held: keep(Answer(200, orjson.dumps(hold_json(held)))),
        )
        return _kept(keep)

    return answer_once(request, "extend", act)


@router.post("/orders", response={201: PlacedOut, 410: ProblemOut, **REFUSALS})
def order(request: HttpRequest, body: OrderIn) -> HttpResponse:
    """Order what is held, and get the page to pay it at; asked again it is the same order and the same payment."""

    def act(_keep: Keep) -> Answer:
        # The order belongs to its hold and the charge to its payment, so to repeat both is harmless; the answer is
        # stored when the provider has given its page.
        placed = purchase.place_order(
            hold_id=body.hold_id,
            fan=request.auth,  # type: ignore[attr-defined]
            name=body.name,
            email=body.email,
            user=signed_in_user(request),
        )
        site = f"{request.scheme}://{request.get_host()}"
        found = {
            "order_id": placed.order.id,
            "url": order_path(placed.order.id),
            "pay_url": process.open_payment(payment_id=placed.payment.id, site=site),
        }
        return Answer(201, orjson.dumps(found))

    return answer_once(request, "order", act)


def hold_json(held: purchase.Held | None) -> dict[str, object] | None:
    """Return a hold in the form of the fan's slot (R4), with its version."""
    if held is None:
        return None
    facts = {
        "id": held.hold_id,
        "expires_at": int(held.expires_at.timestamp() * 1000),
        "extendable": held.extendable,
    }
    seats = [(seat.index, seat.tier) for seat in held.seats]
    return {**fan_state.hold_json(held.event_id, facts, seats), "version": held.version}


def _kept(keep: Keep) -> Answer:
    if keep.answer is None:
        raise RuntimeError("The verb ended without its answer.")
    return keep.answer
