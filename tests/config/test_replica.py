"""Who may read the replica, and what happens in its place; on a real one: tests/faults/test_replica.py."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from django.contrib.sessions.models import Session
from django.core.exceptions import MiddlewareNotUsed
from django.db import OperationalError
from django.http import HttpResponse

from config import replica
from config.replica import COOKIE, PinMiddleware, Router, browse, browsing, is_pinned
from events.models import Event


class Known:
    """What a watch would say, said by the test."""

    def __init__(self):
        self.usable, self.behind_seconds, self.used = True, 0.0, []

    def is_usable(self):
        return self.usable

    def failed(self, error):
        self.usable = False

    def uses(self, connection):
        self.used.append(connection)


@pytest.fixture
def watch(settings, monkeypatch):
    settings.REPLICA_URL = "postgres://somewhere/else"
    known = Known()
    monkeypatch.setattr(replica, "watch", known)
    monkeypatch.setattr(replica, "connections", {"replica": SimpleNamespace(connection=None)})
    return known


@browse
def page(request):
    return HttpResponse(Router().db_for_read(Event))


def wrote(rf, ago=0.0):
    signed = replica._signer().sign(str(int((time.time() - ago) * 1000)))
    rf.cookies[COOKIE] = signed
    return rf.get("/")


def test_only_browsing_reads_the_replica_and_only_what_is_everybodys():
    router = Router()
    assert router.db_for_read(Event) == "default"
    with browsing():
        assert (router.db_for_read(Event), router.db_for_write(Event)) == ("replica", "default")
        assert router.db_for_read(Session) == "default"
    assert router.db_for_read(Event, instance=Event(id=None)) == "default"
    assert (router.allow_migrate("default", "events"), router.allow_migrate("replica", "events")) == (True, False)


def test_without_a_replica_nothing_changes(client, settings, rf):
    assert settings.REPLICA_URL == ""
    assert page(rf.get("/")).content == b"default"
    with pytest.raises(MiddlewareNotUsed):
        PinMiddleware(page)


def test_a_page_is_browsed_from_the_replica(watch, rf):
    assert page(rf.get("/")).content == b"replica"
    assert len(watch.used) == 1


@pytest.mark.parametrize(
    ("ago", "behind", "answered"),
    [(0, 0, b"default"), (4, 0, b"default"), (6, 0, b"replica"), (6, 30, b"default"), (32, 30, b"replica")],
)
def test_who_wrote_reads_the_primary_until_the_replica_has_it(watch, rf, ago, behind, answered):
    watch.behind_seconds = behind
    assert page(wrote(rf, ago)).content == answered


@pytest.mark.parametrize("cookie", ["", "x", "1795000000000", "1795000000000:forged"])
def test_a_cookie_of_ones_own_making_pins_nobody(watch, rf, cookie):
    rf.cookies[COOKIE] = cookie
    assert not is_pinned(rf.get("/"))


@pytest.mark.parametrize("method", ["get", "head", "options", "post", "put", "patch", "delete"])
def test_the_answer_to_a_write_says_when_it_was(watch, rf, method):
    answer = PinMiddleware(lambda request: HttpResponse())(getattr(rf, method)("/"))
    if method in ("get", "head", "options"):
        assert COOKIE not in answer.cookies
        return
    cookie = answer.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 65)
    rf.cookies[COOKIE] = cookie.value
    assert is_pinned(rf.get("/"))


def test_a_page_that_loses_the_replica_is_made_from_the_primary(watch, rf):
    asked = []

    @browse
    def losing(request):
        asked.append(Router().db_for_read(Event))
        if asked == ["replica"]:
            raise OperationalError("server closed the connection unexpectedly")
        return HttpResponse("made")

    assert losing(rf.get("/")).content == b"made"
    assert asked == ["replica", "default"]
    assert losing(rf.get("/")).content == b"made"
    assert asked == ["replica", "default", "default"], "nobody tries again but the watch"


def test_an_error_of_the_primary_is_not_tried_again(watch, rf):
    watch.usable = False
    asked = []

    @browse
    def failing(request):
        asked.append(1)
        raise OperationalError("the primary is gone too")

    with pytest.raises(OperationalError):
        failing(rf.get("/"))
    assert len(asked) == 1


def test_the_primary_answers_for_it_a_few_at_a_time(watch, rf):
    watch.usable = False
    inside, leave = threading.Semaphore(0), threading.Event()

    @browse
    def slow(request):
        inside.release()
        leave.wait(10)
        return HttpResponse("made")

    with ThreadPoolExecutor(3) as threads:
        two = [threads.submit(slow, rf.get("/")) for _ in range(2)]
        assert all(inside.acquire(timeout=10) for _ in two)
        refused = threads.submit(slow, rf.get("/")).result(10)
        leave.set()
        assert [made.result(10).status_code for made in two] == [200, 200]
    assert (refused.status_code, refused["Retry-After"], refused["Cache-Control"]) == (503, "2", "no-store")
    assert slow(rf.get("/")).status_code == 200, "their places are free again"
