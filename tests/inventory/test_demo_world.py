import io
import json
import random
import stat
from collections import Counter
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db.models import Count, Sum
from django.utils import timezone
from PIL import Image

from events.models import Event, Membership, Organizer, SaleWindow
from events.sale_state import sale_state
from inventory.demo_world import posters, world
from inventory.demo_world.programme import PROGRAMME, USUAL_PRICES
from inventory.demo_world.sales import crowd
from inventory.models import Hold, Order, OrderLine, Payment, SandboxCharge, Seat, Ticket
from seating.generators import club, stadium, theatre
from seating.models import SeatingPlan
from seating.plans import plan as plan_of

SLUG = {show.part: show.slug for show in PROGRAMME if show.part}


def seed(settings, tmp_path, **options):
    settings.DATA_DIR = tmp_path
    settings.MEDIA_ROOT = tmp_path / "media"
    out = io.StringIO()
    call_command("seed_demo", scale=0.02, no_images=True, stdout=out, **options)
    return out.getvalue()


def test_programme_has_forty_events_of_every_kind():
    assert len({show.slug for show in PROGRAMME}) == len(PROGRAMME) == 40
    assert set(SLUG) == {"sale", "soon", "sold_out", "cancelled", "presale", "closed", "upcoming", "paused"}
    assert {show.category for show in PROGRAMME} == set(Event.Category.values)
    for hall in (stadium(600), theatre(200), club(40)):
        assert {category.name for category in hall.categories} <= USUAL_PRICES.keys()


@pytest.mark.django_db
def test_seed_demo_makes_a_whole_world_and_only_once(settings, tmp_path):
    told = seed(settings, tmp_path)
    assert "[ 1/40] Aurora Skies: 1,200 places" in told
    now = timezone.now()
    events = {event.slug: event for event in Event.objects.prefetch_related("windows")}
    states = Counter(sale_state(event, now).state for event in events.values())
    assert states == {"open": 33, "upcoming": 3, "cancelled": 1, "closed": 1, "paused": 1, "presale": 1}
    assert sale_state(events[SLUG["sale"]], now).state == "open"
    opening = sale_state(events[SLUG["soon"]], now)
    assert opening.state == "upcoming"
    assert timedelta(minutes=8) < opening.opens_at - now <= timedelta(minutes=10)
    assert all(event.starts_at > now for event in events.values())

    seats = dict(Seat.objects.filter(event__slug=SLUG["sale"]).values_list("state").annotate(n=Count("*")))
    assert sum(seats.values()) == 1_200
    assert 300 < seats[Seat.State.SOLD] < 800
    assert seats[Seat.State.BLOCKED] > 0
    assert set(Seat.objects.filter(event__slug=SLUG["sold_out"]).values_list("state", flat=True)) == {Seat.State.SOLD}
    assert Seat.objects.count() == sum(event.plan.seat_count for event in events.values())

    before = {model: model.objects.count() for model in (Event, Seat, Order, SeatingPlan, Organizer, SaleWindow, Hold)}
    users = list(get_user_model().objects.values_list("username", "password"))
    told = seed(settings, tmp_path)
    assert told == "The demo world is there\n"
    assert {model: model.objects.count() for model in before} == before
    assert list(get_user_model().objects.values_list("username", "password")) == users


@pytest.mark.django_db(transaction=True)
def test_seed_demo_sells_whole_orders(settings, tmp_path):
    seed(settings, tmp_path)
    call_command("check_inventory", stdout=io.StringIO())
    sold = set(Seat.objects.filter(state=Seat.State.SOLD).values_list("event_id", "index", "order"))
    lines = set(OrderLine.objects.filter(active=True).values_list("event_id", "index", "order_id"))
    assert sold == lines
    assert Ticket.objects.filter(state=Ticket.State.VALID, line__active=True).count() == len(lines)
    orders = Order.objects.annotate(paid=Sum("lines__amount") + Sum("lines__fee"))
    assert not [order for order in orders if order.total != order.paid or order.state != Order.State.PAID]
    assert set(Hold.objects.values_list("state", flat=True)) == {Hold.State.BOUGHT}
    payments = {p.order_id: p for p in Payment.objects.all()}
    charges = {c.id: c for c in SandboxCharge.objects.all()}
    assert payments.keys() == {order.pk for order in orders}
    for order in orders:
        payment = payments[order.pk]
        charge = charges[payment.provider_id]
        assert payment.state == Payment.State.CAPTURED
        assert charge.state == SandboxCharge.State.CAPTURED
        assert payment.amount == charge.amount == order.total
        assert charge.reference == str(payment.pk)
        assert order.created_at < order.paid_at == payment.captured_at
    held = {seat for hold in Hold.objects.all() for seat in ((hold.event_id, index) for index in hold.seats)}
    assert held == {(event, index) for event, index, _ in sold}
    sizes = Counter(orders.annotate(n=Count("lines")).values_list("n", flat=True))
    assert max(sizes) <= 6
    at_most = orders.annotate(n=Count("lines")).values_list("n", "event__max_per_fan")
    assert all(count <= limit for count, limit in at_most)
    assert sizes.most_common(1)[0][0] == 2


@pytest.mark.django_db
def test_seed_demo_writes_logins_that_work(settings, tmp_path, client):
    seed(settings, tmp_path)
    file = tmp_path / "demo.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    demo = json.loads(file.read_text())
    assert demo["sale"] == f"/e/{SLUG['sale']}/"
    assert demo["presale"] == {"path": f"/e/{SLUG['presale']}/", "code": "KITES"}
    logins = [demo["admin"], demo["door"], *demo["organizers"]]
    for login in logins:
        assert client.login(username=login["user"], password=login["password"]), login["user"]
    assert len({login["password"] for login in logins}) == len(logins) == 6
    assert get_user_model().objects.get(username="admin").is_superuser
    assert Membership.objects.filter(user__username="nordwind").values_list("organizer__slug", "role").get() == (
        "nordwind",
        "manager",
    )
    assert Membership.objects.filter(user__username="door", role="door").count() == 4


@pytest.mark.django_db
def test_seed_demo_gives_new_passwords_where_nobody_noted_them(settings, tmp_path, client):
    seed(settings, tmp_path)
    old = json.loads((tmp_path / "demo.json").read_text())["admin"]
    (tmp_path / "demo.json").unlink()
    seed(settings, tmp_path)
    new = json.loads((tmp_path / "demo.json").read_text())["admin"]
    assert new["password"] != old["password"]
    assert client.login(username="admin", password=new["password"])
    assert not client.login(username="admin", password=old["password"])


@pytest.mark.django_db
def test_seed_demo_makes_what_is_missing_only(settings, tmp_path):
    seed(settings, tmp_path)
    gone = Event.objects.get(slug=SLUG["cancelled"])
    kept = Event.objects.get(slug=SLUG["sale"]).pk
    gone.delete()
    told = seed(settings, tmp_path)
    assert [line for line in told.splitlines() if line.startswith("[")] == [
        "[ 7/40] Rooftop Cinema Live: 600 places, 0 sold"
    ]
    assert Event.objects.get(slug=SLUG["sale"]).pk == kept


@pytest.mark.django_db
def test_the_next_opening_moves_forward_until_somebody_bought(settings, tmp_path):
    seed(settings, tmp_path)
    window = SaleWindow.objects.get(event__slug=SLUG["soon"])
    now = timezone.now()
    assert not world.move_next_opening(now)
    later = now + timedelta(hours=3)
    assert world.move_next_opening(later)
    window.refresh_from_db()
    assert window.opens_at == later + timedelta(minutes=10)
    Seat.objects.filter(event=window.event, index=0).delete()
    order = Order.objects.first()
    Seat.objects.create(
        event=window.event, index=0, section=0, tier=0, state=Seat.State.SOLD, order=order.pk, version=1
    )
    assert not world.move_next_opening(later + timedelta(hours=1))


@pytest.mark.django_db
def test_seed_demo_refuses_a_senseless_scale():
    with pytest.raises(CommandError, match=r"--scale must be above 0 and at most 2, not 0\.0"):
        call_command("seed_demo", scale=0.0)


@pytest.mark.parametrize("plan", [stadium(3_000), theatre(600), club(300)], ids=lambda p: p.name)
def test_crowd_buys_neighbours_about_as_often_as_asked(plan):
    for share in (0.2, 0.6):
        groups = list(crowd(plan, share, random.Random(5)))
        indexes = [index for group in groups for index in group]
        assert len(indexes) == len(set(indexes))
        assert abs(len(indexes) / plan.seat_count - share) < 0.25
        for group in groups:
            assert list(group) == list(range(group[0], group[0] + len(group)))
            assert len({plan.place(i).row for i in group}) == len({plan.section_of(i) for i in group}) == 1
            assert len(plan.accessible.intersection(group)) in {0, 2}
    assert max(map(len, crowd(plan, 0.6, random.Random(5), most=3))) == 3
    everything = [index for group in crowd(plan, 1.0, random.Random(5)) for index in group]
    assert everything == list(range(plan.seat_count))


def test_posters_are_portraits_and_always_the_same():
    one = posters.poster("music", "aurora")
    assert one == posters.poster("music", "aurora")
    assert one != posters.poster("music", "borealis")
    image = Image.open(io.BytesIO(one))
    assert (image.format, image.size) == ("JPEG", (960, 1200))
    assert len(one) < 120_000


@pytest.mark.django_db
def test_images_are_drawn_and_drawn_again_when_lost(settings, tmp_path):
    seed(settings, tmp_path)
    show = next(show for show in PROGRAMME if show.part == "sale")
    event = Event.objects.get(slug=show.slug)
    world._draw(event, show)
    event.refresh_from_db()
    assert event.image.name == f"events/{show.slug}.jpg"
    assert world.redraw_missing_images() == 0
    (tmp_path / "media" / event.image.name).unlink()
    assert world.redraw_missing_images() == 1
    assert (tmp_path / "media" / event.image.name).exists()


@pytest.mark.django_db
def test_every_price_belongs_to_a_category_of_its_plan(settings, tmp_path):
    seed(settings, tmp_path)
    for event in Event.objects.select_related("plan").prefetch_related("tiers"):
        plan = plan_of(event.plan.content_hash)
        names = [plan.categories[k].name for k in sorted(set(plan.seat_categories))]
        tiers = list(event.tiers.all())
        assert [tier.number for tier in tiers] == list(range(len(names)))
        assert [name for tier in tiers for name in tier.categories] == names
        assert all(tier.amount >= 500 for tier in tiers)
