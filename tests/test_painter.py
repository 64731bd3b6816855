"""What painters from latents share."""

from typing import Any

import torch
from torch import Tensor

from impasto.chance import Draws
from impasto.data.batches import ImageSpec
from impasto.data.prompts import ClassPrompt
from impasto.networks.latents import truncated
from impasto.painter import SHEET_ROWS, LatentPaintOptions, PaintContext
from tests.painting.colour_painter import SPEC, TWO_ATTRIBUTES, ColourPainter


def draws(count: int) -> Draws:
    return Draws.numbered(4, range(count))


def sheet(spec: ImageSpec, weights: Tensor) -> tuple[ColourPainter, Any, Tensor]:
    """Return a painter, its sheet and the latents of the sheet."""
    painter = ColourPainter(spec)
    rows = painter.sheet(ClassPrompt(weights), LatentPaintOptions(), PaintContext(draws(len(weights))))
    return painter, rows, draws(len(weights)).normal(painter.latent_size)


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


def test_truncation_applies_to_drawn_latents_and_not_to_given_ones() -> None:
    painter, weights, options = ColourPainter(SPEC), torch.eye(3), LatentPaintOptions(truncation=0.5)
    drawn = painter.paint(ClassPrompt(weights), options, PaintContext(draws(3)))
    assert torch.equal(drawn, painter.draw(weights, truncated(draws(3).normal(painter.latent_size), 0.5)))
    given = torch.full((3, painter.latent_size), 2.0)
    painted = painter.paint(ClassPrompt(weights, given), options, PaintContext(draws(3)))
    assert torch.equal(painted, painter.draw(weights, given))
