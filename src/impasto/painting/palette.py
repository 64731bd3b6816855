"""A painting in its photo's palette: Reinhard et al. 2001, "Color transfer between images", by CIE Lab."""

from __future__ import annotations

from functools import cache

from PIL import Image, ImageCms, ImageStat

MOST_GAIN = 3.0
"""How much a channel's contrast grows at most: a painting almost of one colour has mostly noise to show."""


def with_palette_of(photo: Image.Image, painting: Image.Image) -> Image.Image:
    """Return an RGB painting whose lightness and colours have the photo's means and deviations; RGB of any size."""
    channels = []
    theirs = _to_lab(photo).split()
    for wanted, channel in zip(theirs, _to_lab(painting).split(), strict=True):
        found, given = ImageStat.Stat(channel), ImageStat.Stat(wanted)
        gain = min(given.stddev[0] / found.stddev[0], MOST_GAIN) if found.stddev[0] > 0 else 1.0
        levels = [given.mean[0] + gain * (level - found.mean[0]) for level in range(256)]
        channels.append(channel.point([round(min(max(level, 0), 255)) for level in levels]))
    return _to_rgb(Image.merge("LAB", channels))


def _to_lab(picture: Image.Image) -> Image.Image:
    """Return 8 bits each of L*, a* and b*, the latter two with 128 for 0."""
    return _applied(picture, *_profiles(), "LAB")


def _to_rgb(lab: Image.Image) -> Image.Image:
    rgb, of_lab = _profiles()
    return _applied(lab, of_lab, rgb, "RGB")


def _applied(
    picture: Image.Image, here: ImageCms.ImageCmsProfile, there: ImageCms.ImageCmsProfile, mode: str
) -> Image.Image:
    transform = ImageCms.buildTransform(here, there, picture.mode, mode)
    converted = ImageCms.applyTransform(picture, transform)
    assert converted is not None  # it is None only where the picture itself is changed
    return converted


@cache
def _profiles() -> tuple[ImageCms.ImageCmsProfile, ImageCms.ImageCmsProfile]:
    """Return sRGB and Lab."""
    return (
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")),
    )
