"""Two folders of unrelated pictures: photos, and paintings in the style to be learned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_validator

from impasto.data.batches import Images, ImageSpec, UnpairedImages
from impasto.data.crops import Draw, centre_squares, crop_batches
from impasto.data.dataset import DataOptions, Dataset
from impasto.data.picture_set import find_pictures
from impasto.data.stream import ShuffledOrder, positions


def _as_path(value: Any) -> Any:
    """Take a folder called 2024, which YAML reads as a number, and one that starts with ~."""
    return Path(str(value)).expanduser() if isinstance(value, str | int | float) else value


Folder = Annotated[Path, BeforeValidator(_as_path)]


class UnpairedFoldersOptions(DataOptions):
    """Either `photos` and `paintings`, or `path` with the sub-folders trainA, trainB, testA and testB."""

    kind: Literal["unpaired-folders"] = "unpaired-folders"
    photos: Folder | None = None
    paintings: Folder | None = None
    path: Folder | None = None
    photos_are: Literal["A", "B"] = "A"
    """Which of trainA and trainB holds the photos (monet2photo: B)."""

    @model_validator(mode="after")
    def _says_where(self) -> UnpairedFoldersOptions:
        both = self.photos is not None and self.paintings is not None
        neither = self.photos is None and self.paintings is None
        if (self.path is None and not both) or (self.path is not None and not neither):
            raise ValueError(
                "say data.photos=DIR and data.paintings=DIR, or data.path=DIR for a folder with trainA and trainB"
            )
        return self

    def folders(self) -> tuple[Path, Path]:
        """Return the folders of photos and of paintings."""
        if self.path is not None:
            return self.path / f"train{self.photos_are}", self.path / f"train{'AB'.replace(self.photos_are, '')}"
        assert self.photos is not None
        assert self.paintings is not None
        return self.photos, self.paintings


class UnpairedFolders(Dataset):
    """Photos and paintings, each in its own shuffled order; an epoch is one pass over the larger folder."""

    Options = UnpairedFoldersOptions
    batch_types = frozenset({UnpairedImages})

    def __init__(self, options: UnpairedFoldersOptions, batch_type: type = UnpairedImages) -> None:  # noqa: ARG002
        self.options = options
        self.photos, self.paintings = (find_pictures(folder, options.max_megapixels) for folder in options.folders())
        self.spec = ImageSpec(channels=3, size=options.image_size)

    @property
    def size(self) -> int:
        """Images in an epoch: one pass over the larger folder (Zhu et al. 2017, the authors' code)."""
        return max(len(self.photos.train), len(self.paintings.train))

    def summary(self) -> str:
        """Say how many pictures there are."""
        return (
            f"{len(self.photos.train)} photos and {len(self.paintings.train)} paintings to learn from, "
            f"{len(self.photos.test)} and {len(self.paintings.test)} held out"
        )

    def stream(
        self, batch_size: int, seed: int, start: int = 0, rank: int = 0, world_size: int = 1
    ) -> Iterator[UnpairedImages]:
        """Yield batches of random crops [N, 3, image_size, image_size]."""
        photos, paintings = self.photos.train, self.paintings.train
        photo_order = ShuffledOrder(len(photos), seed, "photos")
        painting_order = ShuffledOrder(len(paintings), seed, "paintings")
        draws = (
            [Draw(p, (photos[photo_order[p]], paintings[painting_order[p]])) for p in share]
            for share in positions(start, batch_size, rank, world_size)
        )
        for _, images in crop_batches(draws, self.options, seed):
            yield UnpairedImages(*images)

    def prompts(self, count: int) -> Images:
        """Return photos for the painter, [n, 3, side, side]: as large a square as fits the training scale."""
        return Images(centre_squares((self.photos.test or self.photos.train)[:count], self.options))
