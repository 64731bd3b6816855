import torch

from impasto.chance import Draws, generator, mixed_seed, seed_draws


def test_equal_parts_give_equal_random_numbers() -> None:
    assert torch.equal(
        torch.rand(3, generator=generator(1, "crop", 7)), torch.rand(3, generator=generator(1, "crop", 7))
    )
    seeds = {mixed_seed(*parts) for parts in [(1, 2), (2, 1), (12,), (1, "2"), ("1", 2), (1, 2, 0), ()]}
    assert len(seeds) == 7


def test_seeds_fit_torch_and_spread() -> None:
    seeds = [mixed_seed(0, position) for position in range(4000)]
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert 0.47 < sum(seed & 1 for seed in seeds) / 4000 < 0.53


def test_global_draws_depend_on_all_parts() -> None:
    seed_draws(torch.device("cpu"), 3, 0, 16)
    drawn = torch.rand(3)
    torch.manual_seed(mixed_seed(3, 0, 16))
    assert torch.equal(torch.rand(3), drawn)
    seed_draws(torch.device("cpu"), 3, 1, 16)
    assert not torch.equal(torch.rand(3), drawn)


def test_a_painting_has_the_same_draws_whatever_is_painted_beside_it() -> None:
    together = Draws.numbered(7, range(5))
    first, second = together.normal(3), together.normal(2, 4)
    alone = Draws.numbered(7, [3])
    assert torch.equal(alone.normal(3)[0], first[3])
    assert torch.equal(alone.normal(2, 4)[0], second[3]), "later draws, too"
    assert not torch.equal(Draws.numbered(8, [3]).normal(3)[0], first[3])


def test_all_photos_of_a_seed_have_the_same_draws() -> None:
    one, other = Draws.for_photos(2, 2).normal(4)
    assert torch.equal(one, other)
    assert not torch.equal(one, Draws.for_photos(3).normal(4)[0])
