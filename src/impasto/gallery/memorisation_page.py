"""The page that answers whether a painter copies: generated pictures beside the training pictures nearest to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup
from PIL import Image

from impasto.evaluation.copies import (
    NEAR_FEATURES,
    Baseline,
    Copies,
    FeatureMatch,
    Images,
    Kind,
    Nearest,
    PixelMatch,
    median,
)
from impasto.gallery.mirrored_histogram import Limit, mirrored_histogram
from impasto.gallery.page import write_page
from impasto.gallery.pictures import SMALL, Picture, encode, within

MOST_SHOWN = 60
"""Generated pictures on a page, the most suspicious ones; the others are counted."""
PICTURE_BYTES = 5_500_000
"""Most bytes of all pictures of a page. Base64 adds a third, and a page stays below 8 MB, small enough to mail."""
LARGE, LITTLE = 256, 120
"""Longer side of a compared picture and of a further neighbour, pixels: more than the page shows, for sharp screens."""
SEVERITIES: Mapping[Kind, str] = {"exact": "grave", "near": "warning", "none": "none"}
"""CSS classes."""
KINDS: Mapping[Kind, str] = {"exact": "exact copy", "near": "near copy", "none": "not a copy"}


class _Chart(NamedTuple):
    title: str
    svg: Markup


class _Shown(NamedTuple):
    """A picture with its caption; `figure` is a number in bold, followed by `text`."""

    name: str
    picture: Picture
    small: bool
    figure: str = ""
    text: str = ""
    near: bool = False
    mirrored: bool = False


class _Case(NamedTuple):
    """A generated picture and its neighbours, the nearest first, by how they were found."""

    severity: str
    kind: str
    flags: Sequence[str]
    generated: _Shown
    neighbours: Mapping[str, Sequence[_Shown]]

    @property
    def weight(self) -> int:
        """Bytes of its pictures."""
        shown = [self.generated, *(one for found in self.neighbours.values() for one in found)]
        return sum(one.picture.weight for one in shown)


def write_memorisation_page(
    copies: Copies, generated: Images, reference: Images, target: Path, title: str, facts: Mapping[str, str]
) -> Path:
    """Write the page of what `find_copies` found in the same two sets to `target` and return `target`.

    `facts` are short texts by name, such as {"features": "inception-2015"}.

    Raises PictureError when a picture cannot be read and OutputError when the page cannot be written.
    """
    cases = list(_cases(copies, generated, reference))
    return write_page(
        target,
        "memorisation.html",
        title=title,
        summary=copies.verdict(),
        facts={
            "generated": f"{len(copies.nearest):,}",
            "compared with": f"{copies.references:,} training pictures",
            **facts,
        },
        distances=_in_words(copies),
        charts=list(_charts(copies)),
        reservations=list(_reservations(copies)),
        how_many=_how_many(len(cases), len(copies.nearest)),
        cases=cases,
    )


# Distances


def _charts(copies: Copies) -> Iterator[_Chart]:
    copied = [found for found in copies.nearest if copies.kind(found) != "none"]
    others = copies.nearest[len(copied) :]
    yield _chart(
        "In pixels: levels of 255",
        [found.by_pixels[0].fit.rmse for found in copied],
        [found.by_pixels[0].fit.rmse for found in others],
        copies.baseline.pixels,
    )
    if copies.nearest[0].by_features:
        yield _chart(
            "In features: cosine distance",
            [found.by_features[0].distance for found in copied],
            [found.by_features[0].distance for found in others],
            copies.baseline.features,
            Limit(NEAR_FEATURES, "limit of MiFID"),
        )


def _chart(
    title: str,
    copied: Sequence[float],
    others: Sequence[float],
    baseline: Sequence[float],
    limit: Limit | None = None,
) -> _Chart:
    parts = (("copies", copied), ("other generated pictures", others), ("different training pictures", baseline))
    summary = "; ".join(f"{name}: {_summary(values)}" for name, values in parts)
    return _Chart(title, mirrored_histogram(copied, others, baseline, limit, f"{title}. {summary}"))


def _summary(values: Sequence[float]) -> str:
    if not values:
        return "0"
    return f"{len(values):,}, from {min(values):.3g} to {max(values):.3g}, median {median(values):.3g}"


def _in_words(copies: Copies) -> str:
    usual = median(copies.baseline.pixels)
    ours = median([found.by_pixels[0].fit.rmse for found in copies.nearest])
    how = (
        "The charts show the distance of each picture from the nearest training picture, after mirroring, cropping and "
        "resizing it to fit best."
    )
    if usual is None:
        return f"{how} Median of generated pictures: {ours:.1f} levels of 255."
    return (
        f"{how} Median between two different training pictures: {usual:.1f} levels of 255; median of generated "
        f"pictures: {ours:.1f}."
    )


def _reservations(copies: Copies) -> Iterator[str]:
    baseline = copies.baseline
    if not baseline.sampled:
        yield "There is only one training picture, so there is no distance between training pictures to compare with."
    if baseline.repeated:
        yield (
            f"{baseline.repeated:,} of {baseline.sampled:,} training pictures that were compared with the others have "
            "a copy among them and are left out here. Use impasto data check to see which."
        )
    if baseline.features and not baseline.features_tell:
        near = sum(distance < NEAR_FEATURES for distance in baseline.features)
        yield (
            f"{near:,} of {len(baseline.features):,} different training pictures are nearer than {NEAR_FEATURES:g} to "
            "another one in these features. Therefore these features mark no picture as a copy."
        )


# Side by side


def _how_many(shown: int, total: int) -> str:
    which = f"The {shown:,} most suspicious of {total:,} pictures" if shown < total else "All pictures"
    return f"{which}: copies first, then by distance. Mirrored training pictures are mirrored back."


def _cases(copies: Copies, generated: Images, reference: Images) -> Iterator[_Case]:
    """Yield the most suspicious pictures, as many as a page may hold."""
    weight = 0
    for found in copies.nearest[:MOST_SHOWN]:
        case = _case(found, copies, generated, reference)
        weight += case.weight
        if weight > PICTURE_BYTES:
            return
        yield case


def _case(found: Nearest, copies: Copies, generated: Images, reference: Images) -> _Case:
    kind, baseline = copies.kind(found), copies.baseline
    ways = {
        "Nearest in pixels": [_by_pixels(match, place, reference) for place, match in enumerate(found.by_pixels)],
        "Nearest in features": [
            _by_features(match, place, reference, baseline) for place, match in enumerate(found.by_features)
        ],
    }
    return _Case(
        SEVERITIES[kind],
        KINDS[kind],
        list(_flags(found, baseline)),
        _shown(generated, found.picture, LARGE),
        {title: shown for title, shown in ways.items() if shown},
    )


def _flags(found: Nearest, baseline: Baseline) -> Iterator[str]:
    if found.exact is not None:
        yield "equal pixels, mirrored" if found.exact.mirrored else "equal pixels"
    elif found.near_in_pixels:
        yield "alike in pixels"
    if found.near_in_features and baseline.features_tell:
        yield f"features nearer than {NEAR_FEATURES:g}"


def _by_pixels(match: PixelMatch, place: int, reference: Images) -> _Shown:
    fit = match.fit
    details = "" if place else f", similarity {fit.cosine:.2f}{', mirrored' * fit.mirrored}"
    return _shown(reference, match.reference, LITTLE if place else LARGE)._replace(
        figure=f"{fit.rmse:.1f}", text=f" levels{details}", near=fit.same, mirrored=fit.mirrored
    )


def _by_features(match: FeatureMatch, place: int, reference: Images, baseline: Baseline) -> _Shown:
    near = match.distance < NEAR_FEATURES and baseline.features_tell
    shown = _shown(reference, match.reference, LITTLE if place else LARGE)
    return shown._replace(figure=f"{match.distance:.3f}", near=near)


def _shown(images: Images, number: int, longest_side: int) -> _Shown:
    pixels = images.picture(number)
    picture = within(Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy()), longest_side)
    return _Shown(images.names[number], encode(picture), max(pixels.shape[1:]) < SMALL)
