import numpy as np
import pytest
import torch
from PIL import Image

from impasto.chance import generator
from impasto.data.transforms import (
    centre_crop,
    centre_square,
    mirrored_centre,
    random_crop,
    random_resized_crop,
    stacked,
    to_picture,
    to_pixels,
    to_range,
)


def test_pixels_survive_the_round_trip() -> None:
    values = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    image = to_range(to_pixels(Image.fromarray(values)))
    assert image.min() == -1.0
    assert image.max() == 1.0
    assert (np.asarray(to_picture(image)) == values).all()


def test_crops_are_parts_of_their_picture_and_cover_it() -> None:
    picture = torch.arange(3 * 9 * 12, dtype=torch.uint8).reshape(3, 9, 12)
    corners = set()
    flips = 0
    for number in range(400):
        pixels = random_crop(picture, 6, flip=True, generator=generator(number))
        flipped = bool(pixels[0, 0, 0] > pixels[0, 0, 1])
        flips += flipped
        pixels = pixels.flip(-1) if flipped else pixels
        top, left = divmod(int(pixels[0, 0, 0]), 12)
        assert torch.equal(pixels, picture[:, top : top + 6, left : left + 6])
        corners.add((top, left))
    assert corners == {(top, left) for top in range(4) for left in range(7)}
    assert 160 < flips < 240


def test_centre_crops_are_mirrored_half_of_the_time() -> None:
    picture = torch.arange(9 * 12, dtype=torch.uint8).reshape(1, 9, 12)
    middle = picture[:, 2:7, 3:8]
    cuts = [mirrored_centre(picture, 5, flip=True, generator=generator(number)) for number in range(400)]
    assert all(torch.equal(cut, middle) or torch.equal(cut, middle.flip(-1)) for cut in cuts)
    assert 160 < sum(torch.equal(cut, middle) for cut in cuts) < 240
    assert torch.equal(mirrored_centre(picture, 5, flip=False, generator=generator(0)), middle)


def test_equal_generators_give_equal_crops() -> None:
    picture = torch.randint(0, 256, (3, 20, 30), dtype=torch.uint8)
    one, other = (random_crop(picture, 8, flip=True, generator=generator(5)) for _ in range(2))
    assert torch.equal(one, other)


def test_parts_of_random_size_are_squares_from_8_to_100_percent_that_cover_the_picture() -> None:
    rows, columns = torch.meshgrid(torch.arange(100), torch.arange(150), indexing="ij")
    picture = to_pixels(Image.fromarray(torch.stack([rows, columns, 0 * rows], 2).to(torch.uint8).numpy()))
    shares, ratios, middles, mirrored = [], [], [], 0
    for number in range(300):
        part = random_resized_crop(picture, 32, flip=True, generator=generator(number))
        assert part.shape == (3, 32, 32)
        mirrored += bool(part[1, 0, 0] > part[1, 0, -1])
        height, width = (float(part[i].float().max() - part[i].float().min() + 1) for i in (0, 1))
        shares.append(height * width / 15_000)
        ratios.append(width / height)
        middles.append((float(part[0].float().mean()), float(part[1].float().mean())))
    assert 0.04 < min(shares) < 0.15
    assert 0.7 < max(shares) <= 0.9, "4:3 of a 3:2 picture is 89 %"
    assert 0.65 < min(ratios) < 0.85
    assert 1.2 < max(ratios) < 1.5
    assert torch.tensor(middles).mean(0).tolist() == pytest.approx([49.5, 74.5], abs=4)
    assert 120 < mirrored < 180
    one, other = (random_resized_crop(picture, 32, flip=True, generator=generator(5)) for _ in range(2))
    assert torch.equal(one, other)


def test_a_part_of_a_very_thin_picture_is_the_largest_allowed_one() -> None:
    thin = torch.zeros(3, 10, 1000, dtype=torch.uint8)
    thin[0] = torch.arange(1000) // 4
    for number in range(20):
        part = random_resized_crop(thin, 16, flip=False, generator=generator(number))
        assert part[0].float().max() - part[0].float().min() <= 4, "13 columns of 1000"


def test_stacking_maps_crops_to_the_range_of_networks() -> None:
    crops = [torch.randint(0, 256, (3, 8, 8), dtype=torch.uint8) for _ in range(3)]
    batch = stacked(crops)
    assert torch.allclose(batch, torch.stack(crops).to(torch.float32) / 127.5 - 1, atol=1e-7)
    assert batch.is_contiguous(memory_format=torch.channels_last)


def test_centre_square_is_centred_and_divisible() -> None:
    picture = torch.arange(11 * 15).reshape(1, 11, 15)
    square = centre_square(picture)
    assert square.shape == (1, 8, 8)
    assert int(square[0, 0, 0]) == 1 * 15 + 3


def test_the_centre_crop_is_centred() -> None:
    picture = torch.arange(9 * 12).reshape(1, 9, 12)
    assert torch.equal(centre_crop(picture, 5), picture[:, 2:7, 3:8])
    assert torch.equal(centre_crop(picture[None], 9), picture[None, :, :, 1:10])
