import json
import math

import pytest

from impasto.errors import RunError
from impasto.gallery.run_reader import evenly_spread, number, read_journal, read_settings, scalar_series
from impasto.run_folder import RunFolder
from tests.gallery.run_folders import make_run, scalars


def test_settings_are_flattened_and_spelled_as_in_a_recipe(tmp_path):
    settings = read_settings(RunFolder(make_run(tmp_path / "run", cycle_weight=10.0, flip=True, style=None)))
    assert settings["method.name"] == "cyclegan"
    assert (settings["method.cycle_weight"], settings["method.flip"], settings["method.style"]) == (
        "10.0",
        "true",
        "null",
    )


def test_a_recipe_of_another_version_is_read_too(tmp_path):
    (tmp_path / "recipe.yaml").write_text("method: {name: of-tomorrow, unheard: 1}\n")
    assert read_settings(RunFolder(tmp_path)) == {"method.name": "of-tomorrow", "method.unheard": "1"}


@pytest.mark.parametrize(
    "make", [lambda path: None, lambda path: path.write_bytes(b"\xff\xfe"), lambda path: path.mkdir()]
)
def test_a_folder_without_a_readable_recipe_is_no_run(tmp_path, make):
    make(tmp_path / "recipe.yaml")
    with pytest.raises(RunError, match="is not a run folder: it has no readable recipe.yaml; pass another folder"):
        read_settings(RunFolder(tmp_path))


@pytest.mark.parametrize("text", ["a: [", "when: 2024-13-45", "\x00"])
def test_a_recipe_that_is_no_yaml_is_an_error(tmp_path, text):
    (tmp_path / "recipe.yaml").write_text(text)
    with pytest.raises(RunError, match=r"recipe\.yaml is not YAML \(.+\); fix that line"):
        read_settings(RunFolder(tmp_path))


def test_damaged_lines_are_left_out_and_counted(tmp_path):
    whole = json.dumps(scalars(1, loss=2.0)).encode()
    torn = [whole[:20], b"\xff\x00\xfe", b"3", b"[]", b"null", b'{"kind": "start"}', b'{"kind": 1, "images_seen": 1}']
    odd = [b'{"kind": "start", "images_seen": -1}', b'{"kind": "start", "images_seen": "many"}']
    (tmp_path / "journal.jsonl").write_bytes(b"\n".join([whole, *torn, b"", *odd, whole]))
    journal = read_journal(RunFolder(tmp_path))
    assert [entry["scalars"] for entry in journal.entries] == [{"loss": 2.0}] * 2
    assert journal.damaged == len(torn) + len(odd)


def test_a_run_without_journal_has_no_entries(tmp_path):
    assert read_journal(RunFolder(tmp_path)) == ([], 0)


def test_a_value_that_is_no_number_is_a_gap_in_a_curve():
    values = [1.5, None, "high", [], 2]
    entries = [scalars(seen, loss=value) for seen, value in enumerate(values)]
    (series,) = scalar_series([*entries, {"kind": "scalars", "images_seen": 9, "scalars": "none"}])
    assert [math.isfinite(value) for value in series.values] == [True, False, False, False, True]
    assert series.images_seen == [0, 1, 2, 3, 4]


def test_a_number_too_large_for_a_chart_is_nan():
    assert math.isnan(number(10**400))
    assert math.isnan(number(math.inf))
    assert number(-3) == -3.0


def test_the_first_and_the_last_are_always_among_those_spread_evenly():
    assert evenly_spread(list(range(100)), 2) == [0, 99]
    assert evenly_spread(list(range(9)), 3) == [0, 4, 8]
    assert evenly_spread([1, 2], 3) == [1, 2]
