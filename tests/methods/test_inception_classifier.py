"""What only the classifier promises: its loss, its weights, its preprocessing, and that it learns classes."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import save_file
from torch.nn import functional

from impasto.clock import Clock
from impasto.data.batches import ImageSpec, LabelledImages
from impasto.data.transforms import centre_crop, resized, to_pixels, to_range
from impasto.engine.measurement import in_eval_mode
from impasto.errors import DataError, RecipeError
from impasto.methods import inception_classifier
from impasto.methods.inception_classifier import InceptionClassifier, InceptionClassifierOptions, fitted
from impasto.weights import INCEPTION_IMAGENET, find_weights, read_weights
from tests.conftest import picture

TINY = [
    "method.width=2",
    "data.image_size=76",
    "data.resize=80",
    "training.images=16",
    "training.batch_size=2",
    "training.best=validation/accuracy",
]
CLASSES = ("red", "green", "stripes")


def classifier(size: int = 76, **options: Any) -> InceptionClassifier:
    torch.manual_seed(0)
    scratch = {"weights": "none", "train": "all", "width": 2}
    return InceptionClassifier(InceptionClassifierOptions(**{**scratch, **options}), ImageSpec(3, size, CLASSES))


def prepared(size: int = 76, **options: Any) -> InceptionClassifier:
    method = classifier(size, **options)
    method.prepare(Fabric(accelerator="cpu", devices=1))
    return method


def batch(count: int, size: int, seed: int) -> LabelledImages:
    """Red, green, or black and white stripes, with random brightness and noise."""
    chance = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 3, (count,), generator=chance)
    images = 0.3 * torch.randn(count, 3, size, size, generator=chance) - torch.rand(count, 1, 1, 1, generator=chance)
    stripes = torch.where(torch.arange(size) // 8 % 2 == 0, 1.0, -1.0)[:, None].expand(3, size, size)
    for image, label in zip(images, labels.tolist(), strict=True):
        if label == 2:
            image += stripes
        else:
            image[label] += 1.0
    return LabelledImages(images.clamp(-1, 1), labels[:, None])


def test_the_loss_is_the_papers() -> None:
    method = prepared(299)
    method.inception.dropout.p = 0.0
    data = batch(2, 299, seed=1)
    _, logits, auxiliary = method.inception(data.images)
    assert auxiliary is not None
    labels = data.labels[:, 0]
    expected = functional.cross_entropy(logits, labels) + 0.4 * functional.cross_entropy(auxiliary, labels)
    losses = method.training_step(data, Clock(10))
    assert losses["loss"].item() == pytest.approx(expected.item(), rel=1e-4)
    assert losses["accuracy"].item() in (0.0, 0.5, 1.0)


def test_it_learns_three_classes() -> None:
    method = prepared(learning_rate=3e-3)
    clock = Clock(1000)
    for step in range(60):
        method.training_step(batch(12, 76, seed=step), clock)
    with torch.no_grad(), in_eval_mode(method.networks()):
        held_out = [batch(30, 76, seed=1000), batch(7, 76, seed=1001)]
        metrics = method.validate(held_out)
        found = torch.cat([method.classify(images).argmax(1) for images, _ in held_out])
    labels = torch.cat([labels[:, 0] for _, labels in held_out])
    assert metrics["accuracy"] == pytest.approx(float((found == labels).float().mean()))
    assert metrics["accuracy"] > 0.8, "chance is a third"


def test_small_images_have_no_auxiliary_layers_and_a_note_says_so() -> None:
    assert classifier(299).notes == ()
    assert classifier(76).inception.auxiliary is None
    (note,) = classifier(76).notes
    assert note == "Inception-v3's auxiliary layers need 299 pixels, not 76; it learns without them"
    with pytest.raises(RecipeError, match=r"data.image_size: inception-classifier needs 75 pixels, not 64"):
        classifier(64)


def test_a_batch_of_one_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"training.batch_size: batch norm needs at least 2 images"):
        prepared().training_step(batch(1, 76, seed=0), Clock(10))


def test_scoring_prepares_pictures_as_validation_does() -> None:
    pixels = to_pixels(picture(1, 140, 90))
    held_out = to_range(centre_crop(resized(pixels, 76, round(140 * 76 / 90)), 76))
    assert torch.allclose(fitted(to_range(pixels)[None], 76)[0], held_out, atol=2.1 / 127.5), "rounding apart"
    assert torch.equal(fitted(held_out[None], 76)[0], held_out)
    assert fitted(torch.zeros(2, 3, 30, 31), 76).shape == (2, 3, 76, 76)


def weights_file(path: Path) -> Path:
    """Write a file like torchvision's with random weights."""
    from torchvision.models.inception import Inception3

    torch.manual_seed(1)
    weights = Inception3(init_weights=False).state_dict()
    if path.suffix == ".safetensors":
        save_file(weights, path)
    else:
        torch.save(weights, path)
    return path


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_weights_are_loaded_except_those_of_the_last_layers(suffix: str, tmp_path: Path) -> None:
    path = weights_file(tmp_path / f"mine{suffix}")
    method = prepared(width=32, train="head", weights=path)
    weights, own = read_weights(path), method.inception.state_dict()
    assert torch.equal(own["body.Mixed_5b.branch1x1.conv.weight"], weights["Mixed_5b.branch1x1.conv.weight"])
    assert torch.equal(own["top.Mixed_7c.branch_pool.bn.running_var"], weights["Mixed_7c.branch_pool.bn.running_var"])
    assert own["fc.weight"].shape == (3, 2048)
    learning = [name for name, weight in method.inception.named_parameters() if weight.requires_grad]
    assert learning == ["fc.weight", "fc.bias"]


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save({"fc.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(DataError, match=r"other.pth does not hold the weights of torchvision's Inception-v3"):
        prepared(width=32, weights=tmp_path / "other.pth")


def test_without_internet_the_message_names_the_file_its_source_and_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    nowhere = INCEPTION_IMAGENET._replace(urls=("https://nowhere.invalid/inception_v3_google-0cc3c7bd.pth",))
    monkeypatch.setattr(inception_classifier, "find_weights", lambda _: find_weights(nowhere))
    with pytest.raises(DataError) as error:
        prepared(width=32, train="head", weights="imagenet")
    message = str(error.value)
    place = tmp_path / "cache" / "weights" / "inception_v3_google-0cc3c7bd.pth"
    for part in ("open https://nowhere.invalid/", f"save it as {place}", "method.weights=FILE", "method.weights=none"):
        assert part in message


def test_painting_does_not_load_torchvision() -> None:
    script = "import sys, impasto.painting.paint_files; assert 'torchvision' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
