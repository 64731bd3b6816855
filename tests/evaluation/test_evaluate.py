"""Records: every metric on real small pictures, with what is needed to trust it."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from impasto.errors import EvaluationError
from impasto.evaluation.evaluate import MetricOptions, Verdict, evaluate
from impasto.evaluation.extraction import FeatureColumn, extract
from impasto.evaluation.extractors import Extractor, Pixels
from impasto.evaluation.frechet import Moments, frechet_distance
from impasto.evaluation.images import Painted, Pictures, open_pictures
from impasto.evaluation.metrics import METRICS
from impasto.evaluation.record import Features
from impasto.evaluation.statistics import load_statistics, save_statistics, statistics_of
from impasto.painter import PaintOptions
from tests.evaluation.toy_painters import Recoloured

COLOURS = {"blue": (40, 60, 200), "green": (40, 180, 70), "red": (200, 50, 40)}


class Brightest(Extractor):
    """Features: mean colours and their spread; sees the class whose colour is strongest."""

    about = Features("brightest", "", "none")
    dimensions = 6
    classes = ("red", "green", "blue")
    knows_names = True
    accuracy = 0.9

    def prepare(self, image: Tensor) -> Tensor:
        pixels = image.float().flatten(1)
        return torch.cat([pixels.mean(1), pixels.std(1)])[:, None, None]

    def compute(self, images: Tensor) -> tuple[Tensor, Tensor]:
        rows = images.flatten(1)
        return rows, torch.softmax(rows[:, :3] / 10, dim=1)


def fill(folder: Path, count: int, seed: int, noise: float = 25) -> Path:
    """Write `count` noisy pictures of each colour."""
    chance = np.random.default_rng(seed)
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            level = np.array(colour) + chance.normal(0, 12, 3)
            pixels = level + chance.normal(0, noise, (12, 12, 3))
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name / f"{number:03d}.png")
    return folder


@pytest.fixture
def real(tmp_path: Path) -> Pictures:
    return open_pictures(str(fill(tmp_path / "real", 40, seed=0)))


@pytest.fixture
def alike(tmp_path: Path) -> Pictures:
    return open_pictures(str(fill(tmp_path / "alike", 40, seed=1)))


@pytest.fixture
def other(tmp_path: Path) -> Pictures:
    return open_pictures(str(fill(tmp_path / "other", 40, seed=2, noise=60)))


def measured(what: Pictures, reference: Pictures, *metrics: str, extractor: Extractor | None = None) -> Verdict:
    return evaluate(what, reference, extractor or Brightest(), MetricOptions(metrics))


def values(verdict: Verdict) -> Mapping[str, float]:
    return verdict.record.values()


def test_every_metric_tells_like_from_unlike(cache: Path, real: Pictures, alike: Pictures, other: Pictures) -> None:
    metrics = ("fid", "fid-by-class", "kid", "prdc", "colour")
    near, far = values(measured(alike, real, *metrics)), values(measured(other, real, *metrics))
    for lower in ("fid", "fid-by-class", "kid"):
        assert near[lower] < 0.1 * far[lower]
    assert near["precision"] > 0.8 > far["precision"]
    assert near["coverage"] > 0.8 > far["coverage"]
    assert near["colour"] < 5


def test_the_record_says_what_was_measured(cache: Path, real: Pictures, alike: Pictures) -> None:
    record = measured(alike, real, "fid", "kid", "is", "top1").record
    written = json.loads(json.dumps(record.to_json()))
    assert written["images"] == written["reference_images"] == 120
    assert written["extractor"] == {
        "name": "brightest", "weights": "", "resize": "none", "precision": "fp32", "comparable": False,
    }  # fmt: skip
    assert [measure["name"] for measure in written["measures"]] == ["fid", "kid", "is", "top1"]
    assert any("fewer than 2,048 images (120 against 120)" in warning for warning in record.warnings)
    assert any("not comparable with published values" in warning for warning in record.warnings)
    top1 = record.measures[3]
    assert top1.value > 0.95
    assert top1.interval is not None
    assert top1.interval.low < top1.value <= top1.interval.high
    assert top1.details["chance"] == pytest.approx(1 / 3)
    assert top1.details["classifier_accuracy"] == 0.9
    assert top1.details["confusion"][0][0] >= 38, "in the classifier's order, by name"
    assert 1 < record.measures[2].value <= 3


def test_metrics_agree_with_the_plain_functions(cache: Path, real: Pictures, other: Pictures) -> None:
    verdict = measured(other, real, "fid")
    feature_column = FeatureColumn(Brightest())
    rows = [extract(images, [feature_column]).columns[feature_column.identity][:, :6] for images in (other, real)]
    assert values(verdict)["fid"] == pytest.approx(frechet_distance(*(Moments.of(r) for r in rows)).value)


def test_mifid_tells_copies_and_takes_another_training_set(
    cache: Path, real: Pictures, alike: Pictures, tmp_path: Path
) -> None:
    copied = evaluate(real, alike, Pixels(), MetricOptions(["mifid"]), memorised=real).record.measures[0]
    assert copied.details["distance"] == pytest.approx(0, abs=1e-6)
    assert copied.details["memorised_from"] == real.name
    own = evaluate(real, alike, Pixels(), MetricOptions(["mifid"])).record.measures[0]
    assert own.details["distance"] > copied.details["distance"]
    assert own.details["fid"] == pytest.approx(copied.details["fid"])
    lenient = evaluate(real, alike, Pixels(), MetricOptions(["mifid"], mifid_threshold=1e-6)).record.measures[0]
    assert lenient.value == pytest.approx(own.details["fid"]), "from the threshold on nothing is punished"
    assert lenient.details["threshold"] == 1e-6


def test_a_small_fid_is_refused_unless_allowed(cache: Path, tmp_path: Path, real: Pictures) -> None:
    few = open_pictures(str(fill(tmp_path / "few", 5, seed=3)))
    with pytest.raises(EvaluationError, match=r"fid of 15 images means little; .* --allow-small"):
        measured(few, real, "fid")
    allowed = evaluate(few, real, Brightest(), MetricOptions(["fid"], allow_small=True)).record
    assert allowed.values()["fid"] > 0


def test_saved_statistics_give_the_same_fid_and_nothing_else(
    cache: Path, real: Pictures, other: Pictures, tmp_path: Path
) -> None:
    extractor = Brightest()
    feature_column = FeatureColumn(extractor)
    extracted = extract(real, [feature_column])
    path = tmp_path / "real.safetensors"
    save_statistics(statistics_of(extracted, feature_column.identity, extractor.about, 6), path)
    assert json.loads(path.with_name("real.safetensors.json").read_text())["images"] == 120
    saved = load_statistics(path, extractor.about)
    fid = evaluate(other, saved, extractor, MetricOptions(["fid"])).record
    assert fid.reference_images == 120
    assert fid.values()["fid"] == pytest.approx(values(measured(other, real, "fid"))["fid"], rel=1e-9)
    with pytest.raises(
        EvaluationError, match="kid needs the reference's images; pass --against DIR, or use --metrics fid"
    ):
        evaluate(other, saved, extractor, MetricOptions(["kid"]))


def test_statistics_of_another_extractor_are_refused(cache: Path, real: Pictures, tmp_path: Path) -> None:
    feature_column = FeatureColumn(Pixels())
    path = tmp_path / "real.safetensors"
    save_statistics(statistics_of(extract(real, [feature_column]), feature_column.identity, Pixels.about, 768), path)
    with pytest.raises(EvaluationError, match=r"statistics of pixels .*, not of brightest .*--features pixels"):
        load_statistics(path, Brightest.about)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(EvaluationError, match="holds no statistics of impasto"):
        load_statistics(path, Pixels.about)


def test_statistics_are_kept_beside_the_features(cache: Path, real: Pictures, alike: Pictures) -> None:
    measured(alike, real, "fid")
    kept = list(cache.rglob("moments-120.safetensors"))
    assert len(kept) == 2
    before = [path.stat().st_mtime_ns for path in kept]
    measured(alike, real, "fid")
    assert [path.stat().st_mtime_ns for path in kept] == before


def test_a_painter_that_changes_nothing_is_noticed(cache: Path, real: Pictures) -> None:
    untouched = evaluate(
        Painted(Recoloured(lambda photos: photos), PaintOptions(), "same", "v1", real, 16),
        None,
        None,
        MetricOptions(["ssim"]),
    ).record
    assert untouched.values() == {"ssim": pytest.approx(1), "left-untouched": 1.0}
    assert untouched.extractor is None


@pytest.mark.parametrize(
    ("metric", "sentence"),
    [
        ("fidd", r"--metrics: there is no metric fidd; did you mean fid\?"),
        ("fid", "fid compares with a reference; pass --against DIR"),
        ("ssim", "ssim compares paintings with their photos, or pictures with targets"),
    ],
)
def test_what_cannot_be_measured_without_a_reference_says_so(
    cache: Path, real: Pictures, metric: str, sentence: str
) -> None:
    with pytest.raises(EvaluationError, match=sentence):
        evaluate(real, None, Brightest(), MetricOptions([metric]))


def test_what_an_extractor_or_a_collection_lacks_is_told(cache: Path, tmp_path: Path, real: Pictures) -> None:
    with pytest.raises(EvaluationError, match="is needs class probabilities, which pixels does not have"):
        evaluate(real, None, Pixels(), MetricOptions(["is"]))
    flat = tmp_path / "flat"
    flat.mkdir()
    for file in (tmp_path / "real").rglob("*.png"):
        (flat / f"{file.parent.name}{file.name}").write_bytes(file.read_bytes())
    with pytest.raises(EvaluationError, match="top1 needs the requested class of every image, but 120 of"):
        evaluate(open_pictures(str(flat)), None, Brightest(), MetricOptions(["top1"]))
    with pytest.raises(EvaluationError, match="fid-by-class needs a class for every image, but 120 of"):
        measured(open_pictures(str(flat)), real, "fid-by-class")
    (tmp_path / "real" / "red").rename(tmp_path / "real" / "crimson")
    with pytest.raises(EvaluationError, match="crimson"):
        measured(open_pictures(str(tmp_path / "real")), real, "top1")


def test_pictures_of_different_sizes_go_together(
    cache: Path, tmp_path: Path, make_pictures: Callable[..., Path]
) -> None:
    mixed = open_pictures(str(make_pictures(tmp_path / "mixed", 20)))
    found = evaluate(mixed, mixed, Pixels(), MetricOptions(["kid", "prdc"])).record.values()
    assert found["precision"] == found["recall"] == 1


def test_the_help_lists_every_metric() -> None:
    import impasto.cli.commands.evaluate as command

    source = Path(command.__file__).read_text(encoding="utf-8")
    assert f"One or more, with commas: {', '.join(METRICS)}." in source
