"""The sandbox provider alone: its book, its keys, its signatures and its pages."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from inventory.models import SandboxCharge, SandboxRefund
from inventory.payments.gateway import GatewayRefused, GatewayUnreachable, WebhookRefused
from inventory.payments.sandbox import book
from inventory.payments.sandbox.cards import BY_NUMBER, CARDS, is_luhn_valid
from inventory.payments.sandbox.client import SandboxGateway
from inventory.payments.sandbox.signatures import NotSigned, check_signature, signature
from inventory.payments.sandbox.webhooks import webhook_body
from tests.inventory.sales import POOR, REPEATED, SECURE, SILENT, SLOW, SUCCESS, TIME_OUT

PAYMENT = UUID("01a1fd94-0000-7000-8000-000000000001")
SECRET = bytes(range(32))

pytestmark = pytest.mark.django_db


@pytest.fixture
def gateway():
    return SandboxGateway()


def start(gateway, *, amount=9500):
    return gateway.start(
        payment_id=PAYMENT,
        amount=amount,
        currency="EUR",
        description="Nocturne",
        return_url="http://localhost:8000/checkout/return/x/",
    )


def test_every_printed_card_has_a_valid_check_digit_and_its_own_ending():
    assert [card.number for card in CARDS if not is_luhn_valid(card.number)] == []
    assert len({card.last4 for card in CARDS}) == len(CARDS)
    assert not is_luhn_valid("4242424242424241")


def test_start_is_the_same_charge_however_often_it_is_called(gateway):
    first, second = start(gateway), start(gateway)
    assert first == second
    assert SandboxCharge.objects.count() == 1
    assert first.pay_url == f"http://localhost:8000/sandbox/pay/{first.provider_id}/"


def test_start_refuses_the_same_key_with_another_amount(gateway):
    start(gateway, amount=9500)
    with pytest.raises(GatewayRefused):
        start(gateway, amount=100)
    assert SandboxCharge.objects.get().amount == 9500


def test_calls_are_refused_inside_a_transaction(gateway):
    with transaction.atomic(), pytest.raises(RuntimeError):
        gateway.status(payment_id=PAYMENT)


@pytest.mark.parametrize(
    ("number", "state", "reason"),
    [
        (SUCCESS, "authorised", ""),
        (POOR, "declined", "Insufficient funds"),
        (SECURE, "open", ""),
        (SLOW, "processing", ""),
        (TIME_OUT, "authorised", ""),
        (REPEATED, "authorised", ""),
        (SILENT, "authorised", ""),
    ],
)
def test_pay_does_what_the_card_says(gateway, number, state, reason):
    charge_id = start(gateway).provider_id
    book.pay(charge_id=charge_id, card=BY_NUMBER[number])
    told = gateway.status(payment_id=PAYMENT)
    assert (told.state, told.reason, told.amount, told.currency) == (state, reason, 9500, "EUR")
    assert SandboxCharge.objects.get().card == number[-4:]


def test_a_slow_bank_answers_when_it_is_due(gateway):
    charge_id = start(gateway).provider_id
    book.pay(charge_id=charge_id, card=BY_NUMBER[SLOW])
    assert book.hear_due_banks() == 0
    assert gateway.status(payment_id=PAYMENT).state == "processing"
    SandboxCharge.objects.update(ready_at=timezone.now() - timedelta(seconds=1))
    assert gateway.status(payment_id=PAYMENT).state == "authorised"


@pytest.mark.parametrize(("passed", "state"), [(True, "authorised"), (False, "declined")])
def test_a_challenge_decides(gateway, passed, state):
    charge_id = start(gateway).provider_id
    book.pay(charge_id=charge_id, card=BY_NUMBER[SECURE])
    book.answer_challenge(charge_id=charge_id, passed=passed)
    assert gateway.status(payment_id=PAYMENT).state == state


def test_capture_takes_the_money_once(gateway):
    charge_id = start(gateway).provider_id
    with pytest.raises(GatewayRefused):
        gateway.capture(provider_id=charge_id, key="c")
    book.pay(charge_id=charge_id, card=BY_NUMBER[SUCCESS])
    assert gateway.capture(provider_id=charge_id, key="c").state == "captured"
    assert gateway.capture(provider_id=charge_id, key="c").state == "captured"
    with pytest.raises(GatewayRefused):
        gateway.void(provider_id=charge_id, key="v")


def test_the_time_out_card_is_charged_and_its_answer_lost(gateway):
    charge_id = start(gateway).provider_id
    book.pay(charge_id=charge_id, card=BY_NUMBER[TIME_OUT])
    with pytest.raises(GatewayUnreachable):
        gateway.capture(provider_id=charge_id, key="c")
    assert gateway.status(payment_id=PAYMENT).state == "captured"
    assert gateway.capture(provider_id=charge_id, key="c").state == "captured"


def test_refunds_never_pass_what_was_captured_and_repeat_by_key(gateway):
    charge_id = start(gateway).provider_id
    book.pay(charge_id=charge_id, card=BY_NUMBER[SUCCESS])
    gateway.capture(provider_id=charge_id, key="c")
    first = gateway.refund(provider_id=charge_id, amount=4000, key="r1")
    assert gateway.refund(provider_id=charge_id, amount=4000, key="r1") == first
    gateway.refund(provider_id=charge_id, amount=5500, key="r2")
    with pytest.raises(GatewayRefused):
        gateway.refund(provider_id=charge_id, amount=1, key="r3")
    with pytest.raises(GatewayRefused):
        gateway.refund(provider_id=charge_id, amount=1, key="r1")
    assert list(SandboxRefund.objects.order_by("id").values_list("amount", flat=True)) == [4000, 5500]
    assert gateway.status(payment_id=PAYMENT).refunded == 9500


def test_signature_is_the_known_vector():
    assert signature(SECRET, b'{"id":"evt_1"}', 1_700_000_000) == (
        "t=1700000000,v1=bff28c5e551bb3c9a6cac4401c536705cef0aaf74d88d0fb8c0414f281d08eb6"
    )


@pytest.mark.parametrize(
    ("body", "header", "now"),
    [
        (b"{}", "", 1000),
        (b"{}", "t=1000", 1000),
        (b"{}", "v1=00", 1000),
        (b"{}", "t=abc,v1=00", 1000),
        (b"{}", "t=1000,v1=" + "0" * 64, 1000),
        (b"{ }", signature(SECRET, b"{}", 1000), 1000),
        (b"{}", signature(b"another secret", b"{}", 1000), 1000),
        (b"{}", signature(SECRET, b"{}", 1000), 1301),
        (b"{}", signature(SECRET, b"{}", 1000), 699),
        (b"{}", signature(SECRET, b"{}", 1000).replace("t=1000", "t=1001"), 1000),
        (b"{}", "t=1000,v1=\u00e9", 1000),
    ],
)
def test_a_signature_that_is_missing_changed_foreign_or_old_is_refused(body, header, now):
    with pytest.raises(NotSigned):
        check_signature(SECRET, body, header, now)


@pytest.mark.parametrize("now", [700, 1000, 1300])
def test_a_signature_holds_for_five_minutes_either_way_and_beside_another(now):
    header = signature(SECRET, b"{}", 1000)
    check_signature(SECRET, b"{}", header, now)
    check_signature(SECRET, b"{}", f"{header},v1={'0' * 64}", now)


def test_parse_webhook_reads_what_the_provider_sends(gateway, settings):
    charge_id = start(gateway).provider_id
    now = int(timezone.now().timestamp())
    body = webhook_body(SandboxCharge.objects.get(), "charge.captured", event_id="evt_1", at=now).encode()
    headers = {"Sandbox-Signature": signature(settings.WEBHOOK_SECRET, body, now)}
    told = gateway.parse_webhook(headers=headers, body=body)
    assert (told.event_id, told.kind, told.payment_id, told.provider_id) == (
        "evt_1",
        "charge.captured",
        PAYMENT,
        charge_id,
    )


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"id":1,"type":2,"data":{"reference":"x"}}'])
def test_parse_webhook_refuses_a_signed_body_that_cannot_be_read(gateway, settings, body):
    now = int(timezone.now().timestamp())
    with pytest.raises(WebhookRefused):
        gateway.parse_webhook(headers={"Sandbox-Signature": signature(settings.WEBHOOK_SECRET, body, now)}, body=body)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"number": ""}, "This field is required."),
        ({"number": "4242 4242 4242 4241"}, "This is not a card number. Check the digits."),
        ({"number": "5555 5555 5555 4444"}, "This is a test: use one of the cards below, never a real one."),
        ({"expiry": "13/30"}, "Write it as MM/YY, for example 12/30."),
        ({"expiry": "01/20"}, "This card has expired."),
        ({"cvc": "12"}, "The three digits on the back of the card."),
    ],
)
def test_the_page_says_what_is_wrong_with_a_card_and_changes_nothing(gateway, client, fields, complaint):
    started = start(gateway)
    card = {"number": SUCCESS, "expiry": "12/39", "cvc": "123", "action": "pay"} | fields
    response = client.post(f"/sandbox/pay/{started.provider_id}/", card)
    assert response.status_code == 422
    assert complaint in response.content.decode()
    assert SandboxCharge.objects.get().state == "open"
    assert SandboxCharge.objects.get().card == ""


def test_the_page_leads_through_the_challenge_and_back_to_the_shop(gateway, client):
    started = start(gateway)
    page = f"/sandbox/pay/{started.provider_id}/"
    assert all(card.spaced in client.get(page).content.decode() for card in CARDS)
    answer = client.post(page, {"number": SECURE, "expiry": "12/39", "cvc": "123", "action": "pay"})
    assert (answer.status_code, answer["Location"]) == (302, "challenge/")
    assert client.post(f"{page}challenge/", {"code": "000000"}).status_code == 422
    answer = client.post(f"{page}challenge/", {"code": "123456"})
    assert answer["Location"] == "http://localhost:8000/checkout/return/x/"
    assert gateway.status(payment_id=PAYMENT).state == "authorised"
    assert client.get(page)["Location"] == "http://localhost:8000/checkout/return/x/"


def test_turning_back_closes_the_charge(gateway, client):
    started = start(gateway)
    client.post(f"/sandbox/pay/{started.provider_id}/", {"action": "back"})
    told = gateway.status(payment_id=PAYMENT)
    assert (told.state, told.reason) == ("declined", "You turned back before paying")


def test_the_page_wants_a_csrf_token(gateway):
    started = start(gateway)
    response = Client(enforce_csrf_checks=True).post(f"/sandbox/pay/{started.provider_id}/", {"action": "back"})
    assert response.status_code == 403
    assert SandboxCharge.objects.get().state == "open"
