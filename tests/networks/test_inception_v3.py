"""The parts compute what torchvision's whole network does, at any width, and learn where they should."""

import pytest
import torch
from torchvision.models.inception import Inception3

from impasto.networks.inception_v3 import SMALLEST_FOR_AUXILIARY, SMALLEST_IMAGE, InceptionV3

MEAN, STD = (torch.tensor(values).view(1, 3, 1, 1) for values in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))


@pytest.fixture(scope="module")
def published() -> Inception3:
    """torchvision's network as it is used with ImageNet's weights."""
    torch.manual_seed(0)
    return Inception3(transform_input=True, init_weights=False).eval()


def test_adopted_weights_give_torchvisions_features_from_images_normalised_by_imagenet(published: Inception3) -> None:
    network = InceptionV3(10).eval()
    network.adopt(published.state_dict())
    pixels = torch.rand(1, 3, SMALLEST_FOR_AUXILIARY, SMALLEST_FOR_AUXILIARY)
    seen = []
    published.avgpool.register_forward_hook(lambda _, __, output: seen.append(output.flatten(1)))
    with torch.no_grad():
        published((pixels - MEAN) / STD)
        features, logits, auxiliary = network(pixels * 2 - 1)
    assert features.shape == (1, 2048)
    assert logits.shape == (1, 10)
    assert auxiliary is None
    assert torch.allclose(features, seen[0], rtol=1e-3, atol=float(seen[0].abs().max()) * 1e-4)


def test_the_last_layers_have_the_papers_parameters() -> None:
    sizes = [sum(weight.numel() for weight in head.parameters()) for head in InceptionV3(10).heads()]
    assert sizes == [20_490, 7_690], "2048 -> 10 and 768 -> 10"


@pytest.mark.parametrize("width", [2, 4, 8, 16])
def test_a_smaller_width_scales_every_layer(width: int, published: Inception3) -> None:
    narrow = {name: tensor.shape for name, tensor in InceptionV3(10, width).body.named_parameters()}
    for name, shape in narrow.items():
        whole = published.get_parameter(name).shape
        assert shape[0] * 32 == whole[0] * width
        if len(shape) > 1:
            assert shape[1] == 3 if whole[1] == 3 else shape[1] * 32 == whole[1] * width


@pytest.mark.parametrize(("size", "auxiliary"), [(SMALLEST_IMAGE, False), (SMALLEST_FOR_AUXILIARY, True)])
def test_the_smallest_images(size: int, auxiliary: bool) -> None:
    network = InceptionV3(3, 2, auxiliary=auxiliary)
    features, logits, told = network(torch.zeros(2, 3, size, size))
    assert (features.shape, logits.shape) == ((2, 128), (2, 3))
    assert (told is not None) == auxiliary
    with pytest.raises(RuntimeError, match="size"):
        network(torch.zeros(2, 3, size - 1, size - 1))


def test_training_the_heads_moves_neither_weights_nor_statistics_below() -> None:
    torch.manual_seed(0)
    network = InceptionV3(3, 2)
    network.train_heads_only()
    heads = {id(weight) for head in network.heads() for weight in head.parameters()}
    assert {id(weight) for weight in network.parameters() if weight.requires_grad} == heads
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    optimizer = torch.optim.SGD([weight for weight in network.parameters() if weight.requires_grad], 0.1)
    _, logits, auxiliary = network(torch.randn(2, 3, 299, 299))
    (logits.exp().sum() + auxiliary.exp().sum()).backward()
    optimizer.step()
    moved = {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}
    assert moved == {"fc.weight", "fc.bias", "auxiliary.fc.weight", "auxiliary.fc.bias"}


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(KeyError):
        InceptionV3(3, 2).adopt({})
    with pytest.raises(RuntimeError, match="size mismatch"):
        InceptionV3(3, 2).adopt(Inception3(init_weights=False).state_dict())
