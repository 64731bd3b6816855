"""`impasto demo`: a shipped painter paints, a small model learns, and a page shows both."""

from __future__ import annotations

import importlib.resources
import time
from collections.abc import Sequence
from pathlib import Path

import typer

from impasto.cli.bars import counting_bar
from impasto.cli.console import console, escape
from impasto.cli.progress import TrainingProgress
from impasto.data.atelier_pictures import atelier_folder
from impasto.data.pictures import list_pictures
from impasto.durations import in_words
from impasto.engine.interrupts import InterruptedTraining
from impasto.engine.train import train
from impasto.gallery.report_page import Comparison, write_report
from impasto.painting.paint_files import paint_files
from impasto.painting.paint_picture import PhotoOptions
from impasto.painting.painters import DEFAULT_PAINTER, LoadedPainter, load_painter, shipped_painters
from impasto.recipe import load_recipe
from impasto.run_folder import RunFolder

RECIPE = "cyclegan-atelier"


def demo_command(output: Path, style: str) -> None:
    """Paint, render the collection, train, paint, and write report.html. Its path is the last line printed."""
    begun = time.monotonic()
    large = Path(str(importlib.resources.files("sklearn.datasets") / "images" / "china.jpg"))
    photos = [large, *list_pictures(_atelier() / "photos")]
    output = output / style
    run = output / "run"
    shipped = load_painter(shipped_painters()[DEFAULT_PAINTER])  # not by name: a run may have the same
    console.print(f"[bold]1/4[/] Painting {len(photos)} photos with [bold]{shipped.name}[/], which comes with impasto")
    at_once, seconds_at_once = _painted(photos, shipped, output / shipped.name)
    console.print(f"  in {in_words(seconds_at_once)}: {escape(str(output / shipped.name))}")
    console.print(f"[bold]2/4[/] Learning the style [bold]{style}[/] from scratch")
    trained = _train(run, style)
    console.print("[bold]3/4[/] Painting with what was learned")
    learned, seconds = _painted(photos, load_painter(run), output / "paintings")
    console.print("[bold]4/4[/] Writing the page")
    start = next(entry for entry in RunFolder(run).journal() if entry["kind"] == "start")
    report = write_report(
        run,
        learned,
        output / "report.html",
        title=f"Learning to paint: {style}",
        facts={
            "trained": in_words(trained),
            "painted": f"{len(learned)} pictures in {in_words(seconds)}",
            "in all": in_words(time.monotonic() - begun),
            "machine": f"{start['device']}, {start['precision']}",
        },
        by_others={f"By {shipped.name}, which comes with impasto": at_once},
    )
    console.print(str(report.resolve()), markup=False)


def _painted(photos: Sequence[Path], painter: LoadedPainter, output: Path) -> tuple[list[Comparison], float]:
    """Paint photos; return them beside their paintings, and the seconds it took."""
    begun = time.monotonic()
    with counting_bar(console) as bar:
        task = bar.add_task("painted", total=None)
        settings = PhotoOptions(kind="PNG", overwrite=True)
        outcome = paint_files(
            photos, painter, output, settings, lambda done, of: bar.update(task, completed=done, total=of)
        )
    pairs = [Comparison(photo.stem, photo, mine) for photo, mine in zip(photos, outcome.painted, strict=True)]
    return pairs, time.monotonic() - begun


def _atelier() -> Path:
    with counting_bar(console) as bar:
        task = bar.add_task("rendering the collection", total=None)
        return atelier_folder(progress=lambda done, total: bar.update(task, completed=done, total=total))


def _train(run: Path, style: str) -> float:
    """Train, or go on with an earlier demo; return the seconds that training took."""
    progress = TrainingProgress(console)
    try:
        train(load_recipe(RECIPE, [f"data.style={style}"]), run, progress)
    except InterruptedTraining as stop:
        progress.stop()
        console.print(f"Stopped at {stop.images_seen:,} images; the same command goes on from there.")
        raise typer.Exit(stop.exit_code) from None
    finally:
        progress.stop()
    return max(float(entry["seconds"]) for entry in RunFolder(run).journal())
