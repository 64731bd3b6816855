"""The tables of a comparison that show settings which differ, time and memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from impasto.durations import as_clock
from impasto.gallery.compared import Run, differing_settings, equal_settings, same_pictures
from impasto.gallery.page import NOTHING, figure, hint, note, remarks
from impasto.gallery.swatch import swatch_and_name

# Settings


def settings_table(runs: Sequence[Run]) -> str:
    """Return the table of settings that differ, a column for each run, and how many are equal."""
    if len(runs) == 1:
        return note("There is one run only.")
    rows = {**differing_settings(runs), **_differing_pictures(runs)}
    equal = equal_settings(runs)
    if not rows:
        return note(f"None: all {equal} settings are the same.")
    heads = "".join(f'<th scope="col">{swatch_and_name(place, run.name)}</th>' for place, run in enumerate(runs))
    body = "".join(_settings_row(path, values) for path, values in rows.items())
    return f"""{hint(f"{equal} other settings are the same in all runs.")}
<div class="wide"><table class="settings">
<thead><tr><th scope="col">setting</th>{heads}</tr></thead>
<tbody>
{body}</tbody>
</table></div>"""


def _differing_pictures(runs: Sequence[Run]) -> dict[str, list[str | None]]:
    if same_pictures(runs):
        return {}
    return {"the pictures": [run.pictures and f"{run.pictures.summary} ({run.pictures.digest[:8]})" for run in runs]}


def _settings_row(path: str, values: Sequence[str | None]) -> str:
    cells = "".join(NOTHING if value is None else f"<td>{escape(value)}</td>" for value in values)
    breakable = escape(path).replace(".", ".<wbr>").replace("_", "_<wbr>")
    return f'<tr><th scope="row">{breakable}</th>{cells}</tr>\n'


# Time and memory


def cost_table(runs: Sequence[Run]) -> str:
    """Return the table of how far each run came, how fast, on what and with how much memory."""
    names = ("images seen", "time, h:mm:ss", "images a second", "peak memory", "device", "precision", "state")
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("run", *names))
    rows = "".join(_cost_row(place, run) for place, run in enumerate(runs))
    return f"""<div class="wide"><table class="cost">
<thead><tr>{heads}</tr></thead>
<tbody>
{rows}</tbody>
</table></div>
{remarks(list(_damage(runs)))}"""


def _cost_row(place: int, run: Run) -> str:
    rate = run.images_seen / run.seconds if run.seconds > 0 else math.nan
    facts = [
        f"{run.images_seen:,}",
        as_clock(run.seconds) if run.seconds > 0 else "",
        figure(rate) if math.isfinite(rate) else "",
        f"{run.peak_megabytes:,.0f} MB" if math.isfinite(run.peak_megabytes) else "",
        ", then ".join(run.facts("device")),
        ", then ".join(run.facts("precision")),
        state(run),
    ]
    cells = "".join(f"<td>{escape(fact)}</td>" if fact else NOTHING for fact in facts)
    return f'<tr><th scope="row">{swatch_and_name(place, run.name)}</th>{cells}</tr>\n'


def state(run: Run) -> str:
    """Say whether a run came to its end, or how far it is from it."""
    if run.finished:
        return "finished"
    planned = run.settings.get("training.images", "")
    return f"not finished, {planned_share(run.images_seen, int(planned))}" if planned.isdecimal() else "not finished"


def planned_share(images_seen: int, planned: int) -> str:
    """Say how much of what was planned is done."""
    return f"{images_seen / max(planned, 1):.0%} of {planned:,}"


def _damage(runs: Sequence[Run]) -> Iterator[str]:
    for run in runs:
        if run.story.damaged:
            lines = "1 damaged line" if run.story.damaged == 1 else f"{run.story.damaged:,} damaged lines"
            yield f"<strong>Left out of the journal of {escape(run.name)}:</strong> {lines}."
