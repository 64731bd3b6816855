"""The difference in tones: strokes cost nothing, a shift of colour costs its size."""

import pytest
import torch

from impasto.losses.tones import tone_difference


def test_a_shift_of_colour_costs_its_size() -> None:
    photos = torch.rand(2, 3, 40, 48) - 0.5
    assert tone_difference(photos, photos) == 0
    assert tone_difference(photos + 0.25, photos).item() == pytest.approx(0.25, abs=1e-6)


def test_strokes_that_mix_to_the_same_colour_cost_nothing() -> None:
    photos = torch.zeros(1, 3, 32, 32)
    strokes = torch.tensor([0.5, -0.5]).repeat_interleave(4).repeat(4).expand(1, 3, 32, 32)
    assert (strokes - photos).abs().mean() == 0.5
    assert tone_difference(strokes, photos) == 0


def test_opposite_shifts_of_two_halves_do_not_cancel() -> None:
    photos = torch.zeros(1, 1, 64, 64)
    painted = photos.clone()
    painted[..., :32] = 0.5
    painted[..., 32:] = -0.5
    assert tone_difference(painted, photos) > 0.4
