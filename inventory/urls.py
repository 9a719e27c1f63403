"""Addresses of the `inventory` app."""

from django.urls import path

from inventory.api import api
from inventory.payments.sandbox import pages as sandbox
from inventory.views import checkout, choose, entry, orders, webhooks

urlpatterns = [
    path("api/v1/", api.urls),
    path("e/<slug:slug>/choose/", choose.choose, name="choose"),
    path("e/<slug:slug>/choose/<int:section>/", choose.choose_section, name="choose-section"),
    path("checkout/return/<str:signed>/", checkout.checkout_return, name="checkout-return"),
    path("checkout/<slug:slug>/", checkout.checkout, name="checkout"),
    path("orders/<str:signed>/", orders.order, name="order"),
    path("orders/<str:signed>/tickets.pdf", orders.order_tickets, name="order-tickets"),
    path("orders/<str:signed>/resend/", orders.order_resend, name="order-resend"),
    path("my/", orders.my_tickets, name="my-tickets"),
    path("entry/", entry.entry, name="entry"),
    path("entry/<uuid:event_id>/", entry.entry_event, name="entry-event"),
    path("sandbox/pay/<str:charge_id>/", sandbox.pay, name="sandbox-pay"),
    path("sandbox/pay/<str:charge_id>/challenge/", sandbox.challenge, name="sandbox-challenge"),
    path("webhooks/<slug:gateway>/", webhooks.webhook, name="webhook"),
]
