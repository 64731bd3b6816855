"""`impasto demo`: a small model learns to paint while one watches; then a page of what it learned."""

from __future__ import annotations

import importlib.resources
import time
from pathlib import Path

import typer

from impasto.cli.bars import counting_bar, duration
from impasto.cli.console import console
from impasto.cli.progress import TrainingProgress
from impasto.data.atelier_pictures import atelier_folder
from impasto.data.pictures import list_pictures
from impasto.engine.interrupts import InterruptedTraining
from impasto.engine.train import train
from impasto.gallery.report import Comparison, write_report
from impasto.painting.paint_files import paint_files
from impasto.painting.paint_picture import PaintSettings
from impasto.painting.painters import load_painter
from impasto.recipe import load_recipe
from impasto.run_folder import RunFolder

RECIPE = "cyclegan-atelier"


def demo_command(output: Path, style: str) -> None:
    """Render the collection, train, paint, and write report.html; its path is the last line."""
    begun = time.monotonic()
    photos = list_pictures(_atelier() / "photos")
    large = Path(str(importlib.resources.files("sklearn.datasets") / "images" / "china.jpg"))
    output = output / style
    run = output / "run"
    console.print(f"[bold]1/3[/] Learning the style [bold]{style}[/] from scratch")
    trained = _train(run, style)
    console.print("[bold]2/3[/] Painting")
    painter = load_painter(run)
    paint_begun = time.monotonic()
    with counting_bar(console) as bar:
        task = bar.add_task("painted", total=None)
        settings = PaintSettings(kind="PNG", overwrite=True)
        painted = paint_files([large], painter, output / "paintings" / "large", settings).painted
        painted += paint_files(
            photos, painter, output / "paintings", settings, lambda done, of: bar.update(task, completed=done, total=of)
        ).painted
    paint_seconds = time.monotonic() - paint_begun
    console.print("[bold]3/3[/] Writing the page")
    start = next(entry for entry in RunFolder(run).journal() if entry["kind"] == "start")
    report = write_report(
        run,
        [Comparison(photo.stem, photo, painting) for photo, painting in zip([large, *photos], painted, strict=True)],
        output / "report.html",
        title=f"Learning to paint: {style}",
        facts={
            "trained": duration(trained),
            "painted": f"{len(painted)} pictures in {duration(paint_seconds)}",
            "in all": duration(time.monotonic() - begun),
            "machine": f"{start['device']}, {start['precision']}",
        },
    )
    console.print(str(report.resolve()), markup=False)


def _atelier() -> Path:
    with counting_bar(console) as bar:
        task = bar.add_task("rendering the collection", total=None)
        return atelier_folder(progress=lambda done, total: bar.update(task, completed=done, total=total))


def _train(run: Path, style: str) -> float:
    """Train, or go on with an earlier demo; return the training's seconds."""
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
