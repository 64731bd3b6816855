import math

import pytest

from impasto.gallery.metric_values import UNKNOWN, best_value, last_value, read_metrics, read_warnings
from tests.gallery.run_folders import EXTRACTOR, evaluated, measure


def values_of(*entries):
    """The values of the only metric there is."""
    (found,) = read_metrics(entries).values()
    return found


def test_a_record_is_read_in_full():
    entry = evaluated(480, measure("fid", 61.2, interval=[60.1, 62.3]), measure("is", 3.5, "higher", spread=0.2))
    fid, inception_score = read_metrics([entry])
    assert (fid.name, inception_score.name) == ("fid", "is")
    assert fid.setup == inception_score.setup
    assert fid.setup.extractor == ("inception-2015", "6726825d", "bilinear", "fp32")
    assert fid.setup.reference == "paintings/test"
    assert read_metrics([entry])[fid] == [(480, 61.2, (60.1, 62.3), None, "lower", 751)]
    assert read_metrics([entry])[inception_score] == [(480, 3.5, None, 0.2, "higher", 751)]


@pytest.mark.parametrize("part", ["name", "weights", "resize", "precision"])
def test_values_of_another_extractor_are_another_metric(part):
    other = evaluated(480, measure("fid", 60.0), extractor={**EXTRACTOR, part: "other"})
    assert len(read_metrics([evaluated(480, measure("fid", 61.2)), other])) == 2


def test_values_against_another_reference_are_another_metric():
    other = evaluated(480, measure("fid", 60.0), reference="paintings/train")
    assert len(read_metrics([evaluated(480, measure("fid", 61.2)), other])) == 2


def test_values_without_a_record_have_an_unknown_setup():
    found = read_metrics([{"kind": "metrics", "images_seen": 480, "metrics": {"fid": 61.2}}])
    ((fid, [value]),) = found.items()
    assert (fid.setup.extractor, fid.setup.reference) == (None, UNKNOWN)
    assert (value.value, value.better) == (61.2, None)


@pytest.mark.parametrize(
    "record", [None, 3, {"measures": 1}, {"measures": [1, None]}, {"extractor": "x", "images": []}]
)
def test_a_damaged_record_leaves_the_plain_values(record):
    entry = {"kind": "metrics", "images_seen": 480, "metrics": {"fid": 61.2}, "record": record}
    (value,) = values_of(entry)
    assert value.value == 61.2
    assert read_warnings([entry]) == []


@pytest.mark.parametrize("interval", [[1.0], [1.0, None], [1.0, 2.0, 3.0], "wide", {"low": 1.0}])
def test_a_damaged_interval_is_ignored(interval):
    assert values_of(evaluated(480, measure("fid", 61.2, interval=interval)))[0].interval is None


def test_best_follows_the_direction_and_takes_the_earliest_of_equals():
    values = [3.0, 1.0, math.nan, 1.0, 2.0, None]
    lower = values_of(*(evaluated(seen, measure("fid", value)) for seen, value in enumerate(values)))
    higher = values_of(*(evaluated(seen, measure("is", value, "higher")) for seen, value in enumerate(values)))
    assert (best_value(lower).value, best_value(lower).images_seen) == (1.0, 1)
    assert (best_value(higher).value, best_value(higher).images_seen) == (3.0, 0)
    assert (last_value(lower).value, last_value(lower).images_seen) == (2.0, 4)


def test_there_is_no_best_without_direction_or_values():
    assert best_value(values_of(evaluated(1, measure("red", 0.5, None)))) is None
    nothing = values_of(evaluated(1, measure("fid", None)))
    assert best_value(nothing) is None
    assert last_value(nothing) is None


def test_equal_warnings_are_returned_once():
    entries = [evaluated(seen, warnings=["few images", f"at {seen}"]) for seen in (1, 2)]
    assert read_warnings(entries) == ["few images", "at 1", "at 2"]
