"""`impasto figure walk`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from impasto.cli.bars import counted
from impasto.cli.console import console, escape
from impasto.cli.figure import NOTHING_KEPT, THEN, FigureOptions, load, noise_of, one_request
from impasto.cli.outputs import check_new
from impasto.errors import PainterError
from impasto.painting.figures import Noise
from impasto.painting.films import FRAMES_PER_SECOND, check_film, write_film
from impasto.painting.painters import LoadedPainter
from impasto.painting.signature import made_by
from impasto.painting.walk import Idea, walk_frames


def walk_command(
    options: FigureOptions, to_seed: int | None, classes: Sequence[str], to_classes: Sequence[str], frames: int
) -> None:
    """Write the film of a walk between two latents, two classes, or both."""
    check_film(options.output)
    check_new(options.output, overwrite=options.overwrite)
    loaded = load(options)
    noise = noise_of(loaded, options)
    start, end = _ends(loaded, noise, to_seed, classes, to_classes)
    if not classes:
        console.print(f"  [yellow]note:[/] without --class, the walk begins at {escape(start.request.name)}")
    with counted("painted", NOTHING_KEPT, THEN) as progress:
        pictures = walk_frames(loaded, start, end, frames, progress)
        write_film(pictures, options.output, {**made_by(loaded), **_signature(start, end, noise.truncation)})
    seconds = frames / FRAMES_PER_SECOND
    console.print(
        f"From {escape(start.request.name)}, seed {start.seed}, to {escape(end.request.name)}, seed {end.seed} and "
        f"back: {frames} frames, {seconds:g} s, {escape(str(options.output))}"
    )


def _ends(
    loaded: LoadedPainter, noise: Noise, to_seed: int | None, classes: Sequence[str], to_classes: Sequence[str]
) -> tuple[Idea, Idea]:
    """Return where a walk begins and where it turns; raise PainterError if these are the same."""
    start = one_request(loaded.spec, "--class", classes)
    end = one_request(loaded.spec, "--to-class", to_classes) if to_classes else start
    seeds = noise.seed, noise.seed if to_seed is None else to_seed
    if seeds[0] == seeds[1] and start.name == end.name:
        raise PainterError("all frames would be the same; pass another --to-seed or --to-class")
    first, last = (
        Idea(request, seed, noise._replace(seed=seed)(range(1))[0])
        for request, seed in zip((start, end), seeds, strict=True)
    )
    return first, last


def _signature(start: Idea, end: Idea, truncation: float | None) -> Mapping[str, Any]:
    return {
        "figure": "walk",
        "labels": [start.request.name, end.request.name],
        "seeds": [start.seed, end.seed],
        "truncation": truncation,
    }
