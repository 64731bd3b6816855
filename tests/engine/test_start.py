"""Runs that start from the weights of another run: stage II of a stacked GAN, and fine-tuning."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from impasto.engine.listener import TrainingListener
from impasto.engine.start import find_start, rehearse, start_is_ready
from impasto.engine.train import train
from impasto.errors import CheckpointError, ImpastoError, RecipeError, RunError
from impasto.painting.painters import load_painter
from impasto.recipe import Recipe, parse_recipe
from impasto.run_folder import RunFolder
from tests.conformance.test_methods import assert_same_checkpoint, stopping_at

STAGE_ONE = """
method: {name: METHOD, stage: 1, width: 12, discriminator_width: 4}
data: {kind: labelled-folder, path: pictures, image_size: 16, resize: 19}
training: {images: 8, batch_size: 2, precision: fp32}
every: {scalars: 2, samples: 8, checkpoint: 4}
"""
STAGE_TWO = (
    STAGE_ONE.replace("stage: 1", "stage: 2, residual_blocks: 1")
    .replace("image_size: 16, resize: 19", "image_size: 64, resize: 76")
    .replace("images: 8", "start_from: one, images: 8")
)


@pytest.fixture(autouse=True)
def _pictures(make_pictures: Callable[..., Path]) -> None:
    make_pictures(Path("pictures/cubism"), 3, seed=0)
    make_pictures(Path("pictures/ukiyo_e"), 3, seed=50)


def stage_one(*overrides: str, method: str = "gantor-v2") -> Recipe:
    return parse_recipe(STAGE_ONE.replace("METHOD", method), "one.yaml", overrides)


def stage_two(*overrides: str, method: str = "gantor-v2") -> Recipe:
    return parse_recipe(STAGE_TWO.replace("METHOD", method), "two.yaml", overrides)


def part(checkpoint: Path, network: str) -> dict[str, torch.Tensor]:
    weights = load_file(checkpoint / "weights.safetensors")
    return {name.partition(".")[2]: weight for name, weight in weights.items() if name.startswith(f"{network}.")}


@pytest.mark.parametrize("method", ["gantor-v1", "gantor-v2"])
@pytest.mark.parametrize("average", [[], ["training.ema_halflife_images=3"]], ids=["latest", "averaged"])
def test_stage_two_borrows_stage_one_for_good_and_resumes_exactly(method: str, average: list[str]) -> None:
    first = train(stage_one(*average, method=method), Path("runs/one"))
    recipe = stage_two(*average, method=method)
    whole = train(recipe, Path("runs/whole"))
    learned, borrowed = part(first, "stage_one"), part(whole, "stage_one")
    assert learned.keys() == borrowed.keys()
    assert all(torch.equal(weight, borrowed[name]) for name, weight in learned.items())
    assert part(whole, "stage_two")
    start = next(RunFolder(Path("runs/whole")).journal())
    assert start["begins_with"] == str(first)

    stopping_at(recipe, Path("runs/parts"), 4)
    Path("runs/one").rename("runs/gone")  # a run that has started does not need it
    assert_same_checkpoint(whole, train(recipe, Path("runs/parts")))
    painter = load_painter(whole).painter
    assert painter.draw(torch.eye(2), torch.randn(2, 100)).shape == (2, 3, 64, 64)  # type: ignore[attr-defined]


def test_a_start_is_named_in_several_ways() -> None:
    first = train(stage_one(), Path("elsewhere/one"))
    folder = RunFolder(Path("elsewhere/two"))
    assert find_start("one", folder) == first, "beside the run"
    assert find_start("elsewhere/one", RunFolder(Path("runs/two"))) == first
    assert find_start(str(first), RunFolder(Path("runs/two"))) == first
    Path("elsewhere").rename("runs")
    assert find_start("one", RunFolder(Path("third/two"))) == Path("runs/one/checkpoints/000000008")
    assert start_is_ready("one", folder) == Path("runs/one")
    assert start_is_ready("runs/one/checkpoints/000000008", folder) == Path("runs/one/checkpoints/000000008")
    assert start_is_ready("two", folder) is None
    Path("one").mkdir()
    Path("one/recipe.yaml").write_text(STAGE_ONE)
    assert find_start("one", folder) == Path("runs/one/checkpoints/000000008"), "not the run without a checkpoint"
    assert start_is_ready("one", folder) == Path("runs/one")


def test_an_unfinished_start_is_not_ready() -> None:
    stopping_at(stage_one(), Path("runs/one"), 4)
    assert start_is_ready("one", RunFolder(Path("runs/two"))) is None


def test_what_is_wrong_with_a_start_is_reported() -> None:
    train(stage_one(), Path("runs/one"))
    Path("runs/empty").mkdir()
    Path("runs/empty/recipe.yaml").write_text(STAGE_ONE)
    mistakes: list[tuple[Recipe, type[ImpastoError], str]] = [
        (stage_two("training.start_from=null"), RecipeError, "start_from: gantor-v2 takes stage_one from another run; set"),
        (stage_two("training.start_from=oen"), RunError, r"there is no run oen; did you mean one\?"),
        (stage_two("training.start_from=other"), RunError, r"there is no run other; there is one \(or"),
        (stage_two("training.start_from=cyclegan-atelier"), RunError, "cyclegan-atelier is not trained yet; train it first"),
        (stage_two("training.start_from=empty"), RunError, "runs/empty has no checkpoint yet; train that run first"),
        (stage_two("method.width=16"), RunError, r"stage_one of .* does not fit \(project.*is \[512, 102\] in this run, \[384, 102\] in that run\); .*method.width"),
        (stage_two("data.image_size=128", "data.resize=152"), RunError, r"images of 16 pixels, does not fit \(.* is only"),
        (stage_two(method="gantor-v1"), RunError, "weights of gantor-v2, not gantor-v1; use a run of gantor-v1"),
    ]  # fmt: skip
    for recipe, error, expected in mistakes:
        with pytest.raises(error, match=expected):
            train(recipe, Path("runs/two"))
    Path("pictures/cubism").rename("pictures/baroque")
    with pytest.raises(
        RunError, match=r"learned the classes cubism, ukiyo_e, but the pictures here have baroque, ukiyo_e"
    ):
        train(stage_two(), Path("runs/two"))
    Path("pictures/baroque").rename("pictures/cubism")
    train(stage_two(), Path("runs/two"))


def test_a_damaged_start_is_reported() -> None:
    weights = train(stage_one(), Path("runs/one")) / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(CheckpointError, match=r"start_from: runs/one/checkpoints/000000008 is damaged"):
        train(stage_two(), Path("runs/two"))


def test_any_method_can_start_from_what_it_learned_elsewhere(tiny_recipe: Path) -> None:
    text = tiny_recipe.read_text()
    first = train(parse_recipe(text, "r"), Path("runs/one"))
    again = ["training.start_from=one", "training.seed=9"]
    still = train(parse_recipe(text, "r", [*again, "method.learning_rate=1.0e-12"]), Path("runs/still"))
    for network in ("to_painting", "to_photo"):
        mine, theirs = part(first, network), part(still, network)
        assert all(torch.allclose(weight, theirs[name], atol=1e-6) for name, weight in mine.items())
    start = next(RunFolder(Path("runs/still")).journal())
    assert (start["begins_with"], start["begins_afresh"]) == (
        str(first),
        "discriminator_paintings, discriminator_photos",
    )
    with pytest.raises(RunError, match=r"to_painting of runs/one/checkpoints/000000008, .* does not fit"):
        train(parse_recipe(text, "r", [*again, "method.width=8"]), Path("runs/other"))


def test_a_start_gives_all_painting_networks_or_none(tiny_recipe: Path) -> None:
    text = tiny_recipe.read_text()
    weights = train(parse_recipe(text, "r"), Path("runs/one")) / "weights.safetensors"
    with safe_open(weights, framework="pt") as file:
        about = file.metadata()
    half = {name: weight for name, weight in load_file(weights).items() if name.startswith("to_painting.")}
    save_file(half, weights, about)
    with pytest.raises(RunError, match=r"000000008 has no network to_photo, only to_painting; use another run"):
        train(parse_recipe(text, "r", ["training.start_from=one"]), Path("runs/two"))


def test_discriminators_start_untrained_and_a_note_says_so() -> None:
    class Listener(TrainingListener):
        def noted(self, note: str) -> None:
            notes.append(note)

    notes: list[str] = []
    recipe = stage_one("data.validation_share=0.4")
    first = train(recipe, Path("runs/one"), Listener())
    assert notes == []
    train(stage_one("data.validation_share=0.4", "training.start_from=one"), Path("runs/two"), Listener())
    assert notes == [f"the painting networks come from {first}; these start untrained: discriminator"]
    train(stage_two("data.validation_share=0.4"), Path("runs/three"), Listener())
    assert len(notes) == 1, "a second stage always has a new discriminator"


def test_what_would_stop_stage_two_is_reported_before_stage_one() -> None:
    rehearse(stage_two(), stage_one(), "one")
    with pytest.raises(RunError, match=r"stage_one of one, for images of 32 pixels, does not fit"):
        rehearse(stage_two(), stage_one("data.image_size=32", "data.resize=38"), "one")
    with pytest.raises(RecipeError, match="96 is not a power of two from 64"):
        rehearse(stage_two("data.image_size=96", "data.resize=96"), stage_one(), "one")
