"""What a recipe is: the numbers of a run, read from YAML, overridden from the command line, checked as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, model_validator

from impasto.data.dataset import DataOptions
from impasto.data.datasets import DATASETS
from impasto.errors import RecipeError, did_you_mean
from impasto.method import Learner
from impasto.methods import METHODS
from impasto.painter import MethodOptions, Networked, Painter, PaintOptions
from impasto.recipe_files import read_shipped, shipped_recipes
from impasto.validation import checked, chosen_name, set_path

VALIDATION = "validation/"
"""What the names of a method's own metrics of held-out pictures begin with."""
LOWER_IS_BETTER = frozenset({"fid", "fid-by-class", "kid", "mifid", "colour", "left-untouched"})
HIGHER_IS_BETTER = frozenset({"is", "precision", "recall", "density", "coverage", "top1"})
"""Metrics of painters, which only every.metrics brings. SSIM is none: nearness to a photo is neither good nor bad."""


def is_metric(name: str) -> bool:
    """Say whether `training.best` names something that is measured now and then, not logged at every step."""
    return name.startswith(VALIDATION) or name in LOWER_IS_BETTER | HIGHER_IS_BETTER


def higher_is_better(name: str) -> bool:
    """Say in which direction a metric or logged scalar improves, by the last part of its name; losses fall."""
    return name.rpartition("/")[2] in HIGHER_IS_BETTER | {"accuracy"}


OPTIONAL = frozenset({"about", "every", "evaluation"})
"""Blocks that have a default of their own."""


class Options(BaseModel):
    """A block of a recipe; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class About(Options):
    """What a newcomer should know before starting."""

    does: str
    data: str
    cost: str


class Constant(Options):
    """The learning rate stays as the method says."""

    kind: Literal["constant"] = "constant"


class LinearDecay(Options):
    """The learning rate stays for `constant_images`, then falls linearly to zero at the end of training."""

    kind: Literal["linear-decay"] = "linear-decay"
    constant_images: int = Field(0, ge=0)
    stair_images: int | None = Field(None, ge=1)
    """Fall in stairs of so many images (a paper's epoch); with every batch unless said."""


class Halving(Options):
    """The learning rate is halved again and again."""

    kind: Literal["halving"] = "halving"
    every_images: int = Field(ge=1)


Schedule = Constant | LinearDecay | Halving


class TrainingOptions(Options):
    """How long and on what a method trains."""

    images: int = Field(ge=1)
    """Images seen by the end."""
    start_from: str | None = None
    """The run whose weights this one begins with: a run folder, a checkpoint, the name of a run beside this one or in
    `runs/`, or a shipped recipe, which `impasto train` then trains first."""
    batch_size: int = Field(1, ge=1, le=65_536)
    """Images a step, over all devices together."""
    seed: int = Field(0, ge=0, lt=2**63)
    schedule: Annotated[Schedule, Field(discriminator="kind")] = Constant()
    ema_halflife_images: int | None = Field(None, ge=1)
    """Paint with weights averaged over the past with this half-life; with the latest weights unless said."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto: bfloat16 arithmetic where the processor or GPU has it, else float32. Weights are always float32."""
    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    devices: int = Field(1, ge=1, le=1024)
    """Processes on this machine; each takes its share of a batch."""
    channels_last: bool = True
    """Keep a pixel's channels together in memory."""
    fast_cpu: bool = True
    """Use impasto's fast CPU code where it computes the same up to rounding. false: plain PyTorch everywhere."""
    compile: bool = False
    """Fuse the networks with torch.compile: faster steps after a start of minutes; needs a C++ compiler."""
    best: str | None = None
    """The logged scalar or measured metric whose best value marks the best checkpoint, which is the latest unless said.
    The lowest is best, except of accuracy, is, precision, recall, density, coverage and top1."""

    @model_validator(mode="after")
    def _fits(self) -> TrainingOptions:
        if self.batch_size % self.devices:
            raise ValueError(
                f"batch_size ({self.batch_size}) is not a multiple of devices ({self.devices}); make it one"
            )
        if isinstance(self.schedule, LinearDecay) and self.schedule.constant_images >= self.images:
            raise ValueError(
                f"schedule.constant_images ({self.schedule.constant_images}) leaves none of {self.images} images to "
                "decay in; lower it"
            )
        return self


class EveryOptions(Options):
    """Intervals, in images seen."""

    scalars: int = Field(100, ge=1)
    samples: int = Field(10_000, ge=1)
    checkpoint: int = Field(10_000, ge=1)
    metrics: int | None = Field(None, ge=1)
    """Never unless said; and at the end."""


class EvaluationOptions(Options):
    """How a painter is judged while it learns, at every.metrics."""

    metrics: tuple[str, ...] = ("fid",)
    """What is measured, as for `impasto evaluate`."""
    images: int = Field(1000, ge=2, le=100_000)
    """Photos painted, at most, or images made from noise."""
    features: str = "inception-2015"
    weights: Path | None = None
    """The features' file of weights; found or fetched unless said."""


class PainterRecipe(Options):
    """What builds a painter: the recipe of one that does not learn, and a part of every other."""

    about: About | None = None
    method: SerializeAsAny[MethodOptions]
    paint: SerializeAsAny[PaintOptions] = PaintOptions()
    """How it paints unless the user chooses otherwise: on sheets, when it is evaluated, and in `impasto paint`."""

    def to_yaml(self) -> str:
        """Return the recipe with every default spelled out."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


class Recipe(PainterRecipe):
    """Everything that decides how a run goes."""

    data: SerializeAsAny[DataOptions]
    training: TrainingOptions
    every: EveryOptions = EveryOptions()
    evaluation: EvaluationOptions | None = None

    def differences(self, other: Recipe) -> list[str]:
        """Return, by dotted path, the settings in which another recipe would train otherwise.

        What only says how often to look, or how many threads decode, may differ.
        """
        mine, theirs = (dict(_leaves(recipe.model_dump(mode="json"))) for recipe in (self, other))
        paths = [path for path in {**mine, **theirs} if mine.get(path) != theirs.get(path)]
        harmless = re.compile(r"(about|evaluation|paint)(\..*)?|every\..*|data\.(workers|max_megapixels|cache)")
        return [
            f"{path}: {mine.get(path)} here, {theirs.get(path)} there" for path in paths if not harmless.fullmatch(path)
        ]


def load_recipe(source: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Return a shipped recipe by name, or one from a YAML file, with overrides such as `training.batch_size=4` applied.

    Raises RecipeError that tells every mistake at once, each by its dotted path.
    """
    return parse_recipe(_text_of(source), str(source), overrides)


def load_painter_recipe(source: str | Path) -> PainterRecipe:
    """Return the recipe of a painter, which need not learn, as `load_recipe` does."""
    return parse_painter_recipe(_text_of(source), str(source))


def _text_of(source: str | Path) -> str:
    path = Path(source)
    if path.suffix in (".yaml", ".yml") or (str(source) not in shipped_recipes() and path.is_file()):
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RecipeError(str(source), [f"cannot be read as a recipe ({error}); check the path"]) from error
    return read_shipped(str(source))


def parse_recipe(text: str, source: str, overrides: Sequence[str] = ()) -> Recipe:
    """Return the recipe that YAML text and overrides spell.

    Raises RecipeError with every mistake, and for a recipe of a painter that does not learn.
    """
    recipe = parse_painter_recipe(text, source, overrides)
    if not isinstance(recipe, Recipe):
        name = recipe.method.name
        raise RecipeError(
            source, [f"method.name: {name} paints without learning; paint with it: impasto paint --painter {source}"]
        )
    return recipe


def parse_painter_recipe(text: str, source: str, overrides: Sequence[str] = ()) -> PainterRecipe:
    """Return the recipe that YAML text and overrides spell: a `Recipe` where its method learns.

    Raises RecipeError with every mistake.
    """
    try:
        tree = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: 2024-13-45 looks like a date
        raise RecipeError(source, [f"is not YAML ({' '.join(str(error).split())}); correct that line"]) from error
    if not isinstance(tree, dict):
        raise RecipeError(source, ["is not a recipe; it needs the blocks method, data and training"])
    problems = [problem for override in overrides if (problem := set_path(tree, override)) is not None]
    method = _method_of(tree, problems)
    blocks = _checked_blocks(tree, method, problems)
    if problems:
        raise RecipeError(source, problems)
    if method is not None and not issubclass(method, Learner):
        return PainterRecipe(**blocks)
    recipe = Recipe(**blocks)
    _check_together(recipe, source)
    return recipe


def _method_of(tree: dict[str, Any], problems: list[str]) -> type[Networked] | None:
    """Return the class of the method that the tree names; add the mistake to `problems` where it names none."""
    name, wrong = chosen_name(tree, "method", "name", METHODS)
    problems += wrong
    return None if name is None else METHODS[name]


def with_paint_options(
    options: PaintOptions, settings: Sequence[str] = (), values: Mapping[str, Any] | None = None
) -> PaintOptions:
    """Return paint options with settings such as `steps=50`, or values by name, applied.

    Raises RecipeError that tells every mistake, each by its dotted path such as `paint.steps`.
    """
    tree: dict[str, Any] = {"paint": {**options.model_dump(mode="json"), **(values or {})}}
    problems = [problem for setting in settings if (problem := set_path(tree, f"paint.{setting}")) is not None]
    changed, wrong = checked(type(options), tree["paint"], "paint")
    problems += wrong
    if changed is None or problems:
        raise RecipeError("paint", problems)
    return changed


def _checked_blocks(tree: dict[str, Any], method: type[Networked] | None, problems: list[str]) -> dict[str, Any]:
    """Validate each block with its own model; add the mistakes to `problems`."""
    models: dict[str, type[BaseModel] | None] = {"about": About, "method": None, "paint": None}
    if method is not None:
        models["method"] = method.Options
        models["paint"] = method.paint_options if issubclass(method, Painter) else PaintOptions
    if method is None or issubclass(method, Learner):
        kind, wrong = chosen_name(tree, "data", "kind", DATASETS)
        problems += wrong
        models["data"] = None if kind is None else DATASETS[kind].Options
        models |= {"training": TrainingOptions, "every": EveryOptions, "evaluation": EvaluationOptions}
    unknown = tree.keys() - models.keys()
    problems += [f"{key}: not a block of a recipe{did_you_mean(str(key), models)}" for key in sorted(unknown, key=str)]
    blocks = {}
    for name, model in models.items():
        if model is None or (name in OPTIONAL and tree.get(name) is None):
            continue
        blocks[name], wrong = checked(model, {} if tree.get(name) is None else tree[name], name)
        problems += wrong
    return blocks


def _check_together(recipe: Recipe, source: str) -> None:
    """Check what two blocks must agree on."""
    method, dataset = METHODS[recipe.method.name], DATASETS[recipe.data.kind]
    problems = []
    assert issubclass(method, Learner)
    if method.batch_type not in dataset.batch_types:
        fitting = [kind for kind, other in DATASETS.items() if method.batch_type in other.batch_types]
        problems.append(
            f"data.kind: {recipe.data.kind} does not give the {method.batch_type.__name__} that {recipe.method.name} "
            f"learns from; use {' or '.join(fitting)}"
        )
    else:
        problems += _metric_problems(recipe, [*(f"{VALIDATION}{name}" for name in method.validates), *_judged(recipe)])
        if recipe.evaluation is not None and not issubclass(method, Painter):
            problems.append(f"evaluation: {recipe.method.name} does not paint; leave it out")
        if recipe.evaluation is not None and recipe.every.metrics is None:
            problems.append("every.metrics: say how often to evaluate, in images seen, or leave evaluation out")
        if recipe.training.compile and not method.compiles:
            problems.append(
                f"training.compile: {recipe.method.name} differentiates its critic twice, which compiled networks "
                "cannot be; leave it out"
            )
    if problems:
        raise RecipeError(source, problems)


def _judged(recipe: Recipe) -> Iterator[str]:
    """Yield the names under which the figures of the evaluation are noted."""
    several = {"prdc": ("precision", "recall", "density", "coverage"), "ssim": ("ssim", "left-untouched")}
    for metric in recipe.evaluation.metrics if recipe.evaluation else ():
        yield from several.get(metric, (metric,))


def _metric_problems(recipe: Recipe, metrics: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with when `metrics` are measured, or with choosing the best checkpoint by one.

    A checkpoint is chosen by what was measured at that very moment, so each measurement needs a checkpoint.
    """
    best, every = recipe.training.best, recipe.every
    if every.metrics is not None and not metrics:
        yield (
            f"every.metrics: there is nothing to measure of {recipe.method.name}; say evaluation.metrics=[fid], or "
            "leave it out"
        )
    if best is None or not is_metric(best):
        return
    if best not in metrics:
        yield f"training.best: {best} is not measured of {recipe.method.name}{did_you_mean(best, metrics)}"
    elif every.metrics is None:
        yield f"training.best: {best} is never measured; say every.metrics={every.checkpoint}, or a multiple of it"
    elif every.metrics % every.checkpoint:
        yield (
            f"every.metrics: {every.metrics} is not a multiple of every.checkpoint ({every.checkpoint}); make it one, "
            f"so that what is best by {best} is also saved"
        )


def _leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of a nested mapping with its dotted path."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value
