"""The switch of the fast CPU code, and the two ways to differentiate it twice."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

VARIABLE = "IMPASTO_FAST_CPU"
"""Environment variable: 0 turns the fast CPU code off."""

_WANTED: ContextVar[bool] = ContextVar("fast CPU code is wanted", default=True)
_IMAGES_ONLY: ContextVar[bool] = ContextVar("graphs of gradients reach images only", default=False)


def is_fast(tensor: Tensor) -> bool:
    """Whether fast CPU code may compute with this tensor: on a CPU, in eager code, if it is not turned off."""
    if tensor.device.type != "cpu" or torch.compiler.is_compiling():
        return False
    return _WANTED.get() and os.environ.get(VARIABLE) != "0"


@contextmanager
def fast_cpu(*, wanted: bool) -> Iterator[None]:
    """Turn the fast CPU code on or off inside. The environment variable can only turn it off."""
    token = _WANTED.set(wanted)
    try:
        yield
    finally:
        _WANTED.reset(token)


@contextmanager
def image_gradients_only() -> Iterator[None]:
    """Inside, a gradient with `create_graph` reaches images alone, as a gradient penalty needs it, and is fast.

    Weights get no gradient from such a call. Without this context, fast code is differentiated twice as plain PyTorch.
    """
    token = _IMAGES_ONLY.set(True)
    try:
        yield
    finally:
        _IMAGES_ONLY.reset(token)


def reaches_images_only() -> bool:
    """Whether `image_gradients_only` is entered."""
    return _IMAGES_ONLY.get()


def plain_gradients(
    compute: Callable[..., Tensor], inputs: Sequence[Tensor | None], slope: Tensor, needed: Sequence[bool]
) -> tuple[Tensor | None, ...]:
    """Return the needed gradients of a plain PyTorch computation, which can be differentiated again; None for others.

    The backward pass of a fast function calls it where a graph of gradients is made. `inputs` are those of its forward
    pass as autograd saved them, `slope` is the gradient of its output.
    """
    wanted = [tensor for tensor, asked in zip(inputs, needed, strict=True) if asked and tensor is not None]
    with torch.enable_grad(), torch.autocast(slope.device.type, enabled=False):
        output = compute(*inputs)
        found = iter(torch.autograd.grad(output, wanted, slope, create_graph=True))
    return tuple(
        next(found) if asked and tensor is not None else None for tensor, asked in zip(inputs, needed, strict=True)
    )
