"""What painters of labels and learners share."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from impasto.data.batches import ImageSpec, Labels
from impasto.method import SHEET_ROWS
from impasto.methods.cdcgan import CDCGAN
from impasto.networks.augmentation import Augmentation, AugmentOptions
from tests.painting.colour_painter import SPEC, TWO_ATTRIBUTES, ColourPainter


def sheet(spec: ImageSpec, weights: Tensor) -> tuple[ColourPainter, Any, Tensor]:
    """Return a painter, its sheet and the sheet's latents."""
    painter = ColourPainter(spec)
    latents = torch.randn(len(weights), painter.latent_size, generator=torch.Generator().manual_seed(4))
    return painter, painter.sheet(Labels(weights), torch.Generator().manual_seed(4)), latents


def test_a_sheet_has_a_row_for_each_class_with_the_same_latents() -> None:
    painter, rows, latents = sheet(SPEC, torch.eye(3)[[0, 1]])
    assert list(rows) == list(SPEC.classes)
    assert torch.equal(rows["baroque"], painter.draw(torch.eye(3)[[2, 2]], latents))


def test_rows_are_of_the_first_attribute_and_the_others_stay_as_the_prompt_has_them() -> None:
    genres = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.3, 0.7]])
    painter, rows, latents = sheet(TWO_ATTRIBUTES, torch.cat([torch.eye(3), genres], 1))
    assert list(rows) == ["ukiyo_e", "baroque", "other"]
    baroque = torch.tensor([0.0, 1.0, 0.0]).expand(3, -1)
    assert torch.equal(rows["baroque"], painter.draw(torch.cat([baroque, genres], 1), latents))


def test_a_sheet_of_many_classes_shows_the_first() -> None:
    many = ImageSpec(3, 8, tuple(f"class {number}" for number in range(20)))
    _, rows, _ = sheet(many, torch.eye(20)[:2])
    assert list(rows) == list(many.classes[:SHEET_ROWS])


def told(kind: str) -> tuple[dict[str, Any], list[Tensor]]:
    """Return what an augmentation knows after a learner's verdicts, and what was averaged over two devices."""
    averaged: list[Tensor] = []

    def all_reduce(value: Tensor, reduce_op: str) -> Tensor:
        assert reduce_op == "mean"
        averaged.append(value)
        return value + 0.25

    learner = object.__new__(CDCGAN)
    learner.fabric = SimpleNamespace(world_size=2, all_reduce=all_reduce)  # type: ignore[assignment]
    augment = Augmentation(AugmentOptions(kind=kind))  # type: ignore[arg-type]
    verdicts = torch.tensor([[3.0, 0.1], [-0.2, 5.0]], requires_grad=True)
    learner.tell_augmentation(augment, verdicts, torch.zeros(4, 3, 8, 8))
    return augment.state_dict(), averaged


def test_an_adaptive_augmentation_hears_the_mean_sign_of_all_devices() -> None:
    known, averaged = told("ada")
    assert [float(value) for value in averaged] == [0.5]
    assert (float(known["signs"]), known["images"], known["batches"]) == (0.75, 8, 1)
    assert not known["signs"].requires_grad


@pytest.mark.parametrize("kind", ["none", "diffaugment"])
def test_the_other_kinds_cost_the_devices_no_message(kind: str) -> None:
    known, averaged = told(kind)
    assert averaged == []
    assert known["batches"] == 0
