"""The page with the knobs: who may turn them, what it refuses, and what the audit log keeps."""

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from config import knob_board
from config.knobs import knobs
from config.models import KnobSetting
from inventory.models import AuditEntry
from tests.factories import make_member, make_organizer

pytestmark = pytest.mark.django_db(transaction=True)

STANDING = knob_board.settings_of({})


@pytest.fixture(autouse=True)
def _as_by_default():
    yield
    knobs.turn({})


@pytest.fixture
def root(client):
    user = get_user_model().objects.create_superuser("root", "root@example.org", "a-long-password")
    client.force_login(user)
    return user


def test_page_shows_where_each_knob_stands_and_what_it_does(client, root):
    page = client.get(reverse("admin:knobs")).content.decode()
    assert 'name="seats_copies" value="10"' in page
    assert "From 1 to 20 copies; by default 10 copies." in page
    assert page.count("by default") == len(STANDING)
    assert reverse("admin:knobs") in client.get(reverse("admin:index")).content.decode()


def test_turning_a_knob_holds_at_once_and_is_in_the_audit_log(client, root):
    answer = client.post(reverse("admin:knobs"), STANDING | {"seats_copies": "20"}, follow=True)
    assert (
        "Copies of a hot seat plane: 20 (was 10). Every process follows within two seconds." in answer.content.decode()
    )
    assert knobs.seats_copies == 20
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.actor) == ("knob.turned", "seats_copies", f"staff:{root.pk}")
    assert entry.detail == {"from": "10", "to": "20"}


def test_turning_nothing_leaves_no_trace(client, root):
    answer = client.post(reverse("admin:knobs"), STANDING, follow=True)
    assert "Everything stands where it stood." in answer.content.decode()
    assert not AuditEntry.objects.exists()
    assert not KnobSetting.objects.exists()


@pytest.mark.parametrize(("typed", "said"), [("21", "less than or equal to 20"), ("many", "Enter a whole number")])
def test_out_of_bounds_is_refused_beside_the_knob(client, root, typed, said):
    answer = client.post(reverse("admin:knobs"), STANDING | {"seats_copies": typed})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not KnobSetting.objects.exists()
    assert knobs.seats_copies == 10


def test_knobs_are_for_superusers(client):
    client.force_login(make_member(make_organizer()))
    assert client.get(reverse("admin:knobs")).status_code == 403
    assert client.post(reverse("admin:knobs"), STANDING | {"seats_copies": "20"}).status_code == 403
    assert not KnobSetting.objects.exists()
    assert reverse("admin:knobs") not in client.get(reverse("admin:index")).content.decode()
