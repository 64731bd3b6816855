"""What a comparison knows of each run, and which runs repeat one another with another seed."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from scipy.special import stdtrit

from impasto.curation.doctor.names import printable
from impasto.gallery.charts import Series
from impasto.gallery.measured import Measure, Reading, read_measures, read_warnings
from impasto.gallery.runs import Sample, Story, find_samples, number, read_settings, read_story, scalar_curves
from impasto.run_folder import RunFolder

SEED = "training.seed"


class Pictures(NamedTuple):
    """What a run learned from."""

    digest: str
    summary: str


@dataclass(frozen=True, eq=False)
class Run:
    """A run as it is compared."""

    path: Path
    name: str
    """Its folder's name, with as many of the folders above as tell it from the others."""
    settings: Mapping[str, str]
    """By dotted path, without what the recipe says about itself."""
    pictures: Pictures | None
    """None where the folder does not tell."""
    samples: Sequence[Sample]
    story: Story

    @cached_property
    def curves(self) -> dict[str, Series]:
        """Its losses and what else its method logged."""
        return {curve.name: curve for curve in scalar_curves(self.story.entries)}

    @cached_property
    def measures(self) -> dict[Measure, list[Reading]]:
        """What the judge measured, in the order of images seen."""
        return read_measures(self.story.entries)

    @cached_property
    def warnings(self) -> list[str]:
        """What the judge warned of."""
        return read_warnings(self.story.entries)

    @cached_property
    def images_seen(self) -> int:
        """How far it came."""
        sheets = [sample.images_seen for sample in self.samples]
        return max([*sheets, *(entry["images_seen"] for entry in self.story.entries)], default=0)

    @property
    def seconds(self) -> float:
        """Training time, that of all its sessions; evaluations included."""
        known = [number(entry.get("seconds")) for entry in self.story.entries]
        return max([seconds for seconds in known if math.isfinite(seconds)], default=0.0)

    @property
    def peak_megabytes(self) -> float:
        """Most memory it held; NaN where the journal does not tell."""
        known = [number(entry.get("peak_megabytes")) for entry in self.story.entries]
        return max([megabytes for megabytes in known if math.isfinite(megabytes)], default=math.nan)

    @property
    def finished(self) -> bool:
        """Whether its journal ends with its end."""
        return bool(self.story.entries) and self.story.entries[-1]["kind"] == "finish"

    def facts(self, name: str) -> list[str]:
        """Return a fact of its sessions, such as the device, once for each that differs."""
        told = [entry[name] for entry in self.story.entries if entry["kind"] == "start" and name in entry]
        return list(dict.fromkeys(map(str, told)))


class Mean(NamedTuple):
    """A figure over the seeds of one recipe, with the 95 % interval of its mean (Student's t)."""

    value: float
    low: float
    high: float
    seeds: int


def read_runs(paths: Sequence[Path]) -> list[Run]:
    """Return what the run folders tell, each folder once, in the order given.

    Raises RunError for the first that is no run folder.
    """
    folders = list(dict.fromkeys(path.resolve() for path in paths))
    return [_read_run(path, name) for path, name in zip(folders, told_apart(folders), strict=True)]


def told_apart(paths: Sequence[Path]) -> list[str]:
    """Return each of several different paths by its last part, or by as many of its last as no other path ends with."""
    return [_shortest_name(path, paths) for path in paths]


def seed_groups(runs: Sequence[Run]) -> list[list[Run]]:
    """Return the runs in groups that differ in nothing but their seed; most groups may be of one run.

    A run that repeats a seed is alone: counted as another, it would make the interval look narrower than it is.
    """
    groups: dict[object, dict[str, Run]] = defaultdict(dict)
    for run in runs:
        rest = frozenset((path, value) for path, value in run.settings.items() if path != SEED)
        digest, seed = run.pictures and run.pictures.digest, run.settings.get(SEED, "")
        key: object = (rest, digest)
        groups[run.path if seed in groups[key] else key][seed] = run
    return [list(group.values()) for group in groups.values()]


def mean_over_seeds(values: Sequence[float]) -> Mean:
    """Return the mean of two or more figures and its interval."""
    count = len(values)
    mean = math.fsum(values) / count
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1))
    reach = float(stdtrit(count - 1, 0.975)) * deviation / math.sqrt(count)
    return Mean(mean, mean - reach, mean + reach, count)


def differing_settings(runs: Sequence[Run]) -> dict[str, list[str | None]]:
    """Return the settings in which the runs differ, a value for each run, None where it has no such setting."""
    by_path = {path: [run.settings.get(path) for run in runs] for path in _all_paths(runs)}
    return {path: values for path, values in by_path.items() if len(set(values)) > 1}


def equal_settings(runs: Sequence[Run]) -> int:
    """Return how many settings are the same in all runs."""
    return len(_all_paths(runs)) - len(differing_settings(runs))


def same_pictures(runs: Iterable[Run]) -> bool:
    """Whether, as far as their folders tell, all runs learned from the same pictures."""
    return len({run.pictures.digest for run in runs if run.pictures}) <= 1


def _read_run(path: Path, name: str) -> Run:
    folder = RunFolder(path)
    settings = read_settings(folder)
    return Run(
        path,
        printable(name),
        {path: value for path, value in settings.items() if path.split(".")[0] != "about"},
        _read_pictures(folder),
        find_samples(folder),
        read_story(folder),
    )


def _read_pictures(folder: RunFolder) -> Pictures | None:
    try:
        facts = json.loads(folder.data_file.read_bytes())
        digest = "-".join([facts["names"], facts["labels"], facts["contents"]])
        return Pictures(digest, str(facts["summary"]))
    except (OSError, ValueError, KeyError, TypeError):  # of an older version, or damaged; comparing goes on without it
        return None


def _shortest_name(path: Path, paths: Sequence[Path]) -> str:
    for length in range(1, len(path.parts)):
        ending = path.parts[-length:]
        if [other.parts[-length:] for other in paths].count(ending) == 1:
            return "/".join(ending)
    return str(path)


def _all_paths(runs: Sequence[Run]) -> list[str]:
    return list(dict.fromkeys(path for run in runs for path in run.settings))
