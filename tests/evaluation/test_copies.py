import io
import itertools

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter
from sklearn.datasets import load_digits

from impasto.errors import EvaluationError, PictureError
from impasto.evaluation import copy_search
from impasto.evaluation.best_fit import best_fit, thumbnail
from impasto.evaluation.copies import NEAR_FEATURES, median
from impasto.evaluation.copy_search import find_copies


def painting(seed, width=96, height=80):
    """A picture of its own for each seed, with large forms and small ones."""
    chance = np.random.default_rng(seed)
    grids = chance.integers(0, 196, (4, 5, 3)), chance.integers(0, 61, (16, 20, 3))
    large, small = (
        np.asarray(Image.fromarray(grid.astype(np.uint8)).resize((width, height), Image.Resampling.BICUBIC))
        for grid in grids
    )
    return Image.fromarray(np.clip(large.astype(int) + small - 30, 0, 255).astype(np.uint8))


def jpeg(picture, quality=40):
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


class Wall:
    """Pictures in memory."""

    def __init__(self, pictures):
        self.names, self.pictures = list(pictures), list(pictures.values())

    def __len__(self):
        return len(self.pictures)

    def picture(self, place):
        return torch.from_numpy(np.array(self.pictures[place])).permute(2, 0, 1)


def training(count=12):
    return {f"{seed:02d}.png": painting(seed, 80 + 3 * seed, 80) for seed in range(count)}


VERSIONS = {
    "same": lambda picture: picture,
    "mirrored": lambda picture: picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "encoded again": jpeg,
    "blurred": lambda picture: picture.filter(ImageFilter.GaussianBlur(1)),
    "half the size": lambda picture: picture.resize((picture.width // 2, picture.height // 2)),
    "brighter": lambda picture: picture.point(lambda level: min(255, round(level * 1.1))),
    "30 % brighter": lambda picture: picture.point(lambda level: min(255, round(level * 1.3))),
    "training crop": lambda picture: picture.crop((6, 3, 78, 75)),
    "training crop, mirrored and encoded": lambda picture: jpeg(
        picture.crop((2, 8, 74, 80)).transpose(Image.Transpose.FLIP_LEFT_RIGHT), 60
    ),
}


@pytest.fixture(scope="module")
def versions_among_new_ones():
    known = training()
    originals = [f"{place + 2:02d}.png" for place in range(len(VERSIONS))]
    new = {f"new {seed}": painting(seed) for seed in range(100, 108)}
    changed = {name: VERSIONS[name](known[original]) for name, original in zip(VERSIONS, originals, strict=True)}
    shown = Wall({**new, **changed})
    found = find_copies(shown, Wall(known))
    return {shown.names[one.picture]: one for one in found.nearest}, found, dict(zip(VERSIONS, originals, strict=True))


@pytest.mark.parametrize("name", VERSIONS)
def test_every_version_of_a_training_picture_is_found_with_its_original(versions_among_new_ones, name):
    by_name, found, originals = versions_among_new_ones
    match = by_name[name].by_pixels[0]
    assert found.kind(by_name[name]) == ("exact" if name in ("same", "mirrored") else "near")
    assert f"{match.reference:02d}.png" == originals[name]
    assert match.fit.mirrored == ("mirrored" in name)


def test_unrelated_pictures_are_no_copies(versions_among_new_ones):
    by_name, found, _ = versions_among_new_ones
    assert {name for name, one in by_name.items() if found.kind(one) == "none"} == {
        f"new {seed}" for seed in range(100, 108)
    }


def test_the_most_suspicious_come_first(versions_among_new_ones):
    by_name, found, _ = versions_among_new_ones
    assert [found.kind(one) for one in found.nearest] == ["exact"] * 2 + ["near"] * 7 + ["none"] * 8
    assert set(list(by_name)[:2]) == {"same", "mirrored"}
    others = [one.by_pixels[0].fit.rmse for one in found.nearest[9:]]
    assert others == sorted(others)


def test_the_verdict_counts(versions_among_new_ones):
    _, found, _ = versions_among_new_ones
    assert found.verdict() == ("2 exact copies and 7 near copies of training pictures among 17 generated pictures.")
    assert found.counts == {"exact": 2, "near": 7, "none": 8}


def test_verdicts_of_few_pictures():
    known = Wall(training(3))
    assert find_copies(Wall({"a": painting(50)}), known).verdict() == (
        "No copy of 3 training pictures was found among 1 generated picture."
    )
    assert find_copies(Wall({"a": painting(0, 80, 80)}), known).verdict() == (
        "1 exact copy of training pictures among 1 generated picture."
    )
    assert find_copies(Wall({"a": painting(50), "b": jpeg(painting(0, 80, 80))}), known).verdict() == (
        "1 near copy of training pictures among 2 generated pictures."
    )


def test_nearest_in_pixels_equals_a_comparison_with_each():
    known, shown = Wall(training(6)), Wall({"a": painting(40)})
    found = find_copies(shown, known, nearest=6).nearest[0]
    small = thumbnail(shown.picture(0))
    by_hand = [best_fit(small, thumbnail(known.picture(place))).rmse for place in range(6)]
    assert [match.fit.rmse for match in found.by_pixels] == sorted(by_hand)
    assert [by_hand[match.reference] for match in found.by_pixels] == sorted(by_hand)


def test_without_features_there_are_none(versions_among_new_ones):
    _, found, _ = versions_among_new_ones
    assert all(one.by_features == () and not one.near_in_features for one in found.nearest)
    assert found.baseline.features == ()


def test_results_do_not_depend_on_the_blocks(monkeypatch):
    known, shown = Wall(training()), Wall({str(seed): painting(seed) for seed in range(20, 27)})
    ours, theirs = torch.randn(7, 5), torch.randn(12, 5)
    whole = find_copies(shown, known, ours, theirs)
    monkeypatch.setattr(copy_search, "ROWS", 2)
    monkeypatch.setattr(copy_search, "COLUMNS", 3)
    blocks = find_copies(shown, known, ours, theirs)
    assert [one.by_pixels for one in blocks.nearest] == [one.by_pixels for one in whole.nearest]
    flat = [[match.distance for one in found.nearest for match in one.by_features] for found in (blocks, whole)]
    assert flat[0] == pytest.approx(flat[1], abs=1e-6)


def test_feature_distance_is_mifids():
    known, shown = Wall(training(3)), Wall({str(seed): painting(seed) for seed in range(20, 24)})
    theirs = torch.tensor([[1.0, 0, 0, 0], [0, 2.0, 0, 0], [0, 0, 3.0, 0]])
    ours = torch.tensor([[5.0, 0, 0, 0], [-1.0, 1, 0, 0], [0, 0, 0, 0], [0.95, 0, 0, (1 - 0.95**2) ** 0.5]])
    found = {one.picture: one for one in find_copies(shown, known, ours, theirs, nearest=2).nearest}
    assert found[0].by_features == ((0, 0.0), (1, 1.0)) or found[0].by_features == ((0, 0.0), (2, 1.0))
    assert found[1].by_features[0].distance == pytest.approx(1 - 0.5**0.5)
    assert [match.distance for match in found[2].by_features] == [1, 1]
    assert found[3].by_features[0].distance == pytest.approx(0.05)
    assert [one.near_in_features for _, one in sorted(found.items())] == [True, False, False, True]


def test_features_mark_a_copy_if_training_pictures_are_farther_apart():
    known, shown = Wall(training(4)), Wall({"a": painting(50)})
    found = find_copies(shown, known, torch.eye(8)[:1], torch.eye(8)[:4])
    assert found.baseline.features == (1, 1, 1, 1)
    assert found.kind(found.nearest[0]) == "near"
    assert found.to_json(shown.names, known.names)["copies"][0]["original"] == "00.png"


def test_features_that_are_all_alike_mark_no_copy():
    known, shown = Wall(training(4)), Wall({"a": painting(50)})
    found = find_copies(shown, known, torch.ones(1, 8), torch.ones(4, 8))
    assert not found.baseline.features_tell
    assert found.nearest[0].by_features[0].distance < NEAR_FEATURES
    assert found.kind(found.nearest[0]) == "none"


def test_the_baseline_leaves_repeated_training_pictures_out():
    known = training(6)
    found = find_copies(Wall({"a": painting(50)}), Wall({**known, "again": jpeg(known["03.png"])}))
    assert (found.baseline.sampled, found.baseline.repeated) == (7, 2)
    assert len(found.baseline.pixels) == 5
    assert min(found.baseline.pixels) > 15


def test_one_training_picture_has_no_baseline():
    found = find_copies(Wall({"a": painting(50)}), Wall(training(1)), torch.ones(1, 2), torch.tensor([[1.0, -1.0]]))
    assert (found.baseline.sampled, found.baseline.pixels, median(found.baseline.features)) == (0, (), None)
    assert not found.baseline.features_tell, "one picture says nothing of how near others are"


def test_sizes_and_shapes_may_differ():
    known = Wall({"tiny": painting(1, 5, 4), "thin": painting(2, 300, 20), "tall": painting(3, 30, 90)})
    found = find_copies(Wall({"a": painting(3, 30, 90), "thin": painting(2, 300, 20)}), known)
    assert found.counts["exact"] == 2


def test_blank_pictures_are_copies_of_blank_ones():
    grey, paler, white = (Image.new("RGB", (40, 40), (level,) * 3) for level in (128, 129, 255))
    found = find_copies(Wall({"paler": paler, "white": white}), Wall({"grey": grey, "other": painting(1)}))
    assert [found.kind(one) for one in found.nearest] == ["near", "none"]


def test_progress_reaches_its_end():
    told = []
    find_copies(Wall({"a": painting(50)}), Wall(training(5)), progress=lambda *counts: told.append(counts))
    assert told == [(5, 12), (6, 12), (7, 12), (12, 12)]


def test_plain_values_name_the_copies(versions_among_new_ones):
    _, found, originals = versions_among_new_ones
    names = [f"new {seed}" for seed in range(100, 108)] + list(VERSIONS)
    values = found.to_json(names, list(training()))
    assert (values["exact"], values["near"], values["references"]) == (2, 7, 12)
    assert {copy["picture"]: copy["original"] for copy in values["copies"]} == originals
    assert values["baseline"]["pixels"] == pytest.approx(np.median(found.baseline.pixels))


@pytest.mark.parametrize(
    ("ours", "theirs", "says"),
    [
        (torch.ones(2, 3), torch.ones(4, 3), "1 generated pictures but features of 2"),
        (torch.ones(1, 3), torch.ones(3, 3), "4 training pictures but features of 3"),
        (torch.ones(1, 3), torch.ones(4, 5), "of 3 and of 5 dimensions"),
        (torch.ones(1, 3), torch.full((4, 3), torch.nan), "features of the training pictures are not finite"),
    ],
)
def test_features_that_do_not_fit_are_an_error(ours, theirs, says):
    with pytest.raises(EvaluationError, match=says):
        find_copies(Wall({"a": painting(50)}), Wall(training(4)), ours, theirs)


@pytest.mark.parametrize(("shown", "known", "which"), [(0, 2, "generated"), (2, 0, "training")])
def test_empty_sets_are_an_error(shown, known, which):
    with pytest.raises(EvaluationError, match=f"no {which} pictures"):
        find_copies(Wall(training(shown)), Wall(training(known)))


def test_an_unreadable_picture_is_an_error():
    class Torn(Wall):
        def picture(self, place):
            raise PictureError("torn.png is damaged; remove it")

    with pytest.raises(PictureError, match="torn.png"):
        find_copies(Torn(training(2)), Wall(training(2)))


@pytest.mark.parametrize("digit", [1, 7])
def test_handwritten_digits_of_one_class_are_different_pictures(digit):
    """Simple shapes fit over each other well, so their grey levels must nearly be equal. RMSE alone joins many."""
    found = load_digits()
    drawn = [Image.fromarray((pixels * 15.9).astype(np.uint8)) for pixels in found.images[found.target == digit][:12]]
    known = Wall({str(place): one.resize((28, 28), 2).convert("RGB") for place, one in enumerate(drawn)})
    thumbnails = [thumbnail(known.picture(place)) for place in range(len(known))]
    fits = [best_fit(one, other) for one, other in itertools.combinations(thumbnails, 2)]
    assert sum(fit.rmse < 25 for fit in fits) >= 3
    assert not any(fit.same for fit in fits)
