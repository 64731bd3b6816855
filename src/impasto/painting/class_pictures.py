"""Pictures from class weights, as PIL images, with the painter that a user named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from PIL import Image

from impasto.data.prompts import ClassPrompt
from impasto.data.transforms import to_picture
from impasto.errors import PainterError
from impasto.painter import LatentPainter, ignore_progress
from impasto.painting.paint import Report, paint_classes
from impasto.painting.painters import LoadedPainter

Progress = Callable[[float, int], None]
"""Told how many of how many are done."""


def check_takes_classes(loaded: LoadedPainter) -> None:
    """Raise PainterError where the painter does not paint from classes."""
    if loaded.painter.prompt_type is not ClassPrompt:
        raise PainterError(
            f"{loaded.name} ({loaded.recipe.method.name}) does not paint from classes; name a painter that does"
        )


def latent_painter(loaded: LoadedPainter) -> LatentPainter:
    """Return the painter, which paints from classes and latents; raise PainterError where it does not."""
    check_takes_classes(loaded)
    if not isinstance(loaded.painter, LatentPainter):
        raise PainterError(
            f"{loaded.name} ({loaded.recipe.method.name}) has no latents to vary; name a painter that has, such as "
            "styles"
        )
    return loaded.painter


def class_pictures(
    loaded: LoadedPainter,
    prompt: ClassPrompt,
    *,
    seed: int = 0,
    numbers: Sequence[int] | None = None,
    report: Report = ignore_progress,
    film: bool = False,
) -> Iterator[Image.Image]:
    """Yield an RGB picture for each row of a class prompt; see `impasto.painting.paint.paint_classes`."""
    size, options = loaded.spec.size, loaded.options
    for image in paint_classes(
        loaded.painter, prompt, size, seed=seed, numbers=numbers, options=options, report=report, film=film
    ):
        yield to_picture(image)


def all_class_pictures(
    loaded: LoadedPainter, prompt: ClassPrompt, progress: Progress | None = None, *, film: bool = False
) -> list[Image.Image]:
    """Return the pictures of a prompt, or the frames of a film; `progress` is told how many are done."""

    def report(share: float) -> None:
        if progress:
            progress(share * prompt.count, prompt.count)

    return list(class_pictures(loaded, prompt, report=report, film=film))


def caption_of(loaded: LoadedPainter) -> str:
    """Return the line below a sheet: the painter, and how many images it has learned from."""
    learned = f" after {loaded.images_seen:,} images" if loaded.images_seen else ""
    return f"{loaded.name} ({loaded.recipe.method.name}){learned}"
