"""Five renderers that paint a photo without learning: the styles of the collection atelier.

A renderer takes a photo [H, W, 3], both sides at least 32 pixels, and a seed, and returns a painting of the same size.
The same photo and seed give the same painting. Brushes, stones and lines fit a short side of about 256 pixels.
"""

from impasto.data.renderers.canvas import Picture, Renderer
from impasto.data.renderers.crosshatching import hatching
from impasto.data.renderers.curved_strokes import strokes
from impasto.data.renderers.pointillism import points
from impasto.data.renderers.screen_print import flat
from impasto.data.renderers.superpixel_mosaic import mosaic

STYLES: dict[str, Renderer] = {
    "strokes": strokes,
    "points": points,
    "mosaic": mosaic,
    "hatching": hatching,
    "flat": flat,
}

__all__ = ["STYLES", "Picture", "Renderer", "flat", "hatching", "mosaic", "points", "strokes"]
