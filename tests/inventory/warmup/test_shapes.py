"""The shape of a sale's traffic: what is recorded of it, and what it becomes for another event."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config import pulse, redis
from inventory.models import TrafficShape
from inventory.warmup import recording, replay, shapes
from inventory.warmup.shapes import Asked
from tests.factories import make_event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_process_copies")]


def ask(path: str, encoding: str = "gzip, deflate, br", **more: Any) -> None:
    """Ask a recorded application that answers nothing."""
    path, _, query = path.partition("?")
    environ = {"PATH_INFO": path, "QUERY_STRING": query, "HTTP_ACCEPT_ENCODING": encoding, **more}
    recording.recorded(lambda environ, start_response: [])(environ, lambda *_: None)


def test_a_sale_is_recorded_as_families_and_nothing_personal(monkeypatch):
    now = datetime.now(UTC)
    event = make_event(windows=[{"opens_in": -recording.AFTER - timedelta(seconds=5)}])
    recording.hand_over()  # What other tests asked for.
    redis.client().delete(*redis.client().keys(redis.key("traffic", "*")) or ["none"])
    for _ in range(3):
        ask(f"/e/{event.slug}/")
    ask(f"/e/{event.slug}/", "gzip")
    ask("/e/another/")
    ask("/?city=Berlin&q=ada+lovelace&utm_source=mail&page=2")
    ask("/my/orders/", HTTP_COOKIE="fan=ada")
    during = time.time() - 60
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: during)
        recording.hand_over()
    redis.client().zincrby(pulse.hot_key(pulse.slot_at(during)), 40, str(event.pk))

    assert recording.record_due() == [event]
    found = {(one.address, one.encoding): sum(one.counts) for one in shapes.latest(like=event) if len(one.counts) > 1}
    assert found == {
        ("/e/{slug}/", "br"): 3,
        ("/e/{slug}/", "gzip"): 1,
        ("/?city=Berlin&page=2", "br"): 1,
        ("/live/events/{event_id}/seats", "br"): 40,
    }
    assert TrafficShape.objects.get().opened_at < now
    assert recording.record_due() == []


def test_what_is_usual_is_added_to_a_shape_that_lacks_it():
    event = make_event()
    shapes.store(event, datetime.now(UTC), [Asked("/e/{slug}/", "br", [0, 7])])
    told = shapes.latest()
    assert told[0] == Asked("/e/{slug}/", "br", [0, 7])
    assert {(one.address, one.encoding) for one in told} == {(one.address, one.encoding) for one in shapes.USUAL}
    assert len(told) == len(shapes.USUAL)


def test_requests_ask_for_everything_once_and_then_by_frequency():
    shape = [Asked("/e/{slug}/", "br", [30, 0]), Asked("/plans/{plan}", "gzip", [0, 10]), Asked("/", "", [0, 0])]
    wanted = replay.requests(shape, {"slug": "new", "plan": "abc"}, most=23)
    assert wanted[:3] == [("/e/new/", "br"), ("/plans/abc", "gzip"), ("/", "")]
    assert wanted[3:] == [("/e/new/", "br")] * 15 + [("/plans/abc", "gzip")] * 5
