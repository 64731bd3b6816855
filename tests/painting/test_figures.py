"""Figures have the cells that their papers describe; see docs/methods/conditional-gans.md."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from impasto.data.prompts import ClassPrompt
from impasto.errors import PainterError
from impasto.painting import figures
from impasto.painting.class_requests import completed, requested_one
from impasto.painting.figures import Axis, Figure, Noise, axis_of, paint_cells
from impasto.painting.painters import LoadedPainter
from impasto.painting.signature import read_signature
from tests.painting.colour_painter import SPEC, STYLES, TWO_ATTRIBUTES, ColourPainter, colour_painter

NOISE = Noise(5, seed=3)


@pytest.fixture(autouse=True)
def _in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("impasto.painting.paint.has_bf16", lambda _: False)


@pytest.fixture
def axis() -> Axis:
    return axis_of(SPEC)


def drawn(figure: Figure) -> torch.Tensor:
    """Return all cells, drawn at once by the painter itself: [R, C, 3, S, S]."""
    painter = ColourPainter(SPEC)
    with torch.inference_mode():
        images = painter.draw(figure.weights.flatten(0, 1), figure.latents.flatten(0, 1))
    return images.unflatten(0, figure.weights.shape[:2])


@pytest.mark.parametrize("mixture", ["sum", "mean"])
def test_the_mixing_matrix_is_symmetric_and_its_diagonal_is_the_class(axis: Axis, mixture: figures.Mixture) -> None:
    figure = figures.mixing(axis, NOISE, mixture)
    cells = drawn(figure)
    assert figure.weights.shape == (3, 3, 3)
    assert figure.rows == figure.columns == STYLES
    assert torch.allclose(cells, cells.transpose(0, 1), atol=1e-6)
    with torch.inference_mode():
        alone = ColourPainter(SPEC).draw(torch.eye(3), NOISE(range(1)).expand(3, -1))
    assert torch.allclose(cells[range(3), range(3)], alone, atol=1e-6)
    half = {"sum": 1.0, "mean": 0.5}[mixture]
    assert torch.equal(figure.weights[0, 2], torch.tensor([half, 0.0, half]))
    assert not torch.allclose(cells[0, 1], cells[0, 0], atol=0.1), "a mixture is something else"


def test_painted_cells_are_the_ones_asked_for_and_equal_ones_are_painted_once(
    axis: Axis, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    real = figures.all_class_pictures

    def counting(loaded: LoadedPainter, prompt: ClassPrompt, *progress: Any) -> list[Image.Image]:
        asked.append(prompt.count)
        return real(loaded, prompt, *progress)

    monkeypatch.setattr(figures, "all_class_pictures", counting)
    figure = figures.mixing(axis, NOISE)
    pictures = paint_cells(figure, colour_painter())
    assert asked == [6]
    expected = drawn(figure).flatten(0, 1).add(1).mul(127.5)
    for picture, image in zip(pictures, expected, strict=True):
        assert np.abs(np.asarray(picture) - image.permute(1, 2, 0).numpy()).max() <= 1


def test_a_sweep_has_the_same_noise_in_a_row_and_the_same_class_in_a_column(axis: Axis) -> None:
    figure = figures.sweep(axis, NOISE, rows=4)
    assert figure.weights.shape[:2] == (4, 3)
    assert torch.equal(figure.latents, NOISE(range(4))[:, None].expand(-1, 3, -1))
    assert torch.equal(figure.weights, torch.eye(3).expand(4, -1, -1))
    again = figures.sweep(axis, Noise(5, seed=3), rows=4)
    first, second = (paint_cells(one, colour_painter()) for one in (figure, again))
    assert [picture.tobytes() for picture in first] == [picture.tobytes() for picture in second]
    other = paint_cells(figures.sweep(axis, Noise(5, seed=4), rows=4), colour_painter())
    assert [picture.tobytes() for picture in first] != [picture.tobytes() for picture in other]


def test_every_class_has_a_row_and_every_cell_its_latent(axis: Axis) -> None:
    figure = figures.classes(axis, NOISE, columns=5)
    assert figure.rows == STYLES
    assert torch.equal(figure.weights[:, 0], torch.eye(3))
    assert torch.equal(figure.latents.flatten(0, 1), NOISE(range(15)))


def test_a_gallery_fills_its_rows() -> None:
    figure = figures.gallery(requested_one(SPEC, ["baroque"]), NOISE, count=10, columns=4)
    assert figure.weights.shape == (3, 4, 3)
    assert len(paint_cells(figure, colour_painter())) == 12


@pytest.mark.parametrize(
    ("count", "columns"), [(1, 1), (5, 5), (8, 8), (12, 8), (64, 8), (65, 9), (100, 10), (2000, 45)]
)
def test_a_gallery_is_about_a_square(count: int, columns: int) -> None:
    figure = figures.gallery(requested_one(SPEC, ["baroque"]), NOISE, count)
    assert figure.weights.shape[1] == columns


def test_figures_that_nobody_could_see_are_refused_before_painting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "all_class_pictures", lambda *_: pytest.fail("painted"))
    figure = figures.gallery(requested_one(SPEC, ["baroque"]), NOISE, count=2000, columns=1)
    with pytest.raises(PainterError, match="2,000 rows of 1 paintings would leave 1 pixels for each"):
        paint_cells(figure, colour_painter())


def test_a_written_figure_says_how_it_was_made(axis: Axis) -> None:
    figure, loaded = figures.sweep(axis, Noise(5, seed=3, truncation=0.7), rows=2), colour_painter()
    figures.write_figure(figure, paint_cells(figure, loaded), loaded, Path("sweep.png"), mixture="sum")
    about = read_signature(Path("sweep.png"))
    assert (about["painter"], about["weights"], about["mixture"]) == ("colours", "0123456789abcdef", "sum")
    assert (about["figure"], about["seed"], about["truncation"]) == (figure.title, 3, 0.7)


def test_truncation_narrows_the_same_latents(axis: Axis) -> None:
    figure = figures.truncation(axis, NOISE, columns=4)
    assert figure.rows == ("as drawn", "1.5", "1", "0.7", "0.5", "0.3")
    assert torch.equal(figure.latents[0], NOISE(range(4)))
    assert figure.columns == (*STYLES, "ukiyo_e")
    for row, threshold in enumerate(figures.TRUNCATIONS[1:], start=1):
        assert float(figure.latents[row].abs().max()) <= threshold
        assert torch.equal(figure.latents[row].sign(), figure.latents[0].sign())
    assert figures.truncation(axis, NOISE).weights.shape[1] == 10
    assert figures.truncation(axis, NOISE, columns=2).title == "Latents within a threshold, 2 of 3 classes, seed 3"


def test_an_interpolation_runs_straight_from_class_to_class() -> None:
    start, end = (requested_one(SPEC, [name]) for name in ("ukiyo_e", "baroque"))
    figure = figures.interpolation(start, end, NOISE, rows=2, steps=5)
    assert figure.columns == ("0.00", "0.25", "0.50", "0.75", "1.00")
    assert torch.allclose(figure.weights[1, 1], torch.tensor([0.75, 0.0, 0.25]))
    assert torch.equal(figure.weights[:, [0, -1]], torch.eye(3)[[0, 2]].expand(2, -1, -1))
    with pytest.raises(PainterError, match="both ends are ukiyo_e"):
        figures.interpolation(start, start, NOISE, rows=2, steps=5)


def test_one_attribute_is_gone_through_while_others_stay() -> None:
    axis = axis_of(TWO_ATTRIBUTES, "genre", ["ukiyo_e"])
    assert axis.names == ("landscape", "genre=other")
    assert torch.equal(axis.weights, torch.tensor([[1.0, 0, 0, 1, 0], [1.0, 0, 0, 0, 1]]))
    mixing = figures.mixing(axis, NOISE)
    assert torch.equal(mixing.weights[0, 1], torch.tensor([1.0, 0, 0, 1, 1]))
    assert torch.equal(mixing.weights[1, 1], torch.tensor([1.0, 0, 0, 0, 1]))
    assert mixing.title == "Two classes of genre at once (sum), ukiyo_e, seed 3"
    unsaid = axis_of(TWO_ATTRIBUTES)
    assert unsaid.names == ("ukiyo_e", "baroque", "style=other")
    assert unsaid.weights[:, 3:].tolist() == [[1, 0]] * 3, "no picture leaves its genre open: the first"
    assert figures.classes(unsaid, NOISE, 2).title == "Every class of style, landscape, seed 3"
    with pytest.raises(PainterError, match="landscape: the figure shows all classes of genre"):
        axis_of(TWO_ATTRIBUTES, "genre", ["landscape"])
    with pytest.raises(PainterError, match="shows all classes of class; leave that class out"):
        axis_of(SPEC, None, ["baroque"])


def test_a_painter_without_classes_has_a_gallery_and_no_other_figures() -> None:
    spec = SPEC._replace(classes=())
    figure = figures.gallery(completed(spec, requested_one(spec, [])), NOISE, count=4)
    assert (figure.title, figure.weights.shape) == ("Paintings, seed 3", (1, 4, 0))
    assert len(paint_cells(figure, colour_painter(spec))) == 4
    with pytest.raises(
        PainterError, match="this figure needs classes, and the painter has none; use impasto figure gallery"
    ):
        axis_of(spec)


def test_many_classes_are_laid_out(axis: Axis) -> None:
    spec = SPEC._replace(classes=tuple(f"a rather long name {number}" for number in range(27)))
    loaded = colour_painter(spec)
    figure = figures.mixing(axis_of(spec), NOISE)
    figures.write_figure(figure, paint_cells(figure, loaded), loaded, Path("many.png"))
    with Image.open("many.png") as sheet:
        assert min(sheet.size) > 27 * 64
