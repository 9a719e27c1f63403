"""The back office's forms: what an organiser types, and what is kept of it."""

from datetime import UTC, datetime, timedelta

import pytest
from django import forms
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from events.admin.fields import MinutesField, MoneyField, PercentField
from events.models import Event, PriceTier, SaleWindow
from inventory.models import AuditEntry
from tests.factories import make_event, make_member, make_organizer, make_plan, make_venue, make_window

pytestmark = pytest.mark.django_db


@pytest.fixture
def organizer():
    return make_organizer(name="A")


@pytest.fixture
def venue(organizer):
    venue = make_venue(timezone="America/New_York")
    organizer.venues.add(venue)
    return venue


@pytest.fixture
def anna(client, organizer):
    user = make_member(organizer)
    client.force_login(user)
    return user


@pytest.fixture
def draft(organizer, venue):
    return make_event(status="draft", organizer=organizer, plan=make_plan(venue))


def change(event):
    return reverse("admin:events_event_change", args=[event.pk])


def posted(event, **changes):
    """Return what a browser posts that changes nothing, then the changes."""
    data = {
        "organizer": event.organizer_id,
        "name": event.name,
        "subtitle": event.subtitle,
        "category": event.category,
        "slug": event.slug,
        "description": event.description,
        "plan": event.plan_id,
        "starts_at": "2031-07-01T20:00",
        "ends_at": "",
        "doors_at": "",
        "max_per_fan": event.max_per_fan,
        "hold_seconds": 10,
        "extend_seconds": 5,
    }
    tiers, windows = list(event.tiers.all()), list(event.windows.all())
    for prefix, rows in (("tiers", tiers), ("windows", windows)):
        data |= {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": len(rows)}
    for k, tier in enumerate(tiers):
        data |= {
            f"tiers-{k}-id": tier.pk,
            f"tiers-{k}-event": event.pk,
            f"tiers-{k}-name": tier.name,
            f"tiers-{k}-categories": tier.categories,
            f"tiers-{k}-amount": f"{tier.amount / 100:.2f}",
            f"tiers-{k}-color": tier.color,
            f"tiers-{k}-shape": tier.shape,
        }
    for k, window in enumerate(windows):
        data |= {
            f"windows-{k}-id": window.pk,
            f"windows-{k}-event": event.pk,
            f"windows-{k}-name": window.name,
            f"windows-{k}-access": window.access,
            f"windows-{k}-opens_at": "2031-06-01T10:00",
            f"windows-{k}-closes_at": "2031-07-01T20:00",
        }
    return data | changes


def faults(response):
    """Return every sentence of an error on a form page."""
    found = [e for errors in response.context["adminform"].form.errors.values() for e in errors]
    for inline in response.context["inline_admin_formsets"]:
        found += inline.formset.non_form_errors()
        found += [e for form in inline.formset.forms for errors in form.errors.values() for e in errors]
    return found


@pytest.mark.parametrize(
    ("typed", "minor"), [("12.50", 1250), ("12,50", 1250), ("12", 1200), ("0", 0), ("0.01", 1), (" 1000.00 ", 100000)]
)
def test_money_is_typed_in_major_units(typed, minor):
    assert MoneyField().clean(typed) == minor


@pytest.mark.parametrize("typed", ["12.505", "-1", "twelve", "1e999", "NaN", "Infinity", "21474836.48", ""])
def test_money_refuses_what_is_no_amount(typed):
    with pytest.raises(forms.ValidationError):
        MoneyField().clean(typed)


def test_money_knows_currencies_without_cents():
    field = MoneyField(currency="JPY")
    assert (field.clean("1200"), field.prepare_value(1200)) == (1200, "1200")
    with pytest.raises(forms.ValidationError):
        field.clean("1200.50")


def test_fields_show_what_they_take():
    assert MoneyField().prepare_value(1250) == "12.50"
    assert (MinutesField().prepare_value(600), MinutesField().clean("10")) == ("10", 600)
    assert (PercentField().prepare_value(250), PercentField().clean("2,5")) == ("2.5", 250)
    assert MoneyField().has_changed(1250, "12.5") is False
    assert MoneyField().has_changed(1250, "12.51") is True


def test_a_new_event_begins_with_a_price_for_every_category(client, anna, organizer, venue):
    plan = make_plan(venue, standing=30)
    response = client.post(
        reverse("admin:events_event_add"),
        {
            "organizer": organizer.pk,
            "name": "New show",
            "category": "music",
            "slug": "new-show",
            "plan": plan.pk,
            "starts_at": "2031-07-01T20:00",
            "max_per_fan": 6,
            "hold_seconds": 12,
            "extend_seconds": 0,
        },
    )
    event = Event.objects.get(slug="new-show")
    assert response.url == change(event) + "#tiers"
    assert event.venue_id == venue.pk
    assert event.starts_at == datetime(2031, 7, 2, 0, 0, tzinfo=UTC)  # 20:00 in New York.
    assert (event.status, event.hold_seconds, event.extend_seconds) == ("draft", 720, 0)
    tiers = [(t.number, t.name, t.categories, t.amount) for t in event.tiers.all()]
    assert tiers == [(0, "Stalls", ["Stalls"], 0), (1, "Balcony", ["Balcony"], 0), (2, "Floor", ["Floor"], 0)]
    entry = AuditEntry.objects.get(action="event.added")
    assert (entry.actor, entry.event_id, entry.organizer_id) == (f"staff:{anna.pk}", event.pk, organizer.pk)


def test_times_are_shown_and_read_in_the_venues_time_zone(client, anna, draft):
    Event.objects.filter(pk=draft.pk).update(starts_at=datetime(2031, 7, 2, 0, 0, tzinfo=UTC))
    page = client.get(change(draft)).content.decode()
    assert 'value="2031-07-01T20:00"' in page
    assert "Local time at the venue (America/New York)." in page
    assert client.post(change(draft), posted(draft)).status_code == 302
    draft.refresh_from_db()
    assert draft.starts_at == datetime(2031, 7, 2, 0, 0, tzinfo=UTC)
    assert draft.windows.get().closes_at == draft.starts_at


def test_prices_are_saved_in_minor_units(client, anna, draft):
    response = client.post(change(draft), posted(draft, **{"tiers-0-amount": "99,90", "tiers-1-amount": "45"}))
    assert response.status_code == 302
    assert list(draft.tiers.values_list("number", "amount")) == [(0, 9990), (1, 4500)]


def test_prices_must_cover_every_part_of_the_hall_once(client, anna, draft):
    response = client.post(change(draft), posted(draft, **{"tiers-0-categories": ["Stalls", "Balcony"]}))
    assert response.status_code == 200
    assert faults(response) == ["“Balcony” has more than one price: leave it in one of them."]
    assert draft.tiers.get(number=0).categories == ["Stalls"]


def test_one_price_may_take_over_another_and_numbers_close_up(client, anna, draft):
    first = draft.tiers.get(number=0)
    data = posted(draft, **{"tiers-1-categories": ["Stalls", "Balcony"], "tiers-0-DELETE": "on"})
    assert client.post(change(draft), data).status_code == 302
    assert not PriceTier.objects.filter(pk=first.pk).exists()
    assert list(draft.tiers.values_list("number", "categories")) == [(0, ["Stalls", "Balcony"])]


def test_another_plan_begins_the_prices_anew(client, anna, draft, venue):
    other = make_plan(venue, rows=2, standing=9)
    response = client.post(change(draft), posted(draft, plan=other.pk))
    assert response.status_code == 302, faults(response)
    draft.refresh_from_db()
    assert draft.plan_id == other.pk
    assert [(t.name, t.amount) for t in draft.tiers.all()] == [("Stalls", 0), ("Balcony", 0), ("Floor", 0)]


def test_what_buyers_rely_on_cannot_change_once_public(client, anna, draft, venue):
    other = make_plan(venue, rows=2)
    Event.objects.filter(pk=draft.pk).update(status="published")
    before = Event.objects.values("plan_id", "slug", "starts_at", "organizer_id").get(pk=draft.pk)
    data = posted(draft, plan=other.pk, slug="elsewhere", starts_at="2032-01-01T10:00", name="Renamed")
    data |= {"tiers-0-categories": ["Balcony"], "tiers-0-amount": "80.00"}
    assert client.post(change(draft), data).status_code == 302
    assert Event.objects.values("plan_id", "slug", "starts_at", "organizer_id").get(pk=draft.pk) == before
    assert Event.objects.get(pk=draft.pk).name == "Renamed"
    tier = draft.tiers.get(number=0)
    assert (tier.categories, tier.amount) == (["Stalls"], 8000)


def test_a_public_event_takes_no_new_price_and_loses_none(client, anna, draft):
    Event.objects.filter(pk=draft.pk).update(status="published")
    data = posted(draft, **{"tiers-0-DELETE": "on", "tiers-TOTAL_FORMS": 3, "tiers-2-name": "x"})
    client.post(change(draft), data)
    assert draft.tiers.count() == 2


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"ends_at": "2031-07-01T19:00"}, "The show must end after it begins."),
        ({"doors_at": "2031-07-01T21:00"}, "The doors must open before the show begins."),
        ({"windows-0-closes_at": "2031-06-01T10:00"}, "A sale must close after it opens."),
        ({"tiers-0-amount": "free"}, "Enter a number."),
        ({"hold_seconds": "0"}, "Ensure this value is greater than or equal to 1."),
        ({"starts_at": "tomorrow"}, "Enter a valid date/time."),
        ({"name": ""}, "This field is required."),
    ],
)
def test_a_fault_is_named_and_nothing_is_saved(client, anna, draft, changes, fault):
    before = Event.objects.values().get(pk=draft.pk)
    response = client.post(change(draft), posted(draft, **{"name": "Changed", **changes}))
    assert faults(response) == [fault]
    assert Event.objects.values().get(pk=draft.pk) == before


def test_only_pictures_that_browsers_show_are_taken(client, anna, draft, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    fake = SimpleUploadedFile("x.png", b"<svg onload=alert(1)>", content_type="image/png")
    response = client.post(change(draft), posted(draft, image=fake))
    assert "Upload a valid image." in faults(response)[0]
    assert list(tmp_path.rglob("*.*")) == []


def test_a_draft_can_be_deleted_and_a_public_event_cannot(client, anna, draft, organizer):
    public = make_event(organizer=organizer, plan=draft.plan)
    for event in (draft, public):
        client.post(reverse("admin:events_event_delete", args=[event.pk]), {"post": "yes"})
    assert list(Event.objects.values_list("pk", flat=True)) == [public.pk]
    assert AuditEntry.objects.get(action="event.deleted").subject == str(draft.pk)


def test_a_window_with_codes_is_kept_with_its_event(client, anna, draft):
    make_window(draft, access=SaleWindow.Access.PRESALE, codes=["AAAA"], opens_in=timedelta(days=-3))
    assert client.get(change(draft)).status_code == 200


def test_a_user_may_be_made_a_manager_by_a_superuser_only(client, anna, organizer):
    other = get_user_model().objects.create_user("door", is_staff=True)
    page = reverse("admin:events_organizer_change", args=[organizer.pk])
    client.post(
        page,
        {
            "name": "A",
            "about": "",
            "fee_basis_points": "2.5",
            "fee_fixed": "1.00",
            "currency": "EUR",
            "memberships-TOTAL_FORMS": 1,
            "membership_set-TOTAL_FORMS": 2,
            "membership_set-INITIAL_FORMS": 1,
            "membership_set-1-user": other.pk,
            "membership_set-1-role": "manager",
        },
    )
    organizer.refresh_from_db()
    assert (organizer.fee_basis_points, organizer.fee_fixed) == (250, 100)
    assert list(organizer.members.all()) == [anna]
