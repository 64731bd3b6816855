"""Every method's step, painting and sheet on CUDA tensors, without a GPU.

PyTorch's FakeTensorMode computes shapes, types and devices but no values. It fails at the line where a tensor was left
on the CPU, and where Python needs the value of a tensor: on a GPU, such a line waits for all the work before it.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    FakeTensor,
    FakeTensorMode,
    unset_fake_temporarily,
)

from impasto.chance import Draws
from impasto.clock import Clock
from impasto.data.datasets import open_dataset
from impasto.method import Learner
from impasto.methods import METHODS
from impasto.painting.paint import paint_prompt, paint_sheet
from tests.conformance.tiny_methods import LEARNERS, TRAINED_PAINTERS, tiny

CUDA = torch.device("cuda")


class FakeFabric:
    """What a method needs of Lightning Fabric, on one CUDA device.

    Autograd starts a thread for a device and needs a real one, so `backward` gives every weight an empty gradient.
    """

    device = CUDA
    world_size = 1
    global_rank = 0

    def __init__(self) -> None:
        self.optimizers: list[torch.optim.Optimizer] = []

    def setup_optimizers(self, optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
        self.optimizers.append(optimizer)
        return optimizer

    def backward(self, loss: Tensor) -> None:
        assert loss.device.type == "cuda"
        assert loss.shape == ()
        assert loss.requires_grad
        for weight in (w for each in self.optimizers for group in each.param_groups for w in group["params"]):
            weight.grad = torch.empty_like(weight) if weight.requires_grad else None


def empty_gradients(outputs: Tensor, inputs: Tensor, **_: Any) -> tuple[Tensor]:
    """Stand in for torch.autograd.grad in a gradient penalty."""
    assert outputs.device == inputs.device
    return (torch.empty_like(inputs) * outputs,)


@contextmanager
def on_fake_gpu(name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any, Any]]:
    """Yield a method on a CUDA device that does not exist, a batch there, and the dataset."""
    recipe = tiny(name)
    method_class = METHODS[name]
    assert issubclass(method_class, Learner)
    dataset = open_dataset(recipe.data, method_class.batch_type)
    batch = next(dataset.stream(2, seed=0))
    monkeypatch.setattr(torch.autograd, "grad", empty_gradients)
    monkeypatch.setattr(nn.Module, "to", _only_to_where_it_is)
    with FakeTensorMode():
        with CUDA:  # a module of fake weights cannot be moved
            method = method_class(recipe.method, dataset.spec)
            method.prepare(FakeFabric())  # type: ignore[arg-type]
        yield method, type(batch)(*(torch.empty(p.shape, dtype=p.dtype, device=CUDA) for p in batch)), dataset


def _only_to_where_it_is(module: nn.Module, *_: Any, **__: Any) -> nn.Module:
    assert all(tensor.device.type == "cuda" for tensor in (*module.parameters(), *module.buffers()))
    return module


@pytest.mark.parametrize("name", LEARNERS)
def test_a_step_stays_on_its_device(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with on_fake_gpu(name, monkeypatch) as (method, batch, _):
        scalars = method.training_step(batch, Clock(8))
    assert scalars
    assert all(isinstance(value, FakeTensor) for value in scalars.values())
    assert {value.device.type for value in scalars.values()} == {"cuda"}


@pytest.mark.parametrize("name", TRAINED_PAINTERS)
def test_paintings_and_sheets_stay_on_their_device(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with on_fake_gpu(name, monkeypatch) as (method, _, dataset):
        with unset_fake_temporarily():
            prompt = dataset.prompt(method.prompt_type, 2)
        faked = type(prompt)(**{key: torch.empty(v.shape) for key, v in vars(prompt).items() if v is not None})
        painted = paint_prompt(method, faked, Draws.numbered(0, range(2)), autocast=nullcontext)
        sheet = paint_sheet(method, faked, Draws.numbered(0, range(2)), autocast=nullcontext)
    assert painted.shape[:2] == (2, 3)
    assert {images.device.type for images in (painted, *sheet.values())} == {"cuda"}


def test_tensors_left_on_the_cpu_and_hidden_values_are_found() -> None:
    """The two mistakes that these tests are for."""
    with FakeTensorMode():
        here, there = torch.empty(2), torch.empty(2, device=CUDA)
        with pytest.raises(Exception, match="different devices|same device|two different devices"):
            here + there
        with pytest.raises(DataDependentOutputException):
            there.sum().item()
