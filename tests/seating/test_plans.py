import gzip
import json

import brotli
import pytest
from django.urls import reverse

from seating import plans
from seating.models import SeatingPlan
from tests.factories import make_plan, small_hall

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored():
    return make_plan(name="Served hall")


def get(client, stored, **headers):
    return client.get(reverse("plan", args=[stored.content_hash]), headers=headers)


def test_plan_decodes_once_and_keeps_the_object(stored, django_assert_num_queries):
    plans.plan(stored.content_hash)
    with django_assert_num_queries(0):
        again = plans.plan(stored.content_hash)
    assert again is plans.plan(stored.content_hash)
    assert again == small_hall(name="Served hall")


def test_plan_of_an_unknown_hash_is_no_plan():
    with pytest.raises(SeatingPlan.DoesNotExist):
        plans.plan("0" * 64)


@pytest.mark.parametrize(
    ("accept", "encoding", "decode"),
    [
        ("gzip, br", "br", brotli.decompress),
        ("gzip", "gzip", gzip.decompress),
        ("br;q=0, gzip;q=0.5", "gzip", gzip.decompress),
        ("identity", None, bytes),
        ("", None, bytes),
    ],
)
def test_view_serves_the_document_for_ever(client, stored, accept, encoding, decode):
    response = get(client, stored, accept_encoding=accept)
    assert response.status_code == 200
    assert response.headers.get("Content-Encoding") == encoding
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response["ETag"] == f'"{stored.content_hash}"'
    assert response["Vary"] == "Accept-Encoding"
    assert not response.cookies
    body = decode(response.content)
    assert body == small_hall(name="Served hall").body
    assert json.loads(body)["format"] == "onsale-plan/1"


def test_view_answers_304_to_who_has_it(client, stored):
    response = get(client, stored, if_none_match=f'"{stored.content_hash}"')
    assert (response.status_code, response.content) == (304, b"")
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"


def test_view_answers_a_problem_for_an_unknown_plan(client):
    response = client.get("/plans/" + "0" * 64)
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert response["Cache-Control"] == "no-store"
    assert response.json() == {
        "type": "about:blank",
        "title": "Unknown plan",
        "status": 404,
        "code": "plan_unknown",
        "detail": "There is no seating plan 000000000000... here.",
    }
    assert client.get("/plans/xyz").status_code == 404
    assert client.post("/plans/" + "0" * 64).status_code == 405
