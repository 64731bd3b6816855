import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from impasto.gallery.comparison_runs import (
    differing_settings,
    distinct_names,
    equal_settings,
    mean_over_seeds,
    read_runs,
    same_pictures,
    seed_groups,
)
from tests.gallery.run_folders import make_run, scalars


def names(groups):
    return [[run.name for run in group] for group in groups]


def learned_from(run, digest):
    facts = {"names": digest, "labels": "l", "contents": "c", "summary": "5 pictures", "pictures": 5, "classes": {}}
    (run / "data.json").write_text(json.dumps(facts))
    return run


def test_names_are_the_shortest_distinct_endings():
    paths = [Path(path) for path in ("/a/hatching/run", "/a/flat/run", "/b/flat/run", "/a/other")]
    assert distinct_names(paths) == ["hatching/run", "a/flat/run", "b/flat/run", "other"]


def test_a_folder_named_twice_is_one_run(tmp_path, monkeypatch):
    monkeypatch.chdir(make_run(tmp_path / "run"))
    assert [run.name for run in read_runs([tmp_path / "run", Path(), tmp_path / "run" / ".." / "run"])] == ["run"]


def test_runs_that_differ_in_their_seed_only_are_a_group(tmp_path):
    for seed in range(3):
        make_run(tmp_path / f"seed{seed}", seed=seed)
    make_run(tmp_path / "wider", seed=1, width=8)
    runs = read_runs([tmp_path / name for name in ("seed0", "wider", "seed2", "seed1")])
    assert names(seed_groups(runs)) == [["seed0", "seed2", "seed1"], ["wider"]]


def test_a_repeated_seed_is_not_counted_twice(tmp_path):
    for name, seed in (("a", 0), ("b", 1), ("again", 0)):
        make_run(tmp_path / name, seed=seed)
    runs = read_runs([tmp_path / name for name in ("a", "b", "again")])
    assert names(seed_groups(runs)) == [["a", "b"], ["again"]]


def test_runs_on_other_pictures_are_not_grouped(tmp_path):
    learned_from(make_run(tmp_path / "a", seed=0), "one")
    learned_from(make_run(tmp_path / "b", seed=1), "one")
    learned_from(make_run(tmp_path / "c", seed=2), "two")
    runs = read_runs([tmp_path / name for name in "abc"])
    assert names(seed_groups(runs)) == [["a", "b"], ["c"]]
    assert same_pictures(runs[:2])
    assert not same_pictures(runs)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"names": 1, "labels": 2, "contents": 3, "summary": ""}'])
def test_damaged_facts_about_the_pictures_are_ignored(tmp_path, content):
    (make_run(tmp_path / "run") / "data.json").write_text(content)
    assert read_runs([tmp_path / "run"])[0].pictures is None


@pytest.mark.parametrize("count", [2, 3, 10])
def test_the_interval_of_a_mean_is_students(count):
    values = np.random.default_rng(0).normal(60, 5, count)
    mean = mean_over_seeds(values.tolist())
    low, high = stats.t.interval(0.95, count - 1, loc=values.mean(), scale=stats.sem(values))
    assert (mean.value, mean.low, mean.high) == pytest.approx((values.mean(), low, high))


def test_equal_values_have_an_interval_without_width():
    assert mean_over_seeds([0.25, 0.25, 0.25]) == (0.25, 0.25, 0.25, 3)


def test_settings_that_differ_or_are_missing_are_listed_and_the_equal_ones_counted(tmp_path):
    about = {"about": {"does": "this"}, "method": {"name": "cyclegan", "width": 4}, "training": {"images": 960}}
    make_run(tmp_path / "a", recipe=about)
    make_run(tmp_path / "b", recipe={**about, "about": {"does": "that"}}, width=8, blocks=3)
    runs = read_runs([tmp_path / "a", tmp_path / "b"])
    assert differing_settings(runs) == {"method.width": ["4", "8"], "method.blocks": [None, "3"]}
    assert equal_settings(runs) == 3  # name, images, seed


def test_time_memory_and_devices_of_a_journal(tmp_path):
    start = {"kind": "start", "images_seen": 0, "seconds": 0.0, "device": "CPU", "precision": "fp32"}
    entries = [
        start,
        scalars(480, loss=1.0),
        {**start, "images_seen": 480, "seconds": 48.0, "device": "H200"},
        {**start, "images_seen": 500, "seconds": 50.0},
        {"kind": "finish", "images_seen": 960, "seconds": 96.5, "peak_megabytes": 2100.0},
    ]
    (run,) = read_runs([make_run(tmp_path / "run", *entries)])
    assert (run.images_seen, run.seconds, run.peak_megabytes, run.finished) == (960, 96.5, 2100.0, True)
    assert run.facts("device") == ["CPU", "H200"]
    assert run.facts("torch") == []


def test_a_run_that_has_just_started(tmp_path):
    (run,) = read_runs([make_run(tmp_path / "run")])
    assert (run.images_seen, run.seconds, run.finished, run.curves, run.metrics) == (0, 0.0, False, {}, {})
    assert math.isnan(run.peak_megabytes)
