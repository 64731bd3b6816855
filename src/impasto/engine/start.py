"""Starting a run from the weights of another run.

A method that borrows networks takes only those: stage II of a stacked GAN takes stage I's generator. Any other method
takes all painting networks and trains them further, with other pictures or settings. Discriminators start untrained.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from impasto.data.batches import ImageSpec
from impasto.data.datasets import open_dataset
from impasto.errors import CheckpointError, RecipeError, RunError, did_you_mean
from impasto.method import Learner
from impasto.methods import METHODS
from impasto.painting.painters import RUNS, runs
from impasto.recipe import Recipe
from impasto.recipe_files import shipped_recipes
from impasto.run_folder import WEIGHTS, RunFolder

FIELD = "training.start_from"


class Weights(NamedTuple):
    """The weights of a checkpoint with their metadata. For a run that is not trained yet, the planned ones."""

    checkpoint: Path
    method: str
    size: int
    """Height and width of its images, pixels."""
    classes: tuple[str, ...]
    networks: Mapping[str, Mapping[str, Tensor]]


def begin_from(recipe: Recipe, folder: RunFolder, method: Learner[Any], spec: ImageSpec) -> Path | None:
    """Copy the weights of the run in `training.start_from`. Return their checkpoint, or None if no run is named.

    They are the averaged weights of the best checkpoint, else of the last. Raises RecipeError if the method borrows
    networks and the recipe names no run, RunError if the run is missing or its weights do not fit.
    """
    wanted = recipe.training.start_from
    if wanted is None:
        if method.borrowed:
            source = f"{recipe.method.name} takes {' and '.join(method.borrowed)} from another run"
            raise RecipeError(
                "recipe", [f"{FIELD}: {source}; set it to a run folder, or to the recipe of the first stage"]
            )
        return None
    learned = _read(find_start(wanted, folder))
    _take_over(learned, recipe, method, spec)
    return learned.checkpoint


def rehearse(recipe: Recipe, first: Recipe, name: str) -> None:
    """Check that a run can start from the run of the recipe `first`, before that one is trained.

    `name` names the first run in messages. The networks are built without memory for weights. Raises RunError if the
    method, the classes or the shapes of the weights do not fit.
    """
    method_class = METHODS[recipe.method.name]
    assert issubclass(method_class, Learner)
    spec = open_dataset(recipe.data, method_class.batch_type).spec
    with torch.device("meta"):
        method = method_class(recipe.method, spec)
        before = METHODS[first.method.name](first.method, spec._replace(size=first.data.image_size))
    networks = {part: network.state_dict() for part, network in before.networks().items()}
    learned = Weights(Path(name), first.method.name, first.data.image_size, spec.classes, networks)
    _take_over(learned, recipe, method, spec)


def find_start(wanted: str, folder: RunFolder) -> Path:
    """Return the checkpoint to start from: `wanted` itself if it is a checkpoint folder, else the best of a run.

    The run may be a path, the name of a run beside `folder`, or the name of a run in `runs/`. Raises RunError when
    there is no such run, or it has no checkpoint yet.
    """
    path = _place(wanted, folder)
    if path is not None:
        if (path / WEIGHTS).is_file():
            return path
        best = RunFolder(path).best()
        if best is None:
            raise RunError(f"{FIELD}: {path} has no checkpoint yet; train that run first")
        return best
    if wanted in shipped_recipes():
        raise RunError(f"{FIELD}: {wanted} is not trained yet; train it first with impasto train {wanted}")
    beside = [run.path.name for run in runs(folder.path.parent) if run.path != folder.path and run.latest()]
    raise RunError(f"{FIELD}: there is no run {wanted}{did_you_mean(wanted, beside)} (or use the path of a run folder)")


def start_is_ready(wanted: str, folder: RunFolder) -> Path | None:
    """Return the finished run or the checkpoint that `wanted` names; None if training is still needed."""
    path = _place(wanted, folder)
    if path is None or (path / WEIGHTS).is_file():
        return path
    return path if RunFolder(path).finished() else None


def _place(wanted: str, folder: RunFolder) -> Path | None:
    """Return the checkpoint or run of this name. A run with a checkpoint is preferred to one without."""
    places = (Path(wanted), folder.path.parent / wanted, RUNS / wanted)
    learned = [path for path in places if (path / WEIGHTS).is_file() or RunFolder(path).latest()]
    begun = [path for path in places if RunFolder(path).exists()]
    return next(iter([*learned, *begun]), None)


def _read(checkpoint: Path) -> Weights:
    networks: dict[str, dict[str, Tensor]] = {}
    try:
        with safe_open(checkpoint / WEIGHTS, framework="pt") as file:
            about = json.loads((file.metadata() or {})["impasto"])
            for key in file.keys():  # noqa: SIM118 - not a mapping
                network, _, weight = key.partition(".")
                networks.setdefault(network, {})[weight] = file.get_tensor(key)
        spec = about["spec"]
        return Weights(checkpoint, about["method"], int(spec["size"]), tuple(spec.get("classes", ())), networks)
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise CheckpointError(
            f"{FIELD}: {checkpoint} is damaged ({reason}); use another run, or train it again"
        ) from error


def _take_over(learned: Weights, recipe: Recipe, method: Learner[Any], spec: ImageSpec) -> None:
    _check_kind(learned, recipe, spec)
    networks = method.networks()
    for name in method.borrowed or networks:
        _copy(learned, name, networks[name])


def _check_kind(learned: Weights, recipe: Recipe, spec: ImageSpec) -> None:
    if learned.method != recipe.method.name:
        raise RunError(
            f"{FIELD}: {learned.checkpoint} has weights of {learned.method}, not {recipe.method.name}; use a run of "
            f"{recipe.method.name}"
        )
    if learned.classes != spec.classes:
        theirs, ours = (", ".join(classes) or "none" for classes in (learned.classes, spec.classes))
        raise RunError(
            f"{FIELD}: {learned.checkpoint} learned the classes {theirs}, but the pictures here have {ours}; use the "
            "same collection and label, or set data.classes"
        )


def _copy(learned: Weights, name: str, network: nn.Module) -> None:
    if name not in learned.networks:
        there = ", ".join(learned.networks)
        raise RunError(f"{FIELD}: {learned.checkpoint} has no network {name}, only {there}; use another run")
    misfit = _misfit(learned.networks[name], network)
    if misfit is not None:
        raise _does_not_fit(learned, name, misfit)
    network.load_state_dict(learned.networks[name])


def _misfit(theirs: Mapping[str, Tensor], network: nn.Module) -> str | None:
    """Return the first difference of names or shapes between weights and a network, or None if they fit."""
    ours = network.state_dict()
    differing = sorted(ours.keys() ^ theirs.keys())
    if differing:
        return f"{differing[0]} is only in {'this run' if differing[0] in ours else 'that run'}"
    for name, tensor in ours.items():
        if tensor.shape != theirs[name].shape:
            return f"{name} is {list(tensor.shape)} in this run, {list(theirs[name].shape)} in that run"
    return None


def _does_not_fit(learned: Weights, name: str, misfit: str) -> RunError:
    return RunError(
        f"{FIELD}: {name} of {learned.checkpoint}, for images of {learned.size} pixels, does not fit ({misfit}); use "
        "the same method.width and layers in both runs, and matching image sizes"
    )
