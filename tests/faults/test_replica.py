"""A replica that is half a minute behind, gone, or promoted: nobody buys by it, nobody misses what he did himself."""

import re
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from tests.faults.own_replica import Browser, delay, execute, frozen, has_all, manage, servers, site
from tests.inventory.live_servers import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

BEHIND = 30


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """Yield a primary with the demo world in it, its replica, and the environment of a site on both."""
    data: Path = tmp_path_factory.mktemp("data")
    with servers() as (primary, replica):
        env = {
            "DATABASE_URL": primary.url,
            "DATA_DIR": str(data),
            "REDIS_PREFIX": f"test-replica-{secrets.token_hex(4)}",
            "ALLOWED_HOSTS": "localhost",
        }
        manage("migrate", **env)
        manage("seed_demo", "--scale", "0.02", "--no-images", **env)
        until(lambda: has_all(primary, replica))
        yield SimpleNamespace(primary=primary, replica=replica, env=env | {"REPLICA_URL": replica.url})


@pytest.fixture
def port(both: SimpleNamespace) -> Iterator[int]:
    """Yield the port of a site that browses from the replica."""
    with site(**both.env) as found:
        yield found


@pytest.fixture
def lagging(both: SimpleNamespace) -> Iterator[SimpleNamespace]:
    """Let the replica be half a minute behind for the length of a test."""
    delay(both.replica, BEHIND)
    yield both
    delay(both.replica, 0)
    until(lambda: has_all(both.primary, both.replica))


def figure(port: int, name: str) -> float:
    """Return the sum of a metric's samples whose line begins so."""
    text = Browser(port).get("/metrics")[1]
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))


def event_on_sale(both: SimpleNamespace) -> Any:
    """Return the id of an event that is on sale with free seats, and three of those."""
    ((event_id, seats),) = execute(
        both.primary,
        "SELECT s.event_id, array_agg(s.index ORDER BY s.index) FROM inventory_seat s"
        " JOIN events_programmerow r USING (event_id)"
        " WHERE s.state = 0 AND r.stock = 'plenty' AND r.status = 'published' AND r.sale_switch = 'on'"
        " AND r.opens_at < now() AND r.closes_at > now() GROUP BY 1 ORDER BY 1 LIMIT 1",
    )
    return event_id, seats[:3]


def rename(both: SimpleNamespace) -> tuple[str, str]:
    """Give the next event to come another name in the programme; return the old and the new one."""
    new = f"Renamed {uuid4().hex[:8]}"
    ((event_id, old),) = execute(
        both.primary,
        "SELECT event_id, name FROM events_programmerow WHERE over_at > now() ORDER BY starts_at, event_id LIMIT 1",
    )
    execute(both.primary, "UPDATE events_programmerow SET name = %s WHERE event_id = %s", new, event_id)
    return old, new


def test_browsing_shows_the_replica_and_tells_how_far_it_is_behind(lagging, port):
    old, new = rename(lagging)
    status, page = Browser(port).get("/")
    assert status == 200
    assert old in page
    assert new not in page
    assert figure(port, 'onsale_browse_total{answered="replica"}') == 1
    until(lambda: 1 <= figure(port, "onsale_replica_lag_seconds") < BEHIND + 60)
    assert figure(port, "onsale_replica_usable") == 1


def test_a_fan_reads_what_he_wrote_himself(lagging, port):
    event_id, seats = event_on_sale(lagging)
    fan = Browser(port)
    fan.become_a_fan()
    assert "wrote" not in fan.cookies
    status, held = fan.post(f"/api/v1/events/{event_id}/holds", {"seats": seats[:1]})
    assert status == 201, held
    assert "wrote" in fan.cookies
    status, placed = fan.post("/api/v1/orders", {"hold_id": held["id"], "name": "Ada", "email": "ada@example.org"})
    assert status == 201, placed
    ((reference,),) = execute(
        lagging.primary, "SELECT reference FROM inventory_order WHERE id = %s", placed["order_id"]
    )
    assert reference in fan.get("/my/")[1]
    time.sleep(6)
    assert reference in fan.get("/my/")[1], "five seconds are over, but the replica is not there yet"
    del fan.cookies["wrote"]
    assert reference not in fan.get("/my/")[1], "the control: without the cookie the page is the replica's"
    fan.cookies["wrote"] = "1795000000000:forged"
    assert reference not in fan.get("/my/")[1]


def test_a_purchase_never_reads_the_replica(lagging, port):
    event_id, seats = event_on_sale(lagging)
    first, second = Browser(port), Browser(port)
    first.become_a_fan()
    second.become_a_fan()
    holds = f"/api/v1/events/{event_id}/holds"
    before = figure(port, 'onsale_database_reads_total{database="replica"')
    assert first.post(holds, {"seats": seats})[0] == 201
    status, refusal = second.post(holds, {"seats": seats})
    assert (status, refusal["code"]) == (409, "seats_taken"), "on the replica they are free"
    ((states,),) = execute(
        lagging.replica,
        "SELECT array_agg(state) FROM inventory_seat WHERE event_id = %s AND index = ANY(%s)",
        event_id,
        seats,
    )
    assert states == [0, 0, 0]
    assert figure(port, 'onsale_database_reads_total{database="replica"') == before


def test_a_replica_that_caught_up_shows_what_was_written(both, port):
    _, new = rename(both)
    until(lambda: has_all(both.primary, both.replica))
    assert new in Browser(port).get("/")[1]
    until(lambda: figure(port, "onsale_replica_lag_seconds") == 0), "an idle primary is no lag"


def test_a_replica_that_is_gone_costs_nobody_a_page(both, port):
    assert Browser(port).get("/")[0] == 200
    server = both.replica._supervisor._running["postgres"]
    both.replica._supervisor.end(server)
    _, new = rename(both)
    page = Browser(port).get("/")
    assert (page[0], new in page[1]) == (200, True), "the first page to find it gone is made from the primary"
    with ThreadPoolExecutor(8) as crowd:
        answers = [status for status, _ in crowd.map(lambda _: Browser(port).get("/"), range(40))]
    assert set(answers) <= {200, 503}
    assert answers.count(200) >= 2
    assert until(lambda: figure(port, "onsale_replica_usable") == 0)
    assert figure(port, 'onsale_browse_total{answered="primary"}') == answers.count(200) + 1
    both.replica.start()
    until(lambda: has_all(both.primary, both.replica))
    assert until(lambda: figure(port, "onsale_replica_usable") == 1)
    before = figure(port, 'onsale_browse_total{answered="replica"}')
    assert Browser(port).get("/")[0] == 200
    assert figure(port, 'onsale_browse_total{answered="replica"}') == before + 1


def test_a_frozen_replica_takes_no_thread_with_it(both, port):
    with ThreadPoolExecutor(8) as crowd:
        assert {status for status, _ in crowd.map(lambda _: Browser(port).get("/"), range(16))} == {200}
        with frozen(both.replica):
            began = time.monotonic()
            answers = [status for status, _ in crowd.map(lambda _: Browser(port).get("/"), range(16))]
            assert time.monotonic() - began < 15
            assert set(answers) <= {200, 503}
            assert figure(port, "onsale_replica_usable") == 0
            assert Browser(port).get("/")[0] == 200
    assert until(lambda: figure(port, "onsale_replica_usable") == 1)


def test_a_promoted_replica_is_read_no_more(both, port):
    assert Browser(port).get("/")[0] == 200
    execute(both.replica, "SELECT pg_promote()")
    execute(both.replica, "UPDATE events_programmerow SET name = 'Imposter'")
    assert until(lambda: figure(port, "onsale_replica_usable") == 0)
    page = Browser(port).get("/")[1]
    assert not re.search("Imposter", page)
