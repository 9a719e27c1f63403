"""From hold to ticket as a fan's browser walks it: checkout, payment page, return, order, my tickets."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from inventory import fan as fans
from inventory import links, purchase
from inventory.messages import dispatch_due
from inventory.models import Hold, Order, Payment, SandboxCharge
from inventory.payments import process
from inventory.payments.sandbox import book
from inventory.payments.sandbox.cards import BY_NUMBER
from tests import factories
from tests.inventory.box_office import run_out, states
from tests.inventory.sales import POOR, SLOW, SUCCESS, TIME_OUT, buy, make_sale, place, use_card

pytestmark = pytest.mark.django_db

BUYER = {"name": "Ada Lovelace", "email": "ada@example.org", "action": "pay"}


@pytest.fixture
def event():
    return make_sale(name="Nocturne", slug="nocturne")


@pytest.fixture
def fan(client):
    """Return the fan whose cookie the client carries."""
    found = fans.new_fan()
    client.cookies["fan"] = fans.sign(found)
    return found


@pytest.fixture
def held(event, fan):
    return purchase.hold_seats(event_id=event.pk, fan=fan, indexes=[12, 13])


def pay(client, held, card: str, **changed) -> str:
    """Post the checkout form, use a card at the provider and return where the buyer is sent back to."""
    answer = client.post("/checkout/nocturne/", BUYER | {"hold": str(held.hold_id)} | changed)
    assert answer.status_code == 303
    charge = SandboxCharge.objects.get(id=re.search(r"/sandbox/pay/([^/]+)/", answer["Location"])[1])
    book.pay(charge_id=charge.id, card=BY_NUMBER[card])
    return charge.return_url.removeprefix("http://testserver")


def words(response) -> str:
    return response.content.decode()


def test_checkout_shows_places_fees_total_and_the_clock(client, held):
    page = words(client.get("/checkout/nocturne/"))
    for text in ("Stalls, row B, seat 3", "Stalls, row B, seat 4", "€90.00", "€10.00", "€190.00", "Pay €190.00"):
        assert text in page
    assert f'data-expires="{int(held.expires_at.timestamp() * 1000)}"' in page
    assert str(held.hold_id) in page


def test_checkout_belongs_to_its_fan(client, held):
    assert "Stalls, row B" in words(client.get("/checkout/nocturne/"))
    stranger = Client()
    answer = stranger.get("/checkout/nocturne/")
    assert answer.status_code == 410
    assert "Stalls, row B" not in words(answer)
    assert fans.read(stranger.cookies["fan"].value) is not None
    stolen = stranger.post("/checkout/nocturne/", BUYER | {"hold": str(held.hold_id)})
    assert stolen.status_code == 410
    assert not Order.objects.exists()


def test_a_tampered_cookie_is_nobody(client, held, fan):
    client.cookies["fan"] = fans.sign(fan)[:-1] + "!"
    assert client.get("/checkout/nocturne/").status_code == 410


def test_checkout_is_in_no_cache(client, held):
    answer = client.get("/checkout/nocturne/")
    assert answer["Cache-Control"] == "private, no-store"
    assert "Cookie" in answer["Vary"]


def test_checkout_says_what_is_wrong_and_loses_nothing(client, event, held):
    answer = client.post(
        "/checkout/nocturne/", {"hold": str(held.hold_id), "action": "pay", "name": "Ada", "email": "ada@"}
    )
    page = words(answer)
    assert answer.status_code == 422
    assert "This does not look like an e-mail address" in page
    assert 'value="Ada"' in page
    assert 'value="ada@"' in page
    assert not Order.objects.exists()
    assert states(event, 12, 13) == [1, 1]


@pytest.mark.parametrize("hold", ["", "x", "01a1fd94-0000-7000-8000-000000000001", "\x00"])
def test_a_hold_that_is_not_ones_own_leads_to_the_way_back(client, held, hold):
    answer = client.post("/checkout/nocturne/", BUYER | {"hold": hold})
    assert answer.status_code == 410
    assert "Choose again" in words(answer)
    assert not Order.objects.exists()


def test_an_expired_hold_leads_to_the_way_back(client, event, held):
    run_out(held.hold_id)
    for answer in (
        client.get("/checkout/nocturne/"),
        client.post("/checkout/nocturne/", BUYER | {"hold": str(held.hold_id)}),
    ):
        assert answer.status_code == 410
        assert "Choose again" in words(answer)
        assert "/e/nocturne/" in words(answer)
    assert not Order.objects.exists()


def test_paying_leads_to_the_order_and_its_tickets(client, event, held):
    back = pay(client, held, SUCCESS)
    answer = client.get(back)
    order = Order.objects.get()
    signed = links.sign_order(order.pk)
    assert (answer.status_code, answer["Location"]) == (302, f"/orders/{signed}/?new=1")
    page = words(client.get(answer["Location"]))
    assert "You are going!" in page
    assert order.reference in page
    assert page.count("data:image/svg+xml") == 2
    pdf = client.get(f"/orders/{signed}/tickets.pdf")
    assert pdf["Content-Type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-")
    assert states(event, 12, 13) == [3, 3]


def test_a_double_click_two_tabs_and_the_back_button_are_one_order(client, held):
    answers = {client.post("/checkout/nocturne/", BUYER | {"hold": str(held.hold_id)})["Location"] for _ in range(5)}
    assert len(answers) == 1
    assert (Order.objects.count(), Payment.objects.count(), SandboxCharge.objects.count()) == (1, 1, 1)
    client.get(pay(client, held, SUCCESS))
    again = client.post("/checkout/nocturne/", BUYER | {"hold": str(held.hold_id)})
    assert again.status_code == 410
    assert "Your tickets" in words(again)
    assert Order.objects.count() == 1


def test_a_declined_card_leads_back_with_the_reason_and_the_seats(client, event, held):
    back = pay(client, held, POOR)
    answer = client.get(back)
    assert answer["Location"] == "/checkout/nocturne/"
    page = words(client.get(answer["Location"]))
    assert "The payment did not go through: Insufficient funds." in page
    assert 'value="ada@example.org"' in page
    assert states(event, 12, 13) == [1, 1]
    assert "/orders/" in client.get(pay(client, held, SUCCESS))["Location"]
    assert Order.objects.get().state == "paid"


def test_a_slow_bank_is_waited_for_with_and_without_scripts(client, held):
    back = pay(client, held, SLOW)
    page = client.get(back)
    assert page.status_code == 200
    assert '<noscript><meta http-equiv="refresh"' in words(page)
    assert client.get(f"{back}?poll=1").json() == {"url": ""}
    SandboxCharge.objects.update(ready_at=timezone.now() - timedelta(seconds=1))
    assert client.get(f"{back}?poll=1").json()["url"].endswith("/?new=1")


def test_the_time_out_card_is_waited_for_and_then_paid(client, held):
    back = pay(client, held, TIME_OUT)
    assert client.get(back).status_code == 200
    assert client.get(back).status_code == 302
    assert Order.objects.get().state == "paid"
    assert SandboxCharge.objects.get().state == "captured"


def test_a_provider_that_does_not_answer_is_told_and_nothing_is_lost(client, event, held, monkeypatch):
    def unreachable(**_: object) -> str:
        raise process.GatewayUnreachable

    monkeypatch.setattr(process, "open_payment", unreachable)
    answer = client.post("/checkout/nocturne/", BUYER | {"hold": str(held.hold_id)})
    assert answer.status_code == 503
    assert "The payment provider does not answer." in words(answer)
    monkeypatch.undo()
    assert "/orders/" in client.get(pay(client, held, SUCCESS))["Location"]


def test_extend_once_and_let_go(client, event, held):
    form = {"hold": str(held.hold_id), "action": "extend", "key": "one"}
    assert client.post("/checkout/nocturne/", form)["Location"] == "/checkout/nocturne/"
    longer = Hold.objects.get().expires_at
    assert longer - held.expires_at == timedelta(seconds=event.extend_seconds)
    assert client.post("/checkout/nocturne/", form).status_code == 302, "a double click"
    again = client.post("/checkout/nocturne/", form | {"key": "two"})
    assert again.status_code == 409
    assert Hold.objects.get().expires_at == longer
    assert client.post("/checkout/nocturne/", form | {"action": "release"})["Location"] == "/e/nocturne/"
    assert states(event, 12, 13) == [0, 0]


def test_forms_want_a_csrf_token(held, client):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies["fan"] = client.cookies["fan"].value
    assert strict.post("/checkout/nocturne/", BUYER | {"hold": str(held.hold_id)}).status_code == 403
    assert not Order.objects.exists()


def test_drafts_and_unknown_events_have_no_checkout(client, fan):
    make_sale(slug="secret", status="draft")
    assert client.get("/checkout/secret/").status_code == 404
    assert client.get("/checkout/nothing/").status_code == 404


def test_what_costs_nothing_needs_no_payment_page(client, fan):
    free = make_sale(slug="free", fee_basis_points=0, fee_fixed=0, tiers=[("Stalls", 0), ("Balcony", 0)])
    held = purchase.hold_seats(event_id=free.pk, fan=fan, indexes=[3])
    assert "Get the ticket" in words(client.get("/checkout/free/"))
    answer = client.post("/checkout/free/", BUYER | {"hold": str(held.hold_id)}, follow=True)
    assert "You are going!" in words(answer)
    assert [(p.state, p.gateway, p.amount) for p in Payment.objects.all()] == [("captured", "free", 0)]
    assert not SandboxCharge.objects.exists()
    purchase.refund_order(order_id=Order.objects.get().pk, reason="Ill", actor="staff:1")
    while dispatch_due():
        pass
    assert Order.objects.get().state == "refunded"
    assert states(free, 3) == [0]


def test_a_signed_in_buyer_is_filled_in_and_owns_the_order(client, event, held):
    user = factories.make_member(event.organizer, username="grace", email="grace@example.org", first_name="Grace")
    client.force_login(user)
    page = words(client.get("/checkout/nocturne/"))
    assert 'value="Grace"' in page
    assert 'value="grace@example.org"' in page
    client.get(pay(client, held, SUCCESS))
    assert Order.objects.get().user == user


@pytest.mark.parametrize("path", ["orders/{}/", "orders/{}/tickets.pdf", "checkout/return/{}/"])
def test_an_order_is_not_found_without_its_signature(client, event, path):
    order = buy(event, [12])
    good = links.sign_order(order.pk)
    assert client.get("/" + path.format(good)).status_code in (200, 302)
    for forged in (good[:-1] + ("A" if good[-1] != "A" else "B"), str(order.pk), order.reference):
        assert client.get("/" + path.format(forged)).status_code == 404


def test_the_order_page_tells_each_state(client, event):
    signed = {}
    pending = place(event, [0])
    signed["pending"] = (pending.order, "Waiting for your payment")
    cancelled = place(event, [20])
    purchase.cancel_order(order_id=cancelled.order.pk, actor="fan:x")
    signed["cancelled"] = (cancelled.order, "This order was cancelled before it was paid")
    refunded = buy(event, [30])
    purchase.refund_order(order_id=refunded.pk, reason="Ill", actor="staff:1")
    while dispatch_due():
        pass
    signed["refunded"] = (refunded, "€95.00 has been sent back")
    lost = place(event, [10])
    use_card(lost.payment, SUCCESS)
    run_out(lost.order.hold_id)
    purchase.expire_holds()
    buy(event, [10])
    process.settle(lost.payment.pk)
    signed["lost"] = (lost.order, "Your seats were gone")
    for order, text in signed.values():
        page = words(client.get(links.order_path(order.pk)))
        assert text in page
        assert "Tickets as PDF" not in page
        answer = client.get(links.order_path(order.pk) + "tickets.pdf")
        assert answer.status_code == 302


def test_resending_sends_once_a_minute(client, event, fan):
    order = buy(event, [12])
    path = links.order_path(order.pk)
    first = client.post(f"{path}resend/", follow=True)
    assert "on their way to ada@example.org" in words(first)
    second = client.post(f"{path}resend/", follow=True)
    assert "were sent a moment ago" in words(second)
    assert order.pk
    assert dispatch_due() == 2


def test_my_tickets_lists_the_browsers_own_orders(client, event, fan):
    assert "No tickets here yet" in words(client.get("/my/"))
    mine = buy(event, [12], fan=fan)
    other = buy(event, [20])
    page = words(client.get("/my/"))
    assert mine.reference in page
    assert other.reference not in page
