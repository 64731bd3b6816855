"""Extractors by name, and the weights they need: given, kept, fetched, or told how to get."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from impasto import weights
from impasto.data.transforms import to_pixels
from impasto.download import Patience
from impasto.engine.train import train
from impasto.errors import EvaluationError
from impasto.evaluation import extractors
from impasto.evaluation.extractors import (
    OFFLINE,
    OPENERS,
    DINOv2Features,
    ExtractorOptions,
    Inception2015,
    open_extractor,
)
from impasto.evaluation.record import Features
from impasto.recipe import load_recipe
from impasto.weights import INCEPTION_2015, Published, find_weights
from tests.conftest import picture


@pytest.fixture
def image() -> Tensor:
    return to_pixels(picture(0, 60, 44))


def test_inception_2015_from_a_file(inception_weights: Mapping[str, Tensor], tmp_path: Path, image: Tensor) -> None:
    path = tmp_path / INCEPTION_2015.name
    torch.save(dict(inception_weights), path)
    extractor = open_extractor("inception-2015", ExtractorOptions(weights=path))
    features, probabilities = extractor([image, image.flip(-1), to_pixels(picture(1, 30, 90))])
    assert features.shape == (3, 2048)
    assert probabilities.shape == (3, 1008)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(3))
    assert extractor.about.comparable
    assert len(extractor.about.weights) == 16
    assert not open_extractor("inception-2015", ExtractorOptions(weights=path, precision="bf16")).about.comparable
    safe = tmp_path / "inception.safetensors"
    save_file({name: values.contiguous() for name, values in inception_weights.items()}, safe)
    torch.testing.assert_close(
        open_extractor("inception-2015", ExtractorOptions(weights=safe))([image])[0], features[:1]
    )
    assert torch.backends.cudnn.allow_tf32, "what exactness needs is put back"


def test_the_fallbacks_need_nothing_and_say_so(image: Tensor) -> None:
    pixels, random = open_extractor("pixels"), open_extractor("random-inception")
    assert not pixels.about.comparable
    assert not random.about.comparable
    features, probabilities = pixels([image])
    assert features.shape == (1, 768)
    assert probabilities.shape == (1, 0)
    torch.testing.assert_close(random([image])[0], open_extractor("random-inception")([image])[0])


def test_dinov2_takes_its_size_from_its_weights(image: Tensor) -> None:
    weights = dinov2_weights(width=128, depth=2, side=5)
    extractor = DINOv2Features(weights, Features("dinov2", "", ""), torch.device("cpu"))
    assert extractor.dimensions == 128
    features, _ = extractor([image, image.flip(-1)])
    assert features.shape == (2, 128)
    assert not torch.allclose(features[0], features[1])
    with pytest.raises(KeyError, match="pos_embed"):
        DINOv2Features(
            {name: value for name, value in weights.items() if name != "pos_embed"},
            Features("dinov2", "", ""),
            torch.device("cpu"),
        )


def dinov2_weights(width: int, depth: int, side: int) -> dict[str, Tensor]:
    """Random weights with the names of the authors'."""
    chance = torch.Generator().manual_seed(0)

    def random(*shape: int) -> Tensor:
        return torch.randn(shape, generator=chance) * shape[-1] ** -0.5

    weights = {
        "cls_token": random(1, 1, width),
        "pos_embed": random(1, 1 + side * side, width),
        "patch_embed.proj.weight": random(width, 3, 14, 14),
        "patch_embed.proj.bias": random(width),
        "norm.weight": 1 + random(width),
        "norm.bias": random(width),
        "mask_token": random(1, width),
    }
    for number in range(depth):
        block = f"blocks.{number}"
        for norm in ("norm1", "norm2"):
            weights |= {f"{block}.{norm}.weight": 1 + random(width), f"{block}.{norm}.bias": random(width)}
        for name, rows, columns in (
            ("attn.qkv", 3 * width, width),
            ("attn.proj", width, width),
            ("mlp.fc1", 4 * width, width),
            ("mlp.fc2", width, 4 * width),
        ):
            weights |= {f"{block}.{name}.weight": random(rows, columns), f"{block}.{name}.bias": random(rows)}
        weights |= {f"{block}.ls1.gamma": random(width), f"{block}.ls2.gamma": random(width)}
    return weights


def test_an_unknown_name_is_told() -> None:
    with pytest.raises(EvaluationError, match=r"^there are no features inception-2051; did you mean incep"):
        open_extractor("inception-2051")
    assert "inception-2015" in OPENERS


def test_weights_of_another_network_are_told(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"layer.weight": torch.zeros(2, 2)}, path)
    with pytest.raises(EvaluationError, match=r"other\.pth does not hold the weights of inception-2015 .*use weights-"):
        open_extractor("inception-2015", ExtractorOptions(weights=path))
    with pytest.raises(EvaluationError, match=r"the weights .*gone\.pth are not a file; use weights-inception-2015"):
        open_extractor("inception-2015", ExtractorOptions(weights=tmp_path / "gone.pth"))


def test_fp32_is_exact_and_bf16_says_so(inception_weights: Mapping[str, Tensor], image: Tensor) -> None:
    about = Features("untrained", "", "as published")
    exact = Inception2015(inception_weights, about, torch.device("cpu"))
    reduced = Inception2015(inception_weights, Features("untrained", "", "as published", "bf16"), torch.device("cpu"))
    one, two = exact([image])[0], reduced([image])[0]
    assert 0 < (one - two).norm() < 0.05 * one.norm()


def test_without_a_network_one_sentence_names_the_way(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(weights, "fetch", partial(weights.fetch, patience=Patience(pause=0)))
    nowhere = Published("weights.pth", ("http://127.0.0.1:9/weights.pth",), None)
    monkeypatch.setattr(extractors, "find_weights", lambda _: find_weights(nowhere))
    with pytest.raises(EvaluationError) as told:
        open_extractor("inception-2015")
    for word in (
        "weights.pth",
        "http://127.0.0.1:9/weights.pth",
        str(cache / "weights"),
        "use a file of weights",
        OFFLINE,
    ):
        assert word in str(told.value)
    assert OFFLINE in OPENERS


def test_a_classifier_of_ours_by_its_run(tmp_path: Path, make_pictures: Callable[..., Path], image: Tensor) -> None:
    for name in ("light", "dark", "grey"):
        make_pictures(tmp_path / "c" / name, 4)
    small = [f"data.path={tmp_path / 'c'}", "data.validation_share=0", "method.width=2", "training.images=4"]
    quick = [
        "training.batch_size=2",
        "data.image_size=76",
        "data.resize=80",
        "training.best=null",
        "training.schedule={kind: constant}",
    ]
    recipe = load_recipe("inception-classifier-styles", [*small, *quick, "every.metrics=null", "every.checkpoint=4"])
    train(recipe, tmp_path / "run")
    extractor = open_extractor(str(tmp_path / "run"))
    assert extractor.classes == ("dark", "grey", "light")
    assert extractor.about.name == "run"
    assert not extractor.about.comparable
    features, probabilities = extractor([image, to_pixels(picture(1, 30, 90))])
    assert features.shape == (2, extractor.dimensions)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(2))
    with pytest.raises(EvaluationError, match="computes in fp32 only, not in bf16"):
        open_extractor(str(tmp_path / "run"), ExtractorOptions(precision="bf16"))
