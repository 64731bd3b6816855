"""The tables of a comparison that show settings which differ, time and memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from impasto.durations import as_clock
from impasto.gallery.comparison_metrics import Remark
from impasto.gallery.comparison_runs import Run, differing_settings, same_pictures
from impasto.gallery.page import figure

COST_COLUMNS = ("images seen", "time, h:mm:ss", "images per second", "peak memory", "device", "precision", "state")


class CostRow(NamedTuple):
    """What a run took; a text is empty where its folder does not tell."""

    name: str
    cells: Sequence[str]


def settings_rows(runs: Sequence[Run]) -> dict[str, list[str | None]]:
    """Return the settings that differ, and the pictures where they do: a value for each run, None for no value."""
    return {**differing_settings(runs), **_differing_pictures(runs)}


def cost_rows(runs: Sequence[Run]) -> list[CostRow]:
    """Return for each run how far it came, how fast, on which device and with how much memory."""
    return [CostRow(run.name, _cost(run)) for run in runs]


def damage_remarks(runs: Sequence[Run]) -> list[Remark]:
    """Return a sentence for each run whose journal has damaged lines."""
    return [
        Remark(f"{damaged:,} damaged line{'s' * (damaged != 1)}.", lead=f"Left out of the journal of {run.name}:")
        for run in runs
        if (damaged := run.journal.damaged)
    ]


def state(run: Run) -> str:
    """Return whether a run is finished, or how far it is."""
    if run.finished:
        return "finished"
    planned = run.settings.get("training.images", "")
    return f"not finished, {planned_share(run.images_seen, int(planned))}" if planned.isdecimal() else "not finished"


def planned_share(images_seen: int, planned: int) -> str:
    """Return which share of the planned images is done."""
    return f"{images_seen / max(planned, 1):.0%} of {planned:,}"


def _differing_pictures(runs: Sequence[Run]) -> dict[str, list[str | None]]:
    if same_pictures(runs):
        return {}
    return {"the pictures": [run.pictures and f"{run.pictures.summary} ({run.pictures.digest[:8]})" for run in runs]}


def _cost(run: Run) -> list[str]:
    rate = run.images_seen / run.seconds if run.seconds > 0 else math.nan
    return [
        f"{run.images_seen:,}",
        as_clock(run.seconds) if run.seconds > 0 else "",
        figure(rate) if math.isfinite(rate) else "",
        f"{run.peak_megabytes:,.0f} MB" if math.isfinite(run.peak_megabytes) else "",
        ", then ".join(run.facts("device")),
        ", then ".join(run.facts("precision")),
        state(run),
    ]
