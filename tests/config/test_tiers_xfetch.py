"""XFetch against its paper: how many readers make a value anew at each of its expiries.

The model of the paper's section 4: readers come as a Poisson process, each rolls its own dice, and whoever comes while
the first one's load takes its `delta` still finds the old value. Seen from the expiry backwards, readers are due at a
rate that falls as e^(-gap / (beta delta)); what has accrued when the first is due is exponential with mean 1, and
within the delta after it that grows e^(1/beta)-fold. So e^(1/beta) readers load, the first included.
"""

import math
import random

import pytest

from config.tiers.xfetch import is_due, pack, unpack

TRIALS = 2000  # The number of loads is geometric: its mean is then known to 2 %.


def _loads(rule, beta: float, rng: random.Random) -> int:
    """Play one expiry, at moment 0, of a value that takes 1 s to make; return how many readers made it."""
    readers_a_second = 12 * math.exp(1 / beta) / beta  # So many that the first is due well before the expiry.
    now = -beta * math.log(100 * readers_a_second * beta)  # Before this, one in a hundred times a reader is due.
    made, first = 0, math.inf
    while (now := now + rng.expovariate(readers_a_second)) < first + 1.0:
        if rule(now, 0.0, 1.0, beta, rand=rng.random):
            made += 1
            first = min(first, now)
    return made


def _mean(rule, beta: float) -> float:
    rng = random.Random(20150801)
    return sum(_loads(rule, beta, rng) for _ in range(TRIALS)) / TRIALS


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_xfetch_makes_e_to_the_1_over_beta_loads_an_expiry(beta):
    assert _mean(is_due, beta) == pytest.approx(math.exp(1 / beta), rel=0.10)


def _uniform(now, expiry, delta, beta, *, rand):
    return now + delta * beta * rand() >= expiry


def _without_delta(now, expiry, delta, beta, *, rand):
    return now - 0.25 * beta * math.log(1.0 - rand()) >= expiry


def _other_base(now, expiry, delta, beta, *, rand):
    return now - delta * beta * math.log2(1.0 - rand()) >= expiry


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("wrong", [_uniform, _without_delta, _other_base])
def test_the_measure_tells_a_wrong_formula(wrong, beta):
    assert abs(_mean(wrong, beta) / math.exp(1 / beta) - 1) > 0.10


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_xfetch_is_always_due_at_the_expiry_and_after(chance):
    assert is_due(5.0, 5.0, 0.3, rand=lambda: chance)
    assert is_due(6.0, 5.0, 0.0, rand=lambda: chance)


def test_xfetch_is_due_early_by_an_exponential_of_beta_and_delta():
    chance = 1 - math.exp(-2)  # Two mean times early.
    assert not is_due(9.39, 10.0, 0.3, 1.0, rand=lambda: chance)
    assert is_due(9.41, 10.0, 0.3, 1.0, rand=lambda: chance)
    assert is_due(8.81, 10.0, 0.3, 2.0, rand=lambda: chance)


def test_envelope_carries_delta_and_value():
    assert unpack(pack(0.125, b"\x00value")) == (0.125, b"\x00value")


@pytest.mark.parametrize("stored", [b"", b"short", pack(math.nan, b"x"), pack(math.inf, b"x"), pack(-1.0, b"x")])
def test_envelope_that_is_none_is_told(stored):
    with pytest.raises(ValueError):
        unpack(stored)
