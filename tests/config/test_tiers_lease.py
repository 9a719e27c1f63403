"""The lease: one loader of all, and nobody stores an old answer."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from config import redis
from config.tiers import Lease


@pytest.fixture
def lease() -> Lease:
    return Lease(redis.client(), redis.key("{x}"), lease=redis.key("{x}:lease"))


def test_lease_has_one_loader_among_sixteen(lease: Lease):
    with ThreadPoolExecutor(16) as pool:
        tokens = list(pool.map(lambda _: lease.acquire(for_ms=5000), range(16)))
    assert len([token for token in tokens if token]) == 1


def test_lease_stores_for_its_holder_and_ends(lease: Lease):
    token = lease.acquire(for_ms=5000)
    assert token is not None
    assert lease.store(token, b"value", ttl_ms=5000) is True
    assert redis.client().get(redis.key("{x}")) == b"value"
    assert lease.acquire(for_ms=5000) is not None


def test_lease_refuses_the_answer_to_an_old_question(lease: Lease):
    paused = lease.acquire(for_ms=5000)
    assert paused is not None
    writer = lease.renew(for_ms=5000)
    assert lease.store(paused, b"old", ttl_ms=5000) is False
    assert redis.client().get(redis.key("{x}")) is None
    assert lease.store(writer, b"new", ttl_ms=5000) is True
    assert lease.store(writer, b"again", ttl_ms=5000) is False
    assert redis.client().get(redis.key("{x}")) == b"new"


def test_lease_given_back_is_free_at_once(lease: Lease):
    token = lease.acquire(for_ms=5000)
    assert token is not None
    lease.give_back("somebody else's")
    assert lease.acquire(for_ms=5000) is None
    lease.give_back(token)
    assert lease.acquire(for_ms=5000) is not None


def test_lease_invalidation_drops_the_value(lease: Lease):
    token = lease.acquire(for_ms=5000)
    assert token is not None
    lease.store(token, b"value", ttl_ms=5000)
    lease.renew(for_ms=5000)
    assert redis.client().get(redis.key("{x}")) is None


def test_lease_of_a_dead_leader_passes_on(lease: Lease):
    assert lease.acquire(for_ms=1000) is not None
    assert lease.acquire(for_ms=1000) is None
    time.sleep(1.05)
    assert lease.acquire(for_ms=1000) is not None
