"""The verbs that move an event through its sale."""

from datetime import timedelta

import pytest
from django.utils import timezone

from events import sales
from events.models import Event, PriceTier, SaleWindow
from events.tiers import coverage_faults
from tests.factories import make_event

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def log():
    return []


@pytest.fixture
def record(log):
    return lambda **entry: log.append(entry)


@pytest.fixture
def draft():
    return make_event(status="draft")


@pytest.fixture
def show():
    return make_event()


def set_windows(event, *windows):
    event.windows.all().delete()
    now = timezone.now()
    for opens, closes, access in windows:
        SaleWindow.objects.create(event=event, opens_at=now + opens, closes_at=now + closes, access=access)


def row(event):
    return Event.objects.values("status", "sale_switch", "starts_at", "ends_at", "doors_at").get(pk=event.pk)


def refused(refusal, verb, event, log, **arguments):
    """Run a verb that must refuse, and see that neither the event, its windows nor the log changed."""
    before, windows = row(event), list(event.windows.values())
    with pytest.raises(refusal) as caught:
        verb(event_id=event.pk, actor="staff:1", **arguments)
    assert row(event) == before
    assert list(event.windows.values()) == windows
    assert log == []
    return caught.value


def test_publish_makes_a_ready_draft_public_and_tells_who(draft, record, log):
    sales.publish(event_id=draft.pk, actor="staff:7", record=record)
    assert row(draft)["status"] == "published"
    assert log == [
        {
            "actor": "staff:7",
            "action": "event.published",
            "subject": str(draft.pk),
            "event_id": draft.pk,
            "organizer_id": draft.organizer_id,
            "detail": None,
        }
    ]


def test_publish_refuses_a_public_event(show, record, log):
    assert refused(sales.NotDraft, sales.publish, show, log, record=record).code == "event_not_draft"


def test_publish_names_everything_that_is_missing(draft, record, log):
    PriceTier.objects.filter(event=draft).delete()
    SaleWindow.objects.filter(event=draft).delete()
    Event.objects.filter(pk=draft.pk).update(starts_at=timezone.now() - HOUR, ends_at=None)
    refusal = refused(sales.NotReady, sales.publish, draft, log, record=record)
    assert len(refusal.reasons) == 3
    assert "has no price" in refusal.reasons[0]
    assert refusal.reasons[1] == "The show begins in the past: give it a date to come."
    assert refusal.reasons[2] == "There is no sale window: say from when to when tickets are sold."


def test_publish_refuses_a_tier_without_a_price(draft, record, log):
    tier = draft.tiers.first()
    draft.tiers.filter(pk=tier.pk).update(amount=0)
    assert refused(sales.NotReady, sales.publish, draft, log, record=record).reasons == [f"“{tier.name}”: set a price."]


def test_publish_refuses_when_every_window_is_over(draft, record, log):
    set_windows(draft, (-2 * HOUR, -HOUR, "public"))
    reasons = refused(sales.NotReady, sales.publish, draft, log, record=record).reasons
    assert reasons == ["Every sale window is over: let one close in the future."]


def test_a_verb_on_an_unknown_event_says_so(draft, record, log):
    with pytest.raises(sales.EventUnknown) as caught:
        sales.pause(event_id=draft.organizer_id, actor="staff:1", record=record)
    assert caught.value.status == 404


@pytest.mark.parametrize("verb", [sales.open_now, sales.pause, sales.resume, sales.close, sales.reopen])
def test_a_draft_has_no_sale_to_change(verb, draft, record, log):
    assert refused(sales.NotPublished, verb, draft, log, record=record).detail == (
        "This event is draft: there is no sale to change."
    )


def test_open_now_brings_the_next_public_window_forward(show, record, log):
    set_windows(show, (HOUR, 3 * HOUR, "presale"), (2 * HOUR, 4 * HOUR, "public"), (5 * HOUR, 6 * HOUR, "public"))
    closes = [w.closes_at for w in show.windows.order_by("closes_at")]
    before = timezone.now()
    sales.open_now(event_id=show.pk, actor="staff:1", record=record)
    opened = show.windows.get(closes_at=closes[1])
    assert before - timedelta(seconds=5) < opened.opens_at < timezone.now() + timedelta(seconds=5)
    assert sorted(w.closes_at for w in show.windows.all()) == closes
    assert [entry["action"] for entry in log] == ["sale.opened"]


def test_open_now_adds_a_window_until_the_show_begins(show, record):
    set_windows(show, (-2 * HOUR, -HOUR, "public"))
    sales.open_now(event_id=show.pk, actor="staff:1", record=record)
    assert show.windows.latest("opens_at").closes_at == show.starts_at
    assert show.windows.count() == 2


def test_open_now_refuses_an_open_a_paused_and_a_closed_sale(show, record, log):
    set_windows(show, (-HOUR, HOUR, "public"))
    assert "open already" in refused(sales.SaleStands, sales.open_now, show, log, record=record).detail
    for switch, way in (("paused", "resume it first"), ("closed", "reopen it first")):
        Event.objects.filter(pk=show.pk).update(sale_switch=switch)
        assert way in refused(sales.SaleStands, sales.open_now, show, log, record=record).detail


def test_pause_and_resume_turn_the_switch_and_back(show, record, log):
    set_windows(show, (-HOUR, HOUR, "public"))
    sales.pause(event_id=show.pk, actor="staff:1", record=record)
    assert row(show)["sale_switch"] == "paused"
    sales.resume(event_id=show.pk, actor="staff:1", record=record)
    assert row(show)["sale_switch"] == "on"
    assert [entry["action"] for entry in log] == ["sale.paused", "sale.resumed"]


def test_pause_refuses_twice_and_after_the_last_window(show, record, log):
    set_windows(show, (-HOUR, HOUR, "public"))
    Event.objects.filter(pk=show.pk).update(sale_switch="paused")
    refused(sales.SaleStands, sales.pause, show, log, record=record)
    Event.objects.filter(pk=show.pk).update(sale_switch="on")
    set_windows(show, (-2 * HOUR, -HOUR, "public"))
    refused(sales.SaleStands, sales.pause, show, log, record=record)


def test_resume_and_reopen_refuse_a_sale_by_its_windows(show, record, log):
    refused(sales.SaleStands, sales.resume, show, log, record=record)
    refused(sales.SaleStands, sales.reopen, show, log, record=record)


def test_close_and_reopen_turn_the_switch_and_back(show, record, log):
    sales.close(event_id=show.pk, actor="staff:1", record=record)
    assert row(show)["sale_switch"] == "closed"
    log.clear()
    refused(sales.SaleStands, sales.close, show, log, record=record)
    sales.reopen(event_id=show.pk, actor="staff:1", record=record)
    assert row(show)["sale_switch"] == "on"


def test_cancel_is_for_good(show, record, log):
    sales.cancel(event_id=show.pk, actor="staff:1", reason="The singer is ill.", record=record)
    assert (row(show)["status"], row(show)["sale_switch"]) == ("cancelled", "closed")
    assert log[0]["detail"] == {"reason": "The singer is ill."}
    log.clear()
    refused(sales.NotPublished, sales.cancel, show, log, reason="again", record=record)
    refused(sales.NotPublished, sales.reopen, show, log, record=record)


def test_cancel_refuses_a_draft(draft, record, log):
    detail = refused(sales.NotPublished, sales.cancel, draft, log, reason="", record=record).detail
    assert detail == "A draft has no buyers: delete it instead."


def test_reschedule_moves_the_windows_that_closed_when_the_show_began(show, record, log):
    now = timezone.now()
    show.windows.all().delete()
    SaleWindow.objects.create(event=show, name="a", opens_at=now - HOUR, closes_at=now + HOUR)
    SaleWindow.objects.create(event=show, name="b", opens_at=now - HOUR, closes_at=show.starts_at)
    later = show.starts_at + timedelta(days=7)
    sales.reschedule(
        event_id=show.pk,
        starts_at=later,
        doors_at=later - HOUR,
        ends_at=later + 2 * HOUR,
        actor="staff:1",
        record=record,
    )
    assert row(show) == {
        "status": "published",
        "sale_switch": "on",
        "starts_at": later,
        "doors_at": later - HOUR,
        "ends_at": later + 2 * HOUR,
    }
    assert show.windows.get(name="a").closes_at == now + HOUR
    assert show.windows.get(name="b").closes_at == later
    assert log[0]["detail"] == {"from": show.starts_at.isoformat(), "to": later.isoformat()}


def test_reschedule_refuses_times_that_cannot_be(show, record, log):
    soon = timezone.now() + HOUR
    for times in (
        {"starts_at": timezone.now() - HOUR},
        {"starts_at": soon, "ends_at": soon},
        {"starts_at": soon, "doors_at": soon + HOUR},
    ):
        refused(sales.TimesImpossible, sales.reschedule, show, log, record=record, **times)
    set_windows(show)
    SaleWindow.objects.create(event=show, opens_at=soon + HOUR, closes_at=show.starts_at)
    refused(sales.TimesImpossible, sales.reschedule, show, log, record=record, starts_at=soon)


def test_a_refused_record_undoes_the_verb(show):
    def record(**entry):
        raise RuntimeError("the log is full")

    with pytest.raises(RuntimeError):
        sales.close(event_id=show.pk, actor="staff:1", record=record)
    assert row(show)["sale_switch"] == "on"


def test_coverage_faults_names_gaps_doubles_and_strangers():
    assert coverage_faults(["A", "B"], [["A"], ["B"]]) == []
    assert coverage_faults(["A", "B", "C"], [["A", "X"], ["A"]]) == [
        "“B”, “C” of the seating plan has no price: add it to one of the prices.",
        "“A” has more than one price: leave it in one of them.",
        "“X” is not in the seating plan: take it out.",
    ]
    many = [str(k) for k in range(7)]
    assert coverage_faults(many, [])[0].startswith("“0”, “1”, “2”, “3”, “4” and 2 more of the seating plan")
