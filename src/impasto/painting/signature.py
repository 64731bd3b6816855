"""The signature of a painting: its painter and options, stored in the metadata of the picture file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms

from impasto import __version__
from impasto.data.pictures import DAMAGE, open_picture
from impasto.errors import PictureError
from impasto.painting.painters import LoadedPainter

SOFTWARE = 0x0131
EXIF_FOLDER = 0x8769
USER_COMMENT = 0x9286
ASCII = b"ASCII\0\0\0"


def made_by(loaded: LoadedPainter) -> dict[str, Any]:
    """Return the part of a signature that describes the painter."""
    options = loaded.options.model_dump(mode="json")
    return {
        "painter": loaded.name,
        "method": loaded.recipe.method.name,
        "images_seen": loaded.images_seen,
        "weights": loaded.fingerprint,
        "impasto": __version__,
        **({"options": options} if options else {}),
    }


def save_signed(picture: Image.Image, target: Path, kind: str, signature: Mapping[str, Any]) -> None:
    """Write an RGB picture as `kind` (PNG, JPEG or WEBP) with its signature and an sRGB profile."""
    exif = Image.Exif()
    exif[SOFTWARE] = f"impasto {__version__}"
    exif.get_ifd(EXIF_FOLDER)[USER_COMMENT] = ASCII + json.dumps(signature).encode("ascii")
    settings: dict[str, Any] = {"PNG": {}, "JPEG": {"quality": 92, "subsampling": 0}, "WEBP": {"quality": 92}}[kind]
    picture.save(target, format=kind, exif=exif.tobytes(), icc_profile=srgb_profile(), **settings)


def read_signature(path: Path) -> dict[str, Any]:
    """Return the signature of a painting, or of a film as GIF.

    Raises PictureError when the file is not a picture or was not painted by impasto.
    """
    if path.suffix.lower() == ".mp4" and path.is_file():
        raise PictureError(f"{path} is an MP4 film; use ffprobe or a player to read its signature in the comment")
    with open_picture(path, max_megapixels=math.inf) as picture:
        try:
            comment = picture.getexif().get_ifd(EXIF_FOLDER).get(USER_COMMENT, picture.info.get("comment", b""))
        except DAMAGE as error:
            raise PictureError(f"{path} is cut off or damaged ({error}); paint it again") from error
    if isinstance(comment, str):
        comment = comment.encode("ascii", "replace")
    try:
        signature = json.loads(bytes(comment).removeprefix(ASCII))
    except ValueError:
        signature = None
    if not isinstance(signature, dict) or "painter" not in signature:
        raise PictureError(f"{path} has no signature of impasto; use a painting of impasto with its original metadata")
    return signature


@cache
def srgb_profile() -> bytes:
    """Return an sRGB colour profile. The bytes are always the same."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes(12)  # removes the date of creation
    return bytes(profile)
