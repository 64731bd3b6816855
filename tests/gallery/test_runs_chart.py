import itertools
import json
import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from impasto.gallery.axes import BOTTOM, TOP
from impasto.gallery.curves import Series
from impasto.gallery.page import asset
from impasto.gallery.run_colours import COLOURS, run_colour
from impasto.gallery.runs_chart import Curve, last_value, runs_chart, smoothed_curve

SVG = "{http://www.w3.org/2000/svg}"
LIGHT, DARK = "#faf8f3", "#181613"

# Machado, Oliveira and Fernandes 2009, table 1: what remains of linear RGB for those who lack one kind of cone
VISIONS = {
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def chart(curves, runs=("a", "b"), images=1000):
    return ElementTree.fromstring(runs_chart("loss", curves, runs, images))


def curve(*line, intervals=()):
    return Curve(list(line), [], list(intervals))


def test_every_run_has_its_own_line_and_can_be_read_back():
    svg = chart({0: curve((0, 4.0), (1000, 2.0)), 1: curve((500, 3.0))})
    readings = json.loads(svg.get("data-points"))
    assert [point[:2] for point in readings["0"]] == [[0, 4.0], [1000, 2.0]]
    assert [point[:2] for point in readings["1"]] == [[500, 3.0]]
    assert [group.get("class") for group in svg.findall(f"{SVG}g")] == ["run-0", "run-1"]
    assert readings["0"][0][3] == TOP
    assert readings["0"][1][3] == BOTTOM


def test_runs_keep_their_colour_where_another_has_no_such_curve():
    (group,) = chart({1: curve((0, 1.0))}).findall(f"{SVG}g")
    assert (group.get("class"), group.get("data-run")) == ("run-1", "1")


def test_intervals_stay_inside_the_axes():
    svg = chart({0: curve((100, 5.0), intervals=[(100, 0.0, 10.0)])})
    drawn = next(path.get("d") for path in svg.iter(f"{SVG}path") if path.get("class") == "interval")
    assert re.fullmatch(rf"M[\d.]+,{BOTTOM}\.0V{TOP}\.0", drawn)


def test_the_description_says_where_each_run_ends():
    svg = chart({0: curve((0, 4.0), (960, 0.25), (970, math.nan)), 1: curve((0, math.nan))})
    assert svg.get("aria-label") == "loss: a 0.25 at 960 images seen, b without finite values"


def test_smoothing_keeps_what_was_measured_behind_the_line():
    values = [1.0] * 1000
    values[500] = 40.0
    smoothed = smoothed_curve(Series("loss", list(range(1000)), values), most_points=100)
    assert max(value for _, value in smoothed.behind) == 40.0
    assert max(value for _, value in smoothed.line) < 5.0
    assert len(smoothed.line) == 100
    assert last_value(smoothed) == (995, pytest.approx(1.0))


@pytest.mark.parametrize("values", [[math.nan], [0.0], [-1e30, 1e30], [3.0, 3.0]])
def test_odd_curves_are_drawn(values):
    svg = chart({0: curve(*enumerate(values))})
    assert not re.search("nan|inf", ElementTree.tostring(svg, encoding="unicode").replace("without finite values", ""))


def test_the_first_dozen_runs_look_different():
    assert len({run_colour(place) for place in range(2 * COLOURS)}) == 2 * COLOURS


def colours():
    """The runs' colours on light and on dark ground, each [colours, 3] in 0..1."""
    found = re.findall(r"--run-\d: #(\w{6});", asset("runs.css"))
    assert len(found) == 2 * COLOURS
    rgb = np.array([[int(colour[place : place + 2], 16) for place in (0, 2, 4)] for colour in found]) / 255
    return {LIGHT: rgb[:COLOURS], DARK: rgb[COLOURS:]}


def linear(srgb):
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def as_seen(srgb, vision):
    light = np.clip(linear(srgb) @ np.asarray(VISIONS[vision]).T, 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("ground", [LIGHT, DARK])
def test_colours_differ_for_every_kind_of_vision(vision, ground):
    lab = rgb2lab(as_seen(colours()[ground], vision)[None])[0]
    differences = [deltaE_ciede2000(one, other) for one, other in itertools.combinations(lab, 2)]
    assert min(differences) > 15  # 2 is just seen side by side; neighbours of common palettes fall to 3


@pytest.mark.parametrize("ground", [LIGHT, DARK])
def test_colours_have_contrast_to_the_background(ground):
    assert f"--ground: {ground};" in asset("page.css")
    shares = np.array([0.2126, 0.7152, 0.0722])
    below = linear(np.array([int(ground[place : place + 2], 16) for place in (1, 3, 5)]) / 255) @ shares
    above = linear(colours()[ground]) @ shares
    contrast = (np.maximum(above, below) + 0.05) / (np.minimum(above, below) + 0.05)
    assert contrast.min() >= 3  # WCAG 2.2, 1.4.11
