"""Capabilities of the machine, and settings for training and painting."""

from __future__ import annotations

import ctypes
import platform
import sys
from typing import Any, Literal

import torch

from impasto.errors import ImpastoError


def chosen_device(wanted: Literal["auto", "cpu", "cuda"], asked_by: str) -> Literal["cpu", "cuda"]:
    """Return the requested kind of device. `auto` is CUDA if PyTorch can use it.

    Raises ImpastoError, with the field or option `asked_by`, if CUDA is requested but absent.
    """
    has_cuda = torch.cuda.is_available()
    if wanted == "cuda" and not has_cuda:
        raise ImpastoError(f"{asked_by}: this machine has no CUDA device that PyTorch can use; use auto or cpu")
    return "cuda" if wanted != "cpu" and has_cuda else "cpu"


def has_bf16(device_type: str) -> bool:
    """Return whether the device multiplies bfloat16 natively, about twice as fast as float32."""
    if device_type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if platform.machine().lower() in ("arm64", "aarch64"):
        return sys.platform == "linux" and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def keep_large_blocks() -> None:
    """Make glibc's malloc keep freed large blocks instead of returning them to the system.

    A training step frees and allocates the same hundreds of megabytes again. With fresh pages it takes up to 1.4 times
    as long. Other C libraries are not changed.
    """
    if sys.platform != "linux":
        return
    libc: Any = ctypes.CDLL(None)
    if hasattr(libc, "gnu_get_libc_version"):
        libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD
