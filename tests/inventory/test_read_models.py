"""The programme's rows: made by what changes an event or its stock, once per event, and nothing else."""

import threading
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from events import catalog, programme
from events.models import Event, ProgrammeRow, SaleWindow
from inventory import boxoffice, messages, purchase, read_models
from inventory.audit import broken_invariants
from inventory.models import DeadLetter, Outbox, SalesMinute
from tests.factories import make_event, make_organizer, now
from tests.inventory.box_office import buy, make_sale, new_fan

pytestmark = pytest.mark.django_db
# A snapshot of the whole database, or a second thread, sees only what is committed.
committed = pytest.mark.django_db(transaction=True)

BY = "staff:7"


def row(event):
    return ProgrammeRow.objects.get(pk=event.pk)


def stock(event):
    read_models.feed()
    found = row(event)
    return found.places, found.sold, found.blocked, found.stock


def waiting():
    return Outbox.objects.filter(subscriber="listing").count()


def execute(sql, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.rowcount


def test_a_row_holds_what_the_programme_shows():
    event = make_event(
        name="Café Noir",
        tiers=[("Stalls", 9000), ("Balcony", 4500)],
        windows=[{"access": "presale", "name": "Fans first"}, {"opens_in": timedelta(days=1)}],
    )
    made = row(event)
    assert (made.name, made.city, made.version) == ("Café Noir", "Berlin", event.version)
    assert (made.currency, made.unit) == ("EUR", 100)
    assert (made.from_amount, made.to_amount, made.amounts) == (4500, 9000, [9000, 4500])
    assert made.tiers == [
        {"number": 0, "name": "Stalls", "amount": 9000},
        {"number": 1, "name": "Balcony", "amount": 4500},
    ]
    assert [window["name"] for window in made.windows] == ["Fans first", "General sale"]
    public = event.windows.get(access="public")
    assert (made.opens_at, made.closes_at, made.turns_at) == (public.opens_at, public.closes_at, public.closes_at)
    assert made.over_at == event.starts_at + catalog.USUAL_LENGTH
    assert made.words == f"cafe noir {event.venue.name.lower()} berlin {event.organizer.name.lower()}"
    assert (made.places, made.stock) == (0, "none")


def test_drafts_have_no_row_and_a_published_event_gets_one():
    event = make_event(status="draft")
    assert not ProgrammeRow.objects.exists()
    boxoffice.publish_event(event_id=event.pk, actor=BY)
    assert stock(event) == (60, 0, 0, "plenty")
    Event.objects.filter(pk=event.pk).update(status="draft")
    read_models.feed()
    assert not ProgrammeRow.objects.exists()


def test_the_stock_band_follows_what_is_sold_blocked_and_given_back():
    event = make_sale()
    assert stock(event) == (60, 0, 0, "plenty")
    purchase.block_seats(event_id=event.pk, indexes=range(49), actor=BY)
    assert stock(event) == (60, 0, 49, "plenty")
    order = buy(event, new_fan(), 49)
    assert stock(event) == (60, 1, 49, "few")
    rest = [buy(event, new_fan(), *range(start, start + 5)) for start in (50, 55)]
    assert stock(event) == (60, 11, 49, "sold_out")
    purchase.refund_order(order_id=order.pk, reason="Ill", actor=BY)
    assert stock(event) == (60, 10, 49, "few")
    purchase.unblock_seats(event_id=event.pk, indexes=range(49), actor=BY)
    assert stock(event) == (60, 10, 0, "plenty")
    assert len(rest) == 2


def test_a_hold_leaves_no_message():
    event = make_sale()
    read_models.feed()
    held = purchase.hold_seats(event_id=event.pk, fan=(fan := new_fan()), indexes=[1, 2])
    purchase.place_order(hold_id=held.hold_id, fan=fan, name="Ada", email="ada@example.org")
    assert waiting() == 0


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events_event SET name = 'Renamed'",
        "UPDATE events_organizer SET currency = 'GBP'",
        "UPDATE seating_venue SET city = 'Bonn'",
        "UPDATE events_pricetier SET amount = amount + 1",
        "UPDATE events_salewindow SET closes_at = closes_at + interval '1 hour'",
        "DELETE FROM events_salewindow",
    ],
)
@committed
def test_whoever_changes_an_event_leaves_a_message(change):
    event = make_sale()
    read_models.feed()
    before = row(event).made_at
    assert execute(change)
    assert waiting()
    assert read_models.measure_drift() == {"programme": 0, "sales_board": 0}, "what waits has not drifted"
    read_models.feed()
    assert (waiting(), row(event).made_at > before) == (0, True)
    assert read_models.measure_drift() == {"programme": 0, "sales_board": 0}


@pytest.mark.parametrize("count", [1, 3])
def test_a_burst_of_orders_costs_one_refresh(monkeypatch, count):
    event = make_sale()
    read_models.feed()
    for index in range(count):
        buy(event, new_fan(), index)
    assert waiting() == count
    asked = []
    refresh = programme.refresh
    monkeypatch.setattr(programme, "refresh", lambda events, stock: asked.append(events) or refresh(events, stock))
    read_models.feed()
    assert asked == [[event.pk]]
    assert row(event).sold == count


@committed
def test_the_clock_turns_a_row_without_a_message():
    event = make_event(windows=[{"closes_in": timedelta(seconds=1)}, {"opens_in": timedelta(days=2)}])
    second = event.windows.latest("opens_at")
    assert row(event).opens_at < timezone.now()
    # As if it had been made a day ago: its first window has closed since.
    past = now() - timedelta(hours=1)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE events_salewindow DISABLE TRIGGER USER")
        cursor.execute("UPDATE events_salewindow SET closes_at = %s WHERE id <> %s", [past, second.pk])
        cursor.execute("ALTER TABLE events_salewindow ENABLE TRIGGER USER")
    ProgrammeRow.objects.update(turns_at=past)
    assert read_models.measure_drift()["programme"] == 0
    read_models.feed()
    assert (row(event).opens_at, row(event).turns_at) == (second.opens_at, second.closes_at)


def test_cards_tell_sold_out_and_few_left(client):
    full, low = make_sale(name="Full house"), make_sale(name="Nearly full")
    purchase.block_seats(event_id=full.pk, indexes=range(1, 60), actor=BY)
    buy(full, new_fan(), 0)
    purchase.block_seats(event_id=low.pk, indexes=range(50), actor=BY)
    read_models.feed()
    page = client.get("/?q=full").content.decode()
    assert page.count('<span class="badge badge--sold_out">Sold out</span>') == 1
    assert page.count('<span class="badge badge--low">Few left</span>') == 1
    found = client.get("/api/v1/events?q=full").json()["events"]
    assert {e["name"]: (e["state"], e["stock"]) for e in found} == {
        "Full house": ("sold_out", "sold_out"),
        "Nearly full": ("open", "few"),
    }
    shell = client.get(full.get_absolute_url()).content.decode()
    assert 'data-when="open" data-said="Tickets are on sale now">' in shell, "a shell tells no stock"


def test_rebuild_makes_every_row_from_nothing():
    event, other = make_sale(), make_event()
    buy(event, new_fan(), 0, 1)
    read_models.feed()
    before = sorted(ProgrammeRow.objects.values_list("pk", "name", "sold", "stock", "words", "search"))
    minutes = list(SalesMinute.objects.order_by("tier").values_list("tier", "sold", "taken"))
    ProgrammeRow.objects.all().delete()
    SalesMinute.objects.all().delete()
    out = StringIO()
    call_command("rebuild_read_models", stdout=out)
    assert sorted(ProgrammeRow.objects.values_list("pk", "name", "sold", "stock", "words", "search")) == before
    assert list(SalesMinute.objects.order_by("tier").values_list("tier", "sold", "taken")) == minutes == [(0, 2, 18000)]
    assert out.getvalue().startswith("2 of 2 events\nRead models of 2 events made anew in ")
    ProgrammeRow.objects.update(name="?")
    call_command("rebuild_read_models", event=other.pk, stdout=StringIO())
    assert (row(event).name, row(other).name) == ("?", other.name)
    with pytest.raises(CommandError):
        call_command("rebuild_read_models", event=uuid4(), stdout=StringIO())


DRIFTS = [
    ("UPDATE events_programmerow SET sold = 7, city = 'Bonn'", "programme", {"differs": "city, sold"}),
    ("DELETE FROM events_programmerow", "programme", {"differs": "missing"}),
    ("UPDATE inventory_salesminute SET sold = sold + 1", "sales_board", {"tier": 0}),
    ("DELETE FROM inventory_salesminute", "sales_board", {"tier": 0, "has": "{}"}),
]


@pytest.mark.parametrize(("damage", "model", "named"), DRIFTS)
@committed
def test_drift_is_counted_and_its_rows_are_named(damage, model, named):
    event = make_sale()
    buy(event, new_fan(), 0)
    read_models.feed()
    assert broken_invariants() == []
    execute(damage)
    assert read_models.measure_drift() == {"programme": 0, "sales_board": 0} | {model: 1}
    (breach,) = broken_invariants()
    assert breach.number == "I12"
    assert breach.rows[0] == breach.rows[0] | {"event_id": event.pk} | named
    read_models.rebuild([event.pk])
    assert broken_invariants() == []


def test_a_poisonous_message_is_put_aside_and_the_others_flow():
    event = make_sale()
    read_models.feed()
    Event.objects.filter(pk=event.pk).update(name="Renamed")
    Outbox.objects.create(topic="event.changed", payload={"event": "?"}, subscriber="listing", due_at=timezone.now())
    read_models.feed()
    assert row(event).name == "Renamed"
    assert [(m.payload, m.attempts) for m in Outbox.objects.filter(subscriber="listing")] == [({"event": "?"}, 1)]
    Outbox.objects.update(attempts=9, due_at=timezone.now() - timedelta(seconds=1))
    read_models.feed()
    assert (waiting(), DeadLetter.objects.get().payload) == (0, {"event": "?"})


def _rename_during_a_refresh(event, monkeypatch):
    """Let a refresh read the old name, and be overtaken by a rename and its refresh before it writes."""
    read, renamed = threading.Event(), threading.Event()
    refresh = programme.refresh

    def slow(events, stock):
        if threading.current_thread() is not threading.main_thread():
            # The snapshot of a transaction that reads first and writes later.
            with connection.cursor() as cursor:
                cursor.execute("CREATE TEMP TABLE seen ON COMMIT DROP AS SELECT name FROM events_event")
            read.set()
            renamed.wait(10)
            with connection.cursor() as cursor:
                cursor.execute("UPDATE events_programmerow SET name = seen.name FROM seen")
            return 1
        return refresh(events, stock)

    def work():
        try:
            messages.drain("listing")
        finally:
            connection.close()

    monkeypatch.setattr(programme, "refresh", slow)
    Event.objects.filter(pk=event.pk).update(subtitle="Old")
    worker = threading.Thread(target=work)
    worker.start()
    assert read.wait(10)
    Event.objects.filter(pk=event.pk).update(name="New")
    busy = messages.drain("listing")
    renamed.set()
    worker.join(10)
    monkeypatch.setattr(programme, "refresh", refresh)
    return busy


@committed
def test_two_workers_never_let_the_older_picture_win(monkeypatch):
    event = make_event(name="Old")
    assert _rename_during_a_refresh(event, monkeypatch) == 0, "the second worker finds the first at work"
    read_models.feed()
    assert row(event).name == "New"


@committed
def test_without_the_lock_the_older_picture_wins(monkeypatch):
    event = make_event(name="Old")
    monkeypatch.setattr(messages, "take_alone", lambda subscriber, wait=True: True)
    assert _rename_during_a_refresh(event, monkeypatch) == 1
    read_models.feed()
    assert row(event).name == "Old"
    assert read_models.measure_drift()["programme"] == 1


@pytest.mark.parametrize("count", [1, 3])
@committed
def test_feeding_costs_the_same_queries_however_many_events(django_assert_num_queries, count):
    for _ in range(count):
        make_event(organizer=make_organizer())
    SaleWindow.objects.update(name="Sale")
    # Begin, lock, messages, drafts' rows, rows, deletion, commit; the listing again and the board, where nothing waits;
    # what the clock has turned.
    with django_assert_num_queries(7 + 4 + 4 + 1):
        read_models.feed()
