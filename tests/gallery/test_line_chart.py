import json
import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from impasto.gallery.axes import BOTTOM, LEFT, RIGHT, TOP, short_number, ticks
from impasto.gallery.curves import MOST_POINTS, Series, smooth, thin
from impasto.gallery.line_chart import line_chart

SVG = "{http://www.w3.org/2000/svg}"


def chart(values, images_seen=None, images=None):
    images_seen = images_seen or [480 * (place + 1) for place in range(len(values))]
    return ElementTree.fromstring(line_chart(Series("cycle/loss", images_seen, values), images or images_seen[-1]))


def line(svg, name="measured"):
    """The strokes of a line, each a list of (x, y)."""
    path = svg.find(f"{SVG}path[@class='{name}']").get("d")
    strokes = [re.findall(r"([-\d.]+),([-\d.]+)", stroke) for stroke in path.split("M")[1:]]
    return [[(float(x), float(y)) for x, y in stroke] for stroke in strokes]


def labels(svg):
    return [text.text for text in svg.iter(f"{SVG}text")]


def test_a_falling_series_falls_from_left_to_right():
    for name in ("measured", "smoothed"):
        (stroke,) = line(chart([5.0, 4.0, 2.5, 1.0, 0.5]), name)
        assert all(left[0] < right[0] for left, right in pairwise(stroke))
        assert all(left[1] < right[1] for left, right in pairwise(stroke))  # y grows downwards in SVG


def test_extremes_lie_on_the_bounds_of_the_axes():
    (stroke,) = line(chart([0.0, 10.0, 4.0], images_seen=[0, 500, 1000]))
    assert stroke == [(LEFT, BOTTOM), ((LEFT + RIGHT) / 2, TOP), (RIGHT, pytest.approx(BOTTOM - 0.4 * (BOTTOM - TOP)))]


def test_all_charts_of_a_run_share_one_horizontal_axis():
    (short,) = line(chart([1.0, 2.0], images_seen=[0, 500], images=1000))
    assert short[-1][0] == (LEFT + RIGHT) / 2


def test_axes_carry_round_labels():
    written = labels(chart([0.31, 0.98], images_seen=[0, 40_000]))
    assert written == ["0.2", "0.4", "0.6", "0.8", "1", "0", "10k", "20k", "30k", "40k", "images seen"]


@pytest.mark.parametrize("missing", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_a_gap(missing):
    svg = chart([1.0, 2.0, missing, 3.0, 4.0])
    for name in ("measured", "smoothed"):
        assert [len(stroke) for stroke in line(svg, name)] == [2, 2]
    assert len(json.loads(svg.get("data-points"))) == 4


def test_a_point_between_gaps_is_still_drawn():
    assert "h0" in chart([math.nan, 1.0, math.nan]).find(f"{SVG}path[@class='smoothed']").get("d")


@pytest.mark.parametrize(
    "values", [[math.nan, math.nan], [3.0, 3.0], [0.0], [1.0, 1.0 + 1e-16], [1e-300, 2e-300], [-1e30, 1e30]]
)
def test_odd_series_are_drawn(values):
    svg = chart(values)
    assert not re.search("nan|inf", ElementTree.tostring(svg, encoding="unicode").replace("no finite values", ""))
    assert all(TOP <= y <= BOTTOM for stroke in line(svg) for _, y in stroke)


def test_the_curve_can_be_read_back():
    readings = json.loads(chart([4.0, 2.0, 3.0], images_seen=[0, 500, 1000]).get("data-points"))
    assert [reading[:3] for reading in readings] == [[0, 4.0, 4.0], [500, 2.0, 2.0], [1000, 3.0, 3.0]]
    assert [tuple(reading[3:]) for reading in readings] == line(chart([4.0, 2.0, 3.0], images_seen=[0, 500, 1000]))[0]


def test_a_name_is_in_the_description_and_escaped():
    svg = ElementTree.fromstring(line_chart(Series('"><b>', [0, 480], [2.0, 0.25]), 480))
    assert svg.get("aria-label") == '"><b>: 2 at 0 images seen, 0.25 at 480'


def test_a_long_series_keeps_its_spike():
    values = [1.0] * 10_000
    values[7_777] = 40.0
    points = thin(Series("loss", list(range(10_000)), values), MOST_POINTS)
    assert len(points) <= MOST_POINTS
    assert max(point.high for point in points) == 40.0
    assert min(y for _, y in line(chart(values))[0]) == TOP


def test_smoothing_leaves_straight_lines_and_levels_noise():
    straight = [float(value) for value in range(50)]
    assert smooth(straight, reach=4)[:-4] == pytest.approx(straight[:-4])
    assert smooth([0.0, 1.0] * 25, reach=7)[20:30] == pytest.approx([0.5] * 10, abs=0.02)


def test_smoothing_equals_a_manual_calculation():
    assert smooth([4.0, 0.0, 8.0, math.nan, 2.0], reach=1)[:3] == pytest.approx([4.0, 3.0, 16 / 3])  # weights 1 2 1
    assert math.isnan(smooth([4.0, 0.0, 8.0, math.nan, 2.0], reach=1)[3])


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 10, [0, 2.5, 5, 7.5, 10]),
        (0.31, 0.98, [0.2, 0.4, 0.6, 0.8, 1.0]),
        (-3, 5, [-4, -2, 0, 2, 4, 6]),
        (2, 2, [1, 1.5, 2, 2.5, 3]),
        (0, 0, [-1, -0.5, 0, 0.5, 1]),
    ],
)
def test_ticks_are_round_and_cover_the_data(low, high, expected):
    assert ticks(low, high, intervals=4) == pytest.approx(expected)


def test_short_numbers():
    values = [0, 0.0002, 2.5e-5, 0.25, 3 * 0.1, 999, 12_500, 1_200_000, -4_000]
    written = ["0", "2e-4", "2.5e-5", "0.25", "0.3", "999", "12.5k", "1.2M", "-4k"]
    assert [short_number(value) for value in values] == written
