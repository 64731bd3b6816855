"""Export of painters to other programs: as an ONNX model, or as a torch.export program.

Inputs, outputs and weights are float32; images are in [-1, 1]. Every exported file is tested: its paintings are
compared with the painter's, at sizes other than the traced one.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from impasto import __version__
from impasto.chance import Draws, generator
from impasto.data.prompts import ClassPrompt, PhotoPrompt, Prompt
from impasto.errors import ImpastoError, PainterError
from impasto.files import replacing
from impasto.painter import LatentPainter, PaintContext, Painter, PaintOptions
from impasto.painting.painters import LoadedPainter

Format = Literal["onnx", "torch"]
SUFFIX: Mapping[Format, str] = {"onnx": ".onnx", "torch": ".pt2"}
ALLOWED = 1e-3
"""Largest allowed difference from the painter's own paintings, in [-1, 1]: an eighth of a step of 8 bits."""
PHOTO_SIZES = (1, 64, 96), (2, 131, 77), (1, 200, 53)
"""Batch, height and width of the test photos."""
BATCHES = 1, 3
"""Batch sizes of the test paintings from classes."""

Run = Callable[..., Tensor]


class Exported(NamedTuple):
    """The exported file."""

    file: Path
    inputs: tuple[str, ...]
    largest_difference: float
    """Largest difference from the painter's own paintings, in [-1, 1]."""


class _Program(NamedTuple):
    """A module to export, the inputs to trace it with, their dynamic sizes, and inputs to test it with."""

    module: nn.Module
    traced_with: tuple[Tensor, ...]
    inputs: tuple[str, ...]
    dynamic: tuple[dict[int, Any], ...]
    trials: tuple[tuple[Tensor, ...], ...]


def export_painter(loaded: LoadedPainter, target: Path, kind: Format) -> Exported:
    """Export a painter on the CPU as a model for photos of any size, or for class weights and latents; any batch size.

    Inputs and output are float32: `photo` [N, 3, H, W] in [-1, 1], or `weights` [N, classes] and `latents`
    [N, latent_size]; `painting` [N, 3, H, W] in [-1, 1]. The painter's paint options are fixed in the model. Raises
    PainterError if the painter cannot be exported or the model paints differently, ImpastoError if a library is not
    installed.
    """
    program = _program(loaded)
    write, load = {"onnx": (_write_onnx, _load_onnx), "torch": (_write_torch, _load_torch)}[kind]
    with replacing(target) as temporary:
        with torch.no_grad():
            write(program, temporary, _about(loaded, program))
            difference = _largest_difference(load(temporary), program)
        if not difference <= ALLOWED:
            raise PainterError(
                f"{loaded.name} paints differently as {kind}, by up to {difference:.2g} of 2, so nothing was "
                "written; use another --format"
            )
    return Exported(target, program.inputs, difference)


class _Exported(nn.Module):
    """A painter as a torch module with the networks it uses. Inputs are the fields of the prompt."""

    def __init__(self, loaded: LoadedPainter, prompt: type[Prompt], networks: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleDict(dict(networks))
        self.painter, self.options, self.prompt = loaded.painter, loaded.options, prompt

    def forward(self, *inputs: Tensor) -> Tensor:
        """Paint."""
        return _paint(self.painter, self.prompt(*inputs), self.options)


def _paint(painter: Painter[Any], prompt: Prompt, options: PaintOptions) -> Tensor:
    """Paint without autocast, with the random numbers of seed 0."""
    painted: Tensor = painter.paint(prompt, options, PaintContext(Draws.for_photos(0)))
    return painted.float()


def _program(loaded: LoadedPainter) -> _Program:
    painter, chance = loaded.painter, generator(0, "export")
    if not painter.exportable or (not isinstance(painter, LatentPainter) and painter.prompt_type is not PhotoPrompt):
        raise PainterError(
            f"{loaded.name} cannot be exported: {loaded.recipe.method.name} does not paint with one traceable program; "
            "use another painter"
        )
    batch = torch.export.Dim("batch")
    if isinstance(painter, LatentPainter):
        trials = [
            (
                torch.rand(count, len(loaded.spec.classes), generator=chance).softmax(1),
                torch.randn(count, painter.latent_size, generator=chance),
            )
            for count in (2, *BATCHES)
        ]
        return _traced(loaded, ClassPrompt, trials, ("weights", "latents"), ({0: batch}, {0: batch}))
    sizes = {0: batch, 2: torch.export.Dim("height", min=8), 3: torch.export.Dim("width", min=8)}
    photos = [
        (2 * torch.rand(count, loaded.spec.channels, height, width, generator=chance) - 1,)
        for count, height, width in ((2, 70, 97), *PHOTO_SIZES)
    ]
    return _traced(loaded, PhotoPrompt, photos, ("photo",), (sizes,))


def _traced(
    loaded: LoadedPainter,
    prompt: type[Prompt],
    trials: Sequence[tuple[Tensor, ...]],
    inputs: tuple[str, ...],
    dynamic: tuple[dict[int, Any], ...],
) -> _Program:
    first, *others = trials
    needed = _used(loaded.painter, lambda: _paint(loaded.painter, prompt(*first), loaded.options))
    module = _Exported(loaded, prompt, needed)
    return _Program(module, first, inputs, dynamic, tuple(others))


def _used(painter: Painter[Any], paint: Callable[[], object]) -> Mapping[str, nn.Module]:
    """Return the networks that painting calls. Others, such as a CycleGAN's way back, would only enlarge the file."""
    called: set[str] = set()
    hooks = [
        part.register_forward_hook(lambda *_, name=name: called.add(name))
        for name, network in painter.networks().items()
        for part in network.modules()
    ]
    with torch.no_grad():
        paint()
    for hook in hooks:
        hook.remove()
    return {name: network for name, network in painter.networks().items() if name in called}


def _about(loaded: LoadedPainter, program: _Program) -> dict[str, str]:
    """Return the metadata of the exported file."""
    return {
        "painter": loaded.name,
        "method": loaded.recipe.method.name,
        "images_seen": str(loaded.images_seen),
        "weights": loaded.fingerprint,
        "impasto": __version__,
        "values": "float32, -1 to 1 for 0 to 255 of sRGB",
        **({"classes": ", ".join(loaded.spec.classes)} if "weights" in program.inputs else {}),
    }


def _write_torch(program: _Program, target: Path, about: Mapping[str, str]) -> None:
    with _quiet():
        exported = torch.export.export(program.module, program.traced_with, dynamic_shapes=(program.dynamic,))
        _remove_source_paths(exported.graph_module)
        with target.open("wb") as stream:
            torch.export.save(exported, stream, extra_files={f"impasto/{name}": text for name, text in about.items()})


def _remove_source_paths(program: nn.Module) -> None:
    """Remove the source file and line of each step. Paths of this machine are private."""
    for part in program.modules():
        for node in part.graph.nodes if isinstance(part, torch.fx.GraphModule) else ():
            for origin in ("stack_trace", "nn_module_stack", "source_fn_stack", "from_node", "custom"):
                node.meta.pop(origin, None)


def _load_torch(file: Path) -> Run:
    with file.open("rb") as stream:
        loaded: Run = torch.export.load(stream).module()
    return loaded


def _write_onnx(program: _Program, target: Path, about: Mapping[str, str]) -> None:
    _need_onnx()
    with _quiet():
        made = torch.onnx.export(
            program.module,
            program.traced_with,
            dynamo=True,
            dynamic_shapes=(program.dynamic,),  # one argument: *inputs
            input_names=program.inputs,
            output_names=["painting"],
            external_data=False,
            verbose=False,
        )
    assert made is not None
    for part in (made.model.graph, *made.model.graph):  # as in _remove_source_paths
        part.metadata_props.clear()
    made.model.metadata_props.update(about)
    made.save(target)


def _load_onnx(file: Path) -> Run:
    import onnxruntime  # type: ignore[import-untyped]

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]

    def run(*inputs: Tensor) -> Tensor:
        (painting,) = session.run(None, {name: value.numpy() for name, value in zip(names, inputs, strict=True)})
        return torch.from_numpy(np.asarray(painting))

    return run


def _need_onnx() -> None:
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImpastoError(
            f'--format onnx needs {error.name}, which is not installed; use pip install "impasto[onnx]", or '
            "--format torch"
        ) from error


def _largest_difference(run: Run, program: _Program) -> float:
    """Return the largest difference over the test inputs, or NaN if any difference is NaN."""
    return float(torch.stack([(run(*inputs) - program.module(*inputs)).abs().max() for inputs in program.trials]).max())


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide warnings of the exporters, which are for their developers."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
