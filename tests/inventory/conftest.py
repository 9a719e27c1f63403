"""What tests of the live side share: a process that remembers nothing of the test before, and an event with stock."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from config import redis
from inventory import availability, fan_state
from inventory.stock import create_stock
from tests.factories import make_event


@pytest.fixture
def own_process_copies() -> Iterator[None]:
    """Begin and end without copies of planes, fan states or Redis connections in this process."""
    _forget()
    yield
    _forget()


@pytest.fixture
def event_id() -> UUID:
    """Return an event with its sixty places in stock."""
    event = make_event()
    assert create_stock(event) == 60
    return event.id


def _forget() -> None:
    availability.forget()
    fan_state.clear()
    redis.reset()
