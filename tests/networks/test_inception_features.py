"""The folded Inception gives what torchvision's gives."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from impasto.networks.inception_features import InceptionFeatures, resize_as_tensorflow


@pytest.fixture(scope="module")
def torchvision_inception() -> nn.Module:
    from torchvision.models.inception import Inception3

    torch.manual_seed(0)
    network = Inception3(num_classes=7, init_weights=False).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return network


@torch.no_grad()
def test_logits_are_torchvisions(torchvision_inception: nn.Module) -> None:
    images = torch.randn(2, 3, 107, 91, generator=torch.Generator().manual_seed(0))
    folded = InceptionFeatures(torchvision_inception.state_dict(), "torchvision")
    seen = folded(images)
    assert seen.features.shape == (2, 2048)
    torch.testing.assert_close(seen.logits, torchvision_inception(images), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_features_do_not_depend_on_the_batch_nor_on_the_path(
    torchvision_inception: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = torch.randn(3, 3, 80, 80, generator=torch.Generator().manual_seed(1))
    folded = InceptionFeatures(torchvision_inception.state_dict(), "2015").eval()
    together = folded(images).features
    alone = torch.cat([folded(image[None]).features for image in images])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    monkeypatch.setattr("impasto.networks.inception_features.HAS_ONEDNN", False)
    torch.testing.assert_close(folded(images).features, together, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_bfloat16_comes_near(torchvision_inception: nn.Module) -> None:
    images = torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(2))
    exact, reduced = (
        InceptionFeatures(torchvision_inception.state_dict(), "2015", dtype)(images).features
        for dtype in (torch.float32, torch.bfloat16)
    )
    assert reduced.dtype == torch.float32
    assert (reduced - exact).norm() < 0.05 * exact.norm()


def test_a_missing_weight_is_named(torchvision_inception: nn.Module) -> None:
    weights = dict(torchvision_inception.state_dict())
    del weights["Mixed_5b.branch1x1.bn.bias"]
    with pytest.raises(KeyError, match=r"Mixed_5b\.branch1x1\.bn\.bias"):
        InceptionFeatures(weights, "2015")


def test_resizing_reads_where_tensorflow_reads() -> None:
    """Pixel i of the result lies at i * H / size: a ramp shows where each was read, the last ones at the border."""
    ramp = torch.arange(8.0)[None, None, :, None].expand(1, 1, 8, 8)
    read = resize_as_tensorflow(ramp, 20)[0, 0, :, 0]
    torch.testing.assert_close(read, (torch.arange(20) * 8 / 20).clamp(max=7))
    image = torch.rand(1, 3, 20, 20)
    assert resize_as_tensorflow(image, 20) is image
    assert not torch.allclose(read, F.interpolate(ramp, 20, mode="bilinear")[0, 0, :, 0][:20])
