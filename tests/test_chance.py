import torch

from impasto.chance import generator, mixed_seed, seed_draws


def test_equal_parts_give_equal_chance_and_others_do_not() -> None:
    assert torch.equal(
        torch.rand(3, generator=generator(1, "crop", 7)), torch.rand(3, generator=generator(1, "crop", 7))
    )
    seeds = {mixed_seed(*parts) for parts in [(1, 2), (2, 1), (12,), (1, "2"), ("1", 2), (1, 2, 0), ()]}
    assert len(seeds) == 7


def test_seeds_fit_torch_and_spread() -> None:
    seeds = [mixed_seed(0, position) for position in range(4000)]
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert 0.47 < sum(seed & 1 for seed in seeds) / 4000 < 0.53


def test_unowned_draws_follow_all_parts() -> None:
    seed_draws(torch.device("cpu"), 3, 0, 16)
    drawn = torch.rand(3)
    torch.manual_seed(mixed_seed(3, 0, 16))
    assert torch.equal(torch.rand(3), drawn)
    seed_draws(torch.device("cpu"), 3, 1, 16)
    assert not torch.equal(torch.rand(3), drawn)
