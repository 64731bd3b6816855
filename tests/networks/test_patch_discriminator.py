import pytest
import torch
from torch import Tensor, nn

from impasto.networks.patch_discriminator import PatchDiscriminator


def test_has_the_papers_number_of_weights_and_map() -> None:
    discriminator = PatchDiscriminator()
    assert sum(weight.numel() for weight in discriminator.parameters()) == 2_764_737
    with torch.no_grad():
        assert discriminator(torch.randn(1, 3, 256, 256)).shape == (1, 1, 30, 30)


def test_a_score_sees_70_pixels() -> None:
    """Without the norms, which see everything, a score depends on 70 x 70 pixels and no others."""
    discriminator = PatchDiscriminator(width=4).double()
    convolutions = [discriminator.stem, *discriminator.body, discriminator.head]
    pictures = torch.randn(1, 3, 160, 160, dtype=torch.float64, requires_grad=True)
    scores: Tensor = nn.Sequential(*convolutions)(pictures)
    (influence,) = torch.autograd.grad(scores[0, 0, 9, 9], pictures)
    rows, columns = influence[0].abs().sum(0).nonzero(as_tuple=True)
    assert (int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1) == (70, 70)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_equals_its_plain_twin(memory_format: torch.memory_format) -> None:
    ours = PatchDiscriminator(width=4).to(memory_format=memory_format)
    layers: list[nn.Module] = [nn.Conv2d(3, 4, 4, 2, 1), nn.LeakyReLU(0.2)]
    for channels, stride in ((4, 2), (8, 2), (16, 1)):
        layers += [nn.Conv2d(channels, 2 * channels, 4, stride, 1), nn.InstanceNorm2d(2 * channels), nn.LeakyReLU(0.2)]
    plain = nn.Sequential(*layers, nn.Conv2d(32, 1, 4, 1, 1))
    with torch.no_grad():
        for weight, copy in zip(ours.parameters(), plain.parameters(), strict=True):
            copy.copy_(weight)
    pictures = torch.randn(2, 3, 48, 40).to(memory_format=memory_format)
    torch.testing.assert_close(ours(pictures), plain(pictures), atol=1e-5, rtol=1e-5)


def test_every_weight_learns() -> None:
    discriminator = PatchDiscriminator(width=4)
    discriminator(torch.randn(1, 3, 32, 32)).square().mean().backward()
    for name, weight in discriminator.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().sum() > 0, name
