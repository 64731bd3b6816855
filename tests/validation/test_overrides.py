"""Settings from the command line."""

from typing import Any

import pytest

from impasto.validation import set_path, yaml_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4", 4),
        ("0.5", 0.5),
        ("[a, b]", ["a", "b"]),
        ("{kind: ada}", {"kind": "ada"}),
        ("", None),
        ("[best", "[best"),
        ("2024-13-45", "2024-13-45"),
        ("2024-01-02", "2024-01-02"),
        ("a=b", "a=b"),
    ],
)
def test_values_are_yaml_where_they_can_be(text: str, value: Any) -> None:
    assert yaml_value(text) == value


def test_a_setting_reaches_into_blocks_that_are_not_there_yet() -> None:
    tree: dict[str, Any] = {"a": {"b": 1}, "e": None}
    assert [set_path(tree, setting) for setting in ("a.b=2", "a.c.d=x=y", "e.f=[1]")] == [None] * 3
    assert tree == {"a": {"b": 2, "c": {"d": "x=y"}}, "e": {"f": [1]}}


@pytest.mark.parametrize("setting", ["word", "=3", "a..b=3", ".a=3", "a.=3"])
def test_what_is_no_setting_is_told_with_the_form_it_should_have(setting: str) -> None:
    assert set_path({}, setting) == f"{setting!r} is not a setting; write it as a.dotted.path=value"


def test_a_value_has_no_settings_inside() -> None:
    tree: dict[str, Any] = {"a": {"b": 1}}
    assert set_path(tree, "a.b.c=2") == "a.b.c: b is a value, not a block"
    assert tree == {"a": {"b": 1}}
