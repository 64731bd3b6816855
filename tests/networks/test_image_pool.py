"""The pool of earlier fakes, as in Zhu et al. 2017."""

import pytest
import torch

from impasto.networks.image_pool import ImagePool


def numbered(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32).reshape(-1, 1, 1, 1).expand(-1, 1, 2, 2)


def test_until_full_it_returns_what_it_is_given() -> None:
    pool = ImagePool(4, "pool")
    for value in range(4):
        assert torch.equal(pool.exchange(numbered(value)), numbered(value))
    assert len(pool.images) == 4


def test_then_half_of_the_time_it_returns_an_old_image_and_keeps_the_new() -> None:
    torch.manual_seed(3)
    pool = ImagePool(50, "pool")
    pool.exchange(numbered(*range(50)))
    old = 0
    for value in range(50, 2050):
        returned = int(pool.exchange(numbered(value))[0, 0, 0, 0])
        kept = {int(image[0, 0, 0]) for image in pool.images}
        assert len(pool.images) == 50
        assert (value in kept) == (returned != value)
        assert returned not in kept or returned == value
        old += returned != value
    assert old / 2000 == pytest.approx(0.5, abs=0.04)


def test_size_zero_is_off_and_everything_is_detached() -> None:
    images = numbered(1, 2).clone().requires_grad_(True)
    for size in (0, 1):
        returned = ImagePool(size, "pool").exchange(images * 1)
        assert returned.shape == images.shape
        assert not returned.requires_grad


def test_its_chance_is_saved_with_it() -> None:
    torch.manual_seed(3)
    pool = ImagePool(3, "pool")
    pool.exchange(numbered(*range(7)))
    state = {"images": list(pool.state_dict()["images"]), "generator": pool.state_dict()["generator"].clone()}
    expected = [pool.exchange(numbered(value)) for value in range(7, 30)]
    torch.manual_seed(99)
    resumed = ImagePool(3, "pool")
    resumed.load_state_dict(state)
    assert all(torch.equal(resumed.exchange(numbered(v)), e) for v, e in zip(range(7, 30), expected, strict=True))


def test_a_stored_image_does_not_change_with_its_source() -> None:
    pool = ImagePool(1, "pool")
    source = numbered(1).clone()
    pool.exchange(source)
    source.fill_(9)
    assert float(pool.images[0].mean()) == 1


def test_two_pools_of_a_run_draw_apart() -> None:
    pools = [ImagePool(3, "photos"), ImagePool(3, "paintings")]
    returned = [[float(pool.exchange(numbered(value)).mean()) for value in range(40)] for pool in pools]
    assert returned[0] != returned[1]


def test_images_read_from_a_checkpoint_come_back_on_the_device_in_use() -> None:
    pool = ImagePool(2, "pool")
    pool.exchange(numbered(1, 2))
    for _ in range(20):
        assert pool.exchange(torch.zeros(1, 1, 2, 2, device="meta")).device.type == "meta"
