"""The pages fans browse: what they show, what they refuse, and what their headers promise."""

import json
import re
from datetime import timedelta

import pytest

from events import catalog
from inventory import read_models
from tests.factories import make_event, make_organizer, make_plan, make_venue

pytestmark = pytest.mark.django_db

CACHE_CONTROL = "public, max-age=0, s-maxage=60, stale-while-revalidate=30, stale-if-error=86400"


def shown(response):
    return re.findall(r'event-card__name"><a href="[^"]+">([^<]+)</a>', response.content.decode())


@pytest.fixture
def house():
    venue = make_venue(name="Kanal", slug="kanal", city="Hamburg")
    organizer = make_organizer(name="Nordwind", slug="nordwind", about="Since 1991.")
    return make_event(name="Aurora", plan=make_plan(venue, name="Kanal hall"), organizer=organizer)


@pytest.mark.parametrize(
    "path", ["/", "/o/nordwind/", "/v/kanal/", "/sitemap.xml", "/robots.txt", "/?q=aurora&city=Hamburg"]
)
def test_pages_are_for_everybody(client, house, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == CACHE_CONTROL
    assert answer.get("Vary", "Accept-Encoding") == "Accept-Encoding"
    assert "Set-Cookie" not in answer
    assert answer.cookies == {}


def test_listing_shows_events_with_price_and_state(client, house):
    answer = client.get("/")
    content = answer.content.decode()
    assert shown(answer) == ["Aurora"]
    assert '<strong class="numeric">1</strong> event' in content
    assert "€45" in content
    assert "badge--open" in content
    assert '<option value="Hamburg">' in content


def test_listing_groups_by_month_on_the_venue_clock(client):
    venue = make_venue(timezone="America/New_York")
    plan = make_plan(venue, name="New York hall")
    event = make_event(plan=plan)
    new_year = event.starts_at.replace(year=2031, month=1, day=1, hour=3, minute=0)
    type(event).objects.filter(pk=event.pk).update(starts_at=new_year)
    read_models.feed()
    assert 'id="month-2030-12"' in client.get("/").content.decode()


def test_listing_filters_and_keeps_the_input(client, house):
    make_event(name="Other", category="sport")
    answer = client.get("/", {"city": "Hamburg", "category": "music", "min": "40", "max": "100", "from": "2020-01-01"})
    content = answer.content.decode()
    assert shown(answer) == ["Aurora"]
    assert '<option value="Hamburg" selected>' in content
    assert 'value="40"' in content
    assert 'value="2020-01-01"' in content
    assert "Clear all filters" in content


def test_listing_says_when_nothing_fits(client, house):
    content = client.get("/?city=Atlantis").content.decode()
    assert "Nothing fits all of that" in content
    assert '<option value="Atlantis" selected>' in content


def test_listing_offers_the_nearest_spelling(client, house):
    answer = client.get("/?q=aurorra")
    assert shown(answer) == ["Aurora"]
    assert "Nothing is called “aurorra”" in answer.content.decode()


@pytest.mark.parametrize(
    ("query", "error", "kept"),
    [
        ("page=abc", "The page is a whole number from 1.", "abc"),
        ("page=0", "greater than or equal to 1", "0"),
        ("from=notadate", "Write the date as 2027-03-31.", 'value="notadate"'),
        ("from=0001-01-01", "Choose a date between 2000 and 2099.", 'value="0001-01-01"'),
        ("from=2025-05-02&to=2025-05-01", "This is before the first date.", 'value="2025-05-01"'),
        ("min=90&max=10", "This is below the lowest price.", 'value="10"'),
        ("min=-1", "greater than or equal to 0", 'value="-1"'),
        ("min=NaN", "Enter a number.", 'value="NaN"'),
        ("max=1e999", "Ensure that there are no more than", 'value="1e999"'),
        ("category=opera", "There is no such kind of event.", 'value="opera"'),
        (f"q={'x' * 10_240}", "at most 200 characters (it has 10240)", "x" * 10_240),
        ("q=a%00b", "Null characters are not allowed.", "a\x00b"),
        ("q=caf%E9", "This text is not valid UTF-8.", "caf\ufffd"),
        ("city=%FF", "This text is not valid UTF-8.", "\ufffd"),
    ],
)
def test_listing_answers_bad_input_at_its_field(client, house, query, error, kept):
    answer = client.get(f"/?{query}")
    content = answer.content.decode()
    assert answer.status_code == 400
    assert error in content
    assert kept in content
    assert shown(answer) == ["Aurora"]  # The filters that make sense still count.
    assert "Set-Cookie" not in answer


def test_listing_past_the_last_page_shows_the_last(client, house):
    answer = client.get("/?page=99")
    assert answer.status_code == 200
    assert "There is only 1 page; this is the last." in answer.content.decode()
    assert shown(answer) == ["Aurora"]


def test_listing_links_its_pages_with_the_filters(client, monkeypatch, house):
    monkeypatch.setattr(catalog, "PER_PAGE", 1)
    for i in range(4):
        make_event(name=f"More {i}", plan=house.plan, starts_in=timedelta(days=40 + i))
    content = client.get("/?city=Hamburg&page=3").content.decode()
    assert 'href="/?city=Hamburg" ' in content or 'href="/?city=Hamburg">' in content
    assert 'href="/?city=Hamburg&amp;page=3" aria-current="page"' in content
    assert 'href="/?city=Hamburg&amp;page=5"' in content


@pytest.mark.parametrize("count", [1, 3])
def test_pages_cost_the_same_queries_however_many_events(client, django_assert_num_queries, count):
    venue = make_venue(slug="kanal")
    organizer = make_organizer(slug="nordwind")
    plan = make_plan(venue, name="Kanal hall")
    for _ in range(count):
        make_event(plan=plan, organizer=organizer)
    with django_assert_num_queries(5):  # Count, rows; cities; what opens next, what is on sale.
        client.get("/")
    with django_assert_num_queries(2):
        client.get("/o/nordwind/")
    with django_assert_num_queries(2):
        client.get("/v/kanal/")


def test_organizer_page_shows_their_events_only(client, house):
    make_event(name="Somebody else's", plan=house.plan)
    answer = client.get("/o/nordwind/")
    assert shown(answer) == ["Aurora"]
    assert "Since 1991." in answer.content.decode()
    assert client.get("/o/nobody/").status_code == 404


def test_venue_page_shows_what_is_on_there(client, house):
    make_event(name="Elsewhere", plan=make_plan(make_venue(), name="Elsewhere"))
    assert shown(client.get("/v/kanal/")) == ["Aurora"]
    assert client.get("/v/nowhere/").status_code == 404


def test_pages_escape_what_organisers_write(client):
    venue = make_venue(name="<b>Hall</b>", slug="hall")
    make_event(name="<img src=x>", plan=make_plan(venue, name="Hall"), description="<script>alert(1)</script>")
    for path in ("/", "/v/hall/"):
        content = client.get(path).content.decode()
        assert "<img src=x>" not in content
        assert "<b>Hall" not in content


def test_sitemap_lists_public_pages_under_site_url(client, house):
    draft = make_event(status="draft")
    content = client.get("/sitemap.xml", headers={"Host": "localhost"}).content.decode()
    assert set(re.findall(r"<loc>([^<]+)</loc>", content)) == {
        "http://localhost:8000/",
        f"http://localhost:8000/e/{house.slug}/",
        "http://localhost:8000/o/nordwind/",
        "http://localhost:8000/v/kanal/",
    }
    assert draft.slug not in content


def test_robots_keeps_machines_out_of_private_pages(client):
    content = client.get("/robots.txt").content.decode()
    assert "Disallow: /checkout/" in content
    assert content.endswith("Sitemap: http://localhost:8000/sitemap.xml\n")


def test_unknown_addresses_get_a_readable_page_or_a_problem(client):
    page = client.get("/nothing/here/")
    assert page.status_code == 404
    assert "Nothing at this address" in page.content.decode()
    problem = client.get("/api/nothing")
    assert problem.status_code == 404
    assert problem["Content-Type"] == "application/problem+json"
    assert json.loads(problem.content)["code"] == "not_found"


def test_bad_utf8_in_a_path_is_not_found(client):
    assert client.get("/e/%FF%FE/").status_code == 404


def test_server_error_page_needs_no_database(rf, django_assert_num_queries):
    from events.errors import server_error

    with django_assert_num_queries(0):
        answer = server_error(rf.get("/e/x/"))
    assert answer.status_code == 500
    assert b"Our fault" in answer.content


@pytest.mark.parametrize("status", [400, 403, 404, 413, 429, 500, 503, 418, 599])
def test_error_pages_exist_for_every_status(rf, status):
    from events.errors import error_page

    answer = error_page(rf.get("/"), status)
    assert answer.status_code == status
    assert f">{status}<" in answer.content.decode()


def test_too_large_a_body_is_413(client):
    answer = client.post(
        "/accounts/login/", b"login=" + b"x" * 1_100_000, content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 413
    assert b"Too much at once" in answer.content


def test_stale_forms_say_so(rf):
    from django.test import Client

    answer = Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "ada", "password": "x"})
    assert answer.status_code == 403
    assert b"The form has gone stale" in answer.content


@pytest.mark.parametrize("path", ["login", "signup", "password/reset"])
def test_account_pages_wear_the_house_design(client, path):
    content = client.get(f"/accounts/{path}/").content.decode()
    assert 'class="masthead"' in content
    assert 'class="field' in content
    assert "button--primary" in content


def test_login_keeps_the_name_and_says_what_is_wrong(client):
    answer = client.post("/accounts/login/", {"login": "ada@example.org", "password": "wrong wrong"})
    content = answer.content.decode()
    assert "notice--error" in content or "field__error" in content
    assert 'value="ada@example.org"' in content
