"""The plan document, the plane and the delta frame, decoded in a real browser."""

import struct
from itertools import pairwise

import pytest

from .hall import bowl, theatre

pytestmark = pytest.mark.browser

DECODE = """(m, doc) => {
  const plan = new m.Plan(doc);
  const at = i => [Math.round(plan.x[i] * 10) / 10, Math.round(plan.y[i] * 10) / 10];
  return {count: plan.count, a1: at(0), a6: at(5), box2: at(61), single: at(63), pit: Number.isNaN(plan.x[70]),
    categories: [...plan.category.subarray(0, 10)], flags: [9, 10, 50, 51, 52].map(i => plan.flags[i]),
    names: [0, 59, 62, 63, 70].map(i => plan.seat(i)),
    rows: [plan.rowOf(59).label, plan.rowOf(60).label, plan.rowOf(70)],
    sectionOf: [plan.sectionOf[59], plan.sectionOf[60], plan.sectionOf[83]]};
}"""


def test_plan_decodes_lines_arcs_points_and_standing(module):
    plan = module("plan", DECODE, theatre())

    assert plan["count"] == 84
    assert (plan["a1"], plan["a6"], plan["box2"], plan["single"]) == ([100, 200], [275, 200], [515, 220], [515, 270])
    assert plan["pit"] is True
    assert plan["categories"] == [0, 0, 0, 0, 1, 1, 1, 1, 1, 1]
    assert plan["flags"] == [4, 4, 1, 2, 0]
    assert plan["rows"] == ["F", "1", None]
    assert plan["sectionOf"] == [0, 1, 2]


def test_plan_names_seats_by_count_and_by_label(module):
    names = module("plan", DECODE, theatre())["names"]

    assert [(n["section"], n["row"], n["number"], n["standing"]) for n in names] == [
        ("Stalls", "A", "1", False),
        ("Stalls", "F", "10", False),
        ("Box 1", "1", "3a", False),
        ("Box 1", "2", "4", False),
        ("Pit", "", "", True),
    ]


def test_plan_places_arcs_on_their_circle_at_even_angles(module):
    doc = bowl(4000)
    row = doc["sections"][3]["rows"][1]
    cx, cy, radius, _, _ = row["at"]["arc"]
    script = """(m, [doc, first, n]) => { const p = new m.Plan(doc);
      return Array.from({length: n}, (_, k) => [p.x[first + k], p.y[first + k]]); }"""

    points = module("plan", script, [doc, row["first"], row["count"]])

    radii = [((x - cx) ** 2 + (y - cy) ** 2) ** 0.5 for x, y in points]
    assert radii == pytest.approx([radius] * row["count"], abs=0.01)
    steps = [((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5 for (x0, y0), (x1, y1) in pairwise(points)]
    assert steps == pytest.approx([steps[0]] * len(steps), abs=0.01)


def test_plan_refuses_an_unknown_format(module):
    script = "(m) => { try { new m.Plan({format: 'other/9', sections: []}); } catch (e) { return e.message; } }"
    assert module("plan", script) == "Unknown plan format other/9."


def test_plane_unpacks_two_bits_a_seat(module):
    # 0b11100100: seat 0 free, 1 held, 2 sold, 3 blocked; then one more byte for seat 4.
    assert module("plane", "m => [...m.unpack(new Uint8Array([0xE4, 0x02]), 5)]") == [0, 1, 2, 3, 2]


def test_snapshot_header_is_read_and_what_is_none_is_refused(module):
    body = struct.pack("<2sBBIQQ", b"OS", 1, 1, 5, 2**40 + 7, 1_763_700_000_000) + bytes([0xE4, 0x02])
    script = """(m, bytes) => { try { const s = m.readSnapshot(new Uint8Array(bytes).buffer);
      return {...s, states: [...s.states]}; } catch (e) { return e.message; } }"""

    assert module("plane", script, list(body)) == {
        "rebuilt": True, "count": 5, "version": 2**40 + 7, "madeAt": 1_763_700_000_000, "states": [0, 1, 2, 3, 2],
    }  # fmt: skip
    assert module("plane", script, list(b"<html>a login page of the hotel</html>")) == "Not a seat snapshot."
    assert module("plane", script, list(body[:-1])) == "Seat snapshot cut short."


def test_frame_is_read_and_a_torn_one_refused(module):
    frame = struct.pack("<QQ", 41, 42) + struct.pack("<IB", 3, 2) + struct.pack("<IB", 59_999, 0)
    script = """(m, bytes) => { try { const f = m.readFrame(new Uint8Array(bytes).buffer);
      return {from: f.from, to: f.to, indexes: [...f.indexes], states: [...f.states]}; }
      catch (e) { return e.message; } }"""

    assert module("plane", script, list(frame)) == {"from": 41, "to": 42, "indexes": [3, 59_999], "states": [2, 0]}
    assert module("plane", script, list(frame[:-1])) == "Not a delta frame."


def test_money_and_countdown_read_like_people_write_them(module):
    script = """m => { const eur = m.moneyWriter('EUR', 'en-IE'); const yen = m.moneyWriter('JPY', 'en');
      return [eur(4500), eur(5950), yen(900), m.clock(187000), m.clock(-5),
        m.countdown(93784000), m.countdown(545000), m.countdown(9000)]; }"""

    assert module("text", script) == [
        "€45", "€59.50", "¥900", "3:07", "0:00", "1 day 2 hours", "9 minutes 5 seconds", "9 seconds",
    ]  # fmt: skip


def test_hit_test_finds_the_nearest_seat_and_nothing_in_the_aisle(module):
    script = """async (m, doc) => { const {Plan} = await import(new URL('plan.js', 'PLACE'));
      const plan = new Plan(doc); const grid = new m.SeatGrid(plan);
      const inBox = []; grid.inBox(90, 190, 160, 250, i => inBox.push(i));
      return [grid.nearest(127, 203, 15), grid.nearest(237, 200, 15), grid.nearest(-5000, 0, 15),
        inBox.sort((a, b) => a - b),
        m.sectionAt(plan, 515, 300)?.name, m.sectionAt(plan, 250, 130)?.name, m.sectionAt(plan, 5, 5)]; }"""
    script = script.replace("'PLACE'", "location.origin + '/static/seating/seatmap/'")

    assert module("hit", script, theatre()) == [1, -1, -1, [0, 1, 2, 10, 11, 12], "Box 1", "Pit", None]


LONE = """async (m, [doc, taken, chosen]) => {
  const at = name => import(location.origin + '/static/seating/seatmap/' + name + '.js');
  const [{Plan}, {Seats}] = [await at('plan'), await at('seats')];
  const tiers = doc.categories.map((c, number) =>
    ({number, name: c.name, amount: 100, color: c.color, shape: 'circle'}));
  const seats = new Seats(new Plan(doc), tiers, [0, 1, 2, 3]);
  for (const i of taken) seats.states[i] = 2;
  seats.setMine(chosen.map(i => [i, 2]));
  return m.loneSeats(seats, chosen);
}"""


@pytest.mark.parametrize(
    ("taken", "chosen", "found"),
    [
        # Row A has seats 0-4, an aisle, 5-9. Choosing 1-2 leaves 0 alone; 0-1 and 2-3... leave none or another.
        ([], [1, 2], {"lone": [0], "old": [1, 2], "moves": [[0, 1], [3, 4]], "fill": [0]}),
        ([], [0, 1], None),
        ([], [0, 1, 2, 3, 4], None),
        # Seat 5 begins a new run behind the aisle: choosing 4 leaves nobody alone there.
        ([], [3, 4], None),
        # It was alone before: not this fan's doing.
        ([1], [2, 3, 4], None),
        # Unavoidable: three free seats, two wanted from the middle are not, one wanted always is.
        ([0, 1], [3], {"lone": [2, 4], "old": [3], "moves": [[2], [4]], "fill": [2, 4]}),
        ([0, 1, 2], [3], {"lone": [4], "old": [3], "moves": [], "fill": [4]}),
    ],
)
def test_lone_seats_are_found_and_a_way_round_offered(module, taken, chosen, found):
    assert module("lone", LONE, [theatre(), taken, chosen]) == found
