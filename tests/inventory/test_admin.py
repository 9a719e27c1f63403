"""The back office: whose things it shows, and what its buttons do. Organiser A reads and moves nothing of B's (I19)."""

import csv
import io
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from events.models import Event, Membership, PresaleCode
from inventory import purchase, read_models
from inventory.models import AuditEntry, DeadLetter, FanLimit, Order, Outbox, Refund
from tests.factories import make_event, make_member, make_organizer, make_plan, make_venue, make_window
from tests.inventory.box_office import buy, everything, make_sale, new_fan, states

pytestmark = pytest.mark.django_db

EVENT_PAGES = ("change", "sales", "seats", "codes", "codes-csv", "preview", "reschedule", "cancel", "refunds", "delete")
ORDER_PAGES = ("change", "resend", "refund", "cancel", "history")


class World:
    """Organizer A with Anna, organizer B with a sale of its own."""

    def __init__(self):
        self.a, self.b = make_organizer(name="A"), make_organizer(name="B")
        self.anna = make_member(self.a, first_name="Anna", last_name="Berg")
        self.venue_a, self.venue_b = make_venue(name="Hall A"), make_venue(name="Hall B")
        self.a.venues.add(self.venue_a)
        self.b.venues.add(self.venue_b)
        self.plan_a, self.plan_b = make_plan(self.venue_a), make_plan(self.venue_b, rows=3)
        self.event_a = self.sale(self.a, self.plan_a, "Ours")
        self.event_b = self.sale(self.b, self.plan_b, "Theirs")
        self.order_a = buy(self.event_a, new_fan(), 0, 1)
        self.order_b = buy(self.event_b, new_fan(), 0, 1)

    @staticmethod
    def sale(organizer, plan, name):
        from inventory.stock import create_stock

        event = make_event(organizer=organizer, plan=plan, name=name)
        make_window(event, access="presale", name="Club", codes=[f"{name.upper()}1"])
        create_stock(event)
        return event


@pytest.fixture
def world():
    return World()


@pytest.fixture
def anna(client, world):
    client.force_login(world.anna)
    return client


@pytest.fixture
def root(client, world):
    client.force_login(get_user_model().objects.create_superuser("root"))
    return client


def event_page(name, event, *more):
    return reverse(f"admin:events_event_{name}", args=[event.pk, *more])


def order_page(name, order):
    return reverse(f"admin:inventory_order_{name}", args=[order.pk])


def listed(client, model, query=""):
    response = client.get(reverse(f"admin:{model}_changelist") + query)
    assert response.status_code == 200, (model, query)
    return list(response.context["cl"].result_list)


# ---- Who enters ---------------------------------------------------------------------------------------------------


def test_the_back_office_is_for_managers_only(client, world):
    door = make_member(world.a, role=Membership.Role.DOOR)
    fan = get_user_model().objects.create_user("fan")
    not_staff = make_member(world.a, is_staff=False)
    for user in (None, door, fan, not_staff):
        if user:
            client.force_login(user)
        response = client.get("/admin/")
        assert (response.status_code, response.url) == (302, "/admin/login/?next=/admin/")
    client.force_login(world.anna)
    assert client.get("/admin/").status_code == 200


def test_a_manager_signs_in_by_email_and_an_inactive_one_does_not(client, world):
    get_user_model().objects.filter(pk=world.anna.pk).update(email="anna@a.example")
    data = {"username": "anna@a.example", "password": "a good password", "next": "/admin/"}
    assert client.post("/admin/login/", data).status_code == 302
    client.logout()
    get_user_model().objects.filter(pk=world.anna.pk).update(is_active=False)
    assert client.post("/admin/login/", data).status_code == 200


def test_every_answer_under_admin_carries_its_own_policy(client, anna):
    for path in ("/admin/", "/admin/login/", "/admin/nowhere/"):
        policy = client.get(path).headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self' 'unsafe-eval';" in f"{policy};"
    assert "unsafe-eval" not in client.get("/").headers["Content-Security-Policy"]


# ---- Whose things it shows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model",
    [
        "events_event",
        "events_organizer",
        "seating_venue",
        "seating_seatingplan",
        "inventory_order",
        "inventory_payment",
        "inventory_auditentry",
    ],
)
def test_lists_show_a_manager_half_of_what_a_superuser_sees(client, world, model):
    client.force_login(world.anna)
    mine = {row.pk for row in listed(client, model)}
    client.force_login(get_user_model().objects.create_superuser("root"))
    everybodys = {row.pk for row in listed(client, model)}
    assert mine
    assert mine < everybodys
    foreign = {world.b.pk, world.venue_b.pk, world.plan_b.pk, world.event_b.pk, world.order_b.pk}
    assert not mine & foreign


def test_the_log_shows_nothing_of_another_organizers_events(anna, world):
    assert {entry.event_id for entry in listed(anna, "inventory_auditentry")} == {world.event_a.pk}
    assert listed(anna, "inventory_auditentry", f"?event_id={world.event_b.pk}") == []
    assert listed(anna, "inventory_auditentry", f"?subject={world.order_b.pk}") == []


def test_search_and_filters_find_nothing_of_another_organizers(anna, world):
    assert [o.pk for o in listed(anna, "inventory_order", "?q=Ada")] == [world.order_a.pk]
    for query in (world.order_b.reference, str(world.order_b.payments.get().provider_id)):
        assert listed(anna, "inventory_order", f"?q={query}") == []
    assert [o.pk for o in listed(anna, "inventory_order", f"?event={world.event_b.pk}")] == [world.order_a.pk]
    assert listed(anna, "events_event", "?q=Theirs") == []
    assert "Theirs" not in anna.get("/admin/").content.decode()
    assert "Theirs" not in anna.get("/admin/search/?s=theirs&extended=1").content.decode()


@pytest.mark.parametrize("name", EVENT_PAGES)
def test_another_organizers_event_is_not_there(anna, world, name):
    for method in (anna.get, anna.post):
        before = everything()
        response = method(event_page(name, world.event_b))
        assert response.status_code == (302 if name in ("change", "delete") else 404)
        assert "Theirs" not in response.content.decode()
        assert everything() == before


@pytest.mark.parametrize("verb", ["publish", "open", "pause", "resume", "close", "reopen"])
def test_another_organizers_sale_cannot_be_moved(anna, world, verb):
    before = everything(), Event.objects.values().get(pk=world.event_b.pk)
    assert anna.post(event_page("verb", world.event_b, verb)).status_code == 404
    assert (everything(), Event.objects.values().get(pk=world.event_b.pk)) == before


@pytest.mark.parametrize("name", ORDER_PAGES)
def test_another_organizers_order_is_not_there(anna, world, name):
    for method in (anna.get, anna.post):
        before = everything()
        response = method(order_page(name, world.order_b))
        # Django answers to POST before it looks for a row that could not be changed anyway.
        assert response.status_code == {"change": 302 if method == anna.get else 403, "history": 302}.get(name, 404)
        assert "Ada" not in response.content.decode()
        assert everything() == before


def test_another_organizers_seats_cannot_be_marked(anna, world):
    before = everything()
    for accept in ("text/html", "application/json"):
        data = {"do": "block", "indexes": "[5]"}
        assert anna.post(event_page("mark", world.event_b), data, headers={"accept": accept}).status_code == 404
    assert everything() == before


def test_list_actions_leave_another_organizers_orders_alone(anna, world):
    before = everything()
    for action in ("resend_selected", "download"):
        data = {"action": action, "_selected_action": [world.order_b.pk], "select_across": "0"}
        response = anna.post(reverse("admin:inventory_order_changelist"), data)
        assert world.order_b.reference not in response.content.decode()
    assert {k: v for k, v in everything().items() if k != "inventory_auditentry"} == {
        k: v for k, v in before.items() if k != "inventory_auditentry"
    }


def test_another_organizers_hall_and_name_cannot_be_chosen(anna, world):
    add = reverse("admin:events_event_add")
    page = anna.get(add).content.decode()
    assert "Hall A" in page
    assert "Hall B" not in page
    data = {"name": "x", "slug": "x", "category": "music", "starts_at": "2031-07-01T20:00", "max_per_fan": 6}
    data |= {"hold_seconds": 10, "extend_seconds": 5, "organizer": world.a.pk, "plan": world.plan_a.pk}
    for foreign in ({"organizer": world.b.pk}, {"plan": world.plan_b.pk}):
        response = anna.post(add, data | foreign)
        assert response.status_code == 200
        assert list(response.context["adminform"].form.errors) == list(foreign)
    assert not Event.objects.filter(slug="x").exists()


def test_autocomplete_offers_only_what_the_manager_may_choose(client, anna, world):
    def offered(app, model, field):
        query = {"app_label": app, "model_name": model, "field_name": field, "term": ""}
        return client.get(reverse("admin:autocomplete"), query)

    venues = offered("events", "organizer", "venues")
    assert [row["text"] for row in venues.json()["results"]] == ["Hall A, Berlin"]
    assert offered("events", "membership", "user").status_code == 403


@pytest.mark.parametrize("model", ["auth_user", "inventory_outbox", "inventory_deadletter"])
def test_machinery_and_accounts_are_for_superusers(anna, model):
    assert anna.get(reverse(f"admin:{model}_changelist")).status_code == 403


def test_a_venue_shared_with_another_organizer_can_be_seen_and_not_changed(anna, world):
    world.a.venues.add(world.venue_b)
    page = reverse("admin:seating_venue_change", args=[world.venue_b.pk])
    assert anna.get(page).status_code == 200
    assert anna.post(page, {"name": "Mine now"}).status_code == 403
    world.venue_b.refresh_from_db()
    assert world.venue_b.name == "Hall B"


def test_a_venue_made_by_a_manager_is_the_managers(anna, world):
    data = {"name": "New", "slug": "new", "city": "Kiel", "country": "de", "timezone": "Europe/Berlin"}
    assert anna.post(reverse("admin:seating_venue_add"), data).status_code == 302
    assert {v.name: v.country for v in world.a.venues.all()} == {"Hall A": "DE", "New": "DE"}


def test_nobody_edits_money_or_the_log(root, world):
    payment = world.order_a.payments.get()
    for model, row in (
        ("inventory_order", world.order_a),
        ("inventory_payment", payment),
        ("inventory_auditentry", AuditEntry.objects.first()),
        ("seating_seatingplan", world.plan_a),
    ):
        before = everything()
        page = reverse(f"admin:{model}_change", args=[row.pk])
        assert root.get(page).status_code == 200
        assert root.post(page, {"total": 1, "amount": 1, "name": "x"}).status_code == 403
        if model != "seating_seatingplan":
            assert root.get(reverse(f"admin:{model}_add")).status_code == 403
            assert root.post(reverse(f"admin:{model}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
        assert everything() == before


@pytest.mark.parametrize("text", ["nonsense", "00000000-0000-0000-0000-000000000000", "'; DROP TABLE x"])
def test_a_number_that_is_none_leads_nowhere(anna, text):
    for model in ("events_event", "inventory_order"):
        response = anna.get(reverse(f"admin:{model}_change", args=[text]))
        assert (response.status_code, response.url) == (302, "/admin/")
    assert anna.get(reverse("admin:inventory_order_refund", args=[text])).status_code == 404


# ---- What its buttons do ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["change", "sales", "seats", "codes", "codes-csv", "reschedule", "cancel"])
def test_the_pages_of_an_event_open(anna, world, name):
    assert anna.get(event_page(name, world.event_a)).status_code == 200


def test_a_button_asks_first_and_acts_on_post(anna, world):
    page = event_page("verb", world.event_a, "pause")
    assert "Pause the sale?" in anna.get(page).content.decode()
    assert Event.objects.get(pk=world.event_a.pk).sale_switch == "on"
    assert anna.post(page).url == event_page("change", world.event_a)
    assert Event.objects.get(pk=world.event_a.pk).sale_switch == "paused"
    entry = AuditEntry.objects.get(action="sale.paused")
    assert (entry.actor, entry.event_id) == (f"staff:{world.anna.pk}", world.event_a.pk)


def test_a_refused_button_says_why_and_changes_nothing(anna, world):
    before = everything()
    response = anna.post(event_page("verb", world.event_a, "resume"))
    assert response.status_code == 409
    assert "The sale is not paused." in response.content.decode()
    assert everything() == before
    assert anna.get(event_page("verb", world.event_a, "explode")).status_code == 404


def test_publishing_a_draft_makes_its_stock(anna, world):
    draft = make_event(organizer=world.a, plan=world.plan_a, status="draft")
    assert anna.get(event_page("preview", draft)).status_code == 200
    assert anna.post(event_page("verb", draft, "publish")).status_code == 302
    assert states(draft, 0, 59) == [0, 0]


def test_an_unready_draft_is_told_what_it_lacks(anna, world):
    draft = make_event(organizer=world.a, plan=world.plan_a, status="draft", windows=[])
    missing = "There is no sale window: say from when to when tickets are sold."
    assert missing in anna.get(event_page("change", draft)).content.decode()
    response = anna.post(event_page("verb", draft, "publish"))
    assert response.status_code == 409
    assert missing in response.content.decode()
    assert anna.get(event_page("seats", draft)).status_code == 200


def test_cancelling_needs_a_reason_and_a_tick(anna, world):
    page = event_page("cancel", world.event_a)
    assert anna.post(page, {"reason": "Ill"}).status_code == 422
    assert anna.post(page, {"sure": "on"}).status_code == 422
    assert Event.objects.get(pk=world.event_a.pk).status == "published"
    assert anna.post(page, {"reason": "Ill", "sure": "on"}).status_code == 302
    assert Event.objects.get(pk=world.event_a.pk).status == "cancelled"
    assert AuditEntry.objects.get(action="event.cancelled").detail == {"reason": "Ill"}
    assert "1 paid order still to be refunded." in anna.get(event_page("change", world.event_a)).content.decode()


def test_rescheduling_reads_the_venues_time(anna, world):
    page = event_page("reschedule", world.event_a)
    assert anna.post(page, {"starts_at": "2031-07-01T20:00"}).status_code == 302
    event = Event.objects.get(pk=world.event_a.pk)
    assert event.starts_at.isoformat() == "2031-07-01T18:00:00+00:00"
    assert anna.post(page, {"starts_at": "2001-07-01T20:00"}).status_code == 409


def test_seats_are_blocked_from_the_map_and_released_by_name(anna, world):
    page = event_page("mark", world.event_a)
    accept = {"accept": "application/json"}
    answer = anna.post(page, {"do": "block", "indexes": "[0, 10, 11]", "reason": "Sound desk"}, headers=accept)
    assert answer.json() == {"told": "2 seats are blocked. 1 was left alone: held, sold or blocked already."}
    assert states(world.event_a, 0, 10, 11) == [3, 4, 4]
    assert AuditEntry.objects.get(action="block.explained").detail == {"reason": "Sound desk", "seats": 2}
    assert AuditEntry.objects.filter(action="seat.blocked", actor=f"staff:{world.anna.pk}").count() == 1
    response = anna.post(page, {"do": "release", "named": "stalls b 1-2"})
    assert response.url == event_page("seats", world.event_a)
    assert states(world.event_a, 10, 11) == [0, 0]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"indexes": "[60]"},
        {"indexes": "[-1]"},
        {"indexes": "[true]"},
        {"indexes": '["1"]'},
        {"indexes": "{}"},
        {"indexes": "[1"},
        {"named": "Gallery 7"},
        {"indexes": "[1]", "named": "Stalls A 99"},
        {"indexes": "[1]", "reason": "x" * 201},
    ],
)
def test_seats_that_are_none_are_refused_and_none_is_blocked(anna, world, data):
    before = everything()
    for headers in ({}, {"accept": "application/json"}):
        response = anna.post(event_page("mark", world.event_a), {"do": "block", **data}, headers=headers)
        assert response.status_code == 422
    assert len(response.json()["faults"]) == 1
    assert everything() == before
    assert anna.get(event_page("mark", world.event_a)).status_code == 405


def test_codes_are_made_downloaded_and_withdrawn(anna, world):
    page = event_page("codes", world.event_a)
    window = world.event_a.windows.get(access="presale")
    data = {"window": window.pk, "quantity": 40, "max_fans": 1}
    assert anna.post(page, data).status_code == 302
    assert anna.post(page, data | {"code": "fanclub27", "max_fans": 500}).status_code == 302
    assert window.codes.count() == 42
    FanLimit.objects.create(event=world.event_a, fan=new_fan(), presale_code=window.codes.get(code="FANCLUB27"))
    rows = list(csv.reader(io.StringIO(anna.get(event_page("codes-csv", world.event_a)).content.decode())))
    assert rows[0] == ["code", "presale", "fans", "used"]
    assert rows[1] == ["FANCLUB27", "Club", "500", "1"]
    assert len({row[0] for row in rows}) == 43
    assert anna.post(page, {"do": "withdraw"}).status_code == 302
    assert list(window.codes.values_list("code", flat=True)) == ["FANCLUB27"]
    assert PresaleCode.objects.filter(window__event=world.event_b).count() == 1


@pytest.mark.parametrize(
    "change", [{"quantity": 5001}, {"quantity": 0}, {"max_fans": 0}, {"code": "a b"}, {"window": 0}]
)
def test_codes_that_cannot_be_made_are_refused(anna, world, change):
    window = world.event_a.windows.get(access="presale")
    data = {"window": window.pk, "quantity": 5, "max_fans": 1}
    assert anna.post(event_page("codes", world.event_a), data | change).status_code == 422
    foreign = world.event_b.windows.get(access="presale")
    assert anna.post(event_page("codes", world.event_a), data | {"window": foreign.pk}).status_code == 422
    assert window.codes.count() == 1


def test_orders_are_found_by_whatever_a_caller_says(anna, world):
    order = world.order_a
    for query in (order.reference, "ada byron", "ADA@example.org", order.payments.get().provider_id, "stalls a 2"):
        assert [o.pk for o in listed(anna, "inventory_order", f"?q={query}")] == [order.pk], query
    assert listed(anna, "inventory_order", "?q=Stalls+A+3") == []
    assert [o.pk for o in listed(anna, "inventory_order", "?state__exact=paid")] == [order.pk]
    assert listed(anna, "inventory_order", "?state__exact=refunded") == []


def test_the_page_of_an_order_tells_everything(anna, world):
    page = anna.get(order_page("change", world.order_a)).content.decode()
    for said in ("Ada Byron", "ada@example.org", "Stalls A 1", "€180.00", "Captured", "Order paid", "Seats sold"):
        assert said in page, said


def test_a_part_of_an_order_is_refunded_with_a_reason(anna, world):
    page = order_page("refund", world.order_a)
    line = world.order_a.lines.get(index=1)
    assert anna.post(page, {"lines": [line.pk]}).status_code == 422
    assert anna.post(page, {"reason": "Ill"}).status_code == 422
    foreign = world.order_b.lines.first()
    assert anna.post(page, {"lines": [foreign.pk], "reason": "Ill"}).status_code == 422
    assert not Refund.objects.exists()
    assert anna.post(page, {"lines": [line.pk], "reason": "Ill"}).url == order_page("change", world.order_a)
    refund = Refund.objects.get()
    assert (refund.amount, refund.reason) == (9000, "Ill")
    assert states(world.event_a, 0, 1) == [3, 0]
    assert Order.objects.get(pk=world.order_a.pk).state == "paid"


def test_a_whole_order_is_refunded_once(anna, world):
    page = order_page("refund", world.order_a)
    data = {"lines": [line.pk for line in world.order_a.lines.all()], "reason": "Ill"}
    assert anna.post(page, data).status_code == 302
    assert Order.objects.get(pk=world.order_a.pk).state == "refunded"
    assert anna.post(page, data).status_code == 422
    assert Refund.objects.count() == 1


def test_a_pending_order_is_cancelled_and_a_paid_one_is_not(anna, world):
    fan = new_fan()
    held = purchase.hold_seats(event_id=world.event_a.pk, fan=fan, indexes=[20])
    pending = purchase.place_order(hold_id=held.hold_id, fan=fan, name="Ada", email="a@example.org").order
    assert anna.post(order_page("cancel", pending)).status_code == 302
    assert Order.objects.get(pk=pending.pk).state == "cancelled"
    assert states(world.event_a, 20) == [0]
    assert anna.post(order_page("cancel", world.order_a)).status_code == 409
    assert Order.objects.get(pk=world.order_a.pk).state == "paid"


def test_tickets_are_sent_again_one_by_one_or_many(anna, world):
    Outbox.objects.all().delete()
    assert anna.post(order_page("resend", world.order_a)).status_code == 302
    data = {"action": "resend_selected", "_selected_action": [world.order_a.pk], "select_across": "0"}
    assert anna.post(reverse("admin:inventory_order_changelist"), data).status_code == 302
    assert (
        list(Outbox.objects.values_list("topic", "payload")) == [("order.resend", {"order": str(world.order_a.pk)})] * 2
    )


def test_downloaded_orders_are_no_formulas(anna, world):
    Order.objects.filter(pk=world.order_a.pk).update(name="=HYPERLINK(1)")
    data = {"action": "download", "_selected_action": [world.order_a.pk], "select_across": "0"}
    response = anna.post(reverse("admin:inventory_order_changelist"), data)
    rows = list(csv.reader(io.StringIO(response.content.decode())))
    assert rows[1][:8] == [
        world.order_a.reference, "paid", "Ours", "'=HYPERLINK(1)", "ada@example.org", "Stalls", "A", "1",
    ]  # fmt: skip
    assert rows[1][8:11] == ["90.00", "0.00", "EUR"]
    entry = AuditEntry.objects.get(action="orders.downloaded")
    assert (entry.actor, entry.organizer_id) == (f"staff:{world.anna.pk}", world.a.pk)
    assert entry.detail == {"rows": 1}


def test_dead_letters_are_corrected_and_sent_again(root):
    letter = DeadLetter.objects.create(
        id=uuid4(), topic="order.resend", subscriber="mail", payload={"order": "x"}, reason="no such order"
    )
    page = reverse("admin:inventory_deadletter_correct", args=[letter.pk])
    assert "no such order" in root.get(page).content.decode()
    assert root.post(page, {"payload": "[1]"}).status_code == 422
    assert root.post(page, {"payload": json.dumps({"order": "y"})}).status_code == 302
    assert not DeadLetter.objects.exists()
    assert Outbox.objects.get(pk=letter.pk).payload == {"order": "y"}
    assert AuditEntry.objects.get(action="message.replayed").detail == {"topic": "order.resend", "corrected": True}


def test_the_overview_counts_the_managers_own_sales(anna, world):
    response = anna.get("/admin/")
    assert [row["event"].name for row in response.context["events"]] == ["Ours"]
    assert response.context["day_revenue"] == {"EUR": 18000}
    assert (response.context["day_orders"], response.context["on_sale"]) == (1, 1)


def test_lists_ask_the_same_number_of_questions_for_one_row_and_for_three(anna, world, django_assert_max_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def questions():
        counts = []
        for model in ("events_event", "inventory_order", "inventory_auditentry"):
            with CaptureQueriesContext(
                connection,
            ) as asked:
                listed(anna, model)
            counts.append(len(asked))
        return counts

    one = questions()
    for index in (10, 11):
        world.sale(world.a, world.plan_a, f"Ours {index}")
        buy(world.event_a, new_fan(), index)
    assert questions() == one


def test_a_sale_without_events_is_an_invitation(client):
    client.force_login(make_member(make_organizer()))
    assert "No event yet" in client.get("/admin/").content.decode()
    make_sale()
    assert "No event yet" in client.get("/admin/").content.decode()


def test_a_sale_with_nothing_left_is_called_sold_out(anna, world):
    purchase.block_seats(event_id=world.event_a.pk, indexes=list(range(2, 60)), actor="staff:1")
    read_models.feed()
    (event,) = listed(anna, "events_event")
    assert event.places.is_sold_out
    for page in ("/admin/", reverse("admin:events_event_changelist")):
        assert "Sold out" in anna.get(page).content.decode()


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [("", "", 1), (0, 0, 1), (0, "", 1), ("", -1, 0), (1, "", 0), (-1, 1, 1), ("nonsense", "9999-99-99", 1)],
)
def test_orders_are_narrowed_to_whole_days(anna, world, first, last, found):
    def day(value):
        if not isinstance(value, int):
            return value
        return (world.order_a.created_at + timedelta(days=value)).strftime("%Y-%m-%d")

    query = f"?created_at_from={day(first)}&created_at_to={day(last)}"
    assert len(listed(anna, "inventory_order", query)) == found
