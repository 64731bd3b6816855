"""Finding and loading painters and classifiers: a run, a checkpoint, a painter that ships with impasto, or a recipe."""

from __future__ import annotations

import hashlib
import importlib.resources
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import torch
import yaml
from safetensors import SafetensorError, safe_open

from impasto.data.batches import ImageSpec
from impasto.errors import ImpastoError, PainterError, RunError, did_you_mean
from impasto.method import Learner
from impasto.methods import METHODS
from impasto.painter import Classifier, Networked, Painter, PaintOptions
from impasto.recipe import PainterRecipe, Recipe, load_painter_recipe, parse_recipe
from impasto.recipe_files import read_shipped, shipped_recipes
from impasto.run_folder import RECIPE, WEIGHTS, RunFolder

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import NDArray
    from PIL import Image
    from torch import Tensor

    from impasto.painting.picture_grid import Pictures

DEFAULT_PAINTER = "impressionist"
RUNS = Path("runs")
UNTRAINED_SIZE = 256
"""Image size, in pixels, that a painter without training is built for."""


class Loaded(NamedTuple):
    """What the two files of a checkpoint hold, with the networks in eval mode and frozen."""

    trained: Networked
    recipe: Recipe
    spec: ImageSpec
    images_seen: int
    metrics: Mapping[str, float]
    """Metrics of these weights, measured when they were saved."""
    fingerprint: str


@dataclass(frozen=True)
class LoadedPainter:
    """A painter that is ready to paint, and what its paintings record about it."""

    name: str
    painter: Painter[Any]
    recipe: PainterRecipe
    """A Recipe where the painter has learned."""
    spec: ImageSpec
    """Of the images it learned from."""
    options: PaintOptions
    """How it paints. Default: the `paint:` block of its recipe."""
    images_seen: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Metrics of these weights, measured when they were saved."""
    fingerprint: str = ""
    """The first 16 hexadecimal digits of the weights' SHA-256. Empty for a painter without weights."""

    @overload
    def paint(self, photo: Image.Image | str | PathLike[str], **how: Any) -> Image.Image: ...
    @overload
    def paint(self, photo: NDArray[Any], **how: Any) -> NDArray[Any]: ...
    @overload
    def paint(self, photo: Tensor, **how: Any) -> Tensor: ...
    @overload
    def paint(
        self, photo: Sequence[Image.Image | PathLike[str]] | list[str] | tuple[str, ...], **how: Any
    ) -> Pictures: ...
    @overload
    def paint(self, photo: Sequence[NDArray[Any]], **how: Any) -> list[NDArray[Any]]: ...
    @overload
    def paint(self, photo: Sequence[Tensor], **how: Any) -> list[Tensor]: ...
    @overload
    def paint(
        self, photo: None = None, *, classes: str | Mapping[str, float], count: None = None, **how: Any
    ) -> Image.Image: ...
    @overload
    def paint(
        self,
        photo: None = None,
        *,
        classes: str | Sequence[str] | Mapping[str, float] | None = None,
        count: int | None = None,
        **how: Any,
    ) -> Pictures: ...
    def paint(
        self,
        photo: Any = None,
        *,
        classes: str | Sequence[str] | Mapping[str, float] | None = None,
        count: int | None = None,
        style: Any = None,
        size: Any = None,
        strength: float = 1.0,
        colours: str = "painted",
        seed: int = 0,
        **options: Any,
    ) -> Any:
        """Paint a photo, several photos, or classes from noise. The pixels are those of `impasto paint`.

        `photo` is a PIL image, a path, an array (uint8, or floats from 0 to 1; [H, W, 3] or [H, W]), a tensor (floats
        in [-1, 1]; [3, H, W] or [N, 3, H, W]), or a list of these. The painting is of the same kind and size; for a
        path it is a PIL image. `style` is the picture whose style a painter of styles takes, of any kind. `size` is the
        short side to paint at, in pixels, or "own"; `strength` goes from 0 (photo) to 1 (painting); `colours="keep"`
        takes the photo's palette.

        `classes` is a class, a list of classes, or weights by class such as `{"cubism": 0.6, "ukiyo_e": 0.4}`, which
        are scaled to a sum of 1. With `count`, there are this many paintings of each, as a list of PIL images that a
        notebook shows as a grid. Without it, one class or mixture is one PIL image. Without `classes`, all classes
        take turns.

        Other keywords are the method's own options; `impasto about PAINTER` lists them. Raises PainterError for
        options, classes and values that do not exist, PictureError for a picture that cannot be read or painted.
        """
        from impasto.painting.from_python import Asked, paint

        return paint(self, photo, Asked(classes, count, style, size, strength, colours, seed), **options)

    def __repr__(self) -> str:
        """Return the painter's name and method in a line."""
        seen = f", {self.images_seen:,} images seen" if self.images_seen else ""
        return f"<LoadedPainter {self.name} ({self.recipe.method.name}{seen})>"

    def _repr_html_(self) -> str:
        from impasto.painting.painter_html import painter_html

        return painter_html(self)

    @property
    def short_side(self) -> int:
        """The scale of photos that it learned from: their short side in pixels."""
        return self.recipe.data.short_side if isinstance(self.recipe, Recipe) else self.spec.size


@dataclass(frozen=True)
class LoadedClassifier:
    """A classifier with its weights, and what a score it gives records about it."""

    name: str
    classifier: Classifier
    classes: tuple[str, ...]
    """Names in the order of the probabilities."""
    size: int
    """Height and width of the images it learned from, in pixels. Others are resized to it."""
    fingerprint: str
    """The first 16 hexadecimal digits of the weights' SHA-256."""
    validation_accuracy: float | None
    """Accuracy on held-out pictures, 0 to 1, where it was measured when the weights were saved."""


class Found(NamedTuple):
    """Where a painter is: a folder with weights and recipe, or a recipe of a painter that does not learn."""

    name: str
    folder: Path | None
    recipe: str = ""
    """The recipe's name or file, where there is no folder."""


def load_painter(wanted: str | Path | None = None, device: torch.device | str = "cpu") -> LoadedPainter:
    """Return a painter by name, run folder, checkpoint folder or recipe; the default one when nothing is named.

    Raises PainterError when there is no such painter, it does not paint, or its files are damaged.
    """
    found = find_painter(wanted)
    if found.folder is None:
        return _untrained(found, device)
    loaded = _load(found.folder, device)
    if not isinstance(loaded.trained, Painter):
        raise PainterError(
            f"{found.folder} holds what {loaded.recipe.method.name} learned, which does not paint; use a painter, "
            f"such as {DEFAULT_PAINTER}"
        )
    return LoadedPainter(
        found.name,
        loaded.trained,
        loaded.recipe,
        loaded.spec,
        loaded.recipe.paint,
        loaded.images_seen,
        loaded.metrics,
        loaded.fingerprint,
    )


def _untrained(found: Found, device: torch.device | str) -> LoadedPainter:
    """Return a painter that does not learn, built from its recipe."""
    recipe = load_painter_recipe(found.recipe)
    spec = ImageSpec(channels=3, size=UNTRAINED_SIZE)
    painter = METHODS[recipe.method.name](recipe.method, spec)
    assert isinstance(painter, Painter)
    _make_ready(painter, device)
    return LoadedPainter(found.name, painter, recipe, spec, recipe.paint)


def load_classifier(wanted: str | Path, device: torch.device | str = "cpu") -> LoadedClassifier:
    """Return a classifier by the name of its run in `runs/`, its run folder or a checkpoint folder.

    Raises PainterError when there is no such run, it learned to paint, or its files are damaged.
    """
    found = _find_trained(wanted)
    if found is None:
        hint = did_you_mean(str(wanted), [run.path.name for run in runs(RUNS)])
        raise PainterError(f"there is no classifier {wanted}{hint} (or name a run's folder)")
    name, folder = found
    loaded = _load(folder, device)
    if not isinstance(loaded.trained, Classifier):
        raise PainterError(
            f"{folder} holds what {loaded.recipe.method.name} learned, which does not classify; use a run of "
            "inception-classifier"
        )
    accuracy = loaded.metrics.get("validation/accuracy")
    spec = loaded.spec
    return LoadedClassifier(name, loaded.trained, spec.classes, spec.size, loaded.fingerprint, accuracy)


def _load(folder: Path, device: torch.device | str) -> Loaded:
    """Read a checkpoint's weights and recipe; raise PainterError where they are damaged."""
    try:
        text = (folder / RECIPE).read_text(encoding="utf-8")
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            about = json.loads((file.metadata() or {})["impasto"])
            weights = {key: _as_float32(file.get_tensor(key)) for key in file.keys()}  # noqa: SIM118 - not a mapping
        stored: dict[str, Any] = about["spec"]  # JSON has lists, not tuples
        lists = {key: tuple(value) for key, value in stored.items() if isinstance(value, list)}
        spec = ImageSpec(**{**stored, **lists})
        images_seen = int(about["images_seen"])
        metrics = {name: float(value) for name, value in dict(about.get("metrics", {})).items()}
        hashes = dict(about.get("frozen", {}))
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise _damaged(folder, error) from error
    recipe = parse_recipe(text, str(folder / RECIPE))
    trained = METHODS[recipe.method.name](recipe.method, spec)
    _check_frozen(trained, hashes, folder)
    try:
        for part, network in trained.networks().items():
            own = {
                key.removeprefix(f"{part}."): tensor for key, tensor in weights.items() if key.startswith(f"{part}.")
            }
            network.load_state_dict(own)
    except RuntimeError as error:  # other names or shapes
        raise _damaged(folder, error) from error
    _make_ready(trained, device)
    return Loaded(trained, recipe, spec, images_seen, metrics, fingerprint(folder / WEIGHTS))


def _check_frozen(trained: Networked, hashes: Mapping[str, str], folder: Path) -> None:
    """Raise PainterError where a frozen network is not the one that the weights were trained with."""
    for name, frozen in trained.frozen().items():
        recorded = str(hashes.get(name, "not recorded"))
        if recorded != frozen.sha256:
            raise PainterError(
                f"{folder} was trained with other weights of {name} (SHA-256 {recorded[:16]}, here "
                f"{frozen.sha256[:16]}); provide those"
            )


def _make_ready(trained: Networked, device: torch.device | str) -> None:
    """Put all networks in eval mode, frozen, on a device."""
    frozen = [each.network for each in trained.frozen().values()]
    for network in (*trained.networks().values(), *frozen):
        network.eval().to(device).to(memory_format=torch.channels_last).requires_grad_(requires_grad=False)
    trained.to(device)


def _as_float32(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor  # batch norm counts its batches


def _damaged(folder: Path, error: Exception) -> PainterError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return PainterError(f"the painter in {folder} is damaged or incomplete ({reason}); copy or train it again")


def find_painter(wanted: str | Path | None) -> Found:
    """Return where a painter is.

    `wanted` is a run folder, a checkpoint folder, the name of a run in `runs/` or of a painter that ships with impasto,
    or a recipe of a painter that does not learn. None: the newest finished run in `runs/`, else the default painter.
    """
    if wanted is None:
        newest = newest_finished_run(RUNS)
        return Found(*_in_run(newest)) if newest else find_painter(DEFAULT_PAINTER)
    if trained := _find_trained(wanted):
        return Found(*trained)
    shipped = shipped_painters()
    if str(wanted) in shipped:
        return Found(str(wanted), shipped[str(wanted)])
    if _is_untrained(str(wanted)):
        return Found(Path(wanted).stem, None, str(wanted))
    known = [*shipped, *untrained_painters(), *(run.path.name for run in runs(RUNS))]
    raise PainterError(f"there is no painter {wanted}{did_you_mean(str(wanted), known)} (or name a run's folder)")


def untrained_painters() -> list[str]:
    """Return the shipped recipes of painters that do not learn, by name."""
    return [name for name in shipped_recipes() if _is_untrained(name)]


def _is_untrained(source: str) -> bool:
    """Whether this is a recipe of a painter that does not learn, by the method it names."""
    if source in shipped_recipes():
        text = read_shipped(source)
    elif source.endswith((".yaml", ".yml")) and Path(source).is_file():
        text = Path(source).read_text(encoding="utf-8", errors="replace")
    else:
        return False
    try:
        name = yaml.safe_load(text)["method"]["name"]
    except (yaml.YAMLError, TypeError, KeyError):
        return False
    method = METHODS.get(str(name))
    return method is not None and issubclass(method, Painter) and not issubclass(method, Learner)


def _find_trained(wanted: str | Path) -> tuple[str, Path] | None:
    """Return the name and checkpoint of a run folder, a checkpoint folder or the name of a run in `runs/`, if any."""
    for path in (Path(wanted), RUNS / wanted):
        if (path / WEIGHTS).is_file():
            run = path.absolute().parent.parent  # runs/NAME/checkpoints/000000480
            return (run.name if path.absolute().parent.name == "checkpoints" else path.name), path
        if RunFolder(path).exists():
            return _in_run(RunFolder(path))
    return None


def shipped_painters() -> dict[str, Path]:
    """Return the painters that come with impasto, by name."""
    folder = Path(str(importlib.resources.files("impasto") / "painters"))
    return {path.parent.name: path.parent for path in sorted(folder.glob(f"*/{WEIGHTS}"))}


def runs(folder: Path) -> Iterator[RunFolder]:
    """Yield the runs in a folder, those that were active last first."""
    if folder.is_dir():
        found = [RunFolder(path) for path in folder.iterdir() if RunFolder(path).exists()]
        yield from sorted(
            found, key=lambda run: run.journal_file.stat().st_mtime if run.journal_file.exists() else 0.0
        )[::-1]


def newest_finished_run(folder: Path) -> RunFolder | None:
    """Return the run of a painter in a folder that finished last."""
    return next((run for run in runs_of_painters(folder) if run.finished()), None)


def runs_of_painters(folder: Path) -> Iterator[RunFolder]:
    """Yield the runs in a folder that learn to paint, those that were active last first."""
    for run in runs(folder):
        try:
            paints = issubclass(METHODS[run.recipe().method.name], Painter)
        except ImpastoError:
            continue  # a run of another version says nothing about the others
        if paints:
            yield run


def fingerprint(weights: Path) -> str:
    """Return the first 16 hexadecimal digits of a file's SHA-256."""
    with weights.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _in_run(run: RunFolder) -> tuple[str, Path]:
    best = run.best()
    if best is None:
        raise RunError(f"{run.path} has no checkpoint yet; train longer before painting with it")
    return run.path.absolute().name, best
