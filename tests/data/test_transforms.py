import numpy as np
import torch
from PIL import Image

from impasto.chance import generator
from impasto.data.transforms import centre_square, random_crop, stacked, to_picture, to_pixels, to_range


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


def test_equal_chances_cut_equal_places() -> None:
    picture = torch.randint(0, 256, (3, 20, 30), dtype=torch.uint8)
    one, other = (random_crop(picture, 8, flip=True, generator=generator(5)) for _ in range(2))
    assert torch.equal(one, other)


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
