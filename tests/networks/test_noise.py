"""Noise: drawn afresh where one learns, a matter of the place and the seed where one paints."""

import math

import torch

from impasto.chance import generator
from impasto.networks.initialise import initialise
from impasto.networks.noise import OWN, PERIODS, Noise, noise_from, noise_of
from impasto.networks.resnet_generator import ResNetGenerator


def test_noise_is_drawn_afresh_for_each_picture() -> None:
    torch.manual_seed(0)
    pictures = torch.zeros(2, 3, 300, 200)
    noise = Noise(0.2, blur=2)(pictures)
    assert noise.shape == pictures.shape
    assert abs(noise.std() - 0.2) < 0.02
    for one, other in ((noise[0], noise[1]), (noise, Noise(0.2, blur=2)(pictures))):
        assert (one - other).abs().mean() > 0.1


def test_noise_is_as_smooth_as_said_and_of_all_colours() -> None:
    """A Gaussian blur of white noise makes neighbours alike by exp(-d^2 / 4 blur^2)."""
    with noise_from(0, 0):
        noise = Noise(1, blur=2)(torch.zeros(1, 3, 512, 512))[0]
    for pixels in (1, 2, 4, 20):
        alike = (noise * noise.roll(pixels, 2)).mean() / noise.square().mean()
        assert abs(alike - math.exp(-(pixels**2) / 16)) < 0.05
    colours = torch.corrcoef(noise.flatten(1))
    assert (colours[0, 1] - (1 - OWN**2)).abs() < 0.05


def test_a_part_has_the_noise_of_its_place() -> None:
    noise, after = Noise(1, blur=1), math.lcm(*PERIODS)
    with noise_from(5, after - 20):
        whole = noise(torch.zeros(2, 3, 40, 30))
        with noise_from(8, 12):
            torch.testing.assert_close(noise(torch.zeros(1, 3, 10, 18)), whole[:, :, 8:18, 12:])
    with noise_from(5 + after, -20):
        torch.testing.assert_close(noise(torch.zeros(2, 3, 40, 30)), whole)
    with noise_from(5 + PERIODS[0], -20):
        assert (noise(torch.zeros(2, 3, 40, 30)) - whole).abs().mean() > 0.1


def test_a_seed_has_its_noise() -> None:
    noise, pictures = Noise(1, blur=2), torch.zeros(1, 1, 20, 20)
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
