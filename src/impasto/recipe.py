"""Recipes: all settings of a run. They are read from YAML, overridden on the command line, and validated together."""

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
"""Prefix of a method's own metrics of held-out pictures."""
LOWER_IS_BETTER = frozenset({"fid", "fid-by-class", "kid", "mifid", "colour", "left-untouched"})
HIGHER_IS_BETTER = frozenset({"is", "precision", "recall", "density", "coverage", "top1"})
"""Metrics of painters, computed at every.metrics. SSIM is not listed: similarity to a photo is neither good nor bad."""


def is_metric(name: str) -> bool:
    """Whether a name is that of a metric, measured at intervals. Other names are scalars, logged at every step."""
    return name.startswith(VALIDATION) or name in LOWER_IS_BETTER | HIGHER_IS_BETTER


def higher_is_better(name: str) -> bool:
    """Whether higher values of a metric or logged scalar are better, by the last part of its name."""
    return name.rpartition("/")[2] in HIGHER_IS_BETTER | {"accuracy"}


OPTIONAL = frozenset({"about", "every", "evaluation"})
"""Blocks that have a default of their own."""


class Options(BaseModel):
    """A block of a recipe. Unknown keys raise an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class About(Options):
    """What a new user should know before training."""

    does: str
    data: str
    cost: str


class Constant(Options):
    """The learning rate stays at the method's value."""

    kind: Literal["constant"] = "constant"


class LinearDecay(Options):
    """The learning rate is constant for `constant_images`, then falls linearly to zero at the end of training."""

    kind: Literal["linear-decay"] = "linear-decay"
    constant_images: int = Field(0, ge=0)
    stair_images: int | None = Field(None, ge=1)
    """Change the learning rate once per this many images, such as an epoch of the paper. Default: at every batch."""


class Halving(Options):
    """The learning rate is halved every `every_images`."""

    kind: Literal["halving"] = "halving"
    every_images: int = Field(ge=1)


Schedule = Constant | LinearDecay | Halving


class TrainingOptions(Options):
    """How long, and on which hardware, a method trains."""

    images: int = Field(ge=1)
    """Images seen by the end."""
    start_from: str | None = None
    """Start with the weights of this run: a run folder, a checkpoint, the name of a run beside this one or in `runs/`,
    or a shipped recipe. `impasto train` trains the shipped recipe first."""
    batch_size: int = Field(1, ge=1, le=65_536)
    """Images per step, summed over all devices."""
    seed: int = Field(0, ge=0, lt=2**63)
    schedule: Annotated[Schedule, Field(discriminator="kind")] = Constant()
    ema_halflife_images: int | None = Field(None, ge=1)
    """Paint with an exponential moving average of the weights with this half-life. Default: the latest weights."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto: bfloat16 arithmetic if the CPU or GPU supports it, else float32. Weights are always float32."""
    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    devices: int = Field(1, ge=1, le=1024)
    """Processes on this machine. Each trains on an equal part of the batch."""
    channels_last: bool = True
    """Store the channels of a pixel next to each other in memory."""
    fast_cpu: bool = True
    """Use impasto's fast CPU code where it computes the same up to rounding. false: plain PyTorch everywhere."""
    compile: bool = False
    """Compile the networks with torch.compile. Steps are faster, after minutes of compiling. Needs a C++ compiler."""
    best: str | None = None
    """Logged scalar or metric that selects the best checkpoint. Default: the latest is the best. Lower values are
    better, except for accuracy, is, precision, recall, density, coverage and top1."""

    @model_validator(mode="after")
    def _fits(self) -> TrainingOptions:
        if self.batch_size % self.devices:
            raise ValueError(
                f"batch_size ({self.batch_size}) is not a multiple of devices ({self.devices}); use a multiple"
            )
        if isinstance(self.schedule, LinearDecay) and self.schedule.constant_images >= self.images:
            raise ValueError(
                f"schedule.constant_images ({self.schedule.constant_images}) leaves none of {self.images} images for "
                "the decay; use a lower number"
            )
        return self


class EveryOptions(Options):
    """Intervals, in images seen."""

    scalars: int = Field(100, ge=1)
    samples: int = Field(10_000, ge=1)
    checkpoint: int = Field(10_000, ge=1)
    metrics: int | None = Field(None, ge=1)
    """Also at the end of training. Default: never."""


class EvaluationOptions(Options):
    """How a painter is evaluated during training, at every.metrics."""

    metrics: tuple[str, ...] = ("fid",)
    """Metrics to compute, as for `impasto evaluate`."""
    images: int = Field(1000, ge=2, le=100_000)
    """Most photos to paint, or the number of images to paint from noise."""
    features: str = "inception-2015"
    weights: Path | None = None
    """Weights file of the feature extractor. Default: the one on this machine, else it is downloaded."""


class PainterRecipe(Options):
    """What is needed to build a painter. It is the whole recipe of a painter that does not learn."""

    about: About | None = None
    method: SerializeAsAny[MethodOptions]
    paint: SerializeAsAny[PaintOptions] = PaintOptions()
    """Default paint options: for sheets of samples, for evaluation, and for `impasto paint`."""

    def to_yaml(self) -> str:
        """Return the recipe as YAML, including all defaults."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


class Recipe(PainterRecipe):
    """All settings of a run."""

    data: SerializeAsAny[DataOptions]
    training: TrainingOptions
    every: EveryOptions = EveryOptions()
    evaluation: EvaluationOptions | None = None

    def differences(self, other: Recipe) -> list[str]:
        """Return the differences that change training, each by its dotted path.

        Intervals, evaluation, painting, and the number of decoding threads do not change training.
        """
        mine, theirs = (dict(_leaves(recipe.model_dump(mode="json"))) for recipe in (self, other))
        paths = [path for path in {**mine, **theirs} if mine.get(path) != theirs.get(path)]
        harmless = re.compile(r"(about|evaluation|paint)(\..*)?|every\..*|data\.(workers|max_megapixels|cache)")
        return [
            f"{path}: {mine.get(path)} here, {theirs.get(path)} there" for path in paths if not harmless.fullmatch(path)
        ]


def load_recipe(source: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Return a shipped recipe by name, or one from a YAML file, with overrides such as `training.batch_size=4` applied.

    Raises RecipeError with all mistakes, each by its dotted path.
    """
    return parse_recipe(_text_of(source), str(source), overrides)


def load_painter_recipe(source: str | Path) -> PainterRecipe:
    """Return the recipe of a painter that learns or does not, as `load_recipe` does."""
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
    """Return the recipe in YAML text, with overrides applied.

    Raises RecipeError with all mistakes, and for a recipe of a painter that does not learn.
    """
    recipe = parse_painter_recipe(text, source, overrides)
    if not isinstance(recipe, Recipe):
        name = recipe.method.name
        raise RecipeError(
            source, [f"method.name: {name} paints without learning; paint with it: impasto paint --painter {source}"]
        )
    return recipe


def parse_painter_recipe(text: str, source: str, overrides: Sequence[str] = ()) -> PainterRecipe:
    """Return the recipe in YAML text, with overrides applied: a `Recipe` if its method learns.

    Raises RecipeError with all mistakes.
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
    """Return the class of the recipe's method. If it names no known method, add a message to `problems`."""
    name, wrong = chosen_name(tree, "method", "name", METHODS)
    problems += wrong
    return None if name is None else METHODS[name]


def with_paint_options(
    options: PaintOptions, settings: Sequence[str] = (), values: Mapping[str, Any] | None = None
) -> PaintOptions:
    """Return paint options with settings such as `steps=50`, or values by name, applied.

    Raises RecipeError with all mistakes, each by its dotted path such as `paint.steps`.
    """
    tree: dict[str, Any] = {"paint": {**options.model_dump(mode="json"), **(values or {})}}
    problems = [problem for setting in settings if (problem := set_path(tree, f"paint.{setting}")) is not None]
    changed, wrong = checked(type(options), tree["paint"], "paint")
    problems += wrong
    if changed is None or problems:
        raise RecipeError("paint", problems)
    return changed


def _checked_blocks(tree: dict[str, Any], method: type[Networked] | None, problems: list[str]) -> dict[str, Any]:
    """Validate each block with its own model. Add messages about mistakes to `problems`."""
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
    """Check settings of one block against another block."""
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
        measured = [*(f"{VALIDATION}{name}" for name in method.validates), *_evaluated(recipe)]
        problems += _metric_problems(recipe, measured)
        if recipe.evaluation is not None and not issubclass(method, Painter):
            problems.append(f"evaluation: {recipe.method.name} does not paint; leave it out")
        if recipe.evaluation is not None and recipe.every.metrics is None:
            problems.append("every.metrics: evaluation needs an interval; set it in images, or leave evaluation out")
        if recipe.training.compile and not method.compiles:
            problems.append(
                f"training.compile: {recipe.method.name} differentiates its critic twice, and compiled networks do not "
                "allow that; leave it out"
            )
    if problems:
        raise RecipeError(source, problems)


def _evaluated(recipe: Recipe) -> Iterator[str]:
    """Yield the names of the metrics that the evaluation logs."""
    several = {"prdc": ("precision", "recall", "density", "coverage"), "ssim": ("ssim", "left-untouched")}
    for metric in recipe.evaluation.metrics if recipe.evaluation else ():
        yield from several.get(metric, (metric,))


def _metric_problems(recipe: Recipe, metrics: Sequence[str]) -> Iterator[str]:
    """Yield messages about mistakes in every.metrics, and in training.best if it names a metric.

    The best checkpoint is selected by metrics of its own weights, so each measurement needs a checkpoint.
    """
    best, every = recipe.training.best, recipe.every
    if every.metrics is not None and not metrics:
        yield (
            f"every.metrics: {recipe.method.name} has no metrics of its own; set evaluation.metrics=[fid], or leave "
            "every.metrics out"
        )
    if best is None or not is_metric(best):
        return
    if best not in metrics:
        yield f"training.best: {best} is not measured for {recipe.method.name}{did_you_mean(best, metrics)}"
    elif every.metrics is None:
        yield f"training.best: {best} is never measured; set every.metrics={every.checkpoint}, or a multiple of it"
    elif every.metrics % every.checkpoint:
        yield (
            f"every.metrics: {every.metrics} is not a multiple of every.checkpoint ({every.checkpoint}); use a "
            f"multiple, so that the weights with the best {best} are saved"
        )


def _leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of a nested mapping with its dotted path."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value
