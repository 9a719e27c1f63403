"""The sale: the only code that locks seats. Every verb is one transaction that commits its result, or refuses and
changes nothing.

The story, and where it is told:

1. A fan picks seats, or asks for the best that fit, and once for more time (`holds.py`): `hold_seats`, `hold_best`,
   `extend_hold`. He lets them go, or his time runs out (`releases.py`): `release_hold`, `expire_holds`.
2. He says who he is and wants to pay (`orders.py`): `place_order`, `cancel_order`.
3. The provider says what became of the money (`payments.py`): `begin_capture`, `confirm_payment`, `fail_payment`.
4. Money goes back, and the seats with it (`refunds.py`): `refund_order`, `settle_refund`.
5. Beside it the organiser takes seats off sale and puts them back (`blocks.py`): `block_seats`, `unblock_seats`.

Three walls stand between two buyers and one seat: the row lock, the conditional update whose row count is checked, and
a unique constraint on the active line of a seat. Locks are taken in one order, the fan's turn and then seats by index
(`turns.py`), in one statement a transaction; who picks seats never waits for them, and who waits holds only what comes
earlier in that order. All clocks are Postgres's. Nothing here knows HTTP or reaches over the network inside a
transaction; after the commit the relay is woken and the fan's own state brought up to date.
"""

from inventory.purchase.blocks import block_seats, unblock_seats
from inventory.purchase.held import CommitWith, Held, HeldSeat, live_hold
from inventory.purchase.holds import (
    MAX_SEATS_NAMED,
    extend_hold,
    hold_best,
    hold_seats,
)
from inventory.purchase.orders import Placed, cancel_order, place_order
from inventory.purchase.payments import Capture, begin_capture, confirm_payment, fail_payment
from inventory.purchase.pictures import nearest_groups
from inventory.purchase.refunds import refund_order, settle_refund
from inventory.purchase.refusals import (
    AlreadyExtended,
    AlreadyRefunded,
    EventUnknown,
    HoldExpired,
    HoldUnknown,
    LimitReached,
    NoSeatsNamed,
    NoSeatsTogether,
    OrderNotPaid,
    OrderNotPending,
    OrderUnknown,
    PaymentRunning,
    PresaleCodeInvalid,
    PresaleCodeNeeded,
    Refusal,
    SaleClosed,
    SeatOutOfRange,
    SeatsRepeated,
    SeatsTaken,
    SectionUnknown,
    TooManySeats,
)
from inventory.purchase.releases import expire_holds, release_hold

__all__ = [
    "MAX_SEATS_NAMED",
    "AlreadyExtended",
    "AlreadyRefunded",
    "Capture",
    "CommitWith",
    "EventUnknown",
    "Held",
    "HeldSeat",
    "HoldExpired",
    "HoldUnknown",
    "LimitReached",
    "NoSeatsNamed",
    "NoSeatsTogether",
    "OrderNotPaid",
    "OrderNotPending",
    "OrderUnknown",
    "PaymentRunning",
    "Placed",
    "PresaleCodeInvalid",
    "PresaleCodeNeeded",
    "Refusal",
    "SaleClosed",
    "SeatOutOfRange",
    "SeatsRepeated",
    "SeatsTaken",
    "SectionUnknown",
    "TooManySeats",
    "begin_capture",
    "block_seats",
    "cancel_order",
    "confirm_payment",
    "expire_holds",
    "extend_hold",
    "fail_payment",
    "hold_best",
    "hold_seats",
    "live_hold",
    "nearest_groups",
    "place_order",
    "refund_order",
    "release_hold",
    "settle_refund",
    "unblock_seats",
]
