"""What the box office says no with: each refusal states a fact and changes nothing. `problems.py` maps them to HTTP."""

from collections.abc import Iterable
from typing import Any


class Refusal(Exception):
    """An answer of the box office: `code` for programs, `detail` for people, `extra` for whoever can use it.

    A verb that raises one has changed nothing.
    """

    code = "refused"
    status = 409
    title = "That is not possible"

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra: dict[str, Any] = extra


class EventUnknown(Refusal):
    """There is no such event, or not for the public."""

    code, status, title = "event_unknown", 404, "No such event"

    def __init__(self) -> None:
        super().__init__("There is no event with this id.")


class SaleClosed(Refusal):
    """Nothing can be bought now; `state` says which kind of now."""

    code, title = "sale_closed", "Not on sale"

    _details = {
        "cancelled": "This event has been cancelled.",
        "closed": "The sale for this event has ended.",
        "paused": "The sale is paused for a moment. What you hold stays yours until its time runs out.",
        "upcoming": "The sale for this event has not begun.",
        "presale": "Only fans with a presale code can buy now.",
    }

    def __init__(self, state: str) -> None:
        super().__init__(self._details[state], state=state)


class PresaleCodeNeeded(Refusal):
    """A presale is running, and this fan has given no code."""

    code, status, title = "presale_code_needed", 403, "Presale code needed"

    def __init__(self) -> None:
        super().__init__("Only fans with a presale code can buy now. Enter your code to go on.")


class PresaleCodeInvalid(Refusal):
    """The code opens none of the presales running now, or has been used by as many fans as it is for."""

    code, status, title = "presale_code_invalid", 403, "Presale code not valid"


class SeatsTaken(Refusal):
    """Somebody else has one of these seats; `alternatives` are up to three groups as good, as last seen."""

    code, title = "seats_taken", "Seats already taken"

    def __init__(self, taken: Iterable[int]) -> None:
        taken = sorted(taken)
        detail = "Somebody else was faster with these seats." if len(taken) > 1 else "Somebody else was faster."
        super().__init__(detail, taken=taken, alternatives=[])


class NoSeatsTogether(Refusal):
    """Nothing left fits what was asked for."""

    code, title = "no_seats_together", "Nothing left that fits"

    def __init__(self, quantity: int) -> None:
        super().__init__(
            f"There are no {quantity} places together that fit. Try fewer, or another price or area."
            if quantity > 1
            else "There is no place left that fits. Try another price or area."
        )


class LimitReached(Refusal):
    """The fan would hold and own more places than the event allows one person."""

    code, title = "limit_reached", "Ticket limit reached"

    def __init__(self, limit: int, used: int) -> None:
        detail = f"One person can have {limit} places at this event, and you have {used}."
        super().__init__(detail, limit=limit, used=used)


class SeatOutOfRange(Refusal):
    """A seat index that the event's plan does not have."""

    code, status, title = "seat_out_of_range", 422, "No such seat"

    def __init__(self, index: int, count: int) -> None:
        super().__init__(f"There is no seat {index}: this event has seats 0 to {count - 1}.", index=index, count=count)


class SeatsRepeated(Refusal):
    """The same seat twice in one request."""

    code, status, title = "seats_repeated", 422, "A seat twice"

    def __init__(self, index: int) -> None:
        super().__init__(f"Seat {index} is asked for more than once.", index=index)


class TooManySeats(Refusal):
    """More seats in one request than any request may name."""

    code, status, title = "too_many_seats", 422, "Too many seats at once"

    def __init__(self, limit: int) -> None:
        super().__init__(f"One request can name {limit} seats.", limit=limit)


class NoSeatsNamed(Refusal):
    """A request for nothing."""

    code, status, title = "invalid", 422, "No seats named"

    def __init__(self) -> None:
        super().__init__("Name at least one seat.", errors=[{"where": "body.seats", "what": "Name at least one seat."}])


class HoldUnknown(Refusal):
    """No hold of this fan has this id. Another fan's hold is as unknown as none."""

    code, status, title = "hold_unknown", 404, "No such hold"

    def __init__(self) -> None:
        super().__init__("You have no hold with this id.")


class HoldExpired(Refusal):
    """The hold has ended: its time ran out, or it was released or bought."""

    code, status, title = "hold_expired", 410, "Your hold has ended"

    def __init__(self) -> None:
        super().__init__("The time for these seats has run out. Choose again: they may still be free.")


class AlreadyExtended(Refusal):
    """A hold can be prolonged once."""

    code, title = "already_extended", "Already prolonged"

    def __init__(self) -> None:
        super().__init__("You have prolonged this hold already.")


class PaymentRunning(Refusal):
    """The seats are being paid for, so their number cannot change now."""

    code, title = "payment_running", "A payment is under way"

    def __init__(self) -> None:
        super().__init__("You are paying for these seats. Finish or cancel the payment first.")


class OrderUnknown(Refusal):
    """No order has this id."""

    code, status, title = "order_unknown", 404, "No such order"

    def __init__(self) -> None:
        super().__init__("There is no such order.")


class OrderNotPending(Refusal):
    """Only an order that waits for its payment can be cancelled; one that is paid is refunded."""

    code, title = "order_not_pending", "Not waiting for payment"

    def __init__(self, state: str) -> None:
        super().__init__(f"This order is {state}, so it cannot be cancelled.", state=state)


class OrderNotPaid(Refusal):
    """Nothing can be given back of an order that nobody has paid."""

    code, title = "order_not_paid", "Order not paid"

    def __init__(self, state: str) -> None:
        super().__init__(f"This order is {state}; only a paid order can be refunded.", state=state)


class AlreadyRefunded(Refusal):
    """The money for these places has been given back, or is on its way."""

    code, title = "already_refunded", "Already refunded"

    def __init__(self) -> None:
        super().__init__("These places have been refunded already.")


class SectionUnknown(Refusal):
    """A section that the event's plan does not have."""

    code, status, title = "invalid", 422, "No such section"

    def __init__(self, section: int, count: int) -> None:
        what = f"There is no section {section}: this event has sections 0 to {count - 1}."
        super().__init__(what, errors=[{"where": "body.section", "what": what}])
