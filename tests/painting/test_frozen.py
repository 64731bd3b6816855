"""A network that is stored elsewhere is neither averaged nor saved, and its hash is checked when a painter is loaded."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file
from torch import Tensor, nn

from impasto.clock import Clock
from impasto.data.batches import ImageSpec, UnpairedImages
from impasto.data.prompts import PhotoPrompt
from impasto.engine.train import train
from impasto.errors import CheckpointError, PainterError
from impasto.method import Method, TrainingState
from impasto.methods import METHODS
from impasto.painter import Frozen, PaintContext, PaintOptions
from impasto.painting.paint_picture import PhotoOptions, paint_picture
from impasto.painting.painters import load_painter
from impasto.recipe import load_recipe
from tests.conftest import TINY_CYCLEGAN, picture
from tests.painting.toy_painters import ToyOptions


class OnABase(Method[UnpairedImages, PhotoPrompt]):
    """Learns a layer after a fixed one, whose weights a file elsewhere is supposed to hold."""

    Options = ToyOptions
    prompt_type = PhotoPrompt
    batch_type = UnpairedImages
    sha256 = "a" * 64

    def __init__(self, options: ToyOptions, spec: ImageSpec) -> None:
        self.base, self.layer = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 3, 1)
        with torch.no_grad():
            for number, weight in enumerate(self.base.parameters()):
                weight.copy_(torch.linspace(-1, 1, weight.numel()).view_as(weight) * (number + 1))

    def networks(self) -> Mapping[str, nn.Module]:
        return {"layer": self.layer}

    def frozen(self) -> Mapping[str, Frozen]:
        return {"base": Frozen(self.base, self.sha256)}

    def training_state(self) -> TrainingState:
        self.optimizer = self.adopted(torch.optim.SGD(self.layer.parameters(), 0.05))
        return TrainingState({"layer": self.optimizer})

    def training_step(self, batch: UnpairedImages, clock: Clock) -> Mapping[str, Tensor]:
        loss = (self.layer(self.base(batch.photos)) - batch.photos).square().mean()
        self.descend(loss, self.optimizer)
        return {"layer/loss": loss.detach()}

    def paint(self, prompt: PhotoPrompt, options: PaintOptions, context: PaintContext) -> Tensor:
        return torch.tanh(self.layer(self.base(prompt.photos)))


@pytest.fixture
def checkpoint(monkeypatch: pytest.MonkeyPatch, tiny_recipe: Path) -> Path:
    monkeypatch.setitem(METHODS._found, "toy", OnABase)
    first, *_ = TINY_CYCLEGAN.strip().splitlines()
    tiny_recipe.write_text(tiny_recipe.read_text().replace(first, "method: {name: toy}"))
    return train(load_recipe(tiny_recipe, ["training.ema_halflife_images=2"]), Path("runs/toy"))


def test_a_frozen_network_is_not_saved_averaged_or_trained(checkpoint: Path) -> None:
    assert load_file(checkpoint / "weights.safetensors").keys() == {"layer.weight", "layer.bias"}
    training = torch.load(checkpoint / "training.pt", weights_only=True)
    assert training["networks"].keys() == {"layer"}
    loaded = load_painter("toy")
    assert isinstance(loaded.painter, OnABase)
    assert torch.equal(loaded.painter.base.bias, torch.linspace(-2, 2, 4)), "as its own file has it"
    assert not any(weight.requires_grad for weight in loaded.painter.base.parameters())
    assert not loaded.painter.base.training
    live = training["networks"]["layer"]["weight"]
    assert not torch.equal(loaded.painter.layer.weight, live), "averaged"
    assert paint_picture(picture(1), loaded, PhotoOptions()).size == picture(1).size


def test_other_weights_of_a_frozen_network_are_refused(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OnABase, "sha256", "b" * 64)
    with pytest.raises(PainterError) as told:
        load_painter("toy")
    assert str(told.value) == (
        f"{Path('runs/toy/checkpoints/000000008')} was trained with other weights of base "
        f"(SHA-256 {'a' * 16}, here {'b' * 16}); provide those"
    )


def test_weights_that_were_trained_without_the_frozen_network_are_refused(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Frozen(nn.Linear(2, 2), "c" * 64)
    monkeypatch.setattr(OnABase, "frozen", lambda self: {"base": Frozen(self.base, self.sha256), "critic": other})
    with pytest.raises(PainterError, match=r"other weights of critic \(SHA-256 not recorded, here c{16}\)"):
        load_painter("toy")


def test_a_run_goes_on_with_the_same_frozen_network_only(monkeypatch: pytest.MonkeyPatch, tiny_recipe: Path) -> None:
    monkeypatch.setitem(METHODS._found, "toy", OnABase)
    first, *_ = TINY_CYCLEGAN.strip().splitlines()
    tiny_recipe.write_text(tiny_recipe.read_text().replace(first, "method: {name: toy}"))
    recipe = load_recipe(tiny_recipe)
    train(recipe, Path("runs/toy"))
    journal = Path("runs/toy/journal.jsonl")
    journal.write_text(
        "".join(line for line in journal.read_text().splitlines(keepends=True) if '"finish"' not in line)
    )
    monkeypatch.setattr(OnABase, "sha256", "b" * 64)
    with pytest.raises(CheckpointError, match=r"other weights of base \(SHA-256 a{16}, here b{16}\); provide those"):
        train(recipe, Path("runs/toy"))


def test_a_frozen_network_gets_no_gradients_while_training(checkpoint: Path) -> None:
    method = OnABase(ToyOptions(), ImageSpec(3, 24))
    method.prepare(Fabric(accelerator="cpu", devices=1))
    method.training_step(UnpairedImages(torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8)), Clock(4))
    assert all(weight.grad is None for weight in method.base.parameters())
    assert not method.base.training
