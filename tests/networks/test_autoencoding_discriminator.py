"""The layers of the v2 discriminators, and what happens to images while training only."""

import pytest
import torch
from torch import nn

from impasto.networks.autoencoding_discriminator import AutoencodingDiscriminator, Preset


def weights_of(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def shapes(layers: nn.Sequential, images: torch.Tensor) -> list[tuple[int, ...]]:
    """What each convolution gives: channels and size."""
    found = []
    for layer in layers:
        images = layer(images)
        found += [tuple(images.shape[1:3])] if isinstance(layer, nn.Conv2d) else []
    return found


TABLE: list[tuple[int, Preset, list[tuple[int, int]]]] = [
    (64, "repository", [(128, 32), (256, 16), (512, 8), (512, 6), (1024, 4)]),
    (64, "figure-12", [(128, 32), (256, 16), (512, 8), (512, 8), (1024, 4)]),
    (128, "repository", [(64, 64), (128, 32), (256, 16), (512, 8), (512, 6), (1024, 4)]),
]


@pytest.mark.parametrize(("size", "preset", "expected"), TABLE)
def test_the_encoders_table(size: int, preset: Preset, expected: list[tuple[int, int]]) -> None:
    with torch.device("meta"):
        judge = AutoencodingDiscriminator(10, 3, 128, size, preset)
        assert shapes(judge.encoder, torch.empty(2, 3, size, size)) == expected
        assert judge(torch.empty(2, 3, size, size))[0].shape == (2, 10)
        features = torch.empty(2, 1024, 4, 4)
        narrower = [(512, 4), (256, 8), (128, 16), (64, 32), (32, 64), (16, 128)][: 5 if size == 64 else 6]
        assert shapes(judge.decoder, features) == [*narrower, (3, size)]
        assert judge.decoder(features).shape == (2, 3, size, size)
    drops = [layer.p for layer in judge.encoder if isinstance(layer, nn.Dropout)]
    assert drops == [0.5 if preset == "repository" else 0.2] * (3 if size == 64 else 4)


@pytest.mark.parametrize(("size", "encoder", "decoder"), [(64, 8_562_944, 6_289_155), (128, 8_635_264, 6_293_379)])
def test_published_numbers_of_weights(size: int, encoder: int, decoder: int) -> None:
    with torch.device("meta"):
        judge = AutoencodingDiscriminator(10, 3, 128, size, "repository")
    assert [weights_of(part) for part in (judge.encoder, judge.classifier, judge.decoder)] == [
        encoder,
        163_850,
        decoder,
    ]


def test_noise_and_dropout_are_for_training_only() -> None:
    judge = AutoencodingDiscriminator(3, 3, 8, 32, "repository")
    images = torch.rand(4, 3, 32, 32) * 2 - 1
    assert not torch.equal(judge(images)[0], judge(images)[0])
    judge.eval()
    assert torch.equal(judge(images)[0], judge(images)[0])
    alone = torch.cat([judge(image[None])[0] for image in images])
    torch.testing.assert_close(alone, judge(images)[0], atol=1e-5, rtol=1e-5)


def test_images_of_another_size_are_refused() -> None:
    judge = AutoencodingDiscriminator(3, 3, 8, 128, "repository")
    with pytest.raises(ValueError, match="made for images of 128 pixels, got 256"):
        judge(torch.empty(1, 3, 256, 256))
