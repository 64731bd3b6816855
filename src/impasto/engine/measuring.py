"""What is measured now and then while a run learns; looking never changes learning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from torch import nn

from impasto.data.dataset import Dataset
from impasto.errors import DataError
from impasto.method import Learner, Painter
from impasto.recipe import VALIDATION, Recipe

if TYPE_CHECKING:
    from impasto.engine.judging import Judge


class Measurement(NamedTuple):
    """Metrics by name, and all that is needed to judge them where there is more to say."""

    metrics: Mapping[str, float]
    record: Mapping[str, Any] | None = None


def measured(
    method: Learner[Any], dataset: Dataset, batch_size: int, on_device: Callable[[Any], Any], judge: Judge | None
) -> Measurement:
    """Return what the method makes of held-out pictures, as `validation/...`, and what a judge finds of its paintings.

    Its networks hold the weights to be judged and are in eval mode; `on_device` takes a batch there.
    """
    validated = method.validate(on_device(batch) for batch in dataset.held_out(batch_size))
    metrics = {f"{VALIDATION}{name}": value for name, value in validated.items()}
    if judge is None:
        return Measurement(metrics)
    assert isinstance(method, Painter)
    record = judge.judge(method)
    return Measurement({**metrics, **record.values()}, record.to_json())


def check_measurable(recipe: Recipe, method: Learner[Any], dataset: Dataset) -> None:
    """Raise DataError where every.metrics asks for what no picture is held out to show."""
    if recipe.every.metrics is not None and method.validates and dataset.held_out_size == 0:
        raise DataError(
            "every.metrics: no pictures are held out to validate on; say data.validation_share=0.1, add a split.csv, "
            "or leave every.metrics out"
        )


@contextmanager
def in_eval_mode(networks: Mapping[str, nn.Module]) -> Iterator[None]:
    """Put networks in eval mode (batch norm by its running statistics, no dropout), then each part back as it was."""
    modes = [(part, part.training) for network in networks.values() for part in network.modules()]
    for network in networks.values():
        network.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode
