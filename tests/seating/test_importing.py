# ruff: noqa: E501 - A table of messages is read by its lines.
import copy
import io
import json

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seating import importing
from seating.exporting import export, pretix_document
from seating.generators import theatre
from seating.geometry import NotAPlan, Place
from seating.importing import import_plan, read_file, read_plan, store_plan
from seating.models import SeatingPlan
from seating.plans import guids
from tests.factories import make_venue, small_hall

PRETIX = {
    "name": "Town hall",
    "size": {"width": 600, "height": 400},
    "categories": [{"name": "Parkett", "color": "#7f4a91"}, {"name": "Rang", "color": "not a colour"}],
    "zones": [
        {
            "name": "Ground floor",
            "zone_id": "ground",
            "position": {"x": 100, "y": 50},
            "rows": [
                {
                    "row_number": "1",
                    "row_label": "Row %s",
                    "row_number_position": "both",
                    "position": {"x": 10, "y": 100},
                    "seats": [
                        {
                            "seat_guid": f"g-1-{i}",
                            "seat_number": str(i + 1),
                            "position": {"x": i * 30, "y": 0},
                            "category": "Parkett" if i < 3 else "Rang",
                        }
                        for i in range(5)
                    ],
                },
                {
                    "row_number": "2",
                    "position": {"x": 10, "y": 140},
                    "seats": [
                        {
                            "seat_guid": f"g-2-{n}",
                            "seat_number": n,
                            "position": {"x": i * 30, "y": i * i * 2},
                            "category": "Rang",
                        }
                        for i, n in enumerate(["2", "4", "6", "8"])
                    ],
                },
            ],
            "areas": [
                {
                    "shape": "rectangle",
                    "position": {"x": 0, "y": 0},
                    "rotation": 0,
                    "color": "#CCCCCC",
                    "border_color": "#000000",
                    "rectangle": {"width": 200, "height": 40},
                    "text": {"text": "Bühne", "position": {"x": 100, "y": 20}, "color": "#ffffff"},
                },
                {
                    "shape": "circle",
                    "position": {"x": 300, "y": 20},
                    "color": "#eeeeee",
                    "circle": {"radius": 12},
                    "text": {"text": "Bar", "position": {"x": 0, "y": 0}, "size": 10},
                },
            ],
        }
    ],
}


def changed(change):
    document = copy.deepcopy(PRETIX)
    change(document)
    return document


def parse(document, **fields):
    return read_plan(json.dumps(document).encode(), file_name="plan.json", **fields)


@pytest.fixture
def venue(db):
    return make_venue(slug="town-hall", name="Town hall")


def test_pretix_positions_are_zone_plus_row_plus_seat():
    reading = parse(PRETIX)
    plan = reading.plan
    assert (plan.name, plan.seat_count, plan.width, plan.height) == ("Town hall", 9, 600, 400)
    assert [tuple(round(v, 1) for v in p) for p in plan.positions[:5]] == [(110 + 30 * i, 150) for i in range(5)]
    assert plan.positions[7] == (170, 198)
    assert plan.place(0) == Place("Ground floor", "1", "1")
    assert plan.place(8) == Place("Ground floor", "2", "8")
    assert plan.sections[0].rows[0].numbers == (1, 1)
    assert plan.sections[0].rows[0].categories == ((0, 3), (1, 2))
    assert plan.sections[0].rows[1].numbers == (2, 2)
    assert [(c.name, c.color) for c in plan.categories] == [("Parkett", "#7f4a91"), ("Rang", "#0f766e")]
    assert reading.guids == [*(f"g-1-{i}" for i in range(5)), "g-2-2", "g-2-4", "g-2-6", "g-2-8"]
    assert reading.warnings == []


def test_pretix_area_called_stage_is_the_stage():
    plan = parse(PRETIX).plan
    assert plan.stage.points == (100, 50, 300, 50, 300, 90, 100, 90)
    assert plan.stage.label == "Bühne"
    assert plan.focus == (200, 90)
    assert [(a.shape, a.x, a.y, a.r, a.text) for a in plan.areas] == [("circle", 400, 70, 12, "Bar")]


def _rows(document):
    return document["zones"][0]["rows"]


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        (lambda d: d["zones"][0].pop("name"), 'zones[0].name: missing, called "Section 1"'),
        (lambda d: _rows(d)[0].pop("position"), "zones[0].rows[0].position: missing, taken as 0, 0"),
        (lambda d: d.pop("size"), "size: missing, taken from the seats"),
        (lambda d: _rows(d)[1].update(seats=[]), "zones[0].rows[1].seats: empty, left out"),
        (lambda d: _rows(d)[1].update(row_number=""), 'zones[0].rows[1].row_number: missing, called "2"'),
        (lambda d: [s.update(section_break=1) for s in _rows(d)[0]["seats"]], 'zones[0].rows[0].seats[0] and 4 more: the key "section_break" is not part of the format, ignored'),
        (lambda d: _rows(d)[0]["seats"][2].update(wheelchair=True), 'zones[0].rows[0].seats[2]: the key "wheelchair" is not part of the format, read as a flag'),
        (lambda d: d["zones"][0]["areas"].append({"shape": "spiral"}), "zones[0].areas[2]: nothing that can be drawn, left out"),
    ],
)  # fmt: skip
def test_pretix_oddities_are_warnings(change, warning):
    reading = parse(changed(change))
    assert reading.warnings == [warning]
    assert reading.plan.seat_count >= 5


def test_pretix_nulls_are_read_as_missing():
    def change(document):
        document["categories"][0]["color"] = "#FA0"
        document["zones"][0]["areas"] = None
        _rows(document)[1].update(row_number=None, row_label=None, row_number_position=None)
        _rows(document)[1]["seats"][0].update(seat_number=None, start_direction=None, radius=None)
        _rows(document)[0].update(row_number=0)

    plan = parse(changed(change)).plan
    assert plan.categories[0].color == "#ffaa00"
    assert [plan.place(i) for i in (0, 5, 6)] == [
        Place("Ground floor", "0", "1"),
        Place("Ground floor", "2", "1"),
        Place("Ground floor", "2", "4"),
    ]


def test_pretix_wheelchair_key_becomes_the_flag():
    reading = parse(changed(lambda d: _rows(d)[0]["seats"][2].update(wheelchair=True)))
    assert reading.plan.flags == {"wheelchair": (2,)}


def test_pretix_first_version_forms_are_read():
    document = {
        "name": "Old",
        "categories": [{"name": "A"}],
        "zones": [
            {
                "name": "Z",
                "displayed": True,
                "position": {"x": 5, "y": 6},
                "rows": [{"row_number": 7, "position": {"x": 20, "y": 30}, "number_of_seats": 4, "seats_spacing": 40}],
                "areas": [{"position": {"x": 0, "y": 0}, "width": 90, "height": 20, "text": "Stage"}],
            }
        ],
    }
    reading = parse(document)
    assert reading.plan.positions == [(25, 36), (65, 36), (105, 36), (145, 36)]
    assert reading.plan.place(3) == Place("Z", "7", "4")
    assert reading.plan.stage.points == (5, 6, 95, 6, 95, 26, 5, 26)
    assert reading.guids[3] == "zones[0].rows[0].seats[3]"
    assert reading.warnings == [
        "zones[0].rows[0]: its seats are only counted (first version), spaced evenly in the first category",
        "size: missing, taken from the seats",
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: _rows(d)[1]["seats"][3].update(category="Foo"), 'zones[0].rows[1].seats[3]: category "Foo" is not among the categories'),
        (lambda d: _rows(d)[1]["seats"][3].update(seat_guid="g-1-0"), 'zones[0].rows[1].seats[3].seat_guid: "g-1-0" is the guid of zones[0].rows[0].seats[0] too'),
        (lambda d: _rows(d)[0]["seats"][1].pop("seat_guid"), "zones[0].rows[0].seats[1].seat_guid: missing"),
        (lambda d: _rows(d)[0]["seats"][1].pop("position"), "zones[0].rows[0].seats[1].position: missing"),
        (lambda d: _rows(d)[0]["seats"][1]["position"].update(x="12"), "zones[0].rows[0].seats[1].position.x: expected a number, found text"),
        (lambda d: _rows(d)[0]["seats"][1]["position"].update(x=True), "zones[0].rows[0].seats[1].position.x: expected a number, found true or false"),
        (lambda d: _rows(d)[0]["seats"][1]["position"].update(y=10**400), "zones[0].rows[0].seats[1].position.y: 10000000000000000000 is not a usable number"),
        (lambda d: d["zones"].clear(), "zones: there is not a single seat"),
        (lambda d: d.update(zones={}), "zones: expected a list, found an object"),
        (lambda d: d.pop("categories"), "categories: expected a list, found nothing"),
        (lambda d: d.update(categories=[]), "categories: there is none, and every seat needs one"),
        (lambda d: d["categories"].append({"name": "Rang"}), 'categories[2].name: "Rang" is the name of another category too'),
        (lambda d: d["zones"].insert(0, None), "zones[0]: expected an object, found nothing"),
    ],
)  # fmt: skip
def test_pretix_faults_name_their_place(change, message):
    with pytest.raises(NotAPlan) as refusal:
        parse(changed(change))
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"name": NaN}', "the file holds NaN, which is not a number of JSON"),
        (b'{"name": "x",}', "not JSON"),
        (b"[" * 100_000, "the file is nested too deeply to be a plan"),
        (b"[]", "the file: expected an object, found a list"),
        (b'{"a": "\xff"}', "byte 7: the file is not UTF-8 text"),
        (b"a\x00b", "the file is not text"),
        (b"", "line 1: the column section, row, seat, x, y, category is missing"),
        (b'{"x": ' + b"9" * 5000 + b"}", "a number that cannot be read"),
    ],
)
def test_what_is_no_plan_is_refused_in_one_sentence(content, message):
    with pytest.raises(NotAPlan) as refusal:
        read_plan(content, file_name="x")
    assert message in str(refusal.value)


def test_a_file_of_300_megabytes_is_refused_by_its_size(tmp_path):
    file = tmp_path / "large.json"
    with file.open("wb") as out:
        out.truncate(300_000_000)
    with pytest.raises(NotAPlan, match="the file has 300,000,000 bytes; a plan has at most 67,108,864"):
        read_file(file)
    with pytest.raises(NotAPlan, match="the file cannot be read: No such file or directory"):
        read_file(tmp_path / "none.json")


def test_import_stores_the_plan_once_with_its_guids(tmp_path, venue):
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(PRETIX))
    first, warnings = import_plan(path=file, venue=venue)
    again, _ = import_plan(path=file, venue=venue)
    assert first.pk == again.pk
    assert warnings == []
    assert SeatingPlan.objects.count() == 1
    assert (first.name, first.seat_count, first.venue) == ("Town hall", 9, venue)
    assert guids(first.content_hash)[5] == "g-2-2"


def test_a_refused_import_stores_nothing(tmp_path, venue):
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(changed(lambda d: _rows(d)[1]["seats"][3].update(category="Foo"))))
    with pytest.raises(CommandError, match='category "Foo" is not among the categories'):
        call_command("import_plan", str(file), venue="town-hall")
    assert SeatingPlan.objects.count() == 0


def test_store_plan_refuses_guids_that_do_not_fit(venue):
    with pytest.raises(NotAPlan, match="guids: 2 for 60 places"):
        store_plan(venue=venue, plan=small_hall(), guids=["a", "b"])
    assert SeatingPlan.objects.count() == 0


def test_pretix_round_trip_keeps_hash_and_guids(tmp_path, venue):
    reading = parse(PRETIX)
    stored = store_plan(venue=venue, plan=reading.plan, guids=reading.guids)
    again = read_plan(export(stored, "pretix"), file_name="x.json")
    assert again.plan.content_hash == reading.plan.content_hash
    assert again.guids == reading.guids
    assert again.warnings == []


def test_round_trip_of_positions_left_of_the_origin():
    reading = parse(changed(lambda d: d["zones"][0]["position"].update(x=-500.55, y=-20.25)))
    assert min(x for x, _ in reading.plan.positions) >= 15
    again = parse(pretix_document(reading.plan, reading.guids))
    assert again.plan == reading.plan


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.lists(st.tuples(st.floats(-300, 300), st.floats(-300, 300)), min_size=1, max_size=12), min_size=1, max_size=4
    )
)
def test_round_trip_of_any_layout_keeps_the_hash(rows):
    document = changed(lambda d: d["zones"][0]["areas"].clear())
    document["zones"][0]["rows"] = [
        {
            "row_number": str(j),
            "position": {"x": 0, "y": 0},
            "seats": [
                {"seat_guid": f"{j}-{i}", "seat_number": str(i), "position": {"x": x, "y": y}, "category": "Rang"}
                for i, (x, y) in enumerate(row)
            ],
        }
        for j, row in enumerate(rows)
    ]
    reading = parse(document)
    again = parse(pretix_document(reading.plan, reading.guids))
    assert again.plan.content_hash == reading.plan.content_hash


def test_a_generated_theatre_survives_pretix_with_its_seats():
    plan = theatre(500)
    reading = parse(pretix_document(plan))
    assert reading.plan.seat_count == 500
    assert [reading.plan.place(i) for i in range(500)] == [plan.place(i) for i in range(500)]
    assert reading.plan.flags == plan.flags
    assert reading.plan.stage == plan.stage


CSV = """section,row,seat,x,y,category,flags
Stalls,A,1,100,100,Good,wheelchair
Stalls,A,2,125,100,Good,companion aisle
Stalls,B,1,100,140,Cheap,
Stalls,B,2,125,140,Cheap,restricted
Floor,,,300,120,Standing,standing=40
"""


def test_csv_is_read():
    reading = read_plan(CSV.encode(), file_name="Our hall.csv")
    plan = reading.plan
    assert (plan.name, plan.seat_count, len(plan.sections)) == ("Our hall", 44, 2)
    assert plan.positions[:4] == [(100, 100), (125, 100), (100, 140), (125, 140)]
    assert plan.flags == {"wheelchair": (0,), "companion": (1,), "restricted": (3,), "aisle": (1,)}
    assert [c.name for c in plan.categories] == ["Good", "Cheap", "Standing"]
    assert plan.place(3) == Place("Stalls", "B", "2")
    assert (plan.sections[1].kind, plan.sections[1].count) == ("standing", 40)
    assert reading.guids == []


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_csv_may_be_divided_otherwise_and_begin_with_a_mark(delimiter):
    content = b"\xef\xbb\xbf" + CSV.replace(",", delimiter).replace("\n", "\r\n").encode()
    assert read_plan(content, file_name="Our hall.csv").plan == read_plan(CSV.encode(), file_name="Our hall.csv").plan


def test_csv_round_trip_keeps_the_hash(venue):
    plan = read_plan(CSV.encode(), file_name="Our hall.csv").plan
    stored = store_plan(venue=venue, plan=plan)
    assert read_plan(export(stored, "csv"), file_name="Our hall.csv").plan.content_hash == plan.content_hash


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("section,", "block,", "line 1: the column section is missing (expected section, row, seat, x, y, category, flags)"),
        ("125,100", "12b,100", 'line 3, column "x": "12b" is not a number'),
        ("125,100", "nan,100", 'line 3, column "x": nan is not a usable number'),
        ("125,140", "125,", 'line 5, column "y": empty'),
        ("Stalls,B,1", "Stalls,A,1", "line 4: Stalls A 1 is on line 2 too"),
        ("restricted", "blocked", 'line 5, column "flags": "blocked" is not one of wheelchair, companion, restricted, aisle, standing=<places>'),
        ("standing=40", "standing=0", 'line 6, column "flags": "standing=0" is not one of wheelchair, companion, restricted, aisle, standing=<places>'),
        ("standing=40", "standing=120000", "line 6: more than 120,000 places, the largest plan there is"),
        ("Floor,,", "Stalls,,", "line 6: a standing area is one line without row and seat"),
        ("companion aisle", "companion,aisle", "line 3: 8 values for 7 columns"),
    ],
)  # fmt: skip
def test_csv_faults_name_line_and_column(old, new, message):
    with pytest.raises(NotAPlan) as refusal:
        read_plan(CSV.replace(old, new, 1).encode(), file_name="x.csv")
    assert str(refusal.value) == message


def test_commands_import_and_export(tmp_path, venue, capsys):
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(changed(lambda d: d["zones"][0].pop("name"))))
    out, err = io.StringIO(), io.StringIO()
    call_command("import_plan", str(file), venue="Town hall", name="Renamed", stdout=out, stderr=err)
    stored = SeatingPlan.objects.get()
    assert out.getvalue() == f"{stored.content_hash} 9 places\n"
    assert err.getvalue() == 'warning: zones[0].name: missing, called "Section 1"\n'
    assert stored.name == "Renamed"
    for file_format in ("pretix", "json"):
        copy_file = tmp_path / f"copy.{file_format}"
        call_command("export_plan", stored.content_hash[:8], "--format", file_format, "--output", str(copy_file))
        assert read_file(copy_file).plan.content_hash == stored.content_hash
    out = io.StringIO()
    call_command("export_plan", "Renamed", "--format", "csv", stdout=out)
    assert out.getvalue().splitlines()[1] == "Section 1,1,1,110.0,150.0,Parkett,"
    with pytest.raises(CommandError, match="There is no plan 'nothing'"):
        call_command("export_plan", "nothing")
    with pytest.raises(CommandError, match=r"There is no venue 'moon'\. Venues: town-hall\."):
        call_command("import_plan", str(file), venue="moon")
    with pytest.raises(CommandError, match="cannot be written: No such file or directory"):
        call_command("export_plan", "Renamed", "--output", str(tmp_path / "none" / "x"))


def test_import_with_check_stores_nothing(tmp_path, venue):
    file = tmp_path / "hall.csv"
    file.write_text(CSV)
    out = io.StringIO()
    call_command("import_plan", str(file), "--check", venue="town-hall", stdout=out)
    assert out.getvalue().endswith(" 44 places (not stored)\n")
    assert SeatingPlan.objects.count() == 0


def test_largest_file_is_larger_than_the_largest_plan_in_the_wordiest_format():
    document = pretix_document(theatre(2_000))
    assert len(json.dumps(document, indent=1)) * 60 < importing.LARGEST_FILE
