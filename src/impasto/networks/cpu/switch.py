"""The switch of the fast CPU code, and the two ways to differentiate it twice.

The switch and the mode are context variables: they hold for one thread and what it calls. Networks run in the thread
that trains or paints, and autograd runs the backward pass of CPU code in the thread that asks for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor
from torch.nn import Parameter

VARIABLE = "IMPASTO_FAST_CPU"
"""Environment variable: 0 turns the fast CPU code off."""

_WANTED: ContextVar[bool] = ContextVar("fast CPU code is wanted", default=True)
_IMAGES_ONLY: ContextVar[bool] = ContextVar("graphs of gradients reach images only", default=False)


def is_fast(tensor: Tensor) -> bool:
    """Whether fast CPU code may compute with this tensor: on a CPU, in eager code, if it is not turned off.

    Fake tensors, other tensor types, programs being compiled or exported, and the transforms of `torch.func`
    get PyTorch's own operations.
    """
    if tensor.device.type != "cpu" or torch.compiler.is_compiling() or type(tensor) not in (Tensor, Parameter):
        return False
    return _WANTED.get() and os.environ.get(VARIABLE) != "0" and not _is_traced()


def _is_traced() -> bool:
    """Whether PyTorch watches or transforms each operation: a dispatch mode, such as make_fx, or torch.func."""
    dispatch_modes: int = torch._C._len_torch_dispatch_stack()
    return dispatch_modes > 0 or torch._C._are_functorch_transforms_active()


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
    pass as autograd saved them, `slope` is the gradient of its output. The gradients are partial: an input may depend
    on another one.
    """
    with torch.enable_grad(), torch.autocast(slope.device.type, enabled=False):
        aliases = [None if tensor is None else tensor.view_as(tensor) for tensor in inputs]
        wanted = [alias for alias, asked in zip(aliases, needed, strict=True) if asked and alias is not None]
        found = iter(torch.autograd.grad(compute(*aliases), wanted, slope, create_graph=True))
    return tuple(
        next(found) if asked and tensor is not None else None for tensor, asked in zip(inputs, needed, strict=True)
    )
