"""The one way to paint sets gradients, random numbers, progress and memory for every painter."""

import pytest
import torch
from torch import Tensor

from impasto.chance import Draws
from impasto.data.batches import ImageSpec
from impasto.data.prompts import ClassPrompt, PhotoPrompt
from impasto.painter import LatentPaintOptions, PaintContext, Painter, PaintOptions
from impasto.painting.latents import drawn_latents
from impasto.painting.paint import paint_classes, paint_prompt, paint_sheet
from tests.painting.colour_painter import SPEC, ColourPainter
from tests.painting.toy_painters import Darkening, Optimised, ToyOptions, ToyPaintOptions

RGB = ImageSpec(3, 8)


@pytest.fixture(autouse=True)
def _in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("impasto.painting.paint.has_bf16", lambda _: False)


def photos(count: int) -> PhotoPrompt:
    return PhotoPrompt(torch.rand(count, 3, 12, 10, generator=torch.Generator().manual_seed(1)) * 2 - 1)


@pytest.mark.parametrize("around", [torch.enable_grad, torch.no_grad])
def test_a_painter_that_optimises_its_canvas_gets_gradients(around: type) -> None:
    painter, prompt = Optimised(ToyOptions(shade=0.8), RGB), photos(2)
    with around():
        painted = paint_prompt(painter, prompt, Draws.for_photos(0, 2), ToyPaintOptions(steps=20))
        rows = paint_sheet(painter, prompt, Draws.for_photos(0, 2), ToyPaintOptions(steps=1))
    torch.testing.assert_close(painted, -0.8 * prompt.photos, rtol=0, atol=1e-5)
    assert not painted.requires_grad
    torch.testing.assert_close(rows["painting"], -0.4 * prompt.photos)
    assert torch.equal(rows["photo"], prompt.photos)
    assert not rows["painting"].requires_grad


def test_other_painters_record_no_gradients_and_give_float32() -> None:
    class Asking(Painter[PhotoPrompt]):
        prompt_type = PhotoPrompt

        def __init__(self) -> None:
            self.gradients: list[bool] = []

        def paint(self, prompt: PhotoPrompt, options: PaintOptions, context: PaintContext) -> Tensor:
            self.gradients.append(torch.is_grad_enabled())
            return prompt.photos.bfloat16()

    painter = Asking()
    assert paint_prompt(painter, photos(1), Draws.for_photos(0)).dtype == torch.float32
    paint_sheet(painter, photos(1), Draws.for_photos(0))
    assert painter.gradients == [False, False]


def test_progress_is_passed_on_and_an_error_from_it_stops_the_painting() -> None:
    painter, told = Optimised(ToyOptions(), RGB), []
    paint_prompt(painter, photos(1), Draws.for_photos(0), ToyPaintOptions(steps=4), report=told.append)
    assert told == [0.25, 0.5, 0.75, 1.0]

    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        paint_prompt(painter, photos(1), Draws.for_photos(0), report=stop)


def test_a_picture_depends_on_its_seed_and_number_and_not_on_what_is_painted_beside_it() -> None:
    painter, weights = ColourPainter(SPEC), torch.eye(3)[[0, 1, 2, 0, 1]]
    five = paint_prompt(painter, ClassPrompt(weights), Draws.numbered(3, range(5)))
    for number in range(5):
        (alone,) = paint_prompt(painter, ClassPrompt(weights[[number]]), Draws.numbered(3, [number]))
        torch.testing.assert_close(alone, five[number], rtol=0, atol=1e-6)
    other = paint_prompt(painter, ClassPrompt(weights), Draws.numbered(4, range(5)))
    assert (five - other).abs().amax((1, 2, 3)).min() > 0.1


def test_classes_are_equal_to_the_last_bit_whatever_their_count() -> None:
    painter, weights = ColourPainter(SPEC), torch.eye(3)[torch.arange(37) % 3]
    many = list(paint_classes(painter, ClassPrompt(weights), 8, seed=3))
    for count in (1, 5, 16, 17):
        few = list(paint_classes(painter, ClassPrompt(weights[:count]), 8, seed=3))
        assert len(few) == count
        assert all(torch.equal(one, other) for one, other in zip(few, many, strict=False))
    some = list(paint_classes(painter, ClassPrompt(weights[[30, 4]]), 8, seed=3, numbers=[30, 4]))
    assert torch.equal(some[0], many[30])
    assert torch.equal(some[1], many[4])


def test_classes_are_painted_from_given_latents_or_truncated_ones() -> None:
    painter, weights = ColourPainter(SPEC), torch.eye(3)
    own = list(paint_classes(painter, ClassPrompt(weights, drawn_latents(5, 3, range(3), 0.5)), 8, seed=9))
    options = LatentPaintOptions(truncation=0.5)
    drawn = list(paint_classes(painter, ClassPrompt(weights), 8, seed=3, options=options))
    assert all(torch.equal(one, other) for one, other in zip(own, drawn, strict=True))


def test_progress_of_classes_grows_over_the_batches_to_all() -> None:
    class Slow(ColourPainter):
        def paint(self, prompt: ClassPrompt, options: LatentPaintOptions, context: PaintContext) -> Tensor:
            context.report(0.5)
            return super().paint(prompt, options, context)

    told: list[float] = []
    list(paint_classes(Slow(SPEC), ClassPrompt(torch.zeros(20, 3)), 8, seed=0, report=told.append))
    assert told == [8 / 20, 16 / 20, 18 / 20, 1.0], "two batches, the second of four"


def test_memory_lasts_over_the_frames_and_is_fresh_for_each_film() -> None:
    painter, frames = Darkening(ToyOptions(), RGB), ClassPrompt(torch.zeros(4, 0))
    for _ in range(2):
        levels = [frame.mean().item() for frame in paint_classes(painter, frames, 8, seed=0, film=True)]
        assert levels == pytest.approx([0.9, 0.8, 0.7, 0.6])
    apart = [frame.mean().item() for frame in paint_classes(painter, frames, 8, seed=0)]
    assert apart == pytest.approx([0.9] * 4), "pictures that are no film do not remember one another"
    one = ClassPrompt(torch.zeros(1, 0))
    assert paint_prompt(painter, one, Draws.numbered(0, [0])).mean() == pytest.approx(0.9)
    memory = {"frames": 4}
    assert paint_prompt(painter, one, Draws.numbered(0, [0]), memory=memory).mean() == pytest.approx(0.5)
    assert memory == {"frames": 5}
