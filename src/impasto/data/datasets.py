"""The table of datasets: `data.kind` of a recipe, and its class."""

from __future__ import annotations

from collections.abc import Mapping

from impasto.data.atelier import Atelier
from impasto.data.dataset import DataOptions, Dataset
from impasto.data.digits import Digits
from impasto.data.labelled_folder import LabelledFolder
from impasto.data.paired_folders import PairedFolders
from impasto.data.unpaired_folders import UnpairedFolders

DATASETS: Mapping[str, type[Dataset]] = {
    "atelier": Atelier,
    "digits": Digits,
    "labelled-folder": LabelledFolder,
    "paired-folders": PairedFolders,
    "unpaired-folders": UnpairedFolders,
}


def open_dataset(options: DataOptions, batch_type: type) -> Dataset:
    """Find and check the pictures that the options name.

    Raises DataError for pictures that cannot be used.
    """
    return DATASETS[options.kind](options, batch_type)
