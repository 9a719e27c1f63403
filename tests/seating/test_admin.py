"""Places by what people call them, and what a plan's page says."""

import pytest

from seating.admin import summary
from seating.places import PlaceUnknown, named_places
from tests.factories import small_hall

HALL = small_hall(rows=4, standing=20)  # Stalls A-D 0-39, Balcony A-B 40-59, Floor 60-79.


@pytest.mark.parametrize(
    ("text", "indexes"),
    [
        ("Stalls A 1", [0]),
        ("stalls a 1-4, 7", [0, 1, 2, 3, 6]),
        ("Stalls row B 10", [19]),
        ("Stalls A 4 - 2", [1, 2, 3]),
        ("Balcony B", list(range(50, 60))),
        ("Balcony", list(range(40, 60))),
        ("Floor 3", [60, 61, 62]),
        ("Floor", list(range(60, 80))),
        ("Stalls A 1\n\nStalls A 1; Balcony A 1", [0, 40]),
        ("  Stalls   A   1\u20132 ", [0, 1]),
        ("", []),
    ],
)
def test_named_places_finds_seats_rows_sections_and_standing_places(text, indexes):
    assert named_places(HALL, text) == indexes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Gallery A 1", "“Gallery A 1”: no section has this name. The plan has Stalls, Balcony, Floor"),
        ("Stalls Z 1", "“Stalls Z 1”: Stalls has no row “Z”."),
        ("Stalls A 11", "“Stalls A 11”: row A has no seat “11”."),
        ("Stalls A 1-2-3", "“Stalls A 1-2-3”: row A has no seat “1-2-3”."),
        ("Stalls A one", "“Stalls A one”: row A has no seat “one”."),
        ("Floor 21", "“Floor 21”: say how many of the 20 places."),
        ("Floor 0", "“Floor 0”: say how many of the 20 places."),
        ("Stallsx A 1", "“Stallsx A 1”: no section has this name. The plan has Stalls, Balcony, Floor"),
    ],
)
def test_named_places_says_what_it_does_not_know(text, message):
    with pytest.raises(PlaceUnknown) as caught:
        named_places(HALL, text)
    assert str(caught.value) == message


def test_named_places_refuses_a_book():
    with pytest.raises(PlaceUnknown, match="longer than 20,000 letters"):
        named_places(HALL, "Stalls A 1\n" * 2000)


def test_summary_counts_places_by_category_and_section():
    told = summary(HALL)
    assert told["seat_count"] == 80
    assert [(c["name"], c["places"]) for c in told["categories"]] == [("Stalls", 40), ("Balcony", 20), ("Floor", 20)]
    assert [(s["name"], s["kind"], s["rows"], s["places"]) for s in told["sections"]] == [
        ("Stalls", "Seats", 4, 40),
        ("Balcony", "Seats", 2, 20),
        ("Floor", "Standing", 0, 20),
    ]
    assert (told["wheelchair"], told["companion"], told["restricted"]) == (1, 1, 0)
