"""Event pages before Django: what it answered is answered again, byte for byte, for as long as it is true."""

import gzip
from datetime import timedelta
from io import BytesIO

import brotli
import psycopg
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, connections, transaction
from django.utils import timezone

from config import metrics
from events import front as fronts
from events import version_probe
from events.front import front
from events.models import Event
from tests.factories import make_event

pytestmark = pytest.mark.django_db

SHELL_READS = {tier: metrics.TIER_READS.labels("shell", tier) for tier in ("lru", "page_cache", "render", "stale")}


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = int(status.split()[0]), dict(headers), body


class Site:
    """A front with Django behind it, which notes what comes through."""

    def __init__(self, *, version_seconds=0.0):
        self.pages = get_wsgi_application()
        self.through = []
        self.application = front(self._noted, version_seconds=version_seconds)

    def _noted(self, environ, start_response):
        self.through.append(environ)
        return self.pages(environ, start_response)

    def get(self, path, *, method="GET", https=False, **headers):
        environ = {
            "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": "", "SERVER_NAME": "localhost",
            "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http", "wsgi.input": BytesIO(),
            "HTTP_HOST": "localhost", **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
        }  # fmt: skip
        if https:
            environ["HTTP_X_FORWARDED_PROTO"] = "https"
        told = []
        body = self.application(environ, lambda status, headers: told.append((status, headers)))
        answer = Answer(*told[-1], b"".join(body))
        if hasattr(body, "close"):
            body.close()
        return answer


@pytest.fixture
def site():
    # A request closes connections that are old; the test's transaction is on one (Django's test client does the same).
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield Site()
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def path():
    return make_event(name="Before").get_absolute_url()


def reads():
    return {tier: tally.value for tier, tally in SHELL_READS.items()}


def test_a_page_passes_through_django_once_for_each_encoding(site, path):
    for encoding in ("", "gzip", "gzip, deflate, br"):
        first, second = site.get(path, accept_encoding=encoding), site.get(path, accept_encoding=encoding)
        assert (first.status, first.headers, first.body) == (second.status, second.headers, second.body)
    assert len(site.through) == 3
    assert [each["HTTP_ACCEPT_ENCODING"] for each in site.through] == ["", "gzip", "br"]


def test_every_answer_is_what_django_alone_answers(site, path):
    for encoding in ("", "gzip", "br"):
        alone = Answer(*_alone(site.pages, path, encoding))
        for _ in range(2):
            ours = site.get(path, accept_encoding=encoding, cookie="sessionid=x; fan=y.z", accept_language="de")
            assert (ours.status, ours.headers, ours.body) == (alone.status, alone.headers, alone.body)
    assert "Content-Security-Policy" in alone.headers
    assert "Set-Cookie" not in alone.headers


def _alone(pages: WSGIHandler, path, encoding):
    site = Site()
    site.application = pages
    answer = site.get(path, accept_encoding=encoding)
    return f"{answer.status} OK", answer.headers.items(), answer.body


def test_the_three_bodies_are_one_page(site, path):
    plain, zipped, smallest = (site.get(path, accept_encoding=each).body for each in ("", "gzip", "br"))
    assert plain == gzip.decompress(zipped) == brotli.decompress(smallest)


def test_a_hit_costs_one_statement(site, path, django_assert_num_queries):
    site.get(path)
    probed, before, views = metrics.DATABASE_READS.labels("manage", "default").value, reads(), metrics.PAGE_VIEWS.value
    with django_assert_num_queries(0):  # The probe does not pass through Django's cursors.
        site.get(path)
    assert metrics.DATABASE_READS.labels("manage", "default").value - probed == 1
    assert metrics.PAGE_VIEWS.value - views == 1
    assert reads() == before | {"lru": before["lru"] + 1}


def test_a_change_shows_at_once(site, path):
    assert b"Before" in site.get(path).body
    Event.objects.update(name="After")
    assert b"After" in site.get(path).body
    assert len(site.through) == 2


def test_a_flood_reads_the_version_once_in_its_time(site, path):
    flooded = Site(version_seconds=60)
    before = flooded.get(path)
    Event.objects.update(name="After")
    statements = version_probe._reads.value
    assert {flooded.get(path).body for _ in range(5)} == {before.body}
    assert version_probe._reads.value == statements
    assert b"After" in site.get(path).body


def test_what_is_rolled_back_was_never_shown(site, path):
    site.get(path)
    with transaction.atomic():
        Event.objects.update(name="Nearly")
        transaction.set_rollback(True)
    assert b"Before" in site.get(path).body
    assert len(site.through) == 1


def test_a_page_ends_at_the_moment_the_clock_changes_it(site, monkeypatch):
    event = make_event(windows=[{"opens_in": timedelta(seconds=30)}])
    opens_at = event.windows.get().opens_at
    path = event.get_absolute_url()
    assert b'data-event-state="upcoming"' in site.get(path).body
    monkeypatch.setattr(fronts.time, "time", lambda: opens_at.timestamp() - 0.001)
    assert b'data-event-state="upcoming"' in site.get(path).body
    assert len(site.through) == 1
    monkeypatch.setattr(fronts.time, "time", opens_at.timestamp)
    monkeypatch.setattr(timezone, "now", lambda: opens_at)
    assert b'data-event-state="open"' in site.get(path).body
    assert len(site.through) == 2


@pytest.mark.parametrize(
    ("known", "status"),
    [("{}", 304), ("W/{}", 304), ('"other", {}', 304), ("*", 304), ('"other"', 200), ("", 200), ("nonsense", 200)],
)
def test_who_has_the_page_is_told_so(site, path, known, status):
    whole = site.get(path, accept_encoding="gzip")
    for _ in range(2):
        answer = site.get(path, accept_encoding="gzip", if_none_match=known.format(whole.headers["ETag"]))
        assert answer.status == status
        assert answer.body == (b"" if status == 304 else whole.body)
        assert {name: answer.headers[name] for name in ("ETag", "Cache-Control", "Vary")} == {
            name: whole.headers[name] for name in ("ETag", "Cache-Control", "Vary")
        }
    assert site.get(path, accept_encoding="br", if_none_match=whole.headers["ETag"]).status == 200
    assert ("Content-Length" in answer.headers) is (status == 200)


def test_head_has_the_headers_of_the_page_and_no_body(site, path):
    for _ in range(2):
        head = site.get(path, method="HEAD")
        assert (head.status, head.body) == (200, b"")
        assert head.headers == site.get(path).headers
    assert len(site.through) == 1


def test_hosts_and_schemes_are_apart_and_unknown_hosts_are_refused(site, path, settings):
    settings.ALLOWED_HOSTS = ["localhost", "other.example"]
    site.get(path)
    site.get(path, https=True)
    site.get(path, host="other.example")
    assert len(site.through) == 3
    for _ in range(2):
        assert site.get(path, host="evil.example").status == 400
    assert len(site.through) == 5


def test_a_redirect_to_https_is_django_s_own(site, path, settings):
    settings.SECURE_SSL_REDIRECT = True
    site.__init__()
    for _ in range(2):
        answer = site.get(path)
        assert (answer.status, answer.headers["Location"]) == (301, f"https://localhost{path}")
    assert site.get(path, https=True).status == 200
    assert len(site.through) == 3


@pytest.mark.parametrize("address", ["/e/nothing/", "/e/a/b/", "/e//", "/e/%00/", "/", "/robots.txt"])
def test_everything_else_goes_to_django_as_it_came(site, address):
    for _ in range(2):
        site.get(address, cookie="fan=a")
    assert [(each["PATH_INFO"], each["HTTP_COOKIE"]) for each in site.through] == [(address, "fan=a")] * 2


def test_other_methods_and_drafts_go_to_django(site, path):
    assert site.get(path, method="OPTIONS").status == 405
    site.get(path)
    Event.objects.update(status="draft")
    assert site.get(path).status == 404


def test_without_postgres_the_last_page_is_served_and_edges_are_to_ask_again(site, path, monkeypatch):
    whole = site.get(path)

    def refuse(slug):
        raise psycopg.OperationalError

    monkeypatch.setattr(fronts, "version_of", refuse)
    before = reads()["stale"]
    answer = site.get(path)
    assert (answer.status, answer.body) == (200, whole.body)
    assert answer.headers == whole.headers | {"Cache-Control": "public, max-age=0, s-maxage=1, stale-if-error=86400"}
    assert site.get(path, if_none_match=whole.headers["ETag"]).status == 304
    assert site.get(path, method="HEAD").body == b""
    assert reads()["stale"] - before == 3
    assert len(site.through) == 1
    site.get(path, accept_encoding="gzip")  # Not kept, so Django is to say what it can.
    assert len(site.through) == 2


def test_after_a_failure_postgres_is_left_alone_for_a_second(site, path, monkeypatch):
    site.get(path)
    asked = []

    def refuse(slug):
        asked.append(slug)
        raise TimeoutError

    monkeypatch.setattr(fronts, "version_of", refuse)
    for _ in range(5):
        assert site.get(path).status == 200
    assert len(asked) == 1


@pytest.mark.django_db(transaction=True)
def test_the_probe_survives_a_connection_that_died():
    event = make_event()
    found = version_probe.version_of(event.slug)
    assert found == (str(event.id).encode(), str(event.version).encode())
    with psycopg.connect(connections["default"].connection.info.dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connections["default"].connection.info.backend_pid])
    assert version_probe.version_of(event.slug) == found
    assert version_probe.version_of("nothing") is None


@pytest.mark.django_db(transaction=True)
def test_the_probe_gives_up_at_its_deadline_and_lets_the_connection_go(monkeypatch):
    event = make_event()
    version_probe.version_of(event.slug)
    monkeypatch.setattr(version_probe, "ANSWER_SECONDS", 0.2)
    with psycopg.connect(connections["default"].connection.info.dsn) as other:
        other.execute("LOCK TABLE events_event IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(TimeoutError):
            version_probe.version_of(event.slug)
    assert connections["default"].connection is None
    assert version_probe.version_of(event.slug) is not None
