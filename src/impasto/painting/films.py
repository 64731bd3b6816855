"""Films as GIF, and as MP4 if PyAV is installed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from PIL import Image

from impasto.errors import ImpastoError, OutputError
from impasto.files import replacing
from impasto.painting.layout import enlarged

FRAMES_PER_SECOND = 20
SMALLEST_FILM = 256
"""Smaller pictures are enlarged by a whole factor to at least this many pixels."""
PALETTE_FRAMES = 32
"""Number of frames from which the colours of a GIF are chosen."""
QUALITY = "18"
"""x264's constant rate factor: almost no visible loss."""
FORMATS = (".gif", ".mp4")


def check_film(target: Path) -> None:
    """Raise OutputError for a suffix that is not a film format, ImpastoError if PyAV is needed and not installed."""
    if target.suffix.lower() not in FORMATS:
        raise OutputError(f"{target} is not a film's name; use a name that ends in {' or '.join(FORMATS)}")
    if target.suffix.lower() == ".mp4":
        _pyav()


def write_film(frames: Sequence[Image.Image], target: Path, signature: Mapping[str, Any]) -> None:
    """Write RGB frames of the same size as a film. Its comment contains the signature as JSON."""
    check_film(target)
    comment = json.dumps(signature)
    with replacing(target) as temporary:
        if target.suffix.lower() == ".gif":
            _write_gif(frames, temporary, comment)
        else:
            _write_mp4(map(_even, frames), temporary, comment)


def _write_gif(frames: Sequence[Image.Image], target: Path, comment: str) -> None:
    """Write a looping GIF. One palette for all frames and no dithering avoid flicker and keep the file small."""
    palette = _palette_of(frames)
    indexed = [enlarged(frame.quantize(palette=palette, dither=Image.Dither.NONE), SMALLEST_FILM) for frame in frames]
    indexed[0].save(
        target,
        "GIF",
        save_all=True,
        append_images=indexed[1:],
        duration=1000 // FRAMES_PER_SECOND,
        loop=0,
        comment=comment.encode("ascii"),
    )


def _palette_of(frames: Sequence[Image.Image]) -> Image.Image:
    """Return a picture whose palette is the 256 colours that fit the frames best."""
    some = frames[:: -(-len(frames) // PALETTE_FRAMES)]
    width, height = some[0].size
    strip = Image.new("RGB", (width, height * len(some)))
    for place, frame in enumerate(some):
        strip.paste(frame, (0, place * height))
    return strip.quantize(256)


def _write_mp4(frames: Iterator[Image.Image], target: Path, comment: str) -> None:
    """Write frames one by one, because all enlarged frames together would need too much memory."""
    av, first = _pyav(), next(frames)
    with av.open(str(target), "w", format="mp4") as film:
        film.metadata["comment"] = comment
        stream = film.add_stream("libx264", rate=FRAMES_PER_SECOND, options={"crf": QUALITY})
        stream.width, stream.height = first.size
        stream.pix_fmt = "yuv420p"  # supported by every player
        for frame in itertools.chain([first], frames):
            film.mux(stream.encode(av.VideoFrame.from_image(frame)))
        film.mux(stream.encode())


def _even(frame: Image.Image) -> Image.Image:
    """Enlarge a frame to sides of even length. The format yuv420p needs them."""
    larger = enlarged(frame, SMALLEST_FILM)
    return larger if larger.width % 2 == 0 else enlarged(frame, larger.width + 1)


def _pyav() -> ModuleType:
    try:
        import av
    except ImportError as error:
        raise ImpastoError(
            'MP4 needs PyAV, which is not installed; use pip install "impasto[video]", or an --output that ends in .gif'
        ) from error
    return av
