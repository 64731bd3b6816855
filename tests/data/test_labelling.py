"""Several labels at once: style and genre together, with missing labels."""

from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from impasto.data.dataset import DataOptions
from impasto.data.labelled_folder import LabelledFolder, LabelledFolderOptions
from impasto.data.prompts import ClassPrompt
from impasto.errors import DataError
from tests.conftest import picture

LABELS = [  # style, genre
    ("ukiyo_e", "landscape"), ("ukiyo_e", "landscape"), ("ukiyo_e", "portrait"), ("ukiyo_e", "portrait"),
    ("ukiyo_e", ""), ("rococo", "portrait"), ("rococo", "portrait"), ("rococo", ""), ("", "landscape"),
    ("", "landscape"), ("", ""),
]  # fmt: skip


@pytest.fixture
def art(tmp_path: Path) -> Path:
    """Eleven pictures. The brightness, 20 times their number, identifies their labels."""
    (tmp_path / "art").mkdir()
    for number in range(len(LABELS)):
        picture(0, 20, 20).point(lambda _, number=number: 20 * number).save(tmp_path / "art" / f"{number:02d}.png")
    rows = [f"{number:02d}.png,{style},{genre}" for number, (style, genre) in enumerate(LABELS)]
    (tmp_path / "art" / "labels.csv").write_text("\n".join(["path,style,genre", *rows]))
    return tmp_path / "art"


def opened(path: Path, **options: object) -> LabelledFolder:
    chosen = {"label": ("style", "genre"), "image_size": 16, "resize": 16, **options}
    return LabelledFolder(LabelledFolderOptions(path=path, **chosen))  # type: ignore[arg-type]


def seen(dataset: LabelledFolder, images: int) -> list[tuple[int, tuple[int, int]]]:
    """Return number and labels of the first pictures drawn."""
    batches = list(islice(dataset.stream(2, seed=1), images // 2))
    levels = [round((float(image.mean()) + 1) * 127.5 / 20) for batch in batches for image in batch.images]
    labels = [tuple(row) for batch in batches for row in batch.labels.tolist()]
    return list(zip(levels, labels, strict=True))


def test_every_picture_comes_with_its_known_labels(art: Path) -> None:
    dataset = opened(art)
    assert dataset.spec.classes == ("style=rococo", "style=ukiyo_e", "genre=landscape", "genre=portrait")
    assert dataset.spec.groups == dataset.spec.attributes == (2, 2)
    assert dataset.summary() == "10 pictures of 2 classes (style) and 2 classes (genre) to learn from, 0 held out"
    assert dataset.histogram() == {
        "style=rococo": 3, "style=ukiyo_e": 5, "genre=landscape": 4, "genre=portrait": 4
    }  # fmt: skip
    assert dataset.notes == (
        "1 pictures have no style or genre and are left out",
        "training pictures that are learned by their other labels only: 2 without style, 2 without genre",
    )
    numbers = {"": -1, "rococo": 0, "ukiyo_e": 1, "landscape": 0, "portrait": 1}
    drawn = seen(dataset, 10)
    assert sorted(number for number, _ in drawn) == list(range(10))
    assert all(labels == tuple(numbers[name] for name in LABELS[number]) for number, labels in drawn)


def test_prompts_take_turns_in_each_attribute(art: Path) -> None:
    weights = opened(art, classes=("style=rococo",)).prompt(ClassPrompt, 3).weights
    assert weights.tolist() == [[1, 1, 0], [1, 0, 1], [1, 1, 0]]


def test_classes_of_one_attribute_leave_the_other_whole(art: Path) -> None:
    dataset = opened(art, classes=("style=rococo",))
    assert dataset.spec.classes == ("style=rococo", "genre=landscape", "genre=portrait")
    assert dataset.spec.groups == (1, 2)
    drawn = dict(seen(dataset, dataset.size // 2 * 2 * 2))
    assert drawn[0] == (-1, 0), "a picture of another style is learned by its genre"
    assert 4 not in drawn, "and is left out where it has none"
    with pytest.raises(DataError, match=r"data.classes: .* has no class 'ukiyo_e'; did you mean style=ukiyo_e\?"):
        opened(art, classes=("ukiyo_e",))


def test_small_classes_become_unknown(art: Path) -> None:
    dataset = opened(art, min_images=4)
    assert dataset.spec.classes == ("style=ukiyo_e", "genre=landscape", "genre=portrait")
    assert "1 of 2 classes of style are too small and left out: rococo (3); 5 pictures of 1 classes are kept" in (
        dataset.notes
    )
    assert opened(art, largest=1).spec.classes == ("style=ukiyo_e", "genre=landscape"), "the largest of each"
    assert dataset.size == 9
    assert dict(seen(dataset, 18))[5] == (-1, 1)


def test_the_first_attribute_is_held_out_balanced_and_evaluated(art: Path) -> None:
    dataset = opened(art, validation_share=0.4, balance="uniform")
    held_out = Counter(item.labels.get("style") for item in dataset.pictures.test)
    assert held_out == {"ukiyo_e": 2, "rococo": 1}, "of the two without a style both are left to learn from"
    assert dataset.held_out_size == 3
    assert next(dataset.held_out(3)).labels.shape == (3, 2)
    styles = Counter(labels[0] for _, labels in seen(dataset, 70))
    assert max(styles.values()) - min(styles.values()) <= 10, "none is a class of its own"
    assert set(styles) == {-1, 0, 1}
    given = opened(art).evaluation_pictures()
    assert given.attribute == "style"
    assert [item.labels["style"] for item in given.real] == [style for style, _ in LABELS if style]
    assert len(given.learned) == 10


def test_a_list_of_one_attribute_equals_the_attribute(art: Path) -> None:
    listed, plain = opened(art, label=("style",)), opened(art, label="style")
    assert listed.spec == plain.spec
    assert listed.spec.groups == ()
    assert torch.equal(next(listed.stream(4, seed=1)).images, next(plain.stream(4, seed=1)).images)


def test_bad_lists_of_labels(art: Path) -> None:
    with pytest.raises(DataError, match="data.label: .* have no label 'artist'; they have style, genre"):
        opened(art, label=("style", "artist"))
    with pytest.raises(ValidationError, match=r"label names an attribute twice \(style, style\); name each once"):
        opened(art, label=("style", "style"))
    with pytest.raises(ValidationError, match="at least 1 item"):
        opened(art, label=())
    rows = [f"{n:02d}.png,{'train' if n in (8, 9) else 'test'}" for n in range(len(LABELS))]
    (art / "split.csv").write_text("\n".join(["path,split", *rows]))
    with pytest.raises(DataError, match=r"art has no training picture with a style; change its split\.csv"):
        opened(art)


@pytest.mark.parametrize("cache", ["none", "memory", "disk"])
def test_grey_and_squashed_pictures(cache: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "cache"))
    for name in "ab":
        (tmp_path / "c" / name).mkdir(parents=True)
        for seed in range(2):
            picture(seed + ord(name), 60, 20).save(tmp_path / "c" / name / f"{seed}.png")
    shapes = {"label": None, "flip": False, "cache": cache, "validation_share": 0.0, "crop": "centre"}
    whole = opened(tmp_path / "c", **shapes, fit="squash")
    grey = opened(tmp_path / "c", **shapes, fit="squash", channels=1)
    middle = opened(tmp_path / "c", **shapes)
    assert (grey.spec.channels, whole.spec.channels) == (1, 3)
    red, green, blue = next(whole.stream(4, seed=2)).images.unbind(1)
    images = next(grey.stream(4, seed=2)).images
    assert images.shape == (4, 1, 16, 16)
    assert torch.allclose(images[:, 0], 0.299 * red + 0.587 * green + 0.114 * blue, atol=2 / 127.5)
    for _ in range(2):
        assert not torch.allclose(next(middle.stream(4, seed=2)).images[:, 0], red, atol=0.2), "cropped, not squashed"


def test_held_out_pictures_are_squashed_and_grey_too(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / "c" / name).mkdir(parents=True)
        for seed in range(3):
            picture(seed, 90, 20).save(tmp_path / "c" / name / f"{seed}.png")
    dataset = opened(tmp_path / "c", label=None, validation_share=0.3, fit="squash", channels=1, resize=20)
    (held_out,) = dataset.held_out(4)
    assert held_out.images.shape == (2, 1, 16, 16)
    assert held_out.labels.tolist() == [[0], [1]]


def test_pictures_keep_proportions_and_colours_by_default(art: Path) -> None:
    assert DataOptions(kind="any").read_options == LabelledFolderOptions(path=art).read_options
