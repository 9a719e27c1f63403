# ruff: noqa: E501 - A table of messages is read by its lines.
import hashlib
import json
from dataclasses import replace

import pytest

from seating.generators import theatre
from seating.geometry import Category, NotAPlan, Place, check, from_document, to_document
from tests.factories import small_hall
from tests.seating.halls import hall


def test_document_round_trip_keeps_plan_and_hash():
    for plan in (small_hall(standing=50), theatre(500)):
        again = from_document(json.loads(plan.body))
        assert again == plan
        assert again.body == plan.body
        assert again.content_hash == plan.content_hash == hashlib.sha256(plan.body).hexdigest()


def test_body_is_canonical_json_and_its_hash_stable():
    body = hall(2, flags={"wheelchair": (1,)}).body
    assert body == (
        b'{"areas":[],"categories":[{"color":"#b4552d","name":"Stalls"}],"flags":{"wheelchair":[1]},'
        b'"format":"onsale-plan/1","height":800,"name":"Hall","sections":[{"category":0,"count":2,"entrance":"",'
        b'"first":0,"kind":"seated","label":[500,400],"name":"Stalls","outline":[100.0,180.0,900.0,180.0,900.0,700.0,'
        b'100.0,700.0],"rows":[{"at":{"line":[487.5,200,512.5,200]},"categories":0,"count":2,"first":0,"label":"A",'
        b'"numbers":[1,1]}],"view":"","zone":""}],"stage":{"label":"Stage","points":[400.0,0.0,600.0,0.0,600.0,100.0,'
        b'400.0,100.0],"shape":"polygon"},"width":1000}'
    )
    assert (
        hall(2, flags={"wheelchair": (1,)}).content_hash
        == "3bf4054dfd71887606c6bc17f529c51ce87674dae081ebd84bec35c1deca7850"
    )


def test_flags_are_written_as_differences():
    plan = hall(10, flags={"restricted": (2, 3, 9)})
    assert to_document(plan)["flags"] == {"restricted": [2, 1, 6]}
    assert from_document(to_document(plan)).flags == {"restricted": (2, 3, 9)}


def test_place_names_section_row_and_number():
    plan = small_hall(standing=5)
    assert plan.seat_count == 65
    assert plan.place(0) == Place("Stalls", "A", "1")
    assert plan.place(39) == Place("Stalls", "D", "10")
    assert plan.place(40) == Place("Balcony", "A", "1")
    assert plan.place(64) == Place("Floor", "", "")
    assert [plan.section_of(i) for i in (0, 39, 40, 59, 60, 64)] == [0, 0, 1, 1, 2, 2]
    assert [plan.category_of(i) for i in (0, 40, 60)] == [0, 1, 2]
    assert plan.positions[0] == (125, 100)
    assert plan.positions[60] is None


@pytest.mark.parametrize("index", [-1, 65, 10**9])
def test_place_outside_the_plan_is_an_index_error(index):
    with pytest.raises(IndexError):
        small_hall(standing=5).place(index)


def test_indexes_cover_the_plan_without_a_gap():
    plan = theatre(2000)
    seen = [row.first + i for section in plan.sections for row in section.rows for i in range(row.count)]
    assert seen == list(range(2000))
    assert [plan.section_of(i) for i in seen] == sorted(plan.section_of(i) for i in seen)
    assert len(plan.positions) == len(plan.seat_categories) == 2000


def _broken(change):
    document = to_document(small_hall(standing=5))
    change(document)
    return document


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format="other"), "format: expected onsale-plan/1, found 'other'"),
        (lambda d: d.pop("stage"), "stage: missing"),
        (lambda d: d.update(name=" "), "name: a plan needs a name"),
        (lambda d: d["sections"][1].update(first=41), "sections[1]: begins at 41 with 20 places, expected 40"),
        (lambda d: d["sections"][0]["rows"][2].update(count=9), "sections[0].rows[3]: begins at 30 with 10 seats, expected 29"),
        (lambda d: d["sections"][0]["rows"][0].update(categories=3), "sections[0].rows[0].categories: not among the categories"),
        (lambda d: d["sections"][0]["rows"][0].update(categories=[[0, 4]]), "sections[0].rows[0].categories: runs do not add up to 10 seats"),
        (lambda d: d["sections"][0].update(kind="lying"), "sections[0].kind: 'lying' is neither seated nor standing"),
        (lambda d: d["sections"][0].update(outline=[float("nan"), 1]), "sections[0].outline: not a finite number"),
        (lambda d: d["sections"][0]["rows"][0].update(at={"line": [1]}), "sections[0].rows[0].at: a row's shape is one of line (4 numbers), arc (5) and points (2 a seat)"),
        (lambda d: d["flags"].update(wheelchair=[64, 1]), "flags.wheelchair: indexes must ascend within the plan"),
        (lambda d: d["categories"].append({"name": "Stalls", "color": "#000000"}), "categories: two have the same name"),
    ],
)  # fmt: skip
def test_from_document_names_what_is_wrong(change, message):
    with pytest.raises(NotAPlan) as refusal:
        from_document(_broken(change))
    assert str(refusal.value) == message


def test_check_refuses_more_places_than_the_largest_plan():
    plan = small_hall(standing=5)
    section = replace(plan.sections[2], count=120_001)
    with pytest.raises(NotAPlan, match="120,061 places are more than the largest plan, 120,000"):
        check(replace(plan, sections=(*plan.sections[:2], section)))
    with pytest.raises(NotAPlan, match="there is not a single seat"):
        check(replace(plan, sections=()))
    with pytest.raises(NotAPlan, match="a plan has 1 to 255, not 256"):
        check(replace(plan, categories=tuple(Category(str(k), "#000000") for k in range(256))))
