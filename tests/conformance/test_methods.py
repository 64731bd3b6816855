"""The promises every method keeps, checked for all of METHODS; see tiny_methods.py for their settings."""

import math
import shutil
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file

import impasto
from impasto.chance import Draws
from impasto.clock import Clock
from impasto.data.datasets import open_dataset
from impasto.data.prompts import ClassPrompt, PhotoPrompt, Prompt, StylePrompt
from impasto.engine.measurement import in_eval_mode
from impasto.engine.train import train
from impasto.errors import PainterError, RecipeError
from impasto.method import Learner
from impasto.methods import METHODS
from impasto.painting.export import Format, export_painter
from impasto.painting.paint import paint_prompt, paint_sheet
from impasto.painting.painters import LoadedPainter, load_classifier, load_painter
from impasto.recipe import Recipe, load_painter_recipe, load_recipe
from impasto.run_folder import RunFolder
from tests.conformance.tiny_methods import (
    ALL,
    CLASSIFIERS,
    LEARNERS,
    PAINTERS,
    TRAINED_PAINTERS,
    UNTRAINED,
    VALIDATING,
    literal_of,
    recipe_of,
    tiny,
    tiny_settings,
)


def prepared(name: str, precision: Literal["32-true", "bf16-mixed"] = "32-true") -> tuple[Any, Any, Any]:
    recipe = tiny(name)
    method_class = METHODS[name]
    assert issubclass(method_class, Learner)
    dataset = open_dataset(recipe.data, method_class.batch_type)
    torch.manual_seed(1)
    method = method_class(recipe.method, dataset.spec)
    state = method.prepare(Fabric(accelerator="cpu", devices=1, precision=precision))
    return method, state, dataset


def painter_and_prompt(name: str, count: int) -> tuple[Any, Prompt]:
    """Return a painter, untrained where it learns, and a prompt of `count` parts."""
    if name in LEARNERS:
        method, _, dataset = prepared(name)
        return method, dataset.prompt(method.prompt_type, count)
    loaded = load_painter(recipe_of(name))
    return loaded.painter, made_up_prompt(loaded, count)


def made_up_prompt(loaded: LoadedPainter, count: int) -> Prompt:
    """Return a prompt for a painter without data of its own."""
    chance = torch.Generator().manual_seed(3)
    pictures = torch.rand(2, count, 3, 24, 32, generator=chance) * 2 - 1
    if loaded.painter.prompt_type is PhotoPrompt:
        return PhotoPrompt(pictures[0])
    return StylePrompt(*pictures) if loaded.painter.prompt_type is StylePrompt else ClassPrompt(torch.zeros(count, 0))


def test_every_method_is_covered() -> None:
    """The count keeps a method from being lost silently."""
    assert len(ALL) >= 7
    assert set(PAINTERS) | set(CLASSIFIERS) == set(METHODS)
    assert all(tiny_settings(name) for name in LEARNERS)
    assert all(load_painter_recipe(recipe_of(name)).method.name == name for name in ALL)


@pytest.mark.parametrize("name", ALL)
def test_the_name_is_the_same_everywhere(name: str) -> None:
    method = METHODS[name]
    assert method.__module__ == f"impasto.methods.{name.replace('-', '_')}"
    assert method.__name__.lower() == name.replace("-", "")
    assert method.Options.model_fields["name"].default == name


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize("name", LEARNERS)
def test_losses_are_finite_and_every_weight_learns(name: str, precision: Literal["32-true", "bf16-mixed"]) -> None:
    method, state, dataset = prepared(name, precision)
    networks = {**method.networks(), **state.networks}
    before = {f"{n}.{k}": t.clone() for n, network in networks.items() for k, t in network.named_parameters()}
    batch = next(dataset.stream(2, seed=0))
    with method.fabric.autocast():
        scalars = method.training_step(batch, Clock(8))
    assert scalars
    assert all(math.isfinite(float(value)) for value in scalars.values())
    assert not any(value.requires_grad for value in scalars.values())
    optimized = {id(p) for o in state.optimizers.values() for group in o.param_groups for p in group["params"]}
    count = 0
    for n, network in networks.items():
        for key, weight in network.named_parameters():
            assert id(weight) in optimized, f"{n}.{key} is in no optimizer"
            assert weight.grad is not None, f"{n}.{key} has no gradient"
            assert torch.isfinite(weight.grad).all()
            if f"{n}.{key}" not in literal_of(name, "WITHOUT_GRADIENT"):
                assert not torch.equal(weight, before[f"{n}.{key}"]), f"{n}.{key} did not move"
            count += 1
    assert count == len(optimized)


@pytest.mark.parametrize("name", PAINTERS)
def test_painting_has_shape_range_and_repeats(name: str) -> None:
    painter, prompt = painter_and_prompt(name, 2)
    draws = [Draws.numbered(3, range(2)) for _ in range(3)]
    first, again = (paint_prompt(painter, prompt, each) for each in draws[:2])
    assert first.shape[:2] == (2, 3)
    assert first.abs().max() <= 1.0
    assert torch.equal(first, again)
    assert not first.requires_grad
    assert all(len(images) == 2 for images in paint_sheet(painter, prompt, draws[2]).values())


@pytest.mark.parametrize("name", PAINTERS)
def test_painters_declare_what_the_code_around_them_needs(name: str) -> None:
    painter, _ = painter_and_prompt(name, 1)
    assert painter.prompt_type in (PhotoPrompt, ClassPrompt, StylePrompt)
    fields = painter.paint_options.model_fields
    assert all(field.description for field in fields.values()), "impasto about PAINTER prints them"
    assert all(not field.is_required() for field in fields.values()), "every painter paints without being asked more"
    tiling = painter.tiling
    assert tiling is None or (tiling.reach >= 0 and tiling.step >= 1)


@pytest.mark.parametrize("name", TRAINED_PAINTERS)
def test_a_painter_holds_nothing_that_only_training_needs(name: str) -> None:
    """Loading a painter builds what `networks` and `frozen` name and no other module."""
    recipe = tiny(name)
    method_class = METHODS[name]
    assert issubclass(method_class, Learner)
    painter = method_class(recipe.method, open_dataset(recipe.data, method_class.batch_type).spec)
    declared = {id(p) for network in painter.networks().values() for p in network.parameters()}
    declared |= {id(p) for each in painter.frozen().values() for p in each.network.parameters()}
    held = {id(p) for value in vars(painter).values() for p in parameters_in(value)}
    assert held == declared


def parameters_in(value: Any) -> list[torch.nn.Parameter]:
    """Return the weights of a module, or of the modules that a plain object holds."""
    if isinstance(value, torch.nn.Module):
        return list(value.parameters())
    inside = getattr(value, "__dict__", {}).values() if type(value).__module__.startswith("impasto.networks") else ()
    return [p for part in inside if isinstance(part, torch.nn.Module) for p in part.parameters()]


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifying_gives_probabilities_that_do_not_depend_on_the_batch(name: str) -> None:
    method, _, dataset = prepared(name)
    images = next(dataset.held_out(4)).images
    with torch.no_grad(), in_eval_mode(method.networks()):
        features, probabilities = method.features_and_probabilities(images)
        alone = torch.cat([method.classify(image[None]) for image in images])
        larger = method.classify(torch.nn.functional.interpolate(images, scale_factor=1.5)[..., :-7])
    assert features.shape[0] == 4
    assert probabilities.shape == larger.shape == (4, len(dataset.spec.classes))
    assert torch.allclose(probabilities.sum(1), torch.ones(4))
    assert torch.allclose(alone, probabilities, atol=1e-5)


@pytest.mark.parametrize("name", VALIDATING)
def test_validating_gives_what_it_names_and_changes_nothing(name: str) -> None:
    method, _, dataset = prepared(name)
    before = {k: t.clone() for network in method.networks().values() for k, t in network.state_dict().items()}
    with torch.no_grad(), in_eval_mode(method.networks()):
        metrics = method.validate(dataset.held_out(3))
        again = method.validate(dataset.held_out(3))
    assert tuple(metrics) == METHODS[name].validates  # type: ignore[attr-defined]
    assert metrics == again
    assert all(math.isfinite(value) for value in metrics.values())
    after = {k: t for network in method.networks().values() for k, t in network.state_dict().items()}
    assert all(torch.equal(tensor, after[key]) for key, tensor in before.items())
    assert method.validate(iter(())) == {}


def leaves(tree: Any, path: str = "") -> dict[str, Any]:
    if isinstance(tree, dict):
        return {k: v for key, value in tree.items() for k, v in leaves(value, f"{path}.{key}").items()}
    if isinstance(tree, list | tuple):
        return {k: v for i, value in enumerate(tree) for k, v in leaves(value, f"{path}.{i}").items()}
    return {path: tree}


def assert_same_checkpoint(one: Path, other: Path) -> None:
    for file in ("weights.safetensors", "recipe.yaml"):
        assert (one / file).read_bytes() == (other / file).read_bytes(), file
    mine, theirs = (leaves(torch.load(p / "training.pt", weights_only=True)) for p in (one, other))
    assert mine.keys() == theirs.keys()
    for path, value in mine.items():
        same = torch.equal(value, theirs[path]) if isinstance(value, torch.Tensor) else value == theirs[path]
        assert same, path


ODD = ["training.batch_size=2", "training.images=9", "every.checkpoint=3", "every.scalars=5"]
"""Intervals and images that the batch does not divide."""
FALLING = ["training.schedule={kind: linear-decay, constant_images: 3}", "training.ema_halflife_images=3"]


@pytest.mark.parametrize("settings", [[], FALLING, [*ODD, *FALLING]], ids=["plain", "falling", "odd"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", LEARNERS)
def test_resuming_is_exact(name: str, precision: str, settings: list[str], tmp_path: Path) -> None:
    is_odd = settings[:1] == ODD[:1]
    apart = ["every.metrics=6"] if is_odd and name in VALIDATING else []
    recipe = tiny(
        name, f"training.precision={precision}", *settings, *apart, *(literal_of(name, "MID_CYCLE") if is_odd else [])
    )
    whole = train(recipe, tmp_path / "whole")
    half = stopping_at(recipe, tmp_path / "parts", 4)
    assert half.is_dir()
    resumed = train(recipe, tmp_path / "parts")
    assert_same_checkpoint(whole, resumed)
    kinds = ("scalars", "metrics")
    told = [[e for e in RunFolder(tmp_path / run).journal() if e["kind"] in kinds] for run in ("whole", "parts")]
    for entry in [*told[0], *told[1]]:
        del entry["seconds"]
    assert told[0] == told[1], "means cover their whole interval"
    assert any(entry["kind"] == "metrics" for entry in told[0]) == (name in VALIDATING)


def stopping_at(recipe: Recipe, run: Path, images: int) -> Path:
    """Train until a signal that arrives at the step that reaches `images`."""
    import os
    import signal

    from impasto.engine.interrupts import InterruptedTraining
    from impasto.engine.listener import TrainingListener

    class Stop(TrainingListener):
        def stepped(self, clock: Clock, means: Any) -> None:
            if clock.images_seen == images:
                os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(InterruptedTraining) as stopped:
        train(recipe, run, Stop())
    assert stopped.value.exit_code == 143
    return run / "checkpoints" / f"{images:09d}"


@pytest.mark.parametrize("name", VALIDATING)
def test_measuring_never_changes_learning(name: str, tmp_path: Path) -> None:
    often = train(tiny(name), tmp_path / "often")
    never = train(tiny(name, "every.metrics=null", "training.best=null"), tmp_path / "never")
    mine, theirs = (load_file(folder / "weights.safetensors") for folder in (often, never))
    assert all(torch.equal(mine[key], theirs[key]) for key in mine)


def alone(checkpoint: Path, folder: Path) -> Path:
    """Copy the two files that hold what was learned."""
    folder.mkdir()
    for file in ("weights.safetensors", "recipe.yaml"):
        shutil.copy(checkpoint / file, folder / file)
    return folder


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifying_needs_two_files_only(name: str, tmp_path: Path) -> None:
    recipe = tiny(name)
    loaded = load_classifier(alone(train(recipe, tmp_path / "run"), tmp_path / "alone"))
    dataset = open_dataset(recipe.data, METHODS[name].batch_type)  # type: ignore[attr-defined]
    assert loaded.classes == dataset.spec.classes
    images, labels = next(dataset.held_out(dataset.held_out_size))
    right = float((loaded.classifier.classify(images).argmax(1) == labels[:, 0]).float().mean())
    assert right == pytest.approx(loaded.validation_accuracy), "the same preprocessing in training and scoring"


@pytest.mark.parametrize("name", TRAINED_PAINTERS)
def test_painting_needs_two_files_only(name: str, tmp_path: Path) -> None:
    recipe = tiny(name)
    checkpoint = train(recipe, tmp_path / "run")
    loaded = load_painter(alone(checkpoint, tmp_path / "alone"))
    method_class: Any = METHODS[name]
    prompt = open_dataset(recipe.data, method_class.batch_type).prompt(loaded.painter.prompt_type, 1)
    painted = paint_prompt(loaded.painter, prompt, Draws.numbered(0, [0]), loaded.options)
    assert painted.shape[:2] == (1, 3)
    weights = load_file(checkpoint / "weights.safetensors")
    assert weights.keys() == {f"{n}.{k}" for n, m in loaded.painter.networks().items() for k in m.state_dict()}


@pytest.mark.parametrize("kind", ["onnx", "torch"])
@pytest.mark.parametrize("name", PAINTERS)
def test_painters_can_be_exported_or_refuse_and_files_hold_no_path_of_this_machine(
    name: str, kind: Format, tmp_path: Path
) -> None:
    if name in UNTRAINED:
        loaded = load_painter(recipe_of(name))
    else:
        loaded = load_painter(alone(train(tiny(name), tmp_path / "run"), tmp_path / "alone"))
    if not loaded.painter.exportable:
        with pytest.raises(PainterError, match="cannot be exported"):
            export_painter(loaded, tmp_path / f"x.{kind}", kind)
        return
    exported = export_painter(loaded, tmp_path / f"x.{kind}", kind)
    assert exported.largest_difference < 1e-4
    content = exported.file.read_bytes()
    for place in (impasto.__file__, torch.__file__):
        assert str(Path(place).parent).encode() not in content


@pytest.mark.parametrize("name", UNTRAINED)
def test_what_does_not_learn_cannot_be_trained(name: str) -> None:
    with pytest.raises(RecipeError, match="paints without learning"):
        load_recipe(recipe_of(name))
