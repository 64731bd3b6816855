"""Which painter a name, a run, a checkpoint or nothing at all stands for."""

import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from impasto.data.batches import Images, Labels
from impasto.engine.train import train
from impasto.errors import PainterError, RunError
from impasto.method import LatentPainter
from impasto.painting.paint_picture import PhotoOptions, paint_picture
from impasto.painting.painters import (
    DEFAULT_PAINTER,
    find_painter,
    load_classifier,
    load_painter,
    shipped_painters,
)
from impasto.recipe import load_recipe
from impasto.run_folder import RunFolder
from tests.conformance.test_methods import stopping_at, tiny


def trained(tiny_recipe: Path, name: str, *overrides: str) -> Path:
    return train(load_recipe(tiny_recipe, overrides), Path("runs") / name)


def test_a_run_its_checkpoint_and_its_name_are_the_same_painter(tiny_recipe: Path) -> None:
    checkpoint = trained(tiny_recipe, "monet")
    for wanted in ("monet", "runs/monet", Path("runs/monet").absolute(), checkpoint):
        assert find_painter(wanted)[0] == "monet"
        assert find_painter(wanted)[1].resolve() == checkpoint.resolve()
    loaded = load_painter("monet")
    assert loaded.images_seen == 8
    assert len(loaded.fingerprint) == 16
    assert not any(p.requires_grad for n in loaded.painter.networks().values() for p in n.parameters())


def test_the_newest_finished_run_is_taken_unasked(tiny_recipe: Path) -> None:
    assert find_painter(None)[0] == DEFAULT_PAINTER
    trained(tiny_recipe, "first")
    trained(tiny_recipe, "second", "training.seed=1")
    stopping_at(load_recipe(tiny_recipe, ["training.seed=2"]), Path("runs/unfinished"), 4)
    for name, age in [("first", 200), ("second", 100)]:
        journal = Path("runs") / name / "journal.jsonl"
        stamp = journal.stat().st_mtime - age
        os.utime(journal, (stamp, stamp))
    assert find_painter(None)[0] == "second"
    assert find_painter("unfinished")[0] == "unfinished"


def test_the_best_checkpoint_paints(tiny_recipe: Path) -> None:
    last = trained(tiny_recipe, "run", "training.best=generator/cycle")
    best = last.with_name("000000004")
    shutil.copytree(last, best, dirs_exist_ok=True)
    (last.parent / "best.json").write_text('{"checkpoint": "000000004", "scalar": "generator/cycle", "value": 0.1}')
    assert find_painter("run")[1].name == "000000004"


def test_unknown_painters_are_suggested(tiny_recipe: Path) -> None:
    trained(tiny_recipe, "monet")
    with pytest.raises(PainterError, match=r"there is no painter monnet; did you mean monet\?"):
        load_painter("monnet")
    Path("runs/begun").mkdir()
    shutil.copy("runs/monet/recipe.yaml", "runs/begun/recipe.yaml")
    with pytest.raises(RunError, match="begun has no checkpoint yet"):
        load_painter("begun")


def test_a_foreign_run_does_not_stand_in_the_way(tiny_recipe: Path) -> None:
    trained(tiny_recipe, "mine")
    shutil.copytree("runs/mine", "runs/foreign")
    Path("runs/foreign/recipe.yaml").write_text("method: {name: of-the-future}")
    assert find_painter(None)[0] == "mine"


@pytest.mark.parametrize("harm", ["cut weights", "no recipe", "other networks", "no metadata"])
def test_a_damaged_painter_is_told_in_a_sentence(harm: str, tiny_recipe: Path) -> None:
    from safetensors.torch import load_file, save_file

    checkpoint = trained(tiny_recipe, "monet")
    weights, recipe = checkpoint / "weights.safetensors", checkpoint / "recipe.yaml"
    changes: dict[str, Callable[[], object]] = {
        "cut weights": lambda: weights.write_bytes(weights.read_bytes()[:1000]),
        "no recipe": recipe.unlink,
        "other networks": lambda: recipe.write_text(recipe.read_text().replace("blocks: 1", "blocks: 2")),
        "no metadata": lambda: save_file(load_file(weights), weights),
    }
    changes[harm]()
    with pytest.raises(
        PainterError, match=r"the painter in .* is damaged or incomplete \(.+\); copy or train it again"
    ):
        load_painter(checkpoint)


@pytest.mark.parametrize("name", shipped_painters())
def test_shipped_painters_paint(name: str) -> None:
    painter = load_painter(name).painter
    with torch.inference_mode():
        if isinstance(painter, LatentPainter):
            painted = painter.paint(Labels(torch.eye(len(painter.spec.classes))[:2]), torch.Generator().manual_seed(0))
            assert painted.shape == (2, 3, painter.spec.size, painter.spec.size)
        else:
            painted = painter.paint(Images(torch.rand(2, 3, 32, 40) * 2 - 1), torch.Generator())
            assert painted.shape == (2, 3, 32, 40)
    assert painted.abs().max() <= 1
    assert (painted[0] - painted[1]).abs().mean() > 0.05, "each prompt a painting of its own"


@pytest.mark.parametrize("name", shipped_painters())
def test_shipped_painters_are_small_and_have_cards(name: str) -> None:
    folder = shipped_painters()[name]
    assert sum(file.stat().st_size for file in folder.iterdir()) < 12_000_000
    card = (folder / "README.md").read_text(encoding="utf-8")
    for what in ("Method", "Learned from", "Trained with", "Weights", "Limits"):
        assert f"- **{what}**:" in card


def test_the_default_painter_ships() -> None:
    assert DEFAULT_PAINTER in shipped_painters()


def test_a_classifier_does_not_paint_and_a_painter_tells_no_classes(tiny_recipe: Path) -> None:
    train(tiny("inception-classifier"), Path("runs/judge"))
    with pytest.raises(PainterError, match=r"holds what inception-classifier learned, which does not paint; name"):
        load_painter("judge")
    assert find_painter(None)[0] == DEFAULT_PAINTER, "the newest finished run that paints"
    trained(tiny_recipe, "monet")
    with pytest.raises(PainterError, match=r"holds what cyclegan learned, which tells no classes; name a run of inc"):
        load_classifier("monet")
    with pytest.raises(PainterError, match=r"there is no classifier juge; did you mean judge\?"):
        load_classifier("juge")
    for wanted in ("judge", Path("runs/judge"), RunFolder(Path("runs/judge")).best()):
        loaded = load_classifier(wanted)  # type: ignore[arg-type]
        assert (loaded.name, loaded.size, len(loaded.classes), len(loaded.fingerprint)) == ("judge", 76, 5, 16)
    assert not any(part.training for network in loaded.classifier.networks().values() for part in network.modules())


def test_the_painter_in_the_box_does_not_weave() -> None:
    """In an even sky, what comes back every fourth pixel is hardly stronger than what lies beside it in the spectrum."""
    sky = Image.new("RGB", (192, 192), (30, 60, 20))
    sky.paste((120, 160, 210), (0, 0, 192, 160))
    painting = paint_picture(sky, load_painter("impressionist"), PhotoOptions()).convert("L")
    even = torch.from_numpy(np.array(painting)[16:144, 32:160]).double()
    assert even.std() > 4, "strokes"
    window = torch.hann_window(128, dtype=torch.double)
    power = torch.fft.fft2((even - even.mean()) * window * window[:, None]).abs().square()
    beside = [(row, column) for row in range(-8, 9) for column in range(-8, 9) if max(abs(row), abs(column)) > 3]
    for row, column in list(itertools.product(range(0, 128, 32), repeat=2))[1:]:
        around = torch.stack([power[(row + down) % 128, (column + right) % 128] for down, right in beside])
        assert power[row, column] < 40 * around.median()
