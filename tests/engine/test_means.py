"""Means of what is logged: exact over steps, on any device."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from impasto.engine.means import Means, not_finite

ALONE: Any = SimpleNamespace(world_size=1, device=torch.device("cpu"))


def test_each_scalar_is_averaged_over_the_steps_that_logged_it() -> None:
    means = Means()
    for step in range(4):
        means.add({"critic": torch.tensor(float(step)), **({"generator": torch.tensor(7.0)} if step == 3 else {})})
    assert means.peek(ALONE) == means.take(ALONE) == {"critic": 1.5, "generator": 7.0}
    assert means.take(ALONE) == {}


def test_sums_of_a_checkpoint_are_moved_to_the_device_that_averages() -> None:
    class Elsewhere:
        world_size, device = 2, torch.device("meta")

        def all_reduce(self, stacked: Tensor, reduce_op: str) -> Tensor:
            assert (stacked.device, stacked.shape, reduce_op) == (self.device, (2,), "mean")
            return torch.tensor([1.0, 2.0])

    means, fabric = Means(), Elsewhere()
    means.load_state_dict(
        {"sums": {"critic": torch.tensor(3.0), "generator": torch.tensor(4.0)}, "counts": {"critic": 2, "generator": 1}}
    )
    means.add({"critic": torch.zeros((), device="meta")})
    assert means.peek(fabric) == {"critic": 1.0, "generator": 2.0}  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_one_bad_step_shows(bad: float) -> None:
    means = Means()
    means.add({"fine": torch.tensor(1.0), "bad": torch.tensor(1.0)})
    means.add({"fine": torch.tensor(1.0), "bad": torch.tensor(bad)})
    assert not_finite(means.take(ALONE)) == "bad"
    assert not_finite({"fine": 1.0}) is None
