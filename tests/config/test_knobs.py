"""Knobs: their bounds, how a turn reaches every process, and that reading one asks nobody."""

import subprocess
import sys

import pytest

from config import knob_board, redis
from config.knob_board import KnobUnknown
from config.knobs import KNOBS, Knobs, knobs
from config.models import KnobSetting
from tests.inventory.live_servers import ROOT, environment, until

pytestmark = pytest.mark.django_db(transaction=True)

DEFAULTS = {"seats_copies": "10", "seats_lru_ms": "1000", "xfetch_beta": "1.0"}


@pytest.fixture(autouse=True)
def _as_by_default():
    redis.reset()
    yield
    knobs.turn({})
    redis.reset()


def test_knobs_stand_at_their_defaults():
    fresh = Knobs()
    assert (fresh.seats_copies, fresh.seats_lru_ms, fresh.xfetch_beta) == (10, 1000, 1.0)
    assert DEFAULTS.items() <= knob_board.settings_of({}).items()


@pytest.mark.parametrize("knob", KNOBS.values(), ids=KNOBS)
def test_knob_takes_its_bounds_and_nothing_beyond(knob):
    assert knob.read(str(knob.low)) == knob.low
    assert knob.read(str(knob.high)) == knob.high
    step = 1 if isinstance(knob.default, int) else 0.01
    for text in (str(knob.low - step), str(knob.high + step), "", "many", "nan"):
        with pytest.raises(ValueError, match=r"This must be (between|a )"):
            knob.read(text)


def test_turn_holds_here_at_once_and_elsewhere_from_the_mirror(django_assert_num_queries):
    assert knob_board.turn({"seats_copies": "20", "xfetch_beta": "1.0"}) == {"seats_copies": ("10", "20")}
    assert knobs.seats_copies == 20
    assert list(KnobSetting.objects.values_list("name", "value")) == [("seats_copies", "20")]
    knobs.turn({})  # As another process stands.
    with django_assert_num_queries(0):
        knob_board.refresh()
    assert knobs.seats_copies == 20


def test_turn_back_to_the_default_leaves_no_row():
    knob_board.turn({"seats_copies": "20"})
    assert knob_board.turn({"seats_copies": "10"}) == {"seats_copies": ("20", "10")}
    assert not KnobSetting.objects.exists()
    assert knobs.seats_copies == 10


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [({"seats_copies": "21"}, ValueError), ({"seats_lru_ms": "1", "volume": "11"}, KnobUnknown)],
)
def test_turn_out_of_bounds_changes_nothing(wanted, refusal):
    with pytest.raises(refusal):
        knob_board.turn(wanted)
    assert not KnobSetting.objects.exists()
    assert (knobs.seats_copies, knobs.seats_lru_ms) == (10, 1000)


def test_mirror_lost_is_made_by_one_process_from_the_table(django_assert_num_queries):
    KnobSetting.objects.create(name="seats_lru_ms", value="500")
    with django_assert_num_queries(1):
        knob_board.refresh()
        knob_board.refresh()
    assert knobs.seats_lru_ms == 500
    assert 0 < redis.client().pttl(redis.key("{knobs}")) <= knob_board.MIRRORED_MS


def test_while_another_makes_the_mirror_knobs_stay(django_assert_num_queries):
    knobs.turn({"seats_lru_ms": "500"})
    assert knob_board._lease(redis.client()).acquire(for_ms=5000)
    with django_assert_num_queries(0):
        knob_board.refresh()
    assert knobs.seats_lru_ms == 500


def test_board_read_before_a_turn_is_not_mirrored_after_it():
    reader = knob_board._lease(redis.client()).acquire(for_ms=5000)
    assert reader is not None
    before = knob_board.stored()
    knob_board.turn({"seats_copies": "20"})
    knob_board._mirror(reader, before)
    knobs.turn({})
    knob_board.refresh()
    assert knobs.seats_copies == 20


def test_without_redis_knobs_stay_where_they_were_seen(settings):
    knob_board.turn({"seats_copies": "20"})
    settings.REDIS_CACHE_URL = "unix:///nowhere/redis.sock?db=0"
    redis.reset()
    with pytest.raises(redis.Unavailable):
        knob_board.refresh()
    assert knobs.seats_copies == 20
    assert knob_board.turn({"seats_copies": "5"}) == {"seats_copies": ("20", "5")}


def test_nonsense_in_the_table_stands_at_the_default(caplog):
    KnobSetting.objects.create(name="seats_copies", value="0")
    KnobSetting.objects.create(name="of_a_later_release", value="7")
    knob_board.refresh()
    assert knobs.seats_copies == 10
    assert "seats_copies stands at its default: This must be between 1 and 20." in caplog.text


def test_another_process_follows_within_two_seconds():
    code = (
        "import django, sys; django.setup()\n"
        "from config import knob_board; from config.knobs import knobs\n"
        "knob_board.start(); knob_board.start()\n"
        "import threading; print(sum(t.name == 'knobs' for t in threading.enumerate()), flush=True)\n"
        "for _ in sys.stdin: print(knobs.seats_copies, flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "1\n"

        def stands() -> int:
            process.stdin.write("?\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        assert stands() == 10
        knob_board.turn({"seats_copies": "17"})
        until(lambda: stands() == 17, seconds=2)
        process.stdin.close()
    assert process.returncode == 0
