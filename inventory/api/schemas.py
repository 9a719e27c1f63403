"""What goes in and out, as the documentation shows it. Whole numbers are JSON numbers: no strings, no booleans."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from ninja import Schema
from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)


def _without_nul(value: str) -> str:
    if "\x00" in value:
        raise ValueError("Leave out the NUL character.")
    return value


Count = Annotated[int, Field(strict=True, ge=1)]
Text = Annotated[StrictStr, AfterValidator(_without_nul)]  # Postgres stores every character but NUL.


class _In(Schema):
    # A member that means nothing here (a price, an owner) is refused, not ignored: the sender believes it does.
    model_config = ConfigDict(extra="forbid")


class Best(_In):
    """The best places next to each other that fit."""

    quantity: Count
    max_amount: Annotated[StrictInt, Field(ge=0)] | None = Field(None, description="Minor units a place.")
    tiers: list[StrictInt] | None = Field(None, max_length=50, description="Price tier numbers.")
    section: StrictInt | None = Field(None, description="The section's position in the plan.")
    accessible: StrictBool = False


class Standing(_In):
    """Places in a standing section."""

    section: StrictInt
    quantity: Count


class HoldIn(_In):
    """One of three ways to name places, and in a presale the code."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"seats": [12, 13]}]})

    seats: list[StrictInt] | None = Field(None, description="Seat indexes, up to 50.")
    best: Best | None = None
    standing: Standing | None = None
    presale_code: Annotated[Text, Field(max_length=40)] = ""

    @model_validator(mode="after")
    def _names_places_in_one_way(self) -> "HoldIn":
        if sum(way is not None for way in (self.seats, self.best, self.standing)) != 1:
            raise ValueError("Give exactly one of seats, best and standing.")
        return self


class ReleaseIn(_In):
    """Which seats to let go; all of them if null or left out."""

    seats: list[StrictInt] | None = Field(None, max_length=1000)


class OrderIn(_In):
    """Who buys what he holds."""

    hold_id: UUID
    name: Annotated[Text, Field(min_length=1, max_length=120)]
    email: Annotated[StrictStr, Field(max_length=254)]

    @field_validator("name", mode="before")
    @classmethod
    def _name_is_said(cls, value: Any) -> Any:
        return " ".join(value.split()) if isinstance(value, str) else value

    @field_validator("email")
    @classmethod
    def _email_can_be_written_to(cls, value: str) -> str:
        try:
            validate_email(value)
        except ValidationError:
            raise ValueError("Enter an e-mail address such as ada@example.org.") from None
        return value


class ScanIn(_In):
    """A ticket's code as scanned or typed at the door of an event."""

    event_id: UUID
    code: Annotated[Text, Field(min_length=1, max_length=1000)]


class EventsIn(Schema):
    """What the fan is looking for, and which page of it."""

    q: Annotated[Text, Field(max_length=100)] = ""
    city: Annotated[Text, Field(max_length=80)] = ""
    category: Annotated[Text, Field(max_length=10)] = ""
    page: Annotated[int, Field(ge=1, le=10_000)] = 1


class SeatOut(Schema):
    """One held place."""

    index: int
    section: str
    row: str
    number: str
    tier: int
    amount: int


class HoldOut(Schema):
    """What the fan holds at the event, all of it. `expires_at` is Unix time in ms by the server's clock."""

    id: UUID
    seats: list[SeatOut]
    expires_at: int
    extendable: bool
    total: int
    currency: str
    version: int


class ReleasedOut(Schema):
    """What is left of the hold, or null."""

    hold: HoldOut | None


class PlacedOut(Schema):
    """The order's page, and the page to pay it at."""

    order_id: UUID
    url: str
    pay_url: str


class ScanOut(Schema):
    """What the door says."""

    result: str
    detail: str
    seat: str
    tier: str
    name: str
    reference: str


class FanOut(Schema):
    """The token that every POST carries in `X-CSRF-Token`; it belongs to this browser's `fan` cookie."""

    csrf: str


class TierOut(Schema):
    """One price."""

    number: int
    name: str
    amount: int


class EventOut(Schema):
    """An event as the programme shows it, a second behind; amounts are minor units of `currency`."""

    id: UUID
    slug: str
    name: str
    subtitle: str
    category: str
    url: str
    venue: str
    city: str
    timezone: str
    starts_at: datetime
    state: str
    stock: Literal["none", "plenty", "few", "sold_out"]
    opens_at: datetime | None
    closes_at: datetime | None
    currency: str
    max_per_fan: int
    tiers: list[TierOut]


class EventsOut(Schema):
    """One page of the programme."""

    events: list[EventOut]
    count: int
    page: int
    pages: int


class LineOut(Schema):
    """One place of an order."""

    index: int
    section: str
    row: str
    number: str
    tier: str
    amount: int
    fee: int
    active: bool


class OrderOut(Schema):
    """An order as its buyer may see it."""

    id: UUID
    reference: str
    event_id: UUID
    state: str
    currency: str
    subtotal: int
    fees: int
    total: int
    created_at: datetime
    paid_at: datetime | None
    lines: list[LineOut]


class ProblemOut(Schema):
    """RFC 9457 problem details; `code` is for programs, and some codes bring members of their own."""

    type: str
    title: str
    status: int
    detail: str
    code: str
