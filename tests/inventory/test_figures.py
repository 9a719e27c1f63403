"""The live page's reckoning, on counts whose figures are known."""

from collections import Counter

import pytest

from inventory import figures

A_MINUTE = 60.0


def figure(found, name, title=None):
    [one] = [one for one in found if one.name == name and title in (None, one.title)]
    return one.value, one.target, one.verdict


def seats(**tiers):
    return {f"tier_reads_total|seats|{tier}": count for tier, count in tiers.items()}


def test_redis_is_judged_by_what_the_process_has_left():
    counts = seats(lru=9_000, copy=985, rebuilt=5, database=10)

    found = figures.shares(counts, A_MINUTE)

    assert figure(found, "seats", "This process") == (0.90, 0.90, "met")
    assert figure(found, "seats", "Redis") == (0.99, 0.99, "met")


def test_a_share_below_its_target_is_missed():
    found = figures.shares(seats(lru=8_999, copy=900, database=101), A_MINUTE)

    assert figure(found, "seats", "This process") == (0.8999, 0.90, "missed")
    assert figure(found, "seats", "Redis")[2] == "missed"


def test_too_few_reads_are_not_judged():
    found = figures.shares(seats(lru=100, copy=199), A_MINUTE)

    assert figure(found, "seats", "This process") == (100 / 299, 0.90, "quiet")
    assert figure(found, "shell", "Edge") == (None, 0.95, "quiet")
    assert figure(found, "me", "Redis") == (None, None, "watched")


def test_the_edge_is_judged_by_what_it_answered_itself():
    counts = {
        f"edge_requests_total|shell|{status}": count
        for status, count in {"hit": 9_000, "stale": 300, "updating": 200, "miss": 400, "expired": 100}.items()
    }

    assert figure(figures.shares(counts, A_MINUTE), "shell", "Edge") == (0.95, 0.95, "met")


def test_reads_per_thousand_takes_the_pools_of_readers_and_the_edges_views():
    counts = {
        "database_reads_total|web|default": 20,
        "database_reads_total|live|default": 5,
        "database_reads_total|web|replica": 70,
        "database_reads_total|relay|default": 600,
        "page_views_total": 50,
        "edge_requests_total|shell|hit": 1_500,
        "edge_requests_total|listing|miss": 1_000,
        "edge_requests_total|plan|hit": 9_999,
    }

    assert figures.reads_per_thousand(counts) == 10.0
    assert figure(figures.headline(counts, A_MINUTE), "reads_per_thousand") == (10.0, 10.0, "met")
    assert figures.reads_per_thousand({"page_views_total": 50, "database_reads_total|web|default": 1}) == 20.0
    assert figures.reads_per_thousand({}) is None


LAGS = {
    "relay_lag_seconds_bucket|0.05": 50,
    "relay_lag_seconds_bucket|0.1": 90,
    "relay_lag_seconds_bucket|0.25": 98,
    "relay_lag_seconds_bucket|+Inf": 100,
}


@pytest.mark.parametrize(
    ("share", "value"),
    [(0.25, 0.025), (0.5, 0.05), (0.7, 0.075), (0.94, 0.175), (0.98, 0.25), (0.99, 0.25), (1.0, 0.25)],
)
def test_quantile_is_linear_within_a_bucket_and_ends_at_the_last_bound(share, value):
    assert figures.quantile(LAGS, "relay_lag_seconds", share) == pytest.approx(value)


def test_quantile_of_nothing_is_none():
    assert figures.quantile({}, "relay_lag_seconds", 0.5) is None
    assert figures.quantile({"relay_lag_seconds_bucket|+Inf": 0}, "relay_lag_seconds", 0.5) is None


def test_points_are_the_headline_slot_by_slot():
    slots = [Counter({"page_views_total": 10}), Counter(), Counter({"page_views_total": 2})]

    assert figures.points(slots, width=1)["views"] == [5.0, 0.0, 1.0]
    assert figures.points(slots, width=2)["views"] == [2.5, 0.5]
    assert figures.points(slots, width=2)["lag_p99"] == [None, None]
    assert figures.points([], width=2) == {}


def test_tiers_are_told_by_family():
    counts = seats(lru=5, stale=1) | {"tier_reads_total|shell|render": 2, "tier_reads_total|probe|lru": 7}

    found = figures.tiers(counts)

    assert found["seats"] == {"lru": 5, "stale": 1}
    assert found["shell"] == {"render": 2}
    assert found["plan"] == {}
    assert "probe" not in found
