"""What a comparison reads of each run, and which runs differ in nothing but their seed."""

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
from impasto.gallery.curves import Series
from impasto.gallery.metric_values import Metric, MetricValue, read_metrics, read_warnings
from impasto.gallery.run_reader import Journal, Sample, find_samples, number, read_journal, read_settings, scalar_series
from impasto.run_folder import RunFolder

SEED = "training.seed"


class Pictures(NamedTuple):
    """The training pictures of a run."""

    digest: str
    summary: str


@dataclass(frozen=True, eq=False)
class Run:
    """A run of a comparison."""

    path: Path
    name: str
    """Its folder's name, with as many of the folders above as distinguish it from the others."""
    settings: Mapping[str, str]
    """By dotted path, without the recipe's `about` block."""
    pictures: Pictures | None
    """None where the folder has no readable data.json."""
    samples: Sequence[Sample]
    journal: Journal

    @cached_property
    def curves(self) -> dict[str, Series]:
        """Its losses and all other scalars that its method logged."""
        return {series.name: series for series in scalar_series(self.journal.entries)}

    @cached_property
    def metrics(self) -> dict[Metric, list[MetricValue]]:
        """The values of each metric, in the order of images seen."""
        return read_metrics(self.journal.entries)

    @cached_property
    def warnings(self) -> list[str]:
        """The warnings of its evaluations."""
        return read_warnings(self.journal.entries)

    @cached_property
    def images_seen(self) -> int:
        """Images seen at its end, as far as the folder tells."""
        sheets = [sample.images_seen for sample in self.samples]
        return max([*sheets, *(entry["images_seen"] for entry in self.journal.entries)], default=0)

    @property
    def seconds(self) -> float:
        """Training time of all its sessions, evaluations included."""
        known = [number(entry.get("seconds")) for entry in self.journal.entries]
        return max([seconds for seconds in known if math.isfinite(seconds)], default=0.0)

    @property
    def peak_megabytes(self) -> float:
        """Peak memory in MB; NaN where the journal does not tell."""
        known = [number(entry.get("peak_megabytes")) for entry in self.journal.entries]
        return max([megabytes for megabytes in known if math.isfinite(megabytes)], default=math.nan)

    @property
    def finished(self) -> bool:
        """Whether its journal ends with the entry of a finished run."""
        return bool(self.journal.entries) and self.journal.entries[-1]["kind"] == "finish"

    def facts(self, name: str) -> list[str]:
        """Return the different values of a fact of its sessions, such as the device."""
        told = [entry[name] for entry in self.journal.entries if entry["kind"] == "start" and name in entry]
        return list(dict.fromkeys(map(str, told)))


class Mean(NamedTuple):
    """The mean of a value over the seeds of one recipe, with its 95 % interval (Student's t)."""

    value: float
    low: float
    high: float
    seeds: int


def read_runs(paths: Sequence[Path]) -> list[Run]:
    """Return the runs of some folders, each folder once, in the order given.

    Raises RunError for the first that is no run folder.
    """
    folders = list(dict.fromkeys(path.resolve() for path in paths))
    return [_read_run(path, name) for path, name in zip(folders, distinct_names(folders), strict=True)]


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """Return for each path its shortest ending, in whole parts, that no other path has."""
    return [_shortest_name(path, paths) for path in paths]


def seed_groups(runs: Sequence[Run]) -> list[list[Run]]:
    """Return the runs in groups that differ in nothing but their seed. A group may be a single run.

    A run that repeats a seed is a group of its own. Counted as a further seed, it would make the interval too narrow.
    """
    groups: dict[object, dict[str, Run]] = defaultdict(dict)
    for run in runs:
        rest = frozenset((path, value) for path, value in run.settings.items() if path != SEED)
        digest, seed = run.pictures and run.pictures.digest, run.settings.get(SEED, "")
        key: object = (rest, digest)
        groups[run.path if seed in groups[key] else key][seed] = run
    return [list(group.values()) for group in groups.values()]


def mean_over_seeds(values: Sequence[float]) -> Mean:
    """Return the mean of two or more values and its interval."""
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
    """Whether all runs learned from the same pictures, as far as their folders tell."""
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
        read_journal(folder),
    )


def _read_pictures(folder: RunFolder) -> Pictures | None:
    try:
        facts = json.loads(folder.data_file.read_bytes())
        digest = "-".join([facts["names"], facts["labels"], facts["contents"]])
        return Pictures(digest, str(facts["summary"]))
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
    ):  # from an older version, or damaged: the comparison needs it for one note only
        return None


def _shortest_name(path: Path, paths: Sequence[Path]) -> str:
    for length in range(1, len(path.parts)):
        ending = path.parts[-length:]
        if [other.parts[-length:] for other in paths].count(ending) == 1:
            return "/".join(ending)
    return str(path)


def _all_paths(runs: Sequence[Run]) -> list[str]:
    return list(dict.fromkeys(path for run in runs for path in run.settings))
