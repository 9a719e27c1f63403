import pytest

from inventory.models import Seat, SeatChange
from inventory.stock import CategoriesUnpriced, create_stock, seat_runs
from tests.factories import make_event, make_plan, small_hall

pytestmark = pytest.mark.django_db


def test_create_stock_makes_every_place_free_with_its_section_and_tier(django_assert_num_queries):
    event = make_event(
        plan=make_plan(name="Stocked", standing=5), tiers=[("Floor", 3000), ("Stalls", 9000), ("Balcony", 1)]
    )
    assert create_stock(event) == 65
    seats = list(
        Seat.objects.filter(event=event).order_by("index").values_list("index", "section", "tier", "state", "version")
    )
    assert seats == [(i, 0, 1, 0, 0) for i in range(40)] + [(i, 1, 2, 0, 0) for i in range(40, 60)] + [
        (i, 2, 0, 0, 0) for i in range(60, 65)
    ]


def test_create_stock_twice_makes_nothing_more():
    event = make_event()
    assert create_stock(event) == 60
    Seat.objects.filter(event=event, index=7).delete()
    assert create_stock(event) == 1
    assert create_stock(event) == 0
    assert Seat.objects.filter(event=event).count() == 60


def test_create_stock_tells_the_relay_once():
    event = make_event()
    create_stock(event)
    assert list(SeatChange.objects.filter(event_id=event.id).values_list("index", "state", "version")) == [(-1, 0, 0)]


@pytest.mark.parametrize(
    ("tiers", "message"),
    [
        ([("Stalls", 9000)], "no price tier sells Balcony."),
        ([], "no price tier sells Stalls, Balcony."),
    ],
)
def test_create_stock_refuses_a_category_without_a_tier(tiers, message):
    event = make_event(tiers=tiers)
    with pytest.raises(CategoriesUnpriced, match=message):
        create_stock(event)
    assert Seat.objects.filter(event=event).count() == 0


def test_create_stock_refuses_a_category_with_two_tiers():
    event = make_event()
    tier = event.tiers.get(number=1)
    tier.categories = ["Balcony", "Stalls"]
    tier.save()
    with pytest.raises(CategoriesUnpriced, match=r"two price tiers sell the category Stalls\."):
        create_stock(event)
    assert Seat.objects.filter(event=event).count() == 0


def test_seat_runs_join_what_is_alike():
    assert list(seat_runs(small_hall(standing=5), [0, 1, 1])) == [(0, 40, 0, 0), (40, 20, 1, 1), (60, 5, 2, 1)]
