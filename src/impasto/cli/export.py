"""`impasto export`."""

from __future__ import annotations

from pathlib import Path

from impasto.cli.console import console, escape
from impasto.cli.outputs import check_new
from impasto.painting.export import SUFFIX, Format, export_painter
from impasto.painting.painters import load_painter


def export_command(name: str, kind: Format, output: Path | None, *, overwrite: bool) -> None:
    """Write a painter for other programs, and print what the model takes and returns."""
    painter = load_painter(name)
    target = output or Path(painter.name + SUFFIX[kind])
    check_new(target, overwrite=overwrite)
    exported = export_painter(painter, target, kind)
    console.print(
        f"{escape(painter.name)} as {kind}: {escape(str(target))}, {target.stat().st_size / 1e6:.1f} MB; paints as "
        f"here within {exported.largest_difference:.1g}, for other inputs than it was made with"
    )
    inputs = {
        "photo": "photo float32 [N, 3, H, W] in [-1, 1]",
        "weights": f"weights float32 [N, {len(painter.spec.classes)}]",
        "latents": "latents float32 [N, latents]",
    }
    console.print(f"  takes {' and '.join(escape(inputs[name]) for name in exported.inputs)}")
    console.print(escape("  returns painting float32 [N, 3, H, W] in [-1, 1]"))
