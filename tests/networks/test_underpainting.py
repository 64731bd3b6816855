"""Dabs of colour: grain goes, edges and colours stay."""

import math

import pytest
import torch

from impasto.networks.underpainting import GRAIN, SECTORS, Underpainting


def plain(picture: torch.Tensor, radius: int) -> torch.Tensor:
    """The same pixel by pixel, in float64: for every sector the weighted mean and variance of its pixels."""
    channels, height, width = picture.shape
    grown = torch.nn.functional.pad(picture.double()[None], (radius,) * 4, mode="reflect")[0]
    painted = torch.empty(channels, height, width, dtype=torch.float64)
    offsets = [(y, x) for y in range(-radius, radius + 1) for x in range(-radius, radius + 1)]
    for top in range(height):
        for left in range(width):
            colours = torch.stack([grown[:, top + radius + y, left + radius + x] for y, x in offsets])
            sums, total = torch.zeros(channels, dtype=torch.float64), 0.0
            for sector in range(SECTORS):
                turn = 2 * math.pi * sector / SECTORS
                counts = torch.tensor(
                    [
                        1.0
                        if (y, x) == (0, 0)
                        else math.exp(-2 * (y * y + x * x) / radius**2)
                        * max(0.0, math.cos(math.atan2(y, x) - turn)) ** 8
                        for y, x in offsets
                    ],
                    dtype=torch.float64,
                )
                counts /= counts.sum()
                mean = (counts[:, None] * colours).sum(0)
                variance = (counts[:, None] * (colours - mean).square()).sum(0).mean()
                weight = float((1 + variance / GRAIN**2) ** -4)
                sums, total = sums + weight * mean, total + weight
            painted[:, top, left] = sums / total
    return painted


@pytest.mark.parametrize(("radius", "channels"), [(2, 3), (3, 1)])
def test_equals_its_definition_pixel_by_pixel(radius: int, channels: int) -> None:
    picture = (torch.rand(channels, 9, 12) - 0.5) * torch.linspace(0.02, 1, 12)
    found = Underpainting(radius)(picture[None])[0]
    torch.testing.assert_close(found, plain(picture, radius).float(), atol=2e-4, rtol=0)


def test_grain_goes_and_an_edge_stays() -> None:
    torch.manual_seed(0)
    picture = torch.full((1, 3, 48, 48), -0.6)
    picture[..., 24:] = 0.7
    painted = Underpainting(6)(picture + 0.02 * torch.randn_like(picture))
    assert (painted - picture).abs().max() < 0.02, "sharp: no pixel beside the edge is between its colours"
    assert (painted - picture).std() < 0.006


def test_even_pictures_and_half_precision() -> None:
    even = torch.full((2, 3, 16, 20), 0.3)
    torch.testing.assert_close(Underpainting(6)(even), even)
    with torch.autocast("cpu", torch.bfloat16):
        assert Underpainting(6)(even.bfloat16()).dtype == torch.float32
