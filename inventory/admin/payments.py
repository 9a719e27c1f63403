"""Payments and refunds: what the providers did. They can only be read."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from events.admin.filters import DaysFilter
from events.admin.scope import ScopedAdmin
from events.money import money
from inventory.models import Order, Payment, Refund


def order_link(order: Order) -> str:
    """Return a link to the order's page."""
    address = reverse("admin:inventory_order_change", args=[order.pk])
    return format_html('<a class="bo-link" href="{}">{}</a>', address, order.reference)


@admin.register(Payment)
class PaymentAdmin(ScopedAdmin):
    """Attempts to take money, of the user's organizers."""

    when_empty = "Payments appear here as soon as somebody pays."
    allows = ("view",)
    organizer_path = "order__organizer_id"
    list_display = ("created_at", "order_reference", "shown_amount", "shown_state", "gateway", "provider_id")
    list_select_related = ("order",)
    list_filter = (("state", ChoicesDropdownFilter), ("created_at", DaysFilter))
    search_fields = ("provider_id", "order__reference", "order__email")
    ordering = ("-created_at",)
    fields = (
        "order_reference",
        ("shown_amount", "shown_state"),
        ("gateway", "provider_id"),
        "reason",
        ("created_at", "captured_at"),
    )
    readonly_fields = ("order_reference", "shown_amount", "shown_state")

    @display(description="Order", ordering="order__reference")
    def order_reference(self, payment: Payment) -> str:
        return order_link(payment.order)

    @display(description="Amount", ordering="amount")
    def shown_amount(self, payment: Payment) -> str:
        return money(payment.amount, payment.currency)

    @display(
        description="State",
        ordering="state",
        label={"Captured": "success", "Failed": "danger", "Authorised": "info", "Started": "info", "Voided": "warning"},
    )
    def shown_state(self, payment: Payment) -> str:
        return payment.get_state_display()


@admin.register(Refund)
class RefundAdmin(ScopedAdmin):
    """Money on its way back, of the user's organizers."""

    when_empty = "Nothing was ever refunded. You refund on the page of an order."
    allows = ("view",)
    organizer_path = "payment__order__organizer_id"
    list_display = ("created_at", "order_reference", "shown_amount", "shown_state", "reason", "provider_id")
    list_select_related = ("payment__order",)
    list_filter = (("state", ChoicesDropdownFilter), ("created_at", DaysFilter))
    search_fields = ("provider_id", "payment__order__reference", "payment__order__email")
    ordering = ("-created_at",)
    fields = ("order_reference", "shown_amount", "shown_state", "reason", "provider_id", "created_at", "done_at")
    readonly_fields = ("order_reference", "shown_amount", "shown_state")

    @display(description="Order", ordering="payment__order__reference")
    def order_reference(self, refund: Refund) -> str:
        return order_link(refund.payment.order)

    @display(description="Amount", ordering="amount")
    def shown_amount(self, refund: Refund) -> str:
        return money(refund.amount, refund.currency)

    @display(description="State", ordering="state", label={"Done": "success", "Requested": "info", "Failed": "danger"})
    def shown_state(self, refund: Refund) -> str:
        return refund.get_state_display()
