"""Places by what people call them, and what a plan's page says."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from inventory.models import AuditEntry
from seating.admin import summary
from seating.models import SeatingPlan
from seating.places import PlaceUnknown, named_places
from seating.plans import plan as decoded
from tests.factories import make_event, make_member, make_organizer, make_plan, make_venue, small_hall

HALL = small_hall(rows=4, standing=20)  # Stalls A-D 0-39, Balcony A-B 40-59, Floor 60-79.


@pytest.mark.parametrize(
    ("text", "indexes"),
    [
        ("Stalls A 1", [0]),
        ("stalls a 1-4, 7", [0, 1, 2, 3, 6]),
        ("Stalls row B 10", [19]),
        ("Stalls A 4 - 2", [1, 2, 3]),
        ("Balcony B", list(range(50, 60))),
        ("Balcony", list(range(40, 60))),
        ("Floor 3", [60, 61, 62]),
        ("Floor", list(range(60, 80))),
        ("Stalls A 1\n\nStalls A 1; Balcony A 1", [0, 40]),
        ("  Stalls   A   1\u20132 ", [0, 1]),
        ("", []),
    ],
)
def test_named_places_finds_seats_rows_sections_and_standing_places(text, indexes):
    assert named_places(HALL, text) == indexes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Gallery A 1", "“Gallery A 1”: no section has this name. The plan has Stalls, Balcony, Floor"),
        ("Stalls Z 1", "“Stalls Z 1”: Stalls has no row “Z”."),
        ("Stalls A 11", "“Stalls A 11”: row A has no seat “11”."),
        ("Stalls A 1-2-3", "“Stalls A 1-2-3”: row A has no seat “1-2-3”."),
        ("Stalls A one", "“Stalls A one”: row A has no seat “one”."),
        ("Floor 21", "“Floor 21”: say how many of the 20 places."),
        ("Floor 0", "“Floor 0”: say how many of the 20 places."),
        ("Stallsx A 1", "“Stallsx A 1”: no section has this name. The plan has Stalls, Balcony, Floor"),
    ],
)
def test_named_places_says_what_it_does_not_know(text, message):
    with pytest.raises(PlaceUnknown) as caught:
        named_places(HALL, text)
    assert str(caught.value) == message


def test_named_places_refuses_a_book():
    with pytest.raises(PlaceUnknown, match="longer than 20,000 letters"):
        named_places(HALL, "Stalls A 1\n" * 2000)


def test_summary_counts_places_by_category_and_section():
    told = summary(HALL)
    assert told["seat_count"] == 80
    assert [(c["name"], c["places"]) for c in told["categories"]] == [("Stalls", 40), ("Balcony", 20), ("Floor", 20)]
    assert [(s["name"], s["kind"], s["rows"], s["places"]) for s in told["sections"]] == [
        ("Stalls", "Seats", 4, 40),
        ("Balcony", "Seats", 2, 20),
        ("Floor", "Standing", 0, 20),
    ]
    assert (told["wheelchair"], told["companion"], told["restricted"]) == (1, 1, 0)


@pytest.fixture
def venue():
    return make_venue(name="Hall A")


@pytest.fixture
def anna(client, venue):
    organizer = make_organizer()
    organizer.venues.add(venue)
    client.force_login(make_member(organizer))
    return client


def upload(client, venue, content, name="", file_name="plan.json"):
    data = {"venue": venue.pk, "name": name, "file": SimpleUploadedFile(file_name, content)}
    return client.post(reverse("admin:seating_seatingplan_add"), data)


@pytest.mark.django_db
@pytest.mark.parametrize("file_format", ["json", "csv", "pretix"])
def test_a_plan_saved_as_a_file_can_be_uploaded_again(anna, venue, file_format):
    plan = make_plan(venue)
    saved = anna.get(reverse("admin:seating_seatingplan_save", args=[plan.pk, file_format]))
    assert saved.headers["Content-Disposition"].startswith('attachment; filename="plan-')
    response = upload(anna, venue, saved.content, name="Once more")
    again = SeatingPlan.objects.get(name="Once more")
    assert response.url == reverse("admin:seating_seatingplan_change", args=[again.pk])
    assert (again.venue_id, again.seat_count) == (venue.pk, 60)
    assert AuditEntry.objects.get(action="seatingplan.added").subject == str(again.pk)
    page = anna.get(response.url).content.decode()
    assert f'data-plan-url="/plans/{again.content_hash}"' in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"{", "Nothing was stored. Line 1, column 2: not JSON"),
        (b"\xff\xfe", "Nothing was stored. Byte 0: the file is not UTF-8 text."),
        (b'{"name": "x", "zones": [], "categories": [], "size": {"width": 1, "height": 1}}', "Nothing was stored. "),
        (b"section,row\nA,1\n", "Nothing was stored. "),
        (b"", "The submitted file is empty."),
    ],
)
def test_a_file_that_is_no_plan_is_refused_and_nothing_is_stored(anna, venue, content, fault):
    response = upload(anna, venue, content)
    assert response.status_code == 200
    (told,) = response.context["adminform"].form.errors["file"]
    assert told.startswith(fault)
    assert not SeatingPlan.objects.exists()


@pytest.mark.django_db
def test_the_same_plan_is_not_stored_twice(anna, venue):
    plan = make_plan(venue)
    response = upload(anna, venue, decoded(plan.content_hash).body)
    assert response.context["adminform"].form.errors["file"] == [
        "This hall has this very plan already. Give it a name of its own to store it once more."
    ]
    assert SeatingPlan.objects.count() == 1


@pytest.mark.django_db
def test_a_plan_goes_into_no_hall_of_another_organizer_and_comes_out_of_none(anna, venue):
    elsewhere = make_venue(name="Hall B")
    plan = make_plan(elsewhere)
    response = upload(anna, elsewhere, small_hall(rows=2).body)
    assert list(response.context["adminform"].form.errors) == ["venue"]
    assert anna.get(reverse("admin:seating_seatingplan_save", args=[plan.pk, "json"])).status_code == 404
    assert SeatingPlan.objects.count() == 1


@pytest.mark.django_db
def test_a_plan_in_use_cannot_be_deleted(anna, venue):
    used, unused = make_plan(venue), make_plan(venue, rows=2)
    make_event(plan=used)
    for plan in (used, unused):
        anna.post(reverse("admin:seating_seatingplan_delete", args=[plan.pk]), {"post": "yes"})
    assert list(SeatingPlan.objects.all()) == [used]
