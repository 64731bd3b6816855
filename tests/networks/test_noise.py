"""Noise: drawn afresh where one learns, a matter of the place and the seed where one paints."""

import torch

from impasto.chance import generator
from impasto.networks.initialise import initialise
from impasto.networks.noise import PERIOD, Noise, noise_from, noise_of
from impasto.networks.resnet_generator import ResNetGenerator


def test_noise_is_drawn_afresh_for_each_picture_in_cells() -> None:
    torch.manual_seed(0)
    pictures = torch.zeros(2, 3, 300, 200)
    noise = Noise(0.2, cell=3)(pictures)
    assert noise.shape == pictures.shape
    assert abs(noise.std() - 0.2) < 0.01
    assert (noise[0] - noise[1]).abs().mean() > 0.1
    assert noise[..., :3, 3:6].flatten(2).std(2).max() == 0, "one cell"
    beside = torch.corrcoef(torch.stack([noise[..., 1].flatten(), noise[..., 4].flatten()]))[0, 1]
    assert abs(beside) < 0.1, "another cell"


def test_a_part_has_the_noise_of_its_place() -> None:
    noise = Noise(1, cell=3)
    with noise_from(5, 3 * PERIOD - 20):
        whole = noise(torch.zeros(2, 3, 40, 30))
        with noise_from(8, 12):
            torch.testing.assert_close(noise(torch.zeros(1, 3, 10, 18)), whole[:, :, 8:18, 12:])
    with noise_from(5 + 3 * PERIOD, -20):
        torch.testing.assert_close(noise(torch.zeros(2, 3, 40, 30)), whole)


def test_a_seed_has_its_noise() -> None:
    noise, pictures = Noise(1, cell=2), torch.zeros(1, 1, 20, 20)
    found = []
    for seed in (1, 1, 2):
        with noise_of(generator(seed, "paint")):
            found.append(noise(pictures))
    assert found[0].equal(found[1])
    assert (found[0] - found[2]).abs().mean() > 0.1


def test_an_even_area_is_a_weave_without_noise() -> None:
    """Far from the border, what comes back every fourth pixel is the same, unless there is noise."""
    photo = torch.full((1, 3, 160, 160), 0.3)
    photo[..., :8] = -1  # something to normalize
    inside = slice(72, 88)
    for deviation in (0, 0.1):
        torch.manual_seed(0)
        network = ResNetGenerator(width=8, blocks=2, underpainting=3, noise=deviation)
        initialise(network, 0.2)
        with torch.no_grad(), noise_from(0, 0):
            painted = network(photo)[0, :, inside, inside]
        repeats = (painted[:, 4:] - painted[:, :-4]).abs().max()
        assert (repeats > 1e-2) if deviation else (repeats < 1e-4)
