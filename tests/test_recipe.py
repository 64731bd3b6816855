from pathlib import Path

import pytest

from impasto.errors import RecipeError
from impasto.networks.augmentation import AugmentOptions
from impasto.recipe import LinearDecay, higher_is_better, is_metric, load_recipe, parse_recipe
from impasto.recipe_files import shipped_recipes
from tests.conformance.test_recipes import NEEDS


def problems(text: str, *overrides: str) -> tuple[str, ...]:
    with pytest.raises(RecipeError) as error:
        parse_recipe(text, "r.yaml", overrides)
    return error.value.problems


GOOD = """
method: {name: cyclegan}
data: {kind: unpaired-folders, photos: a, paintings: b}
training: {images: 100}
"""


def test_defaults_are_those_of_the_papers() -> None:
    method = parse_recipe(GOOD, "r").method.model_dump()
    assert AugmentOptions().kind == "none"
    assert method == {
        "name": "cyclegan",
        "width": 64,
        "blocks": 9,
        "upsampling": "transposed",
        "discriminator_width": 64,
        "cycle_weight": 10.0,
        "identity_weight": 5.0,
        "augment": AugmentOptions().model_dump(),
        "discriminator_weight": 0.5,
        "pool_size": 50,
        "learning_rate": 2e-4,
        "beta1": 0.5,
        "beta2": 0.999,
    }


def test_all_mistakes_are_listed_at_once_by_their_paths() -> None:
    text = """
method: {name: cyclegan, widht: 3, blocks: 0}
data: {kind: unpaired-folders, photos: a, paintings: b, image_sise: 3}
training: {batch_size: 0, precision: fp8, schedule: {kind: linear-decay, constant_image: 3}}
trainin: {}
"""
    assert set(problems(text)) == {
        "trainin: not a block of a recipe; did you mean training?",
        "method.widht: not an option of method; did you mean width?",
        "method.blocks: must be a whole number from 1 to 32, not 0",
        "data.image_sise: not an option of data; did you mean image_size?",
        "training.batch_size: must be a whole number from 1 to 65536, not 0",
        "training.precision: must be auto, fp32 or bf16, not 'fp8'",
        "training.images: missing; it must be a whole number of at least 1",
        "training.schedule.constant_image: not an option of training.schedule; did you mean constant_images?",
    }


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("training.batchsize=4", "training.batchsize: not an option of training; did you mean batch_size?"),
        ("method.name=cyclegann", "method.name: there is no 'cyclegann'; did you mean cyclegan?"),
        ("data.kind=unpaired-folder", "data.kind: there is no 'unpaired-folder'; did you mean unpaired-folders?"),
        ("method.learning_rate=1e-4x", "method.learning_rate: must be a number above 0 and at most 1, not '1e-4x'"),
        ("data.kind=[atelier]", "data.kind: there is no"),
        ("method.name={a: b}", "method.name: there is no"),
        ("nonsense", "'nonsense' is not a setting; write it as a.dotted.path=value"),
        ("training.images.x=1", "training.images.x: images is a value, not a block"),
        ("training.devices=3", "training: batch_size (1) is not a multiple of devices (3); make it one"),
        ("data.resize=100", "data: resize (100) is smaller than image_size (256); make it at least as large"),
        ("data.path=c", "data: set data.photos=DIR and data.paintings=DIR, or data.path=DIR"),
        ("training.schedule={kind: linear-decay, constant_images: 100}", "leaves none of 100 images to decay in"),
        ("method.cycle_weight=-1", "method.cycle_weight: must be a number of at least 0, not -1"),
    ],
)
def test_wrong_overrides(override: str, expected: str) -> None:
    assert any(expected in problem for problem in problems(GOOD, override)), problems(GOOD, override)


def test_scientific_notation_without_a_dot_is_read_or_explained() -> None:
    assert parse_recipe(GOOD, "r", ["method.learning_rate=1.0e-4"]).method.learning_rate == 1e-4  # type: ignore[attr-defined]
    assert parse_recipe(GOOD, "r", ["method.learning_rate=1e-4"]).method.learning_rate == 1e-4  # type: ignore[attr-defined]


def test_overrides_reach_blocks_that_the_recipe_leaves_out() -> None:
    recipe = parse_recipe(GOOD, "r", ["every.samples=7", "training.schedule={kind: linear-decay}", "data.photos=2024"])
    assert recipe.every.samples == 7
    assert recipe.training.schedule == LinearDecay()
    assert recipe.data.photos == Path("2024")  # type: ignore[attr-defined]
    for text, expected in [("2024-13-45", Path("2024-13-45")), ("~/photos", Path.home() / "photos")]:
        assert parse_recipe(GOOD, "r", [f"data.photos={text}"]).data.photos == expected  # type: ignore[attr-defined]


def test_a_resolved_recipe_reads_back_equal() -> None:
    for name in shipped_recipes():
        recipe = load_recipe(name, NEEDS.get(name, []))
        assert parse_recipe(recipe.to_yaml(), "again") == recipe


def test_differences_name_what_changes_training_only() -> None:
    recipe = parse_recipe(GOOD, "r")
    harmless = parse_recipe(GOOD, "r", ["every.samples=3", "data.workers=5", "data.max_megapixels=9"])
    assert recipe.differences(harmless) == []
    other = parse_recipe(GOOD, "r", ["training.seed=3", "method.width=32"])
    assert recipe.differences(other) == ["method.width: 64 here, 32 there", "training.seed: 0 here, 3 there"]


def test_unknown_recipes_are_suggested() -> None:
    with pytest.raises(RecipeError, match="no such recipe; did you mean cyclegan-atelier"):
        load_recipe("cyclegan-atelie")
    with pytest.raises(RecipeError, match=r"nowhere.yaml: cannot be read as a recipe .*check the path"):
        load_recipe("nowhere.yaml")


def test_files_that_are_not_recipes(tmp_path: Path) -> None:
    for text, expected in [
        ("a: [", "is not YAML"),
        ("a: 2024-13-45", "is not YAML"),
        ("3", "is not a recipe"),
        ("", "is not a recipe"),
    ]:
        (tmp_path / "r.yaml").write_text(text)
        with pytest.raises(RecipeError, match=expected):
            load_recipe(tmp_path / "r.yaml")
    (tmp_path / "r.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecipeError, match="cannot be read"):
        load_recipe(tmp_path / "r.yaml")


CLASSIFIER = """
method: {name: inception-classifier}
data: {kind: labelled-folder, path: a}
training: {images: 100, best: validation/accuracy}
every: {checkpoint: 20, metrics: 40}
"""


@pytest.mark.parametrize(
    ("text", "override", "expected"),
    [
        (GOOD, "every.metrics=100", "every.metrics: there is nothing to measure of cyclegan; say evaluation.metrics=[fid]"),
        (GOOD, "training.best=fid", "training.best: fid is not measured of cyclegan"),
        (CLASSIFIER, "every.metrics=null", "is never measured; say every.metrics=20, or a multiple of it"),
        (CLASSIFIER, "every.metrics=30", "every.metrics: 30 is not a multiple of every.checkpoint (20); make it one"),
        (CLASSIFIER, "training.best=validation/acuracy", "not measured of inception-classifier; did you mean validation/accuracy?"),
        (CLASSIFIER, "method.weights=none", "method: a network without weights must learn as a whole; set method.train=all"),
        (CLASSIFIER, "method.width=8", "method: weights are for a width of 32, not 8"),
    ],
)  # fmt: skip
def test_best_must_be_among_the_measured_metrics(text: str, override: str, expected: str) -> None:
    parse_recipe(text, "r")
    assert any(expected in problem for problem in problems(text, override)), problems(text, override)


def test_a_critic_differentiated_twice_is_not_compiled() -> None:
    told = "training.compile: cwgan-gp differentiates its critic twice, which compiled networks cannot be; leave it out"
    with pytest.raises(RecipeError) as refused:
        load_recipe("cwgan-gp-atelier", ["training.compile=true"])
    assert refused.value.problems == (told,)
    assert load_recipe("cdcgan-atelier", ["training.compile=true"]).training.compile


def test_a_logged_scalar_can_be_best_without_evaluation() -> None:
    recipe = parse_recipe(GOOD, "r", ["training.best=generator/cycle"])
    assert recipe.every.metrics is None


def test_names_give_metrics_and_their_direction() -> None:
    assert [name for name in ("fid", "is", "validation/loss", "generator/cycle", "accuracy") if is_metric(name)] == [
        "fid", "is", "validation/loss",
    ]  # fmt: skip
    better = ("validation/accuracy", "is", "top1", "coverage", "judge/accuracy")
    assert all(higher_is_better(name) for name in better)
    assert not any(higher_is_better(name) for name in ("validation/loss", "fid", "kid", "mifid", "generator/cycle"))
