"""Races for seats. Each has its control: the same race without the lock, to show that there is something to win."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import sleep

import pytest
from django.db import IntegrityError, connection, transaction

from inventory import purchase
from inventory.models import Hold, OrderLine, Payment, Refund, Seat, Ticket
from inventory.purchase import statements
from inventory.purchase.refusals import Refusal
from inventory.purchase.releases import end_holds
from inventory.purchase.turns import take_turn
from tests.inventory.box_office import buy, make_sale, new_fan, states
from tests.races.crowds import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)

WANTED = [12, 13, 14, 15]


def careless_hold(event, fan):
    """Hold as one would without a lock: look whether the seats are free, then take them."""
    hold = Hold(event=event, fan=fan, seats=WANTED, expires_at="2100-01-01T00:00Z")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM inventory_seat WHERE event_id = %s AND index = ANY(%s) AND state = 0",
                       [event.id, WANTED])  # fmt: skip
        if cursor.fetchone()[0] != len(WANTED):
            return False
        sleep(0.01)  # What a busy server does between two statements.
        cursor.execute(
            "UPDATE inventory_seat SET state = 1, hold = %s, held_until = %s, version = version + 1"
            " WHERE event_id = %s AND index = ANY(%s)",
            [hold.id, hold.expires_at, event.id, WANTED],
        )
        return True


def test_two_hundred_fans_after_the_same_seats_have_one_winner():
    event = make_sale()
    fans = [new_fan() for _ in range(200)]
    results = all_at_once(
        [partial(purchase.hold_seats, event_id=event.id, fan=fan, indexes=WANTED) for fan in fans], threads=40
    )
    winners = [result for result in results if isinstance(result, purchase.Held)]
    losers = [result for result in results if isinstance(result, purchase.SeatsTaken)]
    assert (len(winners), len(losers)) == (1, 199)
    assert set(Seat.objects.filter(index__in=WANTED).values_list("state", "hold")) == {(1, winners[0].hold_id)}
    assert Hold.objects.count() == 1


@pytest.fixture
def _without_the_wall():
    """Switch the database's own refusal off for a test: what is left is the plain race."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE inventory_seat DISABLE TRIGGER inventory_seat_edge")
        yield
        cursor.execute("ALTER TABLE inventory_seat ENABLE TRIGGER inventory_seat_edge")


@pytest.mark.usefixtures("_without_the_wall")
def test_control_without_the_lock_several_win():
    event = make_sale()
    results = all_at_once([partial(careless_hold, event, new_fan()) for _ in range(200)], threads=40)
    assert results.count(True) > 1


def test_the_database_refuses_what_a_writer_without_a_lock_would_take():
    event = make_sale()
    results = all_at_once([partial(careless_hold, event, new_fan()) for _ in range(200)], threads=40)
    assert results.count(True) == 1
    assert {type(r) for r in results} <= {bool, IntegrityError}


def test_fifty_requests_of_one_fan_never_pass_his_limit():
    event, fan = make_sale(max_per_fan=4), new_fan()
    results = all_at_once(
        [partial(purchase.hold_seats, event_id=event.id, fan=fan, indexes=[i]) for i in range(50)], threads=25
    )
    granted = [result for result in results if isinstance(result, purchase.Held)]
    refused = [result for result in results if isinstance(result, purchase.LimitReached)]
    assert (len(granted), len(refused)) == (4, 46)
    assert Seat.objects.filter(event=event, state=1).count() == 4
    assert len(Hold.objects.get().seats) == 4


def test_control_without_the_turn_the_limit_is_passed():
    event, fan = make_sale(max_per_fan=4), new_fan()
    purchase.hold_seats(event_id=event.id, fan=fan, indexes=[0])

    def careless(index):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT cardinality(seats) FROM inventory_hold WHERE fan = %s", [fan])
            if cursor.fetchone()[0] >= 4:
                return False
            sleep(0.01)
            cursor.execute("UPDATE inventory_hold SET seats = seats || %s WHERE fan = %s", [index, fan])
            return True

    all_at_once([partial(careless, index) for index in range(1, 50)], threads=25)
    assert len(Hold.objects.get().seats) > 4


def test_best_available_gives_no_seat_twice_and_keeps_groups_together():
    event = make_sale(rows=20, balcony=False)
    results = all_at_once(
        [partial(purchase.hold_best, event_id=event.id, fan=new_fan(), quantity=3) for _ in range(50)], threads=25
    )
    held = [result for result in results if isinstance(result, purchase.Held)]
    # A row of ten holds three groups of three, the first row without its two wheelchair places two: 59 at best, and
    # fewer where groups that were chosen at the same moment leave gaps of one or two.
    assert len(held) >= 45
    assert {type(result) for result in results} <= {purchase.Held, purchase.NoSeatsTogether}
    taken = [index for result in held for index in result.indexes]
    assert len(set(taken)) == len(taken) == 3 * len(held)
    assert Seat.objects.filter(event=event, state=1).count() == len(taken)
    for result in held:
        first = result.indexes[0]
        assert result.indexes == [first, first + 1, first + 2]
        assert first // 10 == (first + 2) // 10


def test_standing_places_sell_out_exactly():
    event = make_sale(rows=1, balcony=False, standing=60)
    results = all_at_once(
        [partial(purchase.hold_best, event_id=event.id, fan=new_fan(), quantity=2, section=1) for _ in range(50)],
        threads=25,
    )
    held = [result for result in results if isinstance(result, purchase.Held)]
    assert len(held) == 30
    assert Seat.objects.filter(event=event, section=1, state=1).count() == 60
    assert all(isinstance(r, purchase.NoSeatsTogether) for r in results if not isinstance(r, purchase.Held))


def test_opposite_orders_do_not_deadlock():
    event = make_sale()
    seats = list(range(20, 28))
    acts = []
    for number in range(60):
        wanted = seats if number % 2 else seats[::-1]
        acts.append(partial(purchase.hold_seats, event_id=event.id, fan=new_fan(), indexes=wanted))
        acts.append(partial(purchase.block_seats, event_id=event.id, indexes=wanted[::-1], actor="staff:1"))
        acts.append(partial(purchase.unblock_seats, event_id=event.id, indexes=wanted, actor="staff:1"))
        acts.append(purchase.expire_holds)
    results = all_at_once(acts, threads=24)
    unexpected = [r for r in results if not isinstance(r, (int, purchase.Held, Refusal))]
    assert unexpected == []


def test_a_seat_given_back_between_the_claim_s_snapshot_and_its_lock_is_claimed(monkeypatch):
    """Waiting for the lock, instead of refusing, stretches that moment until it is certain to be hit."""
    monkeypatch.setattr(statements, "CLAIM_PICKED", statements.CLAIM_PICKED.replace("FOR UPDATE NOWAIT", "FOR UPDATE"))
    event, fan, other = make_sale(), new_fan(), new_fan()
    hold = partial(purchase.hold_seats, event_id=event.id, indexes=WANTED)
    before = hold(fan=other)

    def hold_in_a_thread() -> purchase.Held:
        try:
            return hold(fan=fan)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic(durable=True):
            take_turn(event_id=event.id, fan=other, actor=f"fan:{other}")
            end_holds([Hold.objects.get(id=before.hold_id)])
            claim = pool.submit(hold_in_a_thread)
            while not someone_waits():
                sleep(0.01)
        held = claim.result()
    assert [seat.index for seat in held.seats] == WANTED
    assert states(event, *WANTED) == [1, 1, 1, 1]
    with pytest.raises(purchase.SeatsTaken):
        hold(fan=other)


def someone_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def test_presale_code_serves_as_many_fans_as_it_says():
    event = make_sale(windows=[{"access": "presale", "codes": ["EARLY"]}])
    event.windows.get().codes.update(max_fans=3)
    results = all_at_once(
        [
            partial(purchase.hold_seats, event_id=event.id, fan=new_fan(), indexes=[i], presale_code="EARLY")
            for i in range(20)
        ]
    )
    assert sum(isinstance(r, purchase.Held) for r in results) == 3
    assert sum(isinstance(r, purchase.PresaleCodeInvalid) for r in results) == 17


def place(event, fan, *indexes):
    held = purchase.hold_seats(event_id=event.id, fan=fan, indexes=list(indexes))
    return purchase.place_order(hold_id=held.hold_id, fan=fan, name="Ada", email="ada@example.org")


def test_twenty_presses_on_pay_make_one_order():
    event, fan = make_sale(), new_fan()
    held = purchase.hold_seats(event_id=event.id, fan=fan, indexes=WANTED)
    press = partial(purchase.place_order, hold_id=held.hold_id, fan=fan, name="Ada", email="ada@example.org")
    results = all_at_once([press] * 20)
    assert {(r.order.id, r.payment.id) for r in results} == {(results[0].order.id, results[0].payment.id)}
    assert Payment.objects.count() == 1
    assert OrderLine.objects.count() == 4


def test_twenty_confirmations_make_one_set_of_tickets():
    event, fan = make_sale(), new_fan()
    placed = place(event, fan, *WANTED)
    confirm = partial(purchase.confirm_payment, payment_id=placed.payment.id, provider_id="ch_1")
    begin = partial(purchase.begin_capture, payment_id=placed.payment.id)
    results = all_at_once([confirm, begin] * 20)
    assert {r.state for r in results[::2]} == {"paid"}
    assert {r.action for r in results[1::2]} <= {"capture", "none"}
    assert Ticket.objects.count() == 4
    assert Refund.objects.count() == 0


def test_refund_by_twenty_clerks_happens_once():
    event, fan = make_sale(), new_fan()
    order = buy(event, fan, *WANTED)
    refund = partial(purchase.refund_order, order_id=order.id, reason="asked", actor="staff:1")
    results = all_at_once([refund] * 20)
    assert sum(isinstance(r, Refund) for r in results) == 1
    assert sum(isinstance(r, purchase.AlreadyRefunded) for r in results) == 19
    assert Refund.objects.get().amount == 36000
    assert states(event, *WANTED) == [0, 0, 0, 0]


def test_late_money_and_a_new_fan_after_the_same_seats_agree():
    from tests.inventory.box_office import run_out

    for _ in range(5):
        event = make_sale()
        placed = place(event, new_fan(), *WANTED)
        run_out(placed.order.hold_id)
        money, other, sweep = all_at_once(
            [
                partial(purchase.confirm_payment, payment_id=placed.payment.id, provider_id=str(placed.payment.id)),
                partial(purchase.hold_seats, event_id=event.id, fan=new_fan(), indexes=WANTED),
                purchase.expire_holds,
            ]
        )
        assert isinstance(sweep, int)
        if isinstance(other, purchase.Held):
            assert (money.state, states(event, *WANTED)) == ("refunded", [1, 1, 1, 1])
        else:
            assert isinstance(other, purchase.SeatsTaken)
            assert (money.state, states(event, *WANTED)) == ("paid", [3, 3, 3, 3])
