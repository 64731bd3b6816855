"""An exported painter paints as the painter does, at sizes it was not traced with."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from impasto.chance import Draws
from impasto.data.prompts import PhotoPrompt
from impasto.engine.train import train
from impasto.errors import ImpastoError, PainterError
from impasto.painter import LatentPainter, PaintContext
from impasto.painting import export
from impasto.painting.export import Format, export_painter
from impasto.painting.painters import LoadedPainter, load_painter
from impasto.recipe import load_recipe


@pytest.fixture
def painter(tiny_recipe: Path) -> LoadedPainter:
    train(load_recipe(tiny_recipe, ["method.upsampling=resized"]), Path("runs/tiny"))
    return load_painter("tiny")


def painted(loaded: LoadedPainter, photos: torch.Tensor, seed: int = 0) -> torch.Tensor:
    """Paint in the precision of the photos, as an exported program does."""
    draws = Draws.for_photos(seed, len(photos))
    with torch.no_grad():
        painting: torch.Tensor = loaded.painter.paint(PhotoPrompt(photos), loaded.options, PaintContext(draws))
    return painting


def run_onnx(file: Path, **inputs: torch.Tensor) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    (painting,) = session.run(["painting"], {name: value.numpy() for name, value in inputs.items()})
    return np.asarray(painting)


def test_onnx_paints_photos_of_any_size(painter: LoadedPainter, tmp_path: Path) -> None:
    import onnx

    exported = export_painter(painter, tmp_path / "x.onnx", "onnx")
    assert exported.largest_difference < 1e-4
    for shape in [(1, 3, 8, 300), (1, 3, 128, 128), (2, 3, 45, 67)]:
        photo = 2 * torch.rand(shape) - 1
        expected = painted(painter, photo).numpy()
        np.testing.assert_allclose(run_onnx(exported.file, photo=photo), expected, atol=1e-4)
    model = onnx.load(exported.file)
    onnx.checker.check_model(model)
    about = {pair.key: pair.value for pair in model.metadata_props}
    assert (about["painter"], about["method"], about["weights"]) == ("tiny", "cyclegan", painter.fingerprint)
    weights = sum(np.prod(tensor.dims) for tensor in model.graph.initializer)
    one_generator = sum(weight.numel() for weight in painter.painter.networks()["to_painting"].parameters())
    assert weights < 1.2 * one_generator, "the network from paintings to photos is left out"


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> list[export.Run]:
    """What the exporter reads back from the files that it writes: reading such a file takes seconds."""
    found: list[export.Run] = []
    load = export._load_torch

    def loaded(file: Path) -> export.Run:
        found.append(load(file))
        return found[-1]

    monkeypatch.setattr(export, "_load_torch", loaded)
    return found


def test_a_torch_program_paints_photos_of_any_size(
    painter: LoadedPainter, programs: list[export.Run], tmp_path: Path
) -> None:
    export_painter(painter, tmp_path / "x.pt2", "torch")
    (program,) = programs
    for shape in [(1, 3, 8, 300), (1, 3, 128, 128), (3, 3, 45, 67)]:
        photo = 2 * torch.rand(shape) - 1
        torch.testing.assert_close(program(photo), painted(painter, photo))


@pytest.mark.parametrize("kind", ["onnx", pytest.param("torch", marks=pytest.mark.slow)])
def test_noise_is_part_of_the_program(
    kind: Format, tiny_recipe: Path, programs: list[export.Run], tmp_path: Path
) -> None:
    cut = "method={name: cut, width: 4, blocks: 1, discriminator_width: 4, underpainting: 2, noise: 0.5}"
    train(load_recipe(tiny_recipe, [cut, "training.images=1"]), Path("runs/tiny"))
    loaded = load_painter("tiny")
    exported = export_painter(loaded, tmp_path / f"x.{kind}", kind)
    photo = 2 * torch.rand(1, 3, 60, 84) - 1
    expected = painted(loaded, photo)
    found = torch.from_numpy(run_onnx(exported.file, photo=photo)) if kind == "onnx" else programs[0](photo)
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)
    assert (painted(loaded, photo, seed=1) - expected).abs().max() > 0.01


@pytest.mark.parametrize("kind", ["onnx", "torch"])
def test_painters_from_classes_run_without_impasto(kind: Format, tmp_path: Path) -> None:
    styles = load_painter("styles")
    assert isinstance(styles.painter, LatentPainter)
    exported = export_painter(styles, tmp_path / f"x.{kind}", kind)
    assert exported.inputs == ("weights", "latents")
    weights, latents = torch.eye(10)[[2, 5, 5, 0]], torch.randn(4, styles.painter.latent_size)
    expected = styles.painter.draw(weights, latents)
    if kind == "onnx":
        found = torch.from_numpy(run_onnx(exported.file, weights=weights, latents=latents))
    else:
        about = {"impasto/painter": ""}
        found = torch.export.load(exported.file, extra_files=about).module()(weights, latents)
        assert about["impasto/painter"] == "styles"
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    assert found.std() > 0.1


def test_a_model_that_paints_differently_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    painter = load_painter("styles")
    load = export._load_torch
    monkeypatch.setattr(export, "_load_torch", lambda file: lambda *inputs: 0.99 * load(file)(*inputs))
    with pytest.raises(PainterError, match=r"styles paints differently as torch, by up to 0\.\d+ of 2, so"):
        export_painter(painter, tmp_path / "x.pt2", "torch")
    monkeypatch.setattr(export, "_load_torch", lambda file: lambda *inputs: float("nan") * load(file)(*inputs))
    with pytest.raises(PainterError, match="by up to nan"):
        export_painter(painter, tmp_path / "x.pt2", "torch")
    assert list(tmp_path.glob("*x.*")) == []


def test_without_the_libraries(painter: LoadedPainter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImpastoError, match=r"needs onnxruntime, which is not installed; use pip install \"impasto"):
        export_painter(painter, tmp_path / "x.onnx", "onnx")
    assert list(tmp_path.glob("*x.*")) == []
