"""A curve on a page: where it goes, what it leaves out, what its axes say."""

import re

from analysis.pictures.line_chart import MOST_POINTS, line_chart


def pieces(picture):
    """The points of every piece of the curve."""
    (curve,) = [shape for shape in picture.shapes if 'class="curve"' in shape]
    path = re.search(r' d="([^"]*)"', curve)[1]
    return [
        [tuple(map(float, point)) for point in re.findall(r"([\d.]+),? ?([\d.]+)", piece)]
        for piece in path.split("M")[1:]
    ]


def test_a_curve_falls_with_its_values_and_stays_in_its_frame():
    picture = line_chart([1, 2, 3], [1.0, 0.5, 0.0], "error")
    (points,) = pieces(picture)
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert [y for _, y in points] == sorted(y for _, y in points)
    assert all(0 <= x <= picture.width and 0 <= y <= picture.height for x, y in points)
    assert [">1<" in shape or ">0<" in shape for shape in picture.shapes].count(True) >= 2


def test_where_there_is_no_value_there_is_a_gap():
    assert list(map(len, pieces(line_chart([1, 2, 3, 4], [1.0, 0.5, None, 0.0], "error")))) == [2, 1]


def test_of_many_points_few_are_drawn_the_first_and_the_last_among_them():
    (points,) = pieces(line_chart(range(10_000), [float(x) for x in range(10_000)], "loss"))
    assert len(points) <= MOST_POINTS
    (ends,) = pieces(line_chart([0, 9_999], [0.0, 9_999.0], "loss"))
    assert [points[0], points[-1]] == ends


def test_constant_and_missing_values_have_a_frame_too():
    assert len(pieces(line_chart([5], [0.0], "loss"))[0]) == 1
    assert pieces(line_chart([], [], "loss")) == []
