import pytest
import torch
from torch.nn import functional as F

from impasto.losses.contrast import patch_contrast
from impasto.networks.patch_projections import PatchProjections, draw_places, initialise_projections, rows_at
from impasto.networks.resnet_generator import ResNetGenerator


def maps(*shapes: tuple[int, int, int], count: int = 2) -> list[torch.Tensor]:
    return [torch.randn(count, *shape) for shape in shapes]


def test_has_the_authors_number_of_weights() -> None:
    """0.560 M, as their code prints for the generator of width 64."""
    assert sum(w.numel() for w in PatchProjections(ResNetGenerator().depth_widths).parameters()) == 560_384


def test_places_are_different_pixels_of_their_own_image() -> None:
    torch.manual_seed(0)
    features = maps((3, 12, 10), (4, 3, 2), count=3)
    many, few = draw_places(features, 50)
    assert many.shape == (3, 50)
    assert few.shape == (3, 6), "all where there are fewer"
    for places, pixels in ((many, 120), (few, 6)):
        assert all(len(set(row.tolist())) == len(row) for row in places)
        assert (places // pixels == torch.arange(3)[:, None]).all()
    within = many % 120
    assert not torch.equal(within[0].sort().values, within[1].sort().values), "each image has its own"
    assert not torch.equal(many, draw_places(features, 50)[0])


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_rows_stand_at_their_places(memory_format: torch.memory_format) -> None:
    features = torch.randn(2, 5, 3, 4).to(memory_format=memory_format)
    rows = rows_at(features, torch.tensor([[0, 11, 6], [12, 23, 17]]))
    assert torch.equal(rows[0, 2], features[0, :, 1, 2])
    assert torch.equal(rows[1, 1], features[1, :, 2, 3])
    assert torch.equal(rows[1, 2], features[1, :, 1, 1])


def test_equals_projecting_everything_and_choosing_afterwards() -> None:
    torch.manual_seed(0)
    network = PatchProjections([3, 6], width=16)
    features = maps((3, 8, 8), (6, 4, 4))
    places = draw_places(features, 10)
    for project, whole, where, found in zip(network.depths, features, places, network(features, places), strict=True):
        pixels = whole.permute(0, 2, 3, 1).reshape(-1, whole.shape[1])
        hidden = F.relu(F.linear(pixels, project[0].weight, project[0].bias))
        every = F.linear(hidden, project[2].weight, project[2].bias)
        torch.testing.assert_close(found, (every / every.norm(dim=1, keepdim=True))[where])
        torch.testing.assert_close(found.norm(dim=2), torch.ones(2, 10))


def test_every_weight_learns_from_its_beginning_and_half_precision_stays_close() -> None:
    torch.manual_seed(0)
    network = PatchProjections([3, 6], width=16)
    initialise_projections(network)
    features = maps((3, 8, 8), (6, 4, 4))
    places = draw_places(features, 10)
    exact = network(features, places)
    with torch.autocast("cpu", torch.bfloat16):
        half = network([f.bfloat16() for f in features], places)
    for one, other in zip(exact, half, strict=True):
        assert other.dtype == torch.float32
        assert (one - other).abs().max() < 0.02
    torch.stack([patch_contrast(q, q.roll(1, 1), 0.07) for q in exact]).sum().backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.isfinite().all(), name
        assert weight.grad.abs().sum() > 0, name
