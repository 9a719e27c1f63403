"""The slots over HTTP, from a real server: what they say, what they let others keep, and what they never send."""

import gzip
import json
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from secrets import token_hex
from typing import Any
from uuid import uuid4

import brotli
import pytest
from django.conf import settings

from config import redis
from events.models import Event
from inventory import availability, fan, fan_state, purchase
from inventory import plane as planes
from inventory.live import _encoding
from inventory.stock import create_stock
from tests.factories import make_event
from tests.inventory import live_servers
from tests.inventory.live_servers import Answer, Live, lose_redis, set_seats, stored_plane, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_process_copies")]


PREFIX = f"{settings.REDIS_PREFIX}:live-{token_hex(4)}"


@pytest.fixture(autouse=True)
def redis_prefix(settings: Any) -> str:
    """Give the tests of this module one prefix instead of one each, because they share a server."""
    settings.REDIS_PREFIX = PREFIX
    return PREFIX


@pytest.fixture(scope="module")
def live(django_db_setup: None) -> Iterator[Live]:
    with live_servers.live(REDIS_PREFIX=PREFIX) as server:
        yield server


@pytest.fixture
def event() -> Event:
    made = make_event()
    create_stock(made)
    return made


def _cookie(answer: Answer) -> str:
    return answer.headers["set-cookie"].split(";")[0].removeprefix("fan=")


def test_seats_slot_is_public_versioned_and_compressed(event: Event, live: Live):
    path = f"/live/events/{event.id}/seats"
    with live_servers.relay():
        until(lambda: not live.seats(event.id)[0].flags)
        plain = live.get(path)
        zipped = live.get(path, accept_encoding="gzip, deflate")
        smaller = live.get(path, accept_encoding="gzip, deflate, br")
    header, plane = planes.decode_body(plain.body)
    assert plain.status == 200
    assert dict(plain.headers) == {
        "content-type": "application/octet-stream",
        "content-length": "39",
        "etag": f'"{header.version}"',
        "cache-control": "public, max-age=1, stale-while-revalidate=2",
        "vary": "accept-encoding",
        "date": plain.headers["date"],
    }
    assert (header.seat_count, header.flags, plane) == (60, 0, bytes(15))

    assert zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(zipped.body) == plain.body
    assert smaller.headers["content-encoding"] == "br"
    assert brotli.decompress(smaller.body) == plain.body


def test_seats_slot_is_not_sent_twice(event: Event, live: Live):
    path = f"/live/events/{event.id}/seats"
    with live_servers.relay():
        until(lambda: not live.seats(event.id)[0].flags)
        etag = live.get(path).headers["etag"]
        again = live.get(path, if_none_match=etag)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)
        assert "content-length" not in again.headers
        assert live.get(path, if_none_match=f'W/{etag}, "x"').status == 304
        assert live.get(path, if_none_match='"1"').status == 200

        set_seats(event.id, [7], "held")
        until(lambda: live.get(path, if_none_match=etag).status == 200)
        assert live.seats(event.id)[1] == stored_plane(event.id)

    head = live.get(path, method="HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "39")


def test_seats_slot_is_answered_alike_on_every_kind_of_connection(event: Event, live: Live):
    """What is written whole and what is sent by ASGI: GET, 304, HEAD, pipelined, kept and closed, one after another."""
    path = f"/live/events/{event.id}/seats"
    with live_servers.relay():
        until(lambda: not live.seats(event.id)[0].flags)
        with socket.create_connection(("127.0.0.1", live.port), timeout=10) as line:
            kept = HTTPResponseStream(line)
            get = kept.ask(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
            head = kept.ask(f"HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n", has_body=False)
            assert (head[0], head[1], head[2]) == (get[0], get[1] | {"date": head[1]["date"]}, b"")
            known = kept.ask(
                f"GET {path} HTTP/1.1\r\nHost: x\r\nIf-None-Match: {get[1]['etag']}\r\n\r\n", has_body=False
            )
            assert known[0] == "HTTP/1.1 304 Not Modified"
            twice = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n" * 2
            assert kept.ask(twice)[2] == kept.ask("")[2] == get[2]
            closed = kept.ask(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert (closed[1].pop("connection"), closed[2]) == ("close", get[2])
            assert closed[1].keys() == get[1].keys()
            assert line.recv(1) == b""


class HTTPResponseStream:
    """A connection that is read byte by byte, so that one byte too many spoils the answer after it."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._reader = line.makefile("rb")

    def ask(self, request: str, *, has_body: bool = True) -> tuple[str, dict[str, str], bytes]:
        self._line.sendall(request.encode())
        first = self._reader.readline().decode().strip()
        headers = {}
        while line := self._reader.readline().decode().strip():
            name, _, value = line.partition(": ")
            headers[name] = value
        return first, headers, self._reader.read(int(headers["content-length"])) if has_body else b""


def test_seats_slot_knows_no_cookie(event: Event, live: Live):
    path = f"/live/events/{event.id}/seats"
    answer = live.get(path, cookie=f"fan={fan.sign(fan.new_fan())}; sessionid=x")
    assert "set-cookie" not in answer.headers
    assert "cookie" not in answer.headers["vary"].lower()
    assert answer.body == live.get(path).body


def test_seats_slot_is_rebuilt_without_relay_and_without_redis(event: Event):
    with live_servers.live(REDIS_URL="unix:///nowhere/redis.sock?db=0") as alone:
        header, plane = alone.seats(event.id)
        assert (header.flags, plane) == (planes.REBUILT, bytes(15))
        set_seats(event.id, [3, 4], "held")
        until(lambda: alone.seats(event.id)[1] == stored_plane(event.id))
        state = json.loads(alone.get(f"/live/events/{event.id}/me").body)
        assert state["sale"]["state"] == "open"


def test_bad_requests_are_told_in_problem_details(live: Live):
    nobody = uuid4()
    for path, method, status, code in [
        (f"/live/events/{nobody}/seats", "GET", 404, "event_unknown"),
        (f"/live/events/{nobody}/me", "GET", 404, "event_unknown"),
        ("/live/events/nonsense/seats", "GET", 404, "not_found"),
        (f"/live/events/{{{nobody}}}/seats", "GET", 404, "not_found"),
        (f"/live/events/{nobody.hex}/seats", "GET", 404, "not_found"),
        ("/live/events/", "GET", 404, "not_found"),
        ("/", "GET", 404, "not_found"),
        (f"/live/events/{nobody}/seats", "POST", 405, "method_not_allowed"),
    ]:
        answer = live.get(path, method=method)
        problem = json.loads(answer.body)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["cache-control"] == "no-store"
        assert (answer.status, problem["status"], problem["code"]) == (status, status, code), path
        assert set(problem) == {"type", "title", "status", "detail", "code"}
        assert answer.headers["allow"] == ("GET, HEAD" if status == 405 else None)


def test_me_makes_a_fan_and_knows_him_again(event: Event, live: Live):
    path = f"/live/events/{event.id}/me"
    first = live.get(path)
    assert first.headers["cache-control"] == "private, no-store"
    assert first.headers["set-cookie"].endswith("; Path=/; Max-Age=15552000; HttpOnly; SameSite=Lax")
    who = fan.read(_cookie(first))
    assert who is not None
    state = json.loads(first.body)
    assert abs(state.pop("now") - time.time() * 1000) < 5000
    window = event.windows.get()
    assert state == {
        "event": str(event.id),
        "version": 0,
        "sale": {
            "state": "open",
            "opens_at": int(window.opens_at.timestamp() * 1000),
            "closes_at": int(window.closes_at.timestamp() * 1000),
        },
        "hold": None,
        "limit": {"max": 8, "used": 0},
        "csrf": fan.csrf_token(who),
    }
    again = live.get(path, cookie=f"fan={_cookie(first)}")
    assert "set-cookie" not in again.headers
    assert json.loads(again.body)["csrf"] == state["csrf"]


def test_me_gives_a_tampered_fan_a_new_name(event: Event, live: Live):
    good = fan.sign(fan.new_fan())
    for spoilt in (good[:-1], good + "x", "", "\xe9" * 20, good.upper()):
        answer = live.get(f"/live/events/{event.id}/me", cookie=f"fan={spoilt}")
        assert answer.status == 200
        assert fan.read(_cookie(answer)) not in (None, fan.read(good))
    kept = live.get(f"/live/events/{event.id}/me", cookie=f"fan=forged; a=b; fan={good}")
    assert "set-cookie" not in kept.headers


def test_me_shows_the_fan_his_hold_and_nobody_else(event: Event, live: Live):
    who = fan.new_fan()
    held = purchase.hold_seats(event_id=event.id, fan=who, indexes=[11, 12])
    path = f"/live/events/{event.id}/me"
    state = json.loads(live.get(path, cookie=f"fan={fan.sign(who)}").body)
    seat = {"section": "Stalls", "row": "B", "tier": 0, "amount": 9000}
    assert state["hold"] == {
        "id": str(held.hold_id),
        "seats": [seat | {"index": 11, "number": "2"}, seat | {"index": 12, "number": "3"}],
        "expires_at": int(held.expires_at.timestamp() * 1000),
        "extendable": True,
        "total": 18000,
        "currency": "EUR",
    }
    assert state["limit"] == {"max": 8, "used": 2}
    assert state["version"] > 0
    other = json.loads(live.get(path, cookie=f"fan={fan.sign(fan.new_fan())}").body)
    assert (other["hold"], other["limit"]["used"]) == (None, 0)

    lose_redis()
    rebuilt = json.loads(live.get(path, cookie=f"fan={fan.sign(who)}").body)
    assert rebuilt["hold"] == state["hold"]
    assert rebuilt["version"] >= state["version"]

    purchase.release_hold(hold_id=held.hold_id, fan=who)
    gone = json.loads(live.get(path, cookie=f"fan={fan.sign(who)}").body)
    assert (gone["hold"], gone["limit"]["used"]) == (None, 0)
    assert gone["version"] > rebuilt["version"]


def test_me_of_a_new_fan_costs_no_read_of_his_own(event: Event, django_assert_num_queries):
    fan_state.fan_state(event.id, fan.new_fan(), is_new=True)
    with django_assert_num_queries(0):
        fan_state.fan_state(event.id, fan.new_fan(), is_new=True)


def test_me_costs_one_read_and_then_none(event: Event, django_assert_num_queries):
    who = fan.new_fan()
    fan_state.fan_state(event.id, fan.new_fan(), is_new=True)
    with django_assert_num_queries(1):
        fan_state.fan_state(event.id, who)
    with django_assert_num_queries(0):
        fan_state.fan_state(event.id, who)


def test_me_confirms_the_terms_of_a_sale_by_one_read_until_they_change(
    event: Event, django_assert_num_queries, monkeypatch
):
    monkeypatch.setattr(fan_state, "TERMS_SECONDS", 0)
    assert fan_state.fan_state(event.id, fan.new_fan(), is_new=True)["limit"]["max"] == event.max_per_fan
    with django_assert_num_queries(1):
        fan_state.fan_state(event.id, fan.new_fan(), is_new=True)
    Event.objects.filter(id=event.id).update(max_per_fan=3)
    assert fan_state.fan_state(event.id, fan.new_fan(), is_new=True)["limit"]["max"] == 3


def test_me_shows_no_hold_whose_time_has_passed(event: Event):
    event.hold_seconds = 1
    event.save()
    who = fan.new_fan()
    purchase.hold_seats(event_id=event.id, fan=who, indexes=[11])
    assert fan_state.fan_state(event.id, who)["hold"] is not None
    time.sleep(1.1)
    state = fan_state.fan_state(event.id, who)
    assert (state["hold"], state["limit"]["used"]) == (None, 0)
    lose_redis()
    assert fan_state.fan_state(event.id, who)["hold"] is None


def test_two_tabs_that_report_in_the_wrong_order_lose_no_seat(event: Event):
    """The first tab read before the second one's hold; it comes to store after it, and is refused."""
    who = fan.new_fan()
    purchase.hold_seats(event_id=event.id, fan=who, indexes=[11])
    lease = fan_state._lease(redis.client(), event.id, who)
    token = lease.renew(for_ms=2000)
    old = fan_state._read(event.id, who)
    purchase.hold_seats(event_id=event.id, fan=who, indexes=[12])
    fan_state._store(event.id, who, token, old)
    seats = fan_state.fan_state(event.id, who)["hold"]["seats"]
    assert [seat["index"] for seat in seats] == [11, 12]


@pytest.mark.parametrize(
    ("fields", "windows", "state"),
    [
        ({"sale_switch": "paused"}, [{}], "paused"),
        ({"sale_switch": "closed"}, [{}], "closed"),
        ({"status": "cancelled"}, [{}], "cancelled"),
        ({}, [{"opens_in": timedelta(hours=1)}], "upcoming"),
        ({}, [{"access": "presale"}], "presale"),
        ({}, [], "closed"),
    ],
)
def test_me_tells_how_the_sale_stands(fields, windows, state):
    made = make_event(windows=windows, **fields)
    create_stock(made)
    assert fan_state.fan_state(made.id, fan.new_fan())["sale"]["state"] == state


def test_me_tells_that_all_is_sold(event: Event):
    set_seats(event.id, list(range(60)), "blocked")
    assert fan_state.fan_state(event.id, fan.new_fan())["sale"]["state"] == "sold_out"


def test_me_of_a_draft_is_unknown():
    made = make_event(status="draft")
    with pytest.raises(availability.EventUnknown):
        fan_state.fan_state(made.id, fan.new_fan())


def test_remember_and_forget_never_raise_without_redis(event: Event, settings):
    settings.REDIS_CACHE_URL = "unix:///nowhere/redis.sock?db=0"
    redis.reset()
    assert fan_state.remember(event.id, fan.new_fan()) == 0
    fan_state.forget(event.id, fan.new_fan())


def test_health_readiness_and_metrics(live: Live):
    assert live.get("/healthz").body == b"ok\n"
    assert json.loads(live.get("/readyz").body) == {"postgres": "up", "redis": "up"}
    metrics = live.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert b"onsale_tier_reads_total" in metrics.body


@pytest.mark.parametrize("url", ["/healthz", "/readyz", "/metrics"])
def test_pages_pool_answers_health_too(client, url):
    answer = client.get(url)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        (b"", b""),
        (b"gzip", b"gzip"),
        (b"gzip, br", b"br"),
        (b"GZIP;q=0.5, BR;q=0", b"gzip"),
        (b"br;q=0.0, gzip;q=0.000", b""),
        (b"br; q=0.1", b"br"),
        (b"identity, zstd", b""),
    ],
)
def test_encoding_is_the_best_the_browser_takes(accepted: bytes, chosen: bytes):
    assert _encoding(accepted) == chosen
