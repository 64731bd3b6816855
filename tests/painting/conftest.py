"""A small CycleGAN, trained once for all tests of this folder."""

import shutil
from pathlib import Path

import pytest

from impasto.engine.train import train
from impasto.painting.painters import LoadedPainter, load_painter
from impasto.recipe import load_recipe
from tests.conftest import TINY_CYCLEGAN, picture


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder `tiny`; do not change it."""
    folder = tmp_path_factory.mktemp("trained")
    for domain, count, seed in (("photos", 5, 0), ("paintings", 3, 100)):
        (folder / domain).mkdir()
        for number in range(count):
            picture(seed + number, 34 + 3 * number, 30 + number).save(folder / domain / f"{number:02d}.png")
    recipe = folder / "tiny.yaml"
    recipe.write_text(TINY_CYCLEGAN)
    train(
        load_recipe(recipe, [f"data.{domain}={folder / domain}" for domain in ("photos", "paintings")]), folder / "tiny"
    )
    return folder / "tiny"


@pytest.fixture
def tiny_run(trained_once: Path, tmp_path: Path) -> Path:
    """A copy of the trained run, `runs/tiny` in the test's own folder."""
    return Path(shutil.copytree(trained_once, tmp_path / "runs" / "tiny"))


@pytest.fixture
def painter(trained_once: Path) -> LoadedPainter:
    """The trained painter."""
    return load_painter(trained_once)
