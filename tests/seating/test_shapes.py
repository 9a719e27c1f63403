import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seating.shapes import TOLERANCE, Arc, Line, Points, fit, from_document, number

coordinates = st.floats(-2000, 2000, allow_nan=False)


def test_number_writes_whole_numbers_as_int_and_no_minus_zero():
    assert [number(v) for v in (1.04, 2.0, -0.01, 2.25)] == [1, 2, 0, 2.2]
    assert isinstance(number(-0.01), int)


def test_line_spaces_seats_evenly():
    assert Line(0, 0, 50, 100).positions(3) == [(0, 0), (25, 50), (50, 100)]
    assert Line(7, 8, 9, 10).positions(1) == [(7, 8)]


def test_arc_runs_clockwise_with_y_down():
    (right, below) = Arc(10, 20, 5, 0, 90).positions(2)
    assert right == (15, 20)
    assert below == pytest.approx((10, 25))
    assert Arc(10, 20, 5, 180, 270).positions(1) == [pytest.approx((5, 20))]


def test_points_keep_differences_without_adding_up_rounding():
    points = Points.of([(i * 24.96, 3) for i in range(40)])
    assert points.positions(40)[39] == (number(39 * 24.96), 3)
    assert points.values[:4] == (0, 3, 25, 0)


def test_fit_takes_the_smallest_exact_shape():
    assert fit([(25 * i + (0.3 if i == 2 else 0), 7) for i in range(9)]) == Line(0, 7, 200, 7)
    arc = Arc(500, -300, 900, 70, 110)
    assert fit(arc.positions(21)) == arc
    assert fit([(0, 0), (25, 0), (90, 0)]) == Points((0, 0, 25, 0, 65, 0))
    assert fit([(1, 2)]) == Line(1, 2, 1, 2)


def test_fit_keeps_the_direction_of_an_arc():
    arc = Arc(0, 0, 400, 110, 70)
    fitted = fit(arc.positions(15))
    assert isinstance(fitted, Arc)
    assert (fitted.a0, fitted.a1) == (110, 70)


@given(st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=30))
def test_fit_is_near_and_a_fixed_point(positions):
    shape = fit(positions)
    placed = shape.positions(len(positions))
    # Fitted twice at most: once to the file's positions, once to its own.
    assert all(math.dist(a, b) <= 2 * TOLERANCE * math.sqrt(2) + 0.2 for a, b in zip(placed, positions, strict=True))
    assert fit(placed) == shape


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"line": [1, 2, 3]},
        {"arc": [1, 2, 3, 4]},
        {"points": [1, 2, 3]},
        {"blob": []},
        {"line": [1] * 3 + [math.nan]},
    ],
)
def test_from_document_refuses_what_is_no_shape(document):
    with pytest.raises(ValueError):
        from_document(document)
