"""Figures have the cells that their papers say: checks 3 and 12 of spec 01."""

import numpy as np
import pytest
import torch

from impasto.errors import PainterError
from impasto.painting import drawing, figures
from impasto.painting.figures import Axis, Figure, Noise, axis_of, paint_cells
from impasto.painting.prompts import requested_one
from tests.painting.colour_painter import SPEC, STYLES, TWO_ATTRIBUTES, ColourPainter, colour_painter

NOISE = Noise(5, seed=3)


@pytest.fixture(autouse=True)
def _in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "has_bf16", lambda _: False)


@pytest.fixture
def axis() -> Axis:
    return axis_of(SPEC)


def drawn(figure: Figure) -> torch.Tensor:
    """All cells drawn at once, straight from the painter: [R, C, 3, S, S]."""
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
    real = figures.draw_pictures

    def counting(painter: object, weights: torch.Tensor, latents: torch.Tensor) -> object:
        asked.append(len(weights))
        return real(painter, weights, latents)  # type: ignore[arg-type]

    monkeypatch.setattr(figures, "draw_pictures", counting)
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


def test_truncation_narrows_the_same_latents(axis: Axis) -> None:
    figure = figures.truncation(axis, NOISE, columns=4)
    assert figure.rows == ("1.5", "1", "0.7", "0.5", "0.3")
    assert figure.columns == (*STYLES, "ukiyo_e")
    for row, threshold in enumerate(figures.TRUNCATIONS):
        assert float(figure.latents[row].abs().max()) <= threshold
        assert torch.equal(figure.latents[row].sign(), figure.latents[0].sign())


def test_an_interpolation_runs_straight_from_class_to_class() -> None:
    start, end = (requested_one(SPEC, [name]) for name in ("ukiyo_e", "baroque"))
    figure = figures.interpolation(start, end, NOISE, rows=2, steps=5)
    assert figure.columns == ("0.00", "0.25", "0.50", "0.75", "1.00")
    assert torch.allclose(figure.weights[1, 1], torch.tensor([0.75, 0.0, 0.25]))
    assert torch.equal(figure.weights[:, [0, -1]], torch.eye(3)[[0, 2]].expand(2, -1, -1))


def test_one_attribute_is_gone_through_while_others_stay() -> None:
    axis = axis_of(TWO_ATTRIBUTES, "genre", ["ukiyo_e"])
    assert axis.names == ("landscape", "genre=other")
    assert torch.equal(axis.weights, torch.tensor([[1.0, 0, 0, 1, 0], [1.0, 0, 0, 0, 1]]))
    mixing = figures.mixing(axis, NOISE)
    assert torch.equal(mixing.weights[0, 1], torch.tensor([1.0, 0, 0, 1, 1]))
    assert torch.equal(mixing.weights[1, 1], torch.tensor([1.0, 0, 0, 0, 1]))
    assert axis_of(TWO_ATTRIBUTES).names == ("ukiyo_e", "baroque", "style=other")
    with pytest.raises(PainterError, match="landscape: the figure goes through all classes of genre"):
        axis_of(TWO_ATTRIBUTES, "genre", ["landscape"])
    with pytest.raises(PainterError, match="goes through all classes of class; leave that label out"):
        axis_of(SPEC, None, ["baroque"])


def test_many_classes_are_laid_out(axis: Axis) -> None:
    spec = SPEC._replace(classes=tuple(f"a rather long name {number}" for number in range(27)))
    loaded = colour_painter(spec)
    figure = figures.mixing(axis_of(spec), NOISE)
    sheet = figures.lay_out(figure, paint_cells(figure, loaded), loaded)
    assert sheet.width > 27 * 64
    assert sheet.height > 27 * 64
