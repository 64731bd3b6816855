"""One command that trains both stages of a stacked GAN."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from impasto.engine.train import Session
from impasto.run_folder import RunFolder

Run = Callable[..., tuple[int, str, str]]

SMALL = ["method.width=12", "data.kind=labelled-folder", "data.path=pictures", "training.precision=fp32"]
"""What stage I is to know too; the settings after it are stage II's alone."""
OWN = [
    "method.discriminator_width=4", "method.residual_blocks=1", "training.images=4", "training.batch_size=2",
    "data.image_size=64", "data.resize=64",
]  # fmt: skip


@pytest.fixture
def _short_stage_one(monkeypatch: pytest.MonkeyPatch, make_pictures: Callable[..., Path]) -> None:
    """Put small recipes of both stages where the shipped ones are looked for."""
    make_pictures(Path("pictures/cubism"), 3, seed=0)
    make_pictures(Path("pictures/ukiyo_e"), 3, seed=50)
    one = """
method: {name: gantor-v2, discriminator_width: 4}
data: {kind: labelled-folder, path: elsewhere, image_size: 16, resize: 19}
training: {images: 8, batch_size: 2}
every: {checkpoint: 4}
"""
    two = one.replace("discriminator_width", "stage: 2, discriminator_width").replace(
        "images: 8", "start_from: one, images: 4"
    )
    recipes = {"one": one, "two": two}
    for module in ("impasto.recipe", "impasto.cli.training"):
        monkeypatch.setattr(f"{module}.shipped_recipes", lambda: sorted(recipes))
    monkeypatch.setattr("impasto.recipe.read_shipped", recipes.__getitem__)


@pytest.mark.usefixtures("_short_stage_one")
def test_one_command_trains_both_stages(impasto: Run) -> None:
    code, out, err = impasto("train", "two", *SMALL, *OWN, "--run", "mine/big")
    assert code == 0, err
    assert out.index("Stage I comes first: one, in mine/one") < out.index("Now big, starting from mine/one")
    assert "Finished: mine/big/checkpoints/000000004" in out
    assert "impasto paint --painter mine/big --class CLASS" in out
    recipe = RunFolder(Path("mine/one")).recipe()
    assert (recipe.method.width, recipe.data.image_size, recipe.data.resize) == (12, 16, 19)  # type: ignore[attr-defined]
    assert str(recipe.data.path) == "pictures"  # type: ignore[attr-defined]
    assert (recipe.training.images, recipe.training.precision) == (8, "fp32")

    code, out, _ = impasto("train", "two", *SMALL, *OWN, "--run", "mine/second")
    assert code == 0
    assert "Starting from mine/one" in out
    assert "Stage I comes first" not in out


@pytest.mark.usefixtures("_short_stage_one")
def test_the_same_command_goes_on_after_a_stop_in_stage_one(impasto: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Session._log

    def stop_once(self: Session, scalars: Any) -> None:
        log(self, scalars)
        if self.folder.path.name == "one" and self.clock.images_seen == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    command = ["train", "two", *SMALL, *OWN]
    with monkeypatch.context() as patched:
        patched.setattr(Session, "_log", stop_once)
        code, out, _ = impasto(*command)
    assert code == 143
    assert "Stopped at 2 of 8 images; everything is saved." in out
    assert "Go on with: impasto train two" in out
    assert not Path("runs/two").exists()
    code, out, _ = impasto(*command)
    assert code == 0
    assert "Stage I comes first: one, in runs/one" in out
    assert "going on at 2" in out
    assert Path("runs/two/checkpoints/000000004").is_dir()


@pytest.mark.usefixtures("_short_stage_one")
def test_mistakes_in_stage_two_are_found_before_stage_one(impasto: Run) -> None:
    for wrong, expected in [
        ("data.image_size=96", "96 is not a power of two from 64"),
        ("data.image_size=128", "stage_one of one, for images of 16 pixels, does not fit"),
        ("training.start_from=noe", "there is no run noe"),
    ]:
        code, _, err = impasto("train", "two", *SMALL, *OWN, "data.resize=128", wrong)
        assert code == 2
        assert expected in err
        assert len(err.strip().splitlines()) == 1
        assert not Path("runs/one").exists()
