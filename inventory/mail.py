"""Mail to buyers: what the outbox sends them, as text and as HTML in the look of the site.

Each function is a subscriber of the outbox: it reads the present state, renders, and hands the mail over, with no
database transaction open while the mail server takes its time. The Message-ID is made of the outbox message's id, so
that a mail sent again after a crash is the same mail to whoever receives it.
"""

from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from events import catalog
from events.calendar import event_calendar
from events.money import money
from inventory.links import order_path
from inventory.messages import Message
from inventory.models import Order, Refund
from inventory.tickets.pdf import NoTickets, tickets_pdf
from seating.plans import plan as plan_of


def send_tickets(message: Message) -> None:
    """Send an order's tickets to its buyer (order.paid, order.resend); nothing if none of them is live any more."""
    order = _order(message.payload["order"])
    try:
        pdf = tickets_pdf(order)
    except NoTickets:
        return
    subject = f"Your tickets for {order.event.name}"
    mail = _mail(message, order, "tickets", subject)
    mail.attach(f"tickets-{order.reference}.pdf", pdf, "application/pdf")
    mail.attach("event.ics", event_calendar(catalog.entry(order.event.slug, timezone.now())), "text/calendar")
    _send(mail)


def send_refund_notice(message: Message) -> None:
    """Tell a buyer that money has been given back (order.refunded)."""
    refund = Refund.objects.select_related("payment").get(id=message.payload["refund"])
    order = _order(refund.payment.order_id)
    subject = f"Your refund for {order.event.name}"
    amount = money(refund.amount, refund.currency)
    _send(_mail(message, order, "refunded", subject, refund=refund, amount=amount))


def send_loss_notice(message: Message) -> None:
    """Tell a buyer whose payment came too late that nothing was charged, and what is as good (order.lost)."""
    order = _order(message.payload["order"])
    plan = plan_of(order.event.plan.content_hash)
    groups = [[plan.place(index) for index in group] for group in message.payload["alternatives"]]
    _send(_mail(message, order, "lost", f"Your seats for {order.event.name} were gone", groups=groups))


def _order(order_id: Any) -> Order:
    return Order.objects.select_related("event__venue", "event__organizer", "event__plan").get(id=order_id)


def _mail(message: Message, order: Order, template: str, subject: str, **context: Any) -> EmailMultiAlternatives:
    context |= {
        "subject": subject,
        "order": order,
        "event": order.event,
        "lines": list(order.lines.all()),
        "order_url": settings.SITE_URL + order_path(order.pk),
        "site_url": settings.SITE_URL,
    }
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2]
    mail = EmailMultiAlternatives(
        subject="".join(subject.splitlines()),
        body=render_to_string(f"inventory/email/{template}.txt", context),
        to=[order.email],
        reply_to=[order.event.organizer.email] if order.event.organizer.email else None,
        headers={"Message-ID": f"<{message.id}@{domain}>", "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(render_to_string(f"inventory/email/{template}.html", context), "text/html")
    return mail


def _send(mail: EmailMultiAlternatives) -> None:
    with transaction.atomic(durable=True):
        pass  # RuntimeError inside a transaction: no row stays locked while a mail server takes its time.
    mail.send()
