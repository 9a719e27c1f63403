"""What a process keeps for itself: how old it is, and what goes when there is no room."""

from concurrent.futures import ThreadPoolExecutor

from config.tiers import Kept, Lru
from tests.config.clocks import Clock


def test_lru_tells_the_age_of_what_it_kept():
    clock = Clock()
    lru: Lru[str, int] = Lru(2, clock=clock)
    lru.put("a", 1)
    clock.now += 0.75
    assert lru.get("a") == Kept(1, 0.75)
    assert lru.get("b") is None


def test_lru_drops_the_least_recently_used():
    lru: Lru[str, int] = Lru(2)
    lru.put("a", 1)
    lru.put("b", 2)
    lru.get("a")
    lru.put("c", 3)
    assert [key for key in "abc" if lru.get(key)] == ["a", "c"]
    assert len(lru) == 2


def test_lru_fresh_is_the_value_while_it_is_young():
    clock = Clock()
    lru: Lru[str, int] = Lru(2, clock=clock)
    assert lru.fresh("a", 1.0) is None
    lru.put("a", 1)
    clock.now += 0.75
    assert lru.fresh("a", 1.0) == 1
    assert lru.fresh("a", 0.75) is None


def test_lru_hit_saves_a_value_once_and_not_for_ever():
    lru: Lru[str, int] = Lru(2)
    lru.put("a", 1)
    lru.fresh("a", 1.0)
    for key in "bcde":
        lru.put(key, 2)
    assert [key for key in "abcde" if lru.get(key)] == ["d", "e"]


def test_lru_put_again_is_new_again():
    clock = Clock()
    lru: Lru[str, int] = Lru(2, clock=clock)
    lru.put("a", 1)
    clock.now += 5
    lru.put("a", 2)
    assert lru.get("a") == Kept(2, 0.0)
    lru.drop("a")
    lru.drop("a")
    assert lru.get("a") is None


def test_lru_keeps_its_bound_under_threads():
    lru: Lru[int, int] = Lru(50)

    def work(start: int) -> None:
        for k in range(start, start + 2000):
            lru.put(k % 300, k)
            lru.get((k * 7) % 300)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(0, 8000, 1000)))
    assert len(lru) == 50
