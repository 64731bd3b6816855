import math

import pytest

from impasto.gallery.metric_values import UNKNOWN, best_value, last_value, read_metrics, read_warnings
from tests.gallery.run_folders import EXTRACTOR, judged, measure


def readings(*entries):
    """The readings of the only measure there is."""
    (found,) = read_metrics(entries).values()
    return found


def test_a_record_is_read_in_full():
    entry = judged(480, measure("fid", 61.2, interval=[60.1, 62.3]), measure("is", 3.5, "higher", spread=0.2))
    fid, inception_score = read_metrics([entry])
    assert (fid.name, inception_score.name) == ("fid", "is")
    assert fid.setup == inception_score.setup
    assert fid.setup.extractor == ("inception-2015", "6726825d", "bilinear", "fp32")
    assert fid.setup.reference == "paintings/test"
    assert read_metrics([entry])[fid] == [(480, 61.2, (60.1, 62.3), None, "lower", 751)]
    assert read_metrics([entry])[inception_score] == [(480, 3.5, None, 0.2, "higher", 751)]


@pytest.mark.parametrize("part", ["name", "weights", "resize", "precision"])
def test_figures_of_another_extractor_are_another_measure(part):
    other = judged(480, measure("fid", 60.0), extractor={**EXTRACTOR, part: "other"})
    assert len(read_metrics([judged(480, measure("fid", 61.2)), other])) == 2


def test_figures_against_another_reference_are_another_measure():
    other = judged(480, measure("fid", 60.0), reference="paintings/train")
    assert len(read_metrics([judged(480, measure("fid", 61.2)), other])) == 2


def test_figures_without_a_record_are_read_with_their_way_unknown():
    found = read_metrics([{"kind": "metrics", "images_seen": 480, "metrics": {"fid": 61.2}}])
    ((fid, [reading]),) = found.items()
    assert (fid.setup.extractor, fid.setup.reference) == (None, UNKNOWN)
    assert (reading.value, reading.better) == (61.2, None)


@pytest.mark.parametrize(
    "record", [None, 3, {"measures": 1}, {"measures": [1, None]}, {"extractor": "x", "images": []}]
)
def test_a_damaged_record_costs_no_more_than_itself(record):
    entry = {"kind": "metrics", "images_seen": 480, "metrics": {"fid": 61.2}, "record": record}
    (reading,) = readings(entry)
    assert reading.value == 61.2
    assert read_warnings([entry]) == []


@pytest.mark.parametrize("interval", [[1.0], [1.0, None], [1.0, 2.0, 3.0], "wide", {"low": 1.0}])
def test_a_damaged_interval_is_left_out(interval):
    assert readings(judged(480, measure("fid", 61.2, interval=interval)))[0].interval is None


def test_best_follows_the_direction_and_takes_the_earliest_of_equals():
    values = [3.0, 1.0, math.nan, 1.0, 2.0, None]
    lower = readings(*(judged(seen, measure("fid", value)) for seen, value in enumerate(values)))
    higher = readings(*(judged(seen, measure("is", value, "higher")) for seen, value in enumerate(values)))
    assert (best_value(lower).value, best_value(lower).images_seen) == (1.0, 1)
    assert (best_value(higher).value, best_value(higher).images_seen) == (3.0, 0)
    assert (last_value(lower).value, last_value(lower).images_seen) == (2.0, 4)


def test_there_is_no_best_of_a_description_and_none_of_nothing():
    assert best_value(readings(judged(1, measure("red", 0.5, None)))) is None
    nothing = readings(judged(1, measure("fid", None)))
    assert best_value(nothing) is None
    assert last_value(nothing) is None


def test_warnings_are_told_once():
    entries = [judged(seen, warnings=["few images", f"at {seen}"]) for seen in (1, 2)]
    assert read_warnings(entries) == ["few images", "at 1", "at 2"]
