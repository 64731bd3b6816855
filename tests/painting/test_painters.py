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

from impasto.chance import Draws
from impasto.data.prompts import ClassPrompt, PhotoPrompt
from impasto.engine.train import train
from impasto.errors import PainterError, RunError
from impasto.painting.paint import paint_prompt
from impasto.painting.paint_picture import PhotoOptions, paint_picture
from impasto.painting.painters import (
    DEFAULT_PAINTER,
    find_painter,
    load_classifier,
    load_painter,
    shipped_painters,
)
from impasto.run_folder import RunFolder
from tests.conformance.tiny_methods import tiny

Trained = Callable[[str], Path]


@pytest.fixture
def trained(trained_once: Path) -> Trained:
    """Return a function that puts a trained run into `runs/` under a name and returns its checkpoint."""

    def copied(name: str) -> Path:
        shutil.copytree(trained_once, Path("runs") / name)
        return Path("runs") / name / "checkpoints" / "000000008"

    return copied


def test_a_run_its_checkpoint_and_its_name_are_the_same_painter(trained: Trained) -> None:
    checkpoint = trained("monet")
    for wanted in ("monet", "runs/monet", Path("runs/monet").absolute(), checkpoint):
        assert find_painter(wanted).name == "monet"
        folder = find_painter(wanted).folder
        assert folder is not None
        assert folder.resolve() == checkpoint.resolve()
    loaded = load_painter("monet")
    assert loaded.images_seen == 8
    assert len(loaded.fingerprint) == 16
    assert not any(p.requires_grad for n in loaded.painter.networks().values() for p in n.parameters())


def test_the_newest_finished_run_is_the_default(trained: Trained) -> None:
    assert find_painter(None).name == DEFAULT_PAINTER
    trained("first")
    trained("second")
    unfinished = trained("unfinished")
    unfinished.rename(unfinished.with_name("000000004"))
    for name, age in [("first", 200), ("second", 100), ("unfinished", 0)]:
        journal = Path("runs") / name / "journal.jsonl"
        stamp = journal.stat().st_mtime - age
        os.utime(journal, (stamp, stamp))
    assert find_painter(None).name == "second"
    assert find_painter("unfinished").name == "unfinished"


def test_the_best_checkpoint_paints(trained: Trained) -> None:
    last = trained("run")
    best = last.with_name("000000004")
    shutil.copytree(last, best, dirs_exist_ok=True)
    (last.parent / "best.json").write_text('{"checkpoint": "000000004", "scalar": "generator/cycle", "value": 0.1}')
    assert find_painter("run").folder == best


def test_unknown_painters_are_suggested(trained: Trained) -> None:
    trained("monet")
    with pytest.raises(PainterError, match=r"there is no painter monnet; did you mean monet\?"):
        load_painter("monnet")
    Path("runs/begun").mkdir()
    shutil.copy("runs/monet/recipe.yaml", "runs/begun/recipe.yaml")
    with pytest.raises(RunError, match="begun has no checkpoint yet"):
        load_painter("begun")


def test_a_run_of_an_unknown_method_is_passed_over(trained: Trained) -> None:
    trained("mine")
    shutil.copytree("runs/mine", "runs/foreign")
    Path("runs/foreign/recipe.yaml").write_text("method: {name: of-the-future}")
    assert find_painter(None).name == "mine"


@pytest.mark.parametrize("harm", ["cut weights", "no recipe", "other networks", "no metadata"])
def test_a_damaged_painter_gets_one_sentence(harm: str, trained: Trained) -> None:
    from safetensors.torch import load_file, save_file

    checkpoint = trained("monet")
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
    loaded = load_painter(name)
    if loaded.painter.prompt_type is ClassPrompt:
        prompt, draws = ClassPrompt(torch.eye(len(loaded.spec.classes))[:2]), Draws.numbered(0, range(2))
        height, width = loaded.spec.size, loaded.spec.size
    else:
        prompt, draws = PhotoPrompt(torch.rand(2, 3, 32, 40) * 2 - 1), Draws.for_photos(0, 2)
        height, width = 32, 40
    painted = paint_prompt(loaded.painter, prompt, draws, loaded.options)
    assert painted.shape == (2, 3, height, width)
    assert painted.dtype == torch.float32
    assert painted.abs().max() <= 1
    assert (painted[0] - painted[1]).abs().mean() > 0.05, "each part of the prompt gives its own painting"


@pytest.mark.parametrize("name", shipped_painters())
def test_shipped_painters_are_small_and_have_cards(name: str) -> None:
    folder = shipped_painters()[name]
    assert sum(file.stat().st_size for file in folder.iterdir()) < 12_000_000
    card = (folder / "README.md").read_text(encoding="utf-8")
    for what in ("Method", "Learned from", "Trained with", "Weights", "Limits"):
        assert f"- **{what}**:" in card


def test_the_default_painter_ships() -> None:
    assert DEFAULT_PAINTER in shipped_painters()


def test_a_classifier_does_not_paint_and_a_painter_does_not_classify(trained: Trained) -> None:
    train(tiny("inception-classifier"), Path("runs/classes"))
    with pytest.raises(PainterError, match=r"holds what inception-classifier learned, which does not paint; use"):
        load_painter("classes")
    assert find_painter(None).name == DEFAULT_PAINTER, "the newest finished run that paints"
    trained("monet")
    with pytest.raises(PainterError, match=r"holds what cyclegan learned, which does not classify; use a run of inc"):
        load_classifier("monet")
    with pytest.raises(PainterError, match=r"there is no classifier clases; did you mean classes\?"):
        load_classifier("clases")
    for wanted in ("classes", Path("runs/classes"), RunFolder(Path("runs/classes")).best()):
        loaded = load_classifier(wanted)  # type: ignore[arg-type]
        assert (loaded.name, loaded.size, len(loaded.classes), len(loaded.fingerprint)) == ("classes", 76, 5, 16)
    assert not any(part.training for network in loaded.classifier.networks().values() for part in network.modules())


def test_the_default_painter_leaves_no_grid_in_even_areas() -> None:
    """In an even sky, frequencies of four pixels are hardly stronger than their neighbours in the spectrum."""
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
