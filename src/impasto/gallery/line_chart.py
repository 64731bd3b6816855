"""The line chart of one scalar over the images seen, as measured and smoothed, as inline SVG."""

from __future__ import annotations

import json
import math

from markupsafe import Markup

from impasto.gallery.axes import FRAME, axes, path
from impasto.gallery.curves import Series, rounded, smoothed_series
from impasto.gallery.page import render


def line_chart(series: Series, images: float) -> Markup:
    """Return the SVG of a series over 0 to `images` images seen.

    Its attribute `data-points` lets a script read the curve: [images seen, measured, smoothed, x, y] for each point,
    where x and y are the coordinates of the smoothed line.
    """
    curve = smoothed_series(series)
    drawn = axes(images, series.values)
    readings = [
        [seen, rounded(mean), rounded(smoothed), round(drawn.x(seen), 1), round(drawn.y(smoothed), 1)]
        for (seen, mean), (_, smoothed) in zip(curve.means, curve.smoothed, strict=True)
        if math.isfinite(smoothed)
    ]
    return render(
        "line_chart.svg",
        description=_summary(series),
        data=json.dumps(readings, separators=(",", ":")),
        axes=drawn,
        measured=path(curve.measured, drawn),
        smoothed=path(curve.smoothed, drawn),
        **FRAME,
    )


def _summary(series: Series) -> str:
    known = [pair for pair in zip(series.images_seen, series.values, strict=True) if math.isfinite(pair[1])]
    if not known:
        return f"{series.name}: no finite values"
    (first_images, first), (last_images, last) = known[0], known[-1]
    return f"{series.name}: {first:.4g} at {first_images:,} images seen, {last:.4g} at {last_images:,}"
