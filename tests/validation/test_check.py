"""Wrong values in every field of every shipped recipe: the sentences are ours, and begin with the dotted path."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core._pydantic_core import list_all_errors

from impasto.data.datasets import DATASETS
from impasto.methods import METHODS
from impasto.recipe import About, EvaluationOptions, EveryOptions, TrainingOptions
from impasto.recipe_files import read_shipped, read_shipped_table, shipped_recipes, shipped_tables
from impasto.tables.options import Table
from impasto.validation import MustBe, checked, chosen_name, mistakes
from tests.conformance.test_recipes import NEEDS

WRONG: list[Any] = [
    None, True, -1, 0, 2.5, 10**30, float("nan"), float("inf"), "", "wrong word", "1e4", "kind:ada", [], [None], ["x", 3],
    {}, {"kind": "nonsense"}, {"kind:ada": None}, {1: 2}, {"a.b": {"c": []}}, {"kind": "halving", "every_image": 3},
]  # fmt: skip


def pydantic_phrases() -> set[str]:
    """The fixed parts of all of pydantic's own messages, long enough to be recognised."""
    templates = {
        text for kind in list_all_errors() for text in (kind["message_template_python"], kind["example_message_python"])
    }
    parts = {part.strip() for text in templates for part in re.split(r"\{.*?\}|'.*?'|\d+", text)}
    return {part for part in parts if len(part) > 10} | {"Unable to", "Input ", "discriminator '", "valid dictionary"}


PHRASES = pydantic_phrases()


def is_ours(sentence: str, path: str) -> bool:
    """Whether a sentence begins with a path, or one below it, and has none of pydantic's phrases."""
    at_place = re.match(rf"{re.escape(path)}(\.[^ ]+)?: ", sentence)
    return at_place is not None and not any(phrase in sentence for phrase in PHRASES)


def block_models(tree: dict[str, Any]) -> dict[str, type[BaseModel]]:
    return {
        "about": About,
        "method": METHODS[tree["method"]["name"]].Options,
        "data": DATASETS[tree["data"]["kind"]].Options,
        "training": TrainingOptions,
        "every": EveryOptions,
        "evaluation": EvaluationOptions,
    }


def places(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, ...]]:
    """Every field of a model, those of the blocks inside it included."""
    for name, info in model.model_fields.items():
        yield (*path.split("."), name) if path else (name,)
        inner = [info.annotation, *get_args(info.annotation)]
        for block in [kind for kind in inner if isinstance(kind, type) and issubclass(kind, BaseModel)]:
            yield from places(block, f"{path}.{name}" if path else name)


def with_value(values: dict[str, Any], place: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A copy of a block with one value changed."""
    first, *rest = place
    inside = values.get(first) if isinstance(values.get(first), dict) else {}
    return {**values, first: with_value(inside, tuple(rest), value) if rest else value}


@pytest.mark.parametrize("recipe", shipped_recipes())
def test_every_field_of_every_recipe_refuses_wrong_values_in_our_own_words(recipe: str) -> None:
    tree = yaml.safe_load(read_shipped(recipe))
    for setting in NEEDS.get(recipe, []):
        path, _, value = setting.partition("=")
        tree["data"][path.removeprefix("data.")] = value
    fields = 0
    for block, model in block_models(tree).items():
        values = tree.get(block, {"does": "a", "data": "b", "cost": "c"} if block == "about" else {})
        assert checked(model, values, block)[1] == []
        for place in places(model):
            refused = 0
            for value in WRONG:
                options, sentences = checked(model, with_value(values, place, value), block)
                assert (options is None) == bool(sentences)
                refused += bool(sentences)
                assert all(is_ours(sentence, block) for sentence in sentences), sentences
            assert refused >= 3, f"{block}.{'.'.join(place)} takes nearly everything"
            fields += 1
        _, (sentence,) = checked(model, {**values, "xyzzy": 1}, block)
        assert sentence.startswith(f"{block}.xyzzy: not an option of {block}; there are ")
        for value in (3, "word", [1], True):
            _, (sentence,) = checked(model, value, block)
            assert re.fullmatch(rf"{block}: must be a block of options such as {{\w+: .*}}, not .*", sentence)
    assert fields > 40


@pytest.mark.parametrize("table", shipped_tables())
def test_every_field_of_every_table_refuses_wrong_values_in_our_own_words(table: str) -> None:
    tree = yaml.safe_load(read_shipped_table(table))
    assert checked(Table, tree)[1] == []
    changed = [{**tree, name: value} for name in Table.model_fields for value in WRONG]
    changed += [{**tree, block: {name: value}} for block in ("about", "judge") for name in "abc" for value in WRONG]
    changed += [{**tree, "rows": [{"name": "a", "run": "b", "after": value}]} for value in WRONG]
    changed += [{**tree, "rows": [{"name": "a", "run": "b", "published": {"fid": value}}]} for value in WRONG]
    told = [sentence for other in changed for sentence in checked(Table, other, whole="a table")[1]]
    assert len(told) > 100
    assert all(not any(phrase in sentence for phrase in PHRASES) for sentence in told), told


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["one"] = "one"
    count: int = Field(1, ge=1, le=9)


class Other(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["two"] = "two"


class Options(BaseModel):
    """A model with every kind of field that ours have."""

    model_config = ConfigDict(extra="forbid")

    chosen: Annotated[Inner | Other, Field(discriminator="kind")] = Inner()
    inner: Inner = Inner()
    half: float = Field(0.5, gt=0, lt=1)
    least: int | None = Field(None, ge=2)
    word: str | None = None
    place: Path | Literal["none"] = "none"
    folder: Annotated[Path, MustBe("a folder")] | None = None
    names: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    few: Annotated[tuple[int, ...], Field(min_length=2)] | None = None
    sizes: dict[str, Inner] = {}
    needed: bool


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "o.needed: missing; it must be true or false"),
        ({"needed": "maybe"}, "o.needed: must be true or false, not 'maybe'"),
        ({"half": 1}, "o.half: must be a number above 0 and below 1, not 1"),
        ({"half": "much"}, "o.half: must be a number above 0 and below 1, not 'much'"),
        ({"least": 1}, "o.least: must be a whole number of at least 2, not 1"),
        ({"least": "1e4"}, "o.least: must be a whole number of at least 2, not '1e4'; write 10000"),
        ({"least": "1,000"}, "o.least: must be a whole number of at least 2, not '1,000'; write 1000"),
        ({"least": "a"}, "o.least: must be a whole number of at least 2, not 'a'"),
        ({"word": 3}, """o.word: must be text, not 3; put it in quotes: '"3"'"""),
        ({"place": [1]}, "o.place: must be a path or none, not [1]"),
        ({"folder": 7}, "o.folder: must be a folder, not 7"),
        ({"names": "a"}, "o.names: must be a list of text, not 'a'; write [a]"),
        ({"names": ["a", None]}, "o.names.1: must be text; it is empty"),
        ({"few": [1]}, "o.few: must be a list with 2 or more entries, each a whole number, not [1]"),
        ({"few": [1, "x"]}, "o.few.1: must be a whole number, not 'x'"),
        ({"inner": "one"}, "o.inner: must be a block of options such as {kind: one}, not 'one'"),
        ({"inner": {"count": 10}}, "o.inner.count: must be a whole number from 1 to 9, not 10"),
        ({"inner": {"cuont": 1}}, "o.inner.cuont: not an option of o.inner; did you mean count?"),
        ({"inner": {"kind": "on"}}, "o.inner.kind: must be one, not 'on'; did you mean one?"),
        ({"inner": {"kind:one": None}}, "o.inner.kind:one: not an option of o.inner; write a space after the colon: {kind: one}"),
        ({"inner": {1: 2}}, "o.inner.1: not an option of o.inner; there are count, kind"),
        ({"chosen": "two"}, "o.chosen: must be a block of options such as {kind: one}, not 'two'"),
        ({"chosen": {}}, "o.chosen.kind: missing; it must be one or two"),
        ({"chosen": {"kind:two": None}}, "o.chosen.kind: missing; write a space after the colon: {kind: two}"),
        ({"chosen": {"kind": "twoo"}}, "o.chosen.kind: must be one or two, not 'twoo'; did you mean two?"),
        ({"chosen": {"kind": "one", "count": 0}}, "o.chosen.count: must be a whole number from 1 to 9, not 0"),
        ({"chosen": {"kind": "two", "count": 1}}, "o.chosen.count: not an option of o.chosen; there is kind"),
        ({"sizes": {"big": {"count": 0}}}, "o.sizes.big.count: must be a whole number from 1 to 9, not 0"),
        ({"sizes": {"big": 3}}, "o.sizes.big: must be a block of options such as {kind: one}, not 3"),
        ({"sizes": {3: {}}}, """o.sizes.3: must be text, not 3; put it in quotes: '"3"'"""),
        ({"sizes": [1]}, "o.sizes: must be a block of names and values, not [1]"),
        ({"a.b": 1}, "o.a.b: not an option of o; there are"),
        ({"word": ["long"] * 50}, "...; it"),
    ],
)  # fmt: skip
def test_each_kind_of_mistake(values: dict[str, Any], sentence: str) -> None:
    options, (told,) = checked(Options, {"needed": True, **values} if values else {}, "o")
    assert options is None
    assert is_ours(told, "o")
    if sentence.startswith("..."):
        assert len(told) < 120
    else:
        assert told.startswith(sentence)


def test_a_tree_without_a_name_is_called_as_asked() -> None:
    _, (unknown,) = checked(Inner, {"cuont": 1}, whole="an example")
    assert unknown == "cuont: not an option of an example; did you mean count?"
    _, (no_block,) = checked(Inner, 3)
    assert no_block == "must be a block of options such as {kind: one}, not 3"
    with pytest.raises(ValidationError) as caught:
        Inner.model_validate_json("[")
    assert mistakes(caught.value, Inner) == ["not JSON"]


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        ({}, "block.kind: missing; there are one, two"),
        ({"block": None}, "block.kind: missing; there are one, two"),
        ({"block": {"kind:one": None}}, "block.kind: missing; write a space after the colon: {kind: one}"),
        ({"block": "one"}, "block: must be a block of options such as {kind: one}, not 'one'"),
        ({"block": {"kind": "twp"}}, "block.kind: there is no 'twp'; did you mean two?"),
        ({"block": {"kind": ["one"]}}, "block.kind: there is no ['one']; did you mean one?"),
    ],
)
def test_a_block_names_its_kind(tree: dict[str, Any], sentence: str) -> None:
    assert chosen_name(tree, "block", "kind", ["one", "two"]) == (None, [sentence])
    assert chosen_name({"block": {"kind": "two"}}, "block", "kind", ["one", "two"]) == ("two", [])
