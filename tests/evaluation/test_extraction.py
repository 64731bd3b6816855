"""Columns: one pass, resumed where it stopped, whatever the images are."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from impasto.data.batches import ImageSpec
from impasto.errors import EvaluationError, PictureError
from impasto.evaluation.extraction import Column, FeatureColumn, extract
from impasto.evaluation.extractors import Pixels
from impasto.evaluation.images import Drawn, ImageSet, Painted, Pictures, Seen, open_pictures, some, to_bytes
from impasto.evaluation.pixel_columns import Colours, LikenessToPhoto, LikenessToTarget
from impasto.painter import PaintOptions
from tests.evaluation.toy_painters import Noise, Recoloured

Make = Callable[..., Path]


class Counting(Column):
    """Notes each image's mean, and how many images it was given."""

    identity = "counting"
    width = 2

    def __init__(self) -> None:
        self.given = 0

    def prepare(self, seen: Seen) -> Tensor:
        return seen.image.float().mean()[None]

    def values(self, prepared: Sequence[Tensor]) -> Tensor:
        self.given += len(prepared)
        return torch.stack([torch.cat([mean, mean * 2]) for mean in prepared])


class Stopping(Counting):
    """Is interrupted after some images."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def values(self, prepared: Sequence[Tensor]) -> Tensor:
        if self.given >= self.after:
            raise KeyboardInterrupt
        return super().values(prepared)


@pytest.fixture
def pictures(tmp_path: Path, make_pictures: Make) -> Pictures:
    return open_pictures(str(make_pictures(tmp_path / "pictures", 40)))


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("impasto.evaluation.extraction.BATCH", 16)


def test_rows_are_those_of_the_images_in_order(pictures: Pictures, cache: Path) -> None:
    column = Counting()
    told: list[tuple[int, int]] = []
    found = extract(pictures, [column], lambda done, total: told.append((done, total)))
    expected = [batch[0].image.float().mean() for batch in pictures.batches(0, 1, lambda seen: seen)]  # type: ignore[union-attr]
    torch.testing.assert_close(found.columns["counting"][:, 0], torch.stack(expected))
    assert told[-1] == (40, 40)
    assert len(found) == 40
    again = Counting()
    torch.testing.assert_close(extract(pictures, [again]).columns["counting"], found.columns["counting"])
    assert again.given == 0, "what was looked at is not looked at again"


def test_an_interrupted_pass_goes_on(pictures: Pictures, cache: Path, tmp_path: Path) -> None:
    whole = extract(pictures, [Counting()], cache=tmp_path / "other").columns["counting"]
    with pytest.raises(KeyboardInterrupt):
        extract(pictures, [Stopping(after=16)])
    rest = Counting()
    torch.testing.assert_close(extract(pictures, [rest]).columns["counting"], whole, rtol=0, atol=0)
    assert rest.given == 24, "of 40 pictures, the first batch was kept"


def test_a_damaged_note_or_table_is_made_anew(pictures: Pictures, cache: Path) -> None:
    found = extract(pictures, [Counting()])
    folder = found.folder / "counting"
    for file, content in (("done.json", b'{"done": '), ("rows.f32", b"short")):
        whole = (folder / file).read_bytes()
        (folder / file).write_bytes(content)
        again = Counting()
        extract(pictures, [again])
        assert again.given == 40
        assert (folder / file).read_bytes() == whole


def test_columns_that_stand_at_different_places_are_filled_together(pictures: Pictures, cache: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        extract(pictures, [Stopping(after=32)])
    column, pixels = Counting(), FeatureColumn(Pixels())
    found = extract(pictures, [column, pixels])
    assert column.given == 8
    assert found.columns["counting"].shape == (40, 2)
    assert found.columns[pixels.identity].shape == (40, 768)
    torch.testing.assert_close(found.columns[pixels.identity], extract(pictures, [pixels]).columns[pixels.identity])


def test_a_corrupt_picture_is_counted_and_named_and_many_stop_the_pass(
    tmp_path: Path, make_pictures: Make, cache: Path
) -> None:
    folder = make_pictures(tmp_path / "pictures", 30, suffix=".png")
    files = sorted(folder.glob("*.png"))
    files[12].write_bytes(files[12].read_bytes()[:60])
    found = extract(open_pictures(str(folder)), [Counting()])
    assert len(found) == len(found.columns["counting"]) == 29
    assert 12 not in found.places
    assert found.warnings == [f"1 of 30 images could not be read: {files[12].name}"]
    again = extract(open_pictures(str(folder)), [Counting()])
    assert again.warnings == found.warnings, "remembered with the rows"
    for file in files[:15]:
        file.write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    with pytest.raises(EvaluationError, match=r"15 images cannot be read so far.*00\.png.*impasto data check"):
        extract(open_pictures(str(folder)), [Counting()])


def test_features_that_are_not_finite_name_their_image(pictures: Pictures, cache: Path) -> None:
    class Broken(Counting):
        def values(self, prepared: Sequence[Tensor]) -> Tensor:
            rows = super().values(prepared)
            rows[3] = torch.nan
            return rows

    with pytest.raises(EvaluationError, match=rf"features of {pictures.names[3]} in .* are not finite"):
        extract(pictures, [Broken()])


def test_other_pictures_of_the_same_names_are_looked_at_anew(pictures: Pictures, cache: Path, tmp_path: Path) -> None:
    extract(pictures, [Counting()])
    first = tmp_path / "pictures" / pictures.names[0]
    first.write_bytes((tmp_path / "pictures" / pictures.names[1]).read_bytes())
    column = Counting()
    extract(open_pictures(str(tmp_path / "pictures")), [column])
    assert column.given == 40


def test_parts_of_a_collection(tmp_path: Path, make_pictures: Make) -> None:
    for style, count in (("monet", 4), ("manet", 3)):
        make_pictures(tmp_path / "c" / style, count)
    whole = open_pictures(str(tmp_path / "c"))
    assert whole.classes == ("manet", "monet")
    assert len(open_pictures(f"{tmp_path}/c:class=monet")) == 4
    chosen = some(whole, 5, seed=1)
    assert chosen.names == some(whole, 5, seed=1).names
    assert chosen.names == sorted(chosen.names)
    assert chosen.names != some(whole, 5, seed=2).names
    assert some(whole, 50, seed=1) is whole
    with pytest.raises(EvaluationError, match=r"c:class=renoir holds no pictures; .*train, test, class="):
        open_pictures(f"{tmp_path}/c:class=renoir")
    with pytest.raises(EvaluationError, match=r"--label: .* has no 'style'; its labels are class"):
        open_pictures(f"{tmp_path}/c", "style")


def negative(pictures: Pictures, identity: str = "v1") -> Painted:
    return Painted(Recoloured(torch.neg), PaintOptions(), "negative", identity, pictures, short_side=24)


def noise(count: int, classes: tuple[str, ...] = ("a", "b")) -> Drawn:
    return Drawn(Noise(), PaintOptions(), "noise", "v1", ImageSpec(3, 16, classes), count, seed=0)


def collected(images: ImageSet, start: int, size: int) -> list[Seen | PictureError]:
    batches: Iterator[list[Any]] = images.batches(start, size, lambda seen: seen)
    return [seen for batch in batches for seen in batch]


def test_photos_are_painted_at_a_short_side_and_kept_beside(pictures: Pictures) -> None:
    painted = negative(pictures)
    seen = collected(painted, 37, 2)
    assert len(seen) == 3
    assert isinstance(seen[0], Seen)
    assert seen[0].photo is not None
    assert min(seen[0].image.shape[1:]) == 24
    assert (seen[0].image + seen[0].photo.int() == 255).all()
    assert seen[0].name == pictures.names[37]
    assert painted.digest != negative(pictures, "v2").digest


def test_an_image_depends_on_its_number_alone() -> None:
    drawn = noise(37, ("dark", "light"))
    whole = collected(drawn, 0, 16)
    assert len(whole) == 37
    assert drawn.labels[:3] == ["dark", "light", "dark"]
    for start, size in ((5, 4), (20, 16), (36, 1)):
        for mine, theirs in zip(collected(drawn, start, size), whole[start:], strict=True):
            assert isinstance(mine, Seen)
            assert isinstance(theirs, Seen)
            assert mine.name == theirs.name
            torch.testing.assert_close(mine.image, theirs.image)
    fewer = collected(noise(18, ("dark", "light")), 16, 16)
    assert isinstance(fewer[0], Seen)
    torch.testing.assert_close(fewer[0].image, whole[16].image)  # type: ignore[union-attr]


def test_of_several_attributes_all_pairs_take_turns() -> None:
    spec = ImageSpec(3, 16, ("style=a", "style=b", "genre=p", "genre=q", "genre=r"), (2, 3))
    painter = Noise()
    drawn = Drawn(painter, PaintOptions(), "noise", "v1", spec, 12, seed=0)
    assert drawn.labels == ["a", "b"] * 6, "called by the first, as the real pictures are"
    collected(drawn, 0, 12)
    pairs = [tuple(row.nonzero().flatten().tolist()) for row in painter.asked[0][:6]]
    assert sorted(pairs) == [(style, genre) for style in (0, 1) for genre in (2, 3, 4)]


def test_more_images_of_a_painter_go_on_from_fewer(cache: Path) -> None:
    column = Counting()
    extract(noise(20), [column])
    found = extract(noise(30), [column])
    assert column.given == 30
    assert found.columns["counting"].shape == (30, 2)
    assert len(extract(noise(10), [column]).columns["counting"]) == 10


def test_floats_become_bytes_by_rounding() -> None:
    image = torch.tensor([-1.5, -1.0, 0.0, 0.1, 1.0, 2.0])[None, None]
    assert to_bytes(image)[0, 0].tolist() == [0, 0, 128, 140, 255, 255]


def test_pixel_columns(pictures: Pictures, cache: Path, tmp_path: Path, make_pictures: Make) -> None:
    colours = extract(pictures, [Colours()]).columns["colours"]
    seen = collected(pictures, 0, 1)[0]
    assert isinstance(seen, Seen)
    torch.testing.assert_close(colours[0, :3], seen.image.float().mean((1, 2)))
    torch.testing.assert_close(colours[0, 3:6], seen.image.float().var((1, 2), correction=0))
    same = extract(pictures, [likeness := LikenessToTarget(pictures)]).columns[likeness.identity]
    torch.testing.assert_close(same, torch.ones(40, 1))
    small = open_pictures(str(make_pictures(tmp_path / "few", 2)))
    with pytest.raises(EvaluationError, match=r"few has no picture called .*, so ssim cannot find"):
        extract(pictures, [LikenessToTarget(small)])
    painted = negative(pictures)
    assert (extract(painted, [LikenessToPhoto()]).columns["ssim-to-photo"] < 0.5).all()
