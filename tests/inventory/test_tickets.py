"""Ticket codes to the byte, the printed page, and links."""

import base64
from datetime import UTC, datetime
from io import BytesIO
from uuid import UUID

import pypdfium2
import pytest
import zxingcpp

from inventory import links, purchase
from inventory.models import Order, Ticket
from inventory.orders import order_page, own_orders
from inventory.tickets.codes import Claim, Forged, code_for, letters_for, read_code
from inventory.tickets.pdf import NoTickets, tickets_pdf
from tests import factories
from tests.inventory.sales import buy, make_sale, place

EVENT = UUID("01a1fd94-0000-7000-8000-00000000000e")
TICKET = UUID("01a1fd94-0000-7000-8000-00000000000f")
SEED = bytes(range(32))
CODE = (
    "AFLADIP5SQAAA4AAQAAAAAAAAAAA4ANB7WKAAADQACAAAAAAAAAAADYAAHLO6VJANQEYACT3FU65OT5G"
    "ZOLA6KDCQUSCENE4NFNC5MXWNEQLS76ZL7M3ERURTT57G5JPW4GY2CNMXXWCPMQMFFMO5HYYY2RMMMQA"
)


@pytest.fixture
def keys(settings):
    settings.TICKET_KEY = SEED
    settings.OLD_TICKET_KEYS = []
    return settings


def test_a_code_is_the_known_vector(keys):
    assert code_for(event_id=EVENT, ticket_id=TICKET, serial=1) == CODE
    raw = base64.b32decode(CODE)
    assert len(raw) == 100
    assert raw[0] == 1
    assert raw[2:18] == EVENT.bytes
    assert raw[18:34] == TICKET.bytes
    assert raw[34:36] == b"\x00\x01"


def test_a_code_reads_back_whatever_people_do_to_it(keys):
    claim = Claim(EVENT, TICKET, 1)
    assert read_code(CODE) == claim
    assert read_code(CODE.lower()) == claim
    assert read_code("  " + "-".join(CODE[i : i + 8] for i in range(0, 160, 8)) + "\r\n") == claim


def test_every_flipped_bit_is_found(keys):
    raw = base64.b32decode(CODE)
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Forged):
            read_code(base64.b32encode(bytes(changed)).decode())


@pytest.mark.parametrize(
    "text", ["", "A" * 160, "A" * 159, CODE[:-1], CODE + "A", CODE[:-1] + "1", "ä" * 160, "A" * 100_000, "\x00" * 160]
)
def test_what_is_no_code_is_forged(keys, text):
    with pytest.raises(Forged):
        read_code(text)


def test_another_shops_code_is_forged(keys):
    keys.TICKET_KEY = b"another shop's key of 32 bytes.."
    with pytest.raises(Forged):
        read_code(CODE)


def test_a_retired_key_still_verifies_and_signs_nothing_new(keys):
    keys.TICKET_KEY, keys.OLD_TICKET_KEYS = b"the next key of the shop: 32 b..", [SEED]
    assert read_code(CODE) == Claim(EVENT, TICKET, 1)
    fresh = code_for(event_id=EVENT, ticket_id=TICKET, serial=1)
    assert fresh != CODE
    assert read_code(fresh) == Claim(EVENT, TICKET, 1)


def test_typed_letters_belong_to_one_issue_of_one_ticket(keys):
    assert letters_for(ticket_id=TICKET, serial=1) == "ZMLF7UFW"
    assert letters_for(ticket_id=TICKET, serial=2) != "ZMLF7UFW"
    assert letters_for(ticket_id=EVENT, serial=1) != "ZMLF7UFW"


@pytest.mark.django_db
def test_the_pdf_has_a_page_for_each_ticket_and_says_what_was_bought():
    venue = factories.make_venue(name="Stadthalle am Fluss", timezone="Europe/Berlin")
    event = make_sale(
        name="Nocturne & <Friends>",
        plan=factories.make_plan(venue, standing=20, name="With floor"),
        doors_at=datetime(2027, 7, 1, 17, 0, tzinfo=UTC),
    )
    type(event).objects.filter(pk=event.pk).update(starts_at=datetime(2027, 7, 1, 18, 0, tzinfo=UTC))
    order = buy(event, [12, 13, 60])
    document = pypdfium2.PdfDocument(tickets_pdf(Order.objects.get(pk=order.pk)))
    pages = [page.get_textpage().get_text_bounded() for page in document]
    assert len(pages) == 3
    for page in pages:
        assert order.reference in page
        assert "Nocturne & <Friends>" in page
        assert "Ada Lovelace" in page
        assert "Stadthalle am Fluss" in page
        assert "Thursday 1 July 2027" in page
        assert "Doors 19:00, starts 20:00, Berlin time (CEST)" in page
    assert "€95.00" in pages[0]
    assert "incl. €5.00 fee" in pages[0]
    assert [word in pages[0] for word in ("Stalls", "B", "3", "North")] == [True] * 4
    assert "Standing" in pages[2]
    assert "€32.00" in pages[2]

    tickets = Ticket.objects.filter(line__order=order).order_by("line__index")
    expected = [code_for(event_id=event.pk, ticket_id=t.pk, serial=1) for t in tickets]
    assert [zxingcpp.read_barcode(page.render(scale=2).to_pil()).text for page in document] == expected


@pytest.mark.django_db
def test_the_pdf_leaves_out_what_was_refunded_and_an_unpaid_order_has_none():
    event = make_sale()
    with pytest.raises(NoTickets):
        tickets_pdf(place(event, [30]).order)
    order = buy(event, [12, 13])
    line = order.lines.get(index=12)
    purchase.refund_order(order_id=order.pk, line_ids=[line.pk], reason="Ill", actor="staff:1")
    assert len(pypdfium2.PdfDocument(BytesIO(tickets_pdf(order)))) == 1
    page = order_page(order.pk)
    assert [(p.state, bool(p.qr)) for p in page.places] == [("refunded", False), ("valid", True)]
    assert page.refunded == 9500


def test_order_links_are_signed():
    signed = links.sign_order(EVENT)
    assert links.read_order(signed) == EVENT
    head, _, tail = signed.partition(".")
    other = links.sign_order(TICKET).partition(".")
    for forged in ("", head, f"{head}.", f".{tail}", f"{other[0]}.{tail}", f"{signed}x", "ä.ö", f"{EVENT}.{tail}"):
        assert links.read_order(forged) is None


@pytest.mark.django_db
def test_own_orders_are_of_this_browser_this_account_and_its_verified_addresses():
    from allauth.account.models import EmailAddress
    from django.contrib.auth.models import AnonymousUser

    event = make_sale()
    mine = buy(event, [0], fan="a" * 26)
    buy(event, [20], fan="b" * 26, email="eve@example.org")
    by_mail = buy(event, [30], fan="c" * 26, email="grace@example.org")
    user = factories.make_member(event.organizer, username="grace", is_staff=False)
    address = EmailAddress.objects.create(user=user, email="grace@example.org", verified=False)
    anonymous = AnonymousUser()

    assert [o.order.pk for o in own_orders(fan="a" * 26, user=anonymous)] == [mine.pk]
    assert own_orders(fan="d" * 26, user=user) == [], "an address that is not verified proves nothing"
    address.verified = True
    address.save()
    assert [o.order.pk for o in own_orders(fan="d" * 26, user=user)] == [by_mail.pk]
