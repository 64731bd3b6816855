"""The page that answers whether a painter copies: generated pictures beside the training pictures nearest to them.

The page is a single file that asks nothing of the network and runs no script.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template

from PIL import Image
from torch import Tensor

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
from impasto.gallery.histogram import histogram
from impasto.gallery.page import FOOTER, encode, facts_list, hint, image, note, resource, within, write_page

MOST_SHOWN = 60
"""Generated pictures on a page, the most suspicious ones; the others are counted."""
PICTURE_BYTES = 5_500_000
"""What all pictures of a page may weigh; base64 adds a third, and a page stays below 8 MB, small enough to mail."""
LARGE, LITTLE = 256, 120
"""Longer side of a compared picture and of a further neighbour, pixels: more than the page shows, for sharp screens."""
SMALL = 128
"""Pictures with fewer pixels on their longer side are enlarged without smoothing."""
TONES: Mapping[Kind, str] = {"exact": "grave", "near": "warning", "apart": "apart"}
KINDS: Mapping[Kind, str] = {"exact": "exact copy", "near": "near copy", "apart": "keeps apart"}


def write_memorisation_page(
    copies: Copies, generated: Images, reference: Images, target: Path, title: str, facts: Mapping[str, str]
) -> Path:
    """Write the page of what `find_copies` found in the same two sets to `target` and return `target`.

    `facts` are short texts by name, such as {"features": "inception-2015"}.

    Raises PictureError when a picture cannot be read and OutputError when the page cannot be written.
    """
    body = Template(resource("memorisation.html")).substitute(
        title=escape(title),
        summary=escape(copies.verdict()),
        facts=facts_list({**_facts(copies), **facts}),
        distances=_distances(copies),
        pictures=_pictures(copies, generated, reference),
        footer=FOOTER,
    )
    style = "".join(resource(name) for name in ("report.css", "doctor.css", "memorisation.css"))
    return write_page(target, title=title, style=style, body=body)


def _facts(copies: Copies) -> dict[str, str]:
    return {"generated": f"{len(copies.nearest):,}", "training pictures": f"{copies.references:,}"}


# How near is near?


def _distances(copies: Copies) -> str:
    baseline, copied = copies.baseline, [found for found in copies.nearest if copies.kind(found) != "apart"]
    apart = copies.nearest[len(copied) :]
    charts = [
        _chart(
            "In pixels: levels of 255",
            [found.by_pixels[0].rmse for found in copied],
            [found.by_pixels[0].rmse for found in apart],
            baseline.pixels,
        )
    ]
    if copies.nearest[0].by_features:
        chart = _chart(
            "In features: cosine distance",
            [found.by_features[0].distance for found in copied],
            [found.by_features[0].distance for found in apart],
            baseline.features,
            limit=NEAR_FEATURES,
        )
        charts.append(chart)
    return f"""{hint(_in_words(copies))}
<div class="charts distances">
{"".join(charts)}
</div>
{"".join(note(sentence) for sentence in _reservations(copies))}"""


def _in_words(copies: Copies) -> str:
    usual = median(copies.baseline.pixels)
    ours = median([found.by_pixels[0].rmse for found in copies.nearest])
    how = (
        "Each picture's distance from the training picture nearest to it, laid upon it as well as it fits: mirrored, "
        "cropped, resized."
    )
    if usual is None:
        return f"{how} Usual for a generated picture: {ours:.1f} levels."
    return (
        f"{how} Usual between two different training pictures: {usual:.1f} levels of 255; for a generated picture: "
        f"{ours:.1f}."
    )


def _reservations(copies: Copies) -> Iterator[str]:
    baseline = copies.baseline
    if not baseline.sampled:
        yield "A single training picture cannot be held against others."
    if baseline.repeated:
        yield (
            f"{baseline.repeated:,} of {baseline.sampled:,} training pictures that were compared with the others have "
            "a copy among them and are left out here; impasto data check shows which."
        )
    if baseline.features and not baseline.features_tell:
        near = sum(distance < NEAR_FEATURES for distance in baseline.features)
        yield (
            f"{near:,} of {len(baseline.features):,} different training pictures are nearer than {NEAR_FEATURES:g} to "
            "another one in these features, which therefore call no picture a copy."
        )


def _chart(
    title: str, copied: Sequence[float], apart: Sequence[float], baseline: Sequence[float], limit: float | None = None
) -> str:
    parts = (("copies", copied), ("other generated pictures", apart), ("different training pictures", baseline))
    said = "; ".join(f"{name}: {_said(values)}" for name, values in parts)
    return f"""<figure class="chart">
<figcaption class="key">{escape(title)}<br><span class="marked">copies</span>
<span class="others">other generated</span>
<span class="held-against">training pictures among themselves</span></figcaption>
{histogram(copied, apart, baseline, limit, f"{title}. {said}")}
</figure>"""


def _said(values: Sequence[float]) -> str:
    return (
        f"{len(values):,}, from {min(values):.3g} to {max(values):.3g}, median {median(values):.3g}" if values else "0"
    )


# Side by side


def _pictures(copies: Copies, generated: Images, reference: Images) -> str:
    shown, weight = [], 0
    for found in copies.nearest[:MOST_SHOWN]:
        case = _case(found, copies, generated, reference)
        weight += len(case) * 3 // 4
        if weight > PICTURE_BYTES:
            break
        shown.append(case)
    total = len(copies.nearest)
    how_many = f"The {len(shown):,} most suspicious of {total:,} pictures" if len(shown) < total else "All pictures"
    return f"""{hint(f"{how_many}, copies first, then by distance; mirrored ones are turned to match.")}
<ol class="compared">
{"".join(shown)}
</ol>"""


def _case(found: Nearest, copies: Copies, generated: Images, reference: Images) -> str:
    name, kind = generated.names[found.picture], copies.kind(found)
    own = _image(generated.picture(found.picture), f"{name}, generated", LARGE)
    flags = "".join(f'<span class="tag">{flag}</span>' for flag in _flags(found, copies.baseline))
    figures = [_by_pixels(match, place, reference) for place, match in enumerate(found.by_pixels)]
    ways = [_way("Nearest in pixels", figures)]
    if found.by_features:
        figures = [
            _by_features(match, place, reference, copies.baseline) for place, match in enumerate(found.by_features)
        ]
        ways.append(_way("Nearest in features", figures))
    return f"""<li class="{TONES[kind]}">
<h3><span class="severity">{KINDS[kind]}</span>{flags}</h3>
<div><p>Generated</p>
<figure class="large">{own}<figcaption><span class="name">{_breakable(name)}</span></figcaption></figure></div>
<div class="ways">{"".join(ways)}</div>
</li>
"""


def _flags(found: Nearest, baseline: Baseline) -> Iterator[str]:
    if found.exact is not None:
        yield "equal pixels, mirrored" if found.exact.mirrored else "equal pixels"
    elif found.near_in_pixels:
        yield "alike in pixels"
    if found.near_in_features and baseline.features_tell:
        yield f"features nearer than {NEAR_FEATURES:g}"


def _way(title: str, figures: Sequence[str]) -> str:
    return f'<div class="way"><p>{title}</p><div class="row">{"".join(figures)}</div></div>'


def _by_pixels(match: PixelMatch, place: int, reference: Images) -> str:
    says = f"<strong>{match.rmse:.1f}</strong> levels"
    if not place:
        says += f", correlation {match.correlation:.2f}{', mirrored' * match.mirrored}"
    return _neighbour(match.reference, place, reference, says, near=match.near, mirrored=match.mirrored)


def _by_features(match: FeatureMatch, place: int, reference: Images, baseline: Baseline) -> str:
    near = match.distance < NEAR_FEATURES and baseline.features_tell
    return _neighbour(match.reference, place, reference, f"<strong>{match.distance:.3f}</strong>", near=near)


def _neighbour(number: int, place: int, reference: Images, says: str, *, near: bool, mirrored: bool = False) -> str:
    name = reference.names[number]
    shown = _image(reference.picture(number), f"{name}, training picture", LITTLE if place else LARGE)
    if mirrored:
        shown = f'<div class="mirrored">{shown}</div>'
    kinds = " ".join(kind for kind, holds in (("large", not place), ("near", near)) if holds)
    return (
        f'<figure class="{kinds}">{shown}<figcaption><span class="name">{_breakable(name)}</span>{says}</figcaption>'
        "</figure>"
    )


def _image(pixels: Tensor, description: str, longest_side: int) -> str:
    """Return uint8 [3, H, W] as HTML."""
    picture = within(Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy()), longest_side)
    html = image(encode(picture), description)
    return html.replace("<img", '<img class="small"', 1) if max(pixels.shape[1:]) < SMALL else html


def _breakable(name: str) -> str:
    """Escape a file name and let its line break after a slash or an underscore."""
    return escape(name).replace("/", "/<wbr>").replace("_", "_<wbr>")
