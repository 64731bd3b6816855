"""The collapse watch: its measurements in closed form, when it warns, and that it never changes learning."""

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from torch import Tensor

from impasto.cli.progress import TrainingProgress
from impasto.clock import Clock
from impasto.data.batches import ImageSpec, LabelledImages
from impasto.data.datasets import open_dataset
from impasto.engine import collapse_watch
from impasto.engine.collapse_watch import CollapseWatch, Vitals, is_watched, overfit, same_class_pairs, signs, spread
from impasto.engine.listener import TrainingListener
from impasto.engine.train import train
from impasto.errors import PictureError
from impasto.method import TrainingState
from impasto.methods.cdcgan import CDCGAN
from impasto.methods.cyclegan import CycleGAN, CycleGANOptions
from impasto.networks.augmentation import Augmentation, AugmentOptions
from impasto.recipe import Recipe, load_recipe
from impasto.run_folder import RunFolder
from tests.conformance.test_methods import assert_same_checkpoint, stopping_at
from tests.conftest import picture

TINY = """
method: {name: cdcgan, width: 4, discriminator_width: 4, latent_size: 4}
data: {kind: labelled-folder, path: styles, image_size: 32, resize: 36, validation_share: 0.3}
training: {images: 24, batch_size: 4, precision: fp32, seed: 2}
every: {scalars: 4, samples: 8, checkpoint: 12}
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Callable[..., Recipe]:
    """A recipe for two classes of 14 pictures each. Of each class 4 are held out."""
    for label, name in enumerate(["dark", "light"]):
        (tmp_path / "styles" / name).mkdir(parents=True)
        for number in range(14):
            picture(100 * label + number, 44, 40).save(tmp_path / "styles" / name / f"{number:02}.png")
    (tmp_path / "tiny.yaml").write_text(TINY)
    return lambda *overrides: load_recipe(tmp_path / "tiny.yaml", overrides)


def entries(run: str, kind: str) -> list[dict[str, Any]]:
    return [entry for entry in RunFolder(Path(run)).journal() if entry["kind"] == kind]


def measurements(run: str) -> dict[int, dict[str, float]]:
    """Return what the collapse watch measured, by images seen."""
    found = [(entry["images_seen"], entry["scalars"]) for entry in entries(run, "scalars")]
    return {seen: scalars for seen, scalars in found if any(name.startswith("health/") for name in scalars)}


class Listener(TrainingListener):
    def __init__(self) -> None:
        self.alarms: list[tuple[int, str]] = []
        self.notes: list[str] = []
        self.measurements: dict[int, Mapping[str, float]] = {}

    def noted(self, note: str) -> None:
        self.notes.append(note)

    def measured(self, clock: Clock, metrics: Mapping[str, float]) -> None:
        self.measurements[clock.images_seen] = metrics

    def alarmed(self, clock: Clock, alarm: str) -> None:
        self.alarms.append((clock.images_seen, alarm))


# Measurements


def test_spread_is_the_mean_distance_within_pairs() -> None:
    flat = torch.tensor([0.0, 0.5, -1.0, 1.0])[:, None, None, None].expand(4, 3, 32, 32)
    assert spread(flat) == pytest.approx((0.5 + 2.0) / 2 * math.sqrt(3 * 16 * 16))
    assert spread(flat[:0]) == 0.0


def test_spread_compares_composition_and_not_texture() -> None:
    board = (torch.arange(64)[:, None] + torch.arange(64)) % 2 * 2.0 - 1
    assert spread(torch.stack([board, -board])[:, None]) == pytest.approx(0, abs=1e-6)


def test_pairs_are_of_one_class_and_share_no_image() -> None:
    labels = torch.tensor([[0, 1], [1, 1], [0, 1], [0, 2], [1, 1], [0, 1], [2, -1], [0, 1]])
    images = torch.arange(8)[:, None, None, None].expand(-1, 3, 4, 4)
    assert same_class_pairs(images, labels, 10) == [0, 2, 1, 4, 5, 7]
    assert same_class_pairs(images, labels, 2) == [0, 2, 1, 4]
    assert same_class_pairs(images, labels[:2], 2) == []


def test_pairs_are_taken_evenly_from_sorted_pictures() -> None:
    labels = torch.arange(6).repeat_interleave(2)[:, None]
    assert same_class_pairs(torch.arange(12), labels, 3) == [0, 1, 4, 5, 8, 9]


def test_no_picture_is_paired_with_itself_or_its_mirror_image() -> None:
    one, other = torch.arange(12).view(1, 3, 4), torch.arange(12).view(1, 3, 4) // 2
    images, labels = torch.stack([one, one, one.flip(-1), other, one, one]), torch.zeros(6, 1, dtype=torch.int64)
    assert same_class_pairs(images, labels, 10) == [0, 3]
    assert same_class_pairs(images[:3], labels[:3], 10) == []


def test_overfit_is_where_held_out_scores_lie_between_those_of_training_pictures_and_fakes() -> None:
    noise = torch.linspace(-0.1, 0.1, 50)
    assert overfit(1 + noise, 1 + noise, noise) == pytest.approx(0, abs=1e-6)
    assert overfit(1 + noise, 0.3 + noise, noise) == pytest.approx(0.7)
    assert overfit(5 * (1 + noise) - 2, 5 * noise - 2, 5 * noise - 2) == pytest.approx(1), "on any scale"


def test_overfit_is_none_where_it_would_be_noise() -> None:
    noise = torch.linspace(-1, 1, 8)
    assert overfit(noise, noise, noise) is None
    assert overfit(0.1 + noise, noise, noise - 0.1) is None
    assert overfit(noise, noise, noise + 9) is None, "fakes more real than reals"


# Signs


def test_good_and_unknown_measurements_are_no_signs() -> None:
    assert signs(Vitals()) == {}
    assert signs(Vitals(0.9, 0.1, 0.7, {"generator": 3.0, "discriminator": 0.1})) == {}
    assert signs(Vitals(0.25, 0.6, 0.9, {"generator": 100.0, "discriminator": 0.01})) == {}
    assert signs(Vitals(accuracy=0.45)) == {}


@pytest.mark.parametrize(
    ("vitals", "name", "sentence"),
    [
        (Vitals(diversity=0.08), "collapse", r"^Collapse: .*\(diversity 0.08 of .*remedies are method.augment.kind"),
        (Vitals(accuracy=0.974), "accuracy", r"^The discriminator wins: it is right on 97% .*remedies are "),
        (Vitals(accuracy=0.43), "losing", r"^The discriminator loses: it is right on 43% .*discriminator_width or a "),
        (
            Vitals(overfit=0.7),
            "overfit",
            r"^The discriminator memorises: .*\(overfit 0.70\); .*are more pictures, .*kind=ada or",
        ),
        (Vitals(gradients={"generator": 1 / 400}), "gradient of generator", "generator vanish: 400 times below"),
        (Vitals(gradients={"critic": 2500.0}), "gradient of critic", "critic explode: 2,500 times above"),
        (Vitals(gradients={"generator": 0.0}), "gradient of generator", "generator vanish"),
    ],
)
def test_each_sign_is_reported_with_its_remedies(vitals: Vitals, name: str, sentence: str) -> None:
    found = signs(vitals)
    assert list(found) == [name]
    assert re.search(sentence, found[name])


def test_remedies_that_are_in_use_are_not_named() -> None:
    bad = Vitals(diversity=0.1, overfit=0.7, accuracy=0.99)
    named = {kind: " ".join(signs(bad, kind).values()) for kind in ("none", "diffaugment", "ada")}
    assert [named[kind].count("kind=diffaugment") for kind in named] == [1, 0, 0]
    assert [named[kind].count("kind=ada") for kind in named] == [2, 2, 0]
    assert "the usual remedies are more pictures or to stop here" in named["ada"]


def opened() -> CollapseWatch:
    """Return a watch that need not measure."""
    method: Any = object.__new__(CDCGAN)
    method.adversary = SimpleNamespace(augment=Augmentation(AugmentOptions()))
    return CollapseWatch(method, TrainingState({}), None)  # type: ignore[arg-type]


def test_a_sign_is_reported_once_until_it_disappears() -> None:
    watched, bad, worse = opened(), Vitals(diversity=0.1), Vitals(diversity=0.1, accuracy=0.99)
    news = [watched.news(vitals, 0.5) for vitals in (bad, bad, worse, bad, Vitals(), bad)]
    assert [list(one.begun) for one in news] == [["collapse"], [], ["accuracy"], [], [], ["collapse"]]
    assert [list(one.ended) for one in news] == [[], [], [], ["accuracy"], ["collapse"], []]


def test_what_was_reported_before_a_resume_is_not_reported_again() -> None:
    resumed = opened()
    reported = [{"kind": "alarm", "sign": sign, "alarm": "..."} for sign in ("collapse", "accuracy", "overfit")]
    resumed.remember([*reported, {"kind": "alarm-over", "sign": "accuracy"}])
    news = resumed.news(Vitals(diversity=0.1, accuracy=0.99), 0.5)
    assert list(news.begun) == ["accuracy"]
    assert news.ended == ("overfit",)


def test_nothing_is_reported_of_networks_that_have_not_learned_yet() -> None:
    watched = opened()
    assert watched.news(Vitals(diversity=0.0), 0.19).begun == {}
    assert list(watched.news(Vitals(diversity=0.0), 0.2).begun) == ["collapse"]


def heard(watched: CollapseWatch, norm: float, times: int) -> Mapping[str, float]:
    for _ in range(times):
        watched.hear({"generator/gradient_norm": norm, "generator/adversarial": 1.0})
    return watched._close_interval()


def test_gradients_are_compared_with_their_median_so_far() -> None:
    watched = opened()
    assert heard(watched, 2.0, collapse_watch.FEWEST_NORMS - 1) == {}
    assert heard(watched, 3.0, 3) == {}, "too few to know what is usual"
    assert heard(watched, 500.0, 1) == {"generator": pytest.approx(250)}
    assert heard(watched, 0.002, 1) == {"generator": pytest.approx(0.001)}


def test_earlier_sessions_are_remembered() -> None:
    whole, resumed = opened(), opened()
    logged = {"kind": "scalars", "scalars": {"generator/gradient_norm": 2.0}}
    heard(whole, 2.0, 30)
    resumed.remember([{"kind": "start"}, *[logged] * 30, {"kind": "samples"}])
    assert heard(resumed, 6.0, 2) == heard(whole, 6.0, 2) == {"generator": pytest.approx(3)}


# In a run


def test_it_measures_at_every_sheet(tiny: Callable[..., Recipe]) -> None:
    listener = Listener()
    train(tiny(), Path("run"), listener)
    found = measurements("run")
    assert {seen: pytest.approx(metrics, rel=1e-4) for seen, metrics in listener.measurements.items()} == found
    assert list(found) == [entry["images_seen"] for entry in entries("run", "samples")] == [4, 8, 16, 24]
    assert all(0 <= scalars["health/diversity"] < 1 for scalars in found.values())


def test_watching_never_changes_learning(tiny: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch) -> None:
    averaged = "training.ema_halflife_images=8"
    watched = train(tiny(averaged), Path("watched"))
    monkeypatch.setattr("impasto.engine.train.is_watched", lambda method: False)
    alone = train(tiny(averaged), Path("alone"))
    assert measurements("watched")
    assert measurements("alone") == {}
    for key, tensor in load_file(alone / "weights.safetensors").items():
        assert torch.equal(tensor, load_file(watched / "weights.safetensors")[key])
    networks = [torch.load(path / "training.pt", weights_only=True)["networks"] for path in (watched, alone)]
    for name, state in networks[0].items():
        assert all(torch.equal(tensor, networks[1][name][key]) for key, tensor in state.items()), name


def test_a_resumed_run_finds_the_same_and_augments_alike(tiny: Callable[..., Recipe]) -> None:
    recipe = tiny("method.augment={kind: ada, images_to_full: 30, target: -0.9}")
    whole = train(recipe, Path("whole"))
    stopping_at(recipe, Path("run"), 12)
    assert_same_checkpoint(whole, train(recipe, Path("run")))
    assert measurements("run") == measurements("whole")
    probabilities = [entry["scalars"].get("discriminator/augment_probability") for entry in entries("run", "scalars")]
    assert max(probability for probability in probabilities if probability is not None) > 0.4


def test_the_discriminator_is_asked_in_eval_mode_about_plain_pictures(
    tiny: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, float, float, bool]] = []
    realness = CDCGAN.realness

    def watched(self: CDCGAN, images: Tensor) -> Tensor:
        asked.append((len(images), float(images.min()), float(images.max()), self.adversary.network.training))
        return realness(self, images)

    monkeypatch.setattr(CDCGAN, "realness", watched)
    train(tiny("training.images=4", "method.augment.kind=ada"), Path("run"))
    assert [count for count, *_ in asked] == [20, 8, 20], "learned, held out, and painted in ten pairs"
    assert all(-1 <= low < high <= 1 for _, low, high, _ in asked)
    assert not any(training for *_, training in asked)


def test_a_painter_of_one_painting_and_a_sure_discriminator_raise_alarms(
    tiny: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CDCGAN, "draw", lambda self, weights, latents: weights.new_zeros(len(latents), 3, 32, 32))
    step = CDCGAN.training_step
    sure = {"discriminator/accuracy": torch.tensor(0.95)}
    monkeypatch.setattr(CDCGAN, "training_step", lambda self, *given: {**step(self, *given), **sure})
    listener = Listener()
    train(tiny(), Path("run"), listener)
    assert all(scalars["health/diversity"] == 0 for scalars in measurements("run").values())
    assert [seen for seen, _ in listener.alarms] == [8, 8], "once each, and not at the first batch"
    assert [alarm.split(":")[0] for _, alarm in listener.alarms] == ["Collapse", "The discriminator wins"]
    assert [(entry["images_seen"], entry["alarm"]) for entry in entries("run", "alarm")] == listener.alarms
    assert [entry["sign"] for entry in entries("run", "alarm")] == ["collapse", "accuracy"]


def test_alarms_are_the_same_whether_or_not_a_run_was_stopped(
    tiny: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    step = CDCGAN.training_step

    def sure_at_times(self: CDCGAN, batch: LabelledImages, clock: Clock) -> Mapping[str, Tensor]:
        sure = clock.images_seen < 8 or clock.images_seen >= 24
        return {**step(self, batch, clock), "discriminator/accuracy": torch.tensor(0.95 if sure else 0.5)}

    monkeypatch.setattr(CDCGAN, "training_step", sure_at_times)
    recipe = tiny("training.images=32")
    train(recipe, Path("whole"))
    for images in (12, 20):
        stopping_at(recipe, Path("run"), images)
    train(recipe, Path("run"))
    both = [
        [(entry["images_seen"], entry["sign"]) for kind in ("alarm", "alarm-over") for entry in entries(run, kind)]
        for run in ("whole", "run")
    ]
    assert both[0] == both[1]
    assert [entry for entry in both[0] if entry[1] == "accuracy"] == [
        (8, "accuracy"),
        (32, "accuracy"),
        (16, "accuracy"),
    ]


def test_a_discriminator_that_memorised_its_pictures_is_noticed(
    tiny: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([1.0, 0.2, 0.0] * 4)

    def realness(self: CDCGAN, images: Tensor) -> Tensor:
        return next(scores) + torch.linspace(-0.1, 0.1, len(images))

    monkeypatch.setattr(CDCGAN, "realness", realness)
    listener = Listener()
    train(tiny(), Path("run"), listener)
    assert all(scalars["health/overfit"] == pytest.approx(0.8) for scalars in measurements("run").values())
    assert [alarm.split(":")[0] for _, alarm in listener.alarms if "memorises" in alarm] == [
        "The discriminator memorises"
    ]


def test_without_held_out_pictures_overfit_is_not_measured(
    tiny: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CDCGAN, "realness", lambda *_: pytest.fail("there is nothing to compare"))
    listener = Listener()
    train(tiny("data.validation_share=0"), Path("run"), listener)
    assert all(list(scalars) == ["health/diversity"] for scalars in measurements("run").values())
    assert listener.notes == [
        "no pictures are held out, so memorisation cannot be detected; set data.validation_share=0.1"
    ]


def test_where_something_is_held_out_there_is_nothing_to_note(tiny: Callable[..., Recipe]) -> None:
    listener = Listener()
    train(tiny("training.images=4"), Path("run"), listener)
    assert listener.notes == []


def test_pictures_are_taken_evenly_and_only_those_are_read(
    tiny: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = open_dataset(tiny().data, LabelledImages)
    (everything,) = dataset.held_out(8)
    monkeypatch.setattr(collapse_watch, "COMPARED", 4)
    for unread in dataset.validation[1::2]:  # type: ignore[attr-defined]
        unread.picture.unlink()
    found = collapse_watch._read_held_out(dataset)
    assert torch.allclose(collapse_watch._as_floats(found), everything.images[::2], atol=1e-6), "bytes lose nothing"
    monkeypatch.setattr(collapse_watch, "FEWEST", 9)
    assert len(collapse_watch._read_held_out(dataset)) == 0


def test_a_balanced_class_of_few_pictures_is_compared_without_repeats(tiny: Callable[..., Recipe]) -> None:
    for number in range(2, 14):
        Path(f"styles/dark/{number:02}.png").unlink()
    dataset = open_dataset(tiny("data.balance=uniform").data, LabelledImages)
    compared = collapse_watch._read(dataset)
    assert len(compared.learned) == dataset.size == 12
    assert len(compared.learned.flatten(1).unique(dim=0)) == 12


def test_grey_digits_are_watched_too() -> None:
    method = "{name: cdcgan, width: 4, discriminator_width: 4, latent_size: 4}"
    training = "{images: 4, batch_size: 4, precision: fp32}"
    Path("digits.yaml").write_text(f"method: {method}\ndata: {{kind: digits}}\ntraining: {training}\n")
    train(load_recipe("digits.yaml"), Path("run"))
    assert "health/diversity" in measurements("run")[4]


def test_too_few_pictures_of_a_class_mean_no_diversity(
    tiny: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collapse_watch, "FEWEST", 11)
    train(tiny("training.images=4"), Path("run"))
    assert measurements("run") == {}


def test_a_held_out_picture_that_breaks_loses_nothing(tiny: Callable[..., Recipe]) -> None:
    broken = open_dataset(tiny().data, LabelledImages).validation[0].picture  # type: ignore[attr-defined]
    broken.write_bytes(broken.read_bytes()[:-200])
    with pytest.raises(PictureError, match="is cut off or damaged"):
        train(tiny(), Path("run"))
    assert [folder.name for folder in RunFolder(Path("run")).checkpoint_folders()] == ["000000004"]


def test_only_adversarial_painters_of_classes_are_watched() -> None:
    cyclegan = CycleGAN(CycleGANOptions(width=4, blocks=1, discriminator_width=4), ImageSpec(3, 24))
    assert not is_watched(cyclegan)
    assert is_watched(object.__new__(CDCGAN))


def test_the_command_warns(tiny: Callable[..., Recipe], capsys: pytest.CaptureFixture[str]) -> None:
    progress = TrainingProgress(Console(soft_wrap=True))
    progress.alarmed(Clock(10, 4000), "Collapse: all [alike]")
    assert capsys.readouterr().out == "  at 4,000 images: Collapse: all [alike]\n"


def test_the_bar_tells_which_network_a_scalar_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    progress = TrainingProgress(Console(soft_wrap=True))
    names = ["generator/label", "discriminator/label", "critic/label", "loss"]
    progress.stepped(Clock(10, 4), dict.fromkeys(names, 0.5))
    assert progress.losses == "g/label 0.5 d/label 0.5 critic/label 0.5 loss 0.5"
    progress.measured(Clock(10, 4), {"health/diversity": 0.51234, "health/overfit": 0.1})
    assert "measured at 4 images: health/diversity 0.5123, health/overfit 0.1\n" in capsys.readouterr().out


def test_tensorboard_shows_the_measurements(tiny: Callable[..., Recipe]) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(tiny(), Path("run"))
    events = EventAccumulator("run/tensorboard").Reload().Scalars("health/diversity")
    assert [event.step for event in events] == list(measurements("run"))
