"""Extractors by name, and the weights they need: given, kept, fetched, or told how to get."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from impasto.data.transforms import to_pixels
from impasto.errors import EvaluationError
from impasto.evaluation import weights as weights_module
from impasto.evaluation.extractors import OPENERS, DINOv2Features, Inception2015, Settings, open_extractor
from impasto.evaluation.record import Features
from impasto.evaluation.weights import INCEPTION_2015, Published, find_weights, read_weights
from tests.conftest import picture
from tests.curation.server import Server, cut, running


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as found:
        yield found


@pytest.fixture
def image() -> Tensor:
    return to_pixels(picture(0, 60, 44))


def test_inception_2015_from_a_file(inception_weights: Mapping[str, Tensor], tmp_path: Path, image: Tensor) -> None:
    path = tmp_path / "inception.pth"
    torch.save(dict(inception_weights), path)
    extractor = open_extractor("inception-2015", Settings(weights=path))
    features, probabilities = extractor([image, image.flip(-1), to_pixels(picture(1, 30, 90))])
    assert features.shape == (3, 2048)
    assert probabilities.shape == (3, 1008)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(3))
    assert extractor.about.comparable
    assert len(extractor.about.weights) == 16
    safe = tmp_path / "inception.safetensors"
    save_file({name: values.contiguous() for name, values in inception_weights.items()}, safe)
    torch.testing.assert_close(open_extractor("inception-2015", Settings(weights=safe))([image])[0], features[:1])
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
    with pytest.raises(EvaluationError, match=r"--features: there are no features inception-2051; did you mean incep"):
        open_extractor("inception-2051")
    assert "inception-2015" in OPENERS


def test_weights_of_another_network_are_told(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"layer.weight": torch.zeros(2, 2)}, path)
    with pytest.raises(EvaluationError, match=r"other\.pth does not hold the weights of inception-2015 .*fetch weights-"):
        open_extractor("inception-2015", Settings(weights=path))
    with pytest.raises(EvaluationError, match=r"--weights: .*gone\.pth is no file; name weights-inception-2015"):
        open_extractor("inception-2015", Settings(weights=tmp_path / "gone.pth"))


def test_nothing_but_tensors_is_read(tmp_path: Path) -> None:
    for name, content in (("objects.pth", {"weight": Path("here")}), ("list.pth", [torch.zeros(1)])):
        torch.save(content, tmp_path / name)
        with pytest.raises(EvaluationError, match=rf"{name} (cannot be read as weights|holds something else)"):
            read_weights(tmp_path / name)
    (tmp_path / "cut.pth").write_bytes((tmp_path / "list.pth").read_bytes()[:50])
    (tmp_path / "cut.safetensors").write_bytes(b"no")
    for name in ("cut.pth", "cut.safetensors"):
        with pytest.raises(EvaluationError, match=rf"{name} cannot be read as weights"):
            read_weights(tmp_path / name)


def small(server: Server, content: bytes, digest: str | None, *script: object) -> Published:
    url = server.serve("/weights.pth", content, *script)  # type: ignore[arg-type]
    return Published("weights.pth", (url,), digest)


def test_weights_are_fetched_once_and_checked(
    cache: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    content = b"weights" * 1000
    digest = hashlib.sha256(content).hexdigest()[:8]
    wanted = small(server, content, digest, cut(2000))
    found = find_weights(wanted)
    assert found == cache / "weights" / "weights.pth"
    assert found.read_bytes() == content
    asked = len(server.diary)
    assert find_weights(wanted) == found
    assert len(server.diary) == asked
    found.unlink()
    with pytest.raises(EvaluationError, match=r"what came as weights\.pth is another file .*--weights FILE"):
        find_weights(Published("weights.pth", wanted.urls, "00000000"))
    assert not found.exists()


def test_what_torch_hub_kept_is_used(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    kept = tmp_path / "torch" / "hub" / "checkpoints" / INCEPTION_2015.name
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"kept")
    assert find_weights(INCEPTION_2015) == kept


def test_without_a_network_one_sentence_names_the_way(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    nowhere = Published("weights.pth", ("http://127.0.0.1:9/weights.pth",), None)
    with pytest.raises(EvaluationError) as told:
        find_weights(nowhere)
    for word in ("weights.pth", "http://127.0.0.1:9/weights.pth", str(cache / "weights"), "--weights FILE", "pixels"):
        assert word in str(told.value)
    assert weights_module.OFFLINE in OPENERS


def test_fp32_is_exact_and_bf16_says_so(inception_weights: Mapping[str, Tensor], image: Tensor) -> None:
    about = Features("untrained", "", "as published")
    exact = Inception2015(inception_weights, about, torch.device("cpu"))
    reduced = Inception2015(
        inception_weights, Features("untrained", "", "as published", "bf16"), torch.device("cpu")
    )
    one, two = exact([image])[0], reduced([image])[0]
    assert 0 < (one - two).norm() < 0.05 * one.norm()
