"""An order as its page and its owner's list show it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db.models import Count, Q
from django.utils import timezone

from inventory import links
from inventory.models import Order, OrderLine, Payment, Refund, Ticket
from inventory.tickets.codes import code_for
from inventory.tickets.entry import typed_code
from inventory.tickets.pdf import qr_data_uri
from seating.plans import plan as plan_of


@dataclass(frozen=True)
class Held:
    """One place of an order and the ticket to it, where there is one; `qr` is an image address, empty unless live."""

    line: OrderLine
    state: str
    entrance: str = ""
    qr: str = ""
    typed: str = ""
    ticket: Ticket | None = None

    @property
    def price(self) -> int:
        """What was paid for it, fee included."""
        return self.line.amount + self.line.fee


@dataclass(frozen=True)
class OrderPage:
    """An order with its places, its newest payment and what has been given back."""

    order: Order
    places: tuple[Held, ...]
    payment: Payment | None
    refunds: tuple[Refund, ...]

    @property
    def has_tickets(self) -> bool:
        """Whether there is a ticket to print."""
        return any(place.qr for place in self.places)

    @property
    def refunded(self) -> int:
        """The amount given back or on its way, in minor units."""
        return sum(refund.amount for refund in self.refunds if refund.state != Refund.State.FAILED)

    @property
    def is_lost(self) -> bool:
        """Whether the money came too late: the seats were gone, and it was let go or is given back."""
        ended = self.order.paid_at is None and self.order.state in (Order.State.EXPIRED, Order.State.REFUNDED)
        return ended and self.payment is not None and (self.payment.state == Payment.State.VOIDED or bool(self.refunds))


def order_page(order_id: UUID) -> OrderPage:
    """Return everything the order's page shows; `Order.DoesNotExist` if there is none."""
    order = Order.objects.select_related("event__venue", "event__organizer", "event__plan").get(id=order_id)
    lines = list(order.lines.order_by("index"))
    tickets = {t.line_id: t for t in Ticket.objects.filter(line__order=order).select_related("line__order", "used_by")}
    positions = {line_id: n for n, line_id in enumerate((line.pk for line in lines if line.pk in tickets), 1)}
    plan = plan_of(order.event.plan.content_hash)
    places = []
    for line in lines:
        ticket = tickets.get(line.pk)
        entrance = plan.sections[plan.section_of(line.index)].entrance
        if ticket is None:
            places.append(Held(line, "pending", entrance))
        elif ticket.state == Ticket.State.VOID:
            places.append(Held(line, "refunded", entrance, ticket=ticket))
        else:
            code = code_for(event_id=order.event.pk, ticket_id=ticket.pk, serial=ticket.serial)
            typed = typed_code(ticket, positions[line.pk])
            places.append(Held(line, ticket.state, entrance, qr_data_uri(code), typed, ticket))
    return OrderPage(
        order=order,
        places=tuple(places),
        payment=order.payments.order_by("-created_at", "-id").first(),
        refunds=tuple(Refund.objects.filter(payment__order=order).order_by("created_at")),
    )


@dataclass(frozen=True)
class OwnOrder:
    """One line of "my tickets"."""

    order: Order
    url: str
    places: int
    is_past: bool


def own_orders(*, fan: str, user: Any) -> list[OwnOrder]:
    """Return the orders of this browser and, signed in, of the account and of its verified addresses; soonest first.

    An address counts only once it is verified: else anybody could read another person's tickets by signing up with it.
    """
    mine = Q(fan=fan)
    if user.is_authenticated:
        verified = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
        mine |= Q(user=user) | Q(email__in=[address for email in verified for address in {email, email.lower()}])
    shown = (Order.State.PAID, Order.State.REFUNDED, Order.State.PENDING)
    orders = (
        Order.objects.filter(mine, state__in=shown)
        .select_related("event__venue")
        .annotate(places=Count("lines"))
        .order_by("event__starts_at", "-created_at")
    )
    now = timezone.now()
    return [
        OwnOrder(order, links.order_path(order.pk), order.places, (order.event.ends_at or order.event.starts_at) < now)
        for order in orders[:200]
    ]
