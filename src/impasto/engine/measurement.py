"""Metrics that are measured at intervals during training. Measuring never changes training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from torch import nn

from impasto.data.dataset import Dataset
from impasto.errors import DataError
from impasto.method import Learner
from impasto.painter import Painter
from impasto.recipe import VALIDATION, Recipe

if TYPE_CHECKING:
    from impasto.engine.evaluator import TrainingEvaluator


class Measurement(NamedTuple):
    """Metrics by name. If an evaluator computed any, the record says how."""

    metrics: Mapping[str, float]
    record: Mapping[str, Any] | None = None


def measured(
    method: Learner[Any],
    dataset: Dataset,
    batch_size: int,
    on_device: Callable[[Any], Any],
    evaluator: TrainingEvaluator | None,
) -> Measurement:
    """Return the method's own metrics of held-out pictures, as `validation/...`, and the evaluator's metrics.

    The networks hold the weights to measure and are in eval mode. `on_device` moves a batch to the device.
    """
    validated = method.validate(on_device(batch) for batch in dataset.held_out(batch_size))
    metrics = {f"{VALIDATION}{name}": value for name, value in validated.items()}
    if evaluator is None:
        return Measurement(metrics)
    assert isinstance(method, Painter)
    record = evaluator.evaluate(method)
    return Measurement({**metrics, **record.values()}, record.to_json())


def check_measurable(recipe: Recipe, method: Learner[Any], dataset: Dataset) -> None:
    """Raise DataError if every.metrics needs held-out pictures and there are none."""
    if recipe.every.metrics is not None and method.validates and dataset.held_out_size == 0:
        raise DataError(
            "every.metrics: no pictures are held out for validation; set data.validation_share=0.1, add a split.csv, "
            "or leave every.metrics out"
        )


@contextmanager
def in_eval_mode(networks: Mapping[str, nn.Module]) -> Iterator[None]:
    """Put networks in eval mode (running statistics in batch norm, no dropout), then restore each part's mode."""
    modes = [(part, part.training) for network in networks.values() for part in network.modules()]
    for network in networks.values():
        network.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode
