"""The last bound before the database."""

from config.tiers import Rate
from tests.config.clocks import Clock


def test_rate_lets_a_burst_through_and_then_its_rate():
    clock = Clock()
    rate = Rate(10, burst=3, clock=clock)
    assert [rate.allows() for _ in range(5)] == [True, True, True, False, False]
    clock.now += 0.1
    assert [rate.allows() for _ in range(2)] == [True, False]
    clock.now += 60
    assert [rate.allows() for _ in range(4)] == [True, True, True, False]
