"""An untrained Inception shared by the tests that need one, and pictures on disk."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor

from impasto.evaluation.extractors import random_inception


@pytest.fixture(scope="session")
def inception_weights() -> Mapping[str, Tensor]:
    """A state dict with batch normalizations that do something."""
    weights = random_inception(seed=1)
    chance = torch.Generator().manual_seed(2)
    for name, values in weights.items():
        if name.endswith(("running_mean", "bn.bias")):
            values.copy_(torch.randn(values.shape, generator=chance) * 0.1)
        elif name.endswith(("running_var", "bn.weight")):
            values.copy_(torch.rand(values.shape, generator=chance) + 0.5)
        elif name == "fc.bias":
            values.copy_(torch.randn(values.shape, generator=chance) * 0.1)
    return weights


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """impasto's cache, empty."""
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
