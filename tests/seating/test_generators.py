import gzip
import math
from itertools import pairwise

import pytest

from seating.generators import club, stadium, theatre
from seating.geometry import check


@pytest.mark.parametrize("seats", [600, 601, 1_234, 5_000, 20_000, 47_999, 60_000, 120_000])
def test_stadium_has_exactly_the_places_asked_for(seats):
    plan = stadium(seats)
    check(plan)
    assert plan.seat_count == seats
    assert [section.name for section in plan.sections[:2]] == ["Front standing", "General standing"]
    assert [section.is_standing for section in plan.sections[:3]] == [True, True, False]


@pytest.mark.parametrize("seats", [200, 201, 800, 1_999, 2_000, 10_000, 120_000])
def test_theatre_has_exactly_the_seats_asked_for(seats):
    plan = theatre(seats)
    check(plan)
    assert plan.seat_count == seats
    assert {section.zone for section in plan.sections} == {"Stalls", "Dress circle", "Upper circle", "Boxes"}


@pytest.mark.parametrize("places", [10, 49, 50, 300, 120_000])
def test_club_has_exactly_the_places_asked_for(places):
    plan = club(places)
    check(plan)
    assert plan.seat_count == places
    assert all(section.is_standing for section in plan.sections)


@pytest.mark.parametrize(("generate", "places"), [(stadium, 599), (stadium, 120_001), (theatre, 10), (club, 0)])
def test_generators_refuse_sizes_they_cannot_draw(generate, places):
    with pytest.raises(ValueError, match="this hall can have"):
        generate(places)


def test_stadium_of_sixty_thousand_is_what_was_promised():
    plan = stadium()
    standing = [section.count for section in plan.sections if section.is_standing]
    assert standing == [2_400, 8_600]
    assert {section.zone for section in plan.sections} == {"Pitch", "Lower tier", "Club tier", "Upper tier"}
    assert len(gzip.compress(plan.body, 9)) <= 60_000
    wheelchair, companion = plan.flags["wheelchair"], plan.flags["companion"]
    assert len(wheelchair) == len(companion) > 80
    assert [chair + 1 for chair in wheelchair] == list(companion)
    assert all(plan.place(i).row == "WP" for i in wheelchair)
    assert 3_000 < len(plan.flags["restricted"]) < 9_000
    assert all(section.entrance.startswith("Gate ") for section in plan.sections)
    assert all(section.view for section in plan.sections)
    names = [section.name for section in plan.sections]
    assert len(set(names)) == len(names)


def test_generated_halls_are_the_same_every_time():
    assert stadium(5_000).content_hash == stadium(5_000).content_hash
    assert theatre(700).content_hash == theatre(700).content_hash


@pytest.mark.parametrize("plan", [stadium(20_000), theatre(2_000), theatre(300), stadium(600)], ids=lambda p: p.name)
def test_no_two_seats_overlap(plan):
    cells: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for x, y in (p for p in plan.positions if p):
        near = [p for i in (-1, 0, 1) for j in (-1, 0, 1) for p in cells.get((int(x // 25) + i, int(y // 25) + j), ())]
        assert all(math.dist((x, y), p) > 23.5 for p in near), (x, y)
        cells.setdefault((int(x // 25), int(y // 25)), []).append((x, y))
        assert 0 < x < plan.width
        assert 0 < y < plan.height


@pytest.mark.parametrize("plan", [stadium(20_000), theatre(2_000)], ids=lambda p: p.name)
def test_outlines_hold_their_seats_and_do_not_cross_their_neighbours(plan):
    outlines = [list(zip(s.outline[::2], s.outline[1::2], strict=True)) for s in plan.sections]
    for section, outline in zip(plan.sections, outlines, strict=True):
        for row in section.rows:
            ends = (row.positions()[0], row.positions()[-1])
            assert all(_inside(end, outline) for end in ends), (section.name, row.label)
    for i, outline in enumerate(outlines):
        for other in outlines[i + 1 :]:
            assert not any(_inside(corner, other) for corner in outline), (i, outline[0])


def _inside(point, outline):
    x, y = point
    inside = False
    for (ax, ay), (bx, by) in pairwise([*outline, outline[0]]):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            inside = not inside
    return inside


def test_theatre_numbers_run_on_from_block_to_block():
    plan = theatre()
    row_c = [
        plan.place(row.first + offset)
        for section in plan.sections[:3]
        for row in section.rows
        if row.label == "C"
        for offset in (0, row.count - 1)
    ]
    ends = [int(place.number) for place in row_c]
    assert ends[0] == 1
    assert ends[2] == ends[1] + 1
    assert ends[4] == ends[3] + 1
