"""Captions of a contact sheet."""

from pathlib import Path

import numpy as np

from impasto.curation.show import contact_sheet, seen_of_dataset
from impasto.data.labelled_folder import LabelledFolder, LabelledFolderOptions
from tests.conftest import picture


def labelled(folder: Path, channels: int = 3) -> LabelledFolder:
    folder.mkdir()
    for number in range(6):
        picture(number).save(folder / f"{number}.png")
    rows = [f"{number}.png,{'ab'[number % 2]},{'xy'[number // 3] if number else ''}" for number in range(6)]
    (folder / "labels.csv").write_text("\n".join(["path,style,genre", *rows]))
    wishes = {"label": ("style", "genre"), "channels": channels, "image_size": 32, "resize": 32}
    return LabelledFolder(LabelledFolderOptions(path=folder, **wishes))  # type: ignore[arg-type]


def test_captions_of_several_labels_have_the_known_ones(tmp_path: Path) -> None:
    captions = sorted(shown.caption for shown in seen_of_dataset(labelled(tmp_path / "c"), 6, seed=0))
    assert captions == ["a", "a, x", "a, y", "b, x", "b, y", "b, y"]


def test_grey_examples_are_drawn_grey(tmp_path: Path) -> None:
    (shown,) = seen_of_dataset(labelled(tmp_path / "c", channels=1), 1, seed=0)
    assert shown.images[0].shape == (1, 32, 32)
    drawn = np.asarray(contact_sheet([shown]))[6:102, 6:102].astype(int)
    assert (drawn[::3, ::3] == drawn[2::3, 2::3]).all(), "enlarged threefold, keeping pixels"
    assert (drawn == drawn[..., :1]).all()
    assert drawn.std() > 5
