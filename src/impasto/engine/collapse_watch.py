"""The collapse watch: recognises mode collapse, memorisation and a discriminator that wins or loses during training.

It measures whenever a sheet of samples is painted. Diversity: the distance between paintings of one class and different
noise, as a share of the distance between real pictures of one class. Overfit: r_v of Karras et al. 2020
(arXiv:2006.06676), equation 1. It is 0 if the discriminator scores held-out pictures like training pictures, and 1 if
it scores them like fakes. The watch also reads the logged accuracy of the discriminator and gradient norms. Measuring
never changes training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from statistics import fmean, median
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from impasto.chance import Draws
from impasto.data.batches import LabelledImages
from impasto.data.dataset import Dataset
from impasto.data.prompts import ClassPrompt
from impasto.engine.measurement import in_eval_mode
from impasto.losses.labels import one_hot
from impasto.method import Adversarial, Learner, TrainingState
from impasto.networks.augmentation import AugmentationKind
from impasto.painter import Painter
from impasto.painting.paint import Autocast, paint_prompt

PAIRS = 32
"""Pairs of images of one class. Diversity is their mean distance."""
FEWEST = 8
"""Fewest pairs or held-out pictures for a measurement."""
COMPARED = 256
"""Most training pictures, and most held-out ones, that the discriminator scores."""
TOGETHER = 32
"""Images in a pass through a network."""
COARSE = 16
"""Images are compared at this size, pixels: composition and colour, not texture."""

EARLY = 0.2
"""Share of a run without alarms. Networks that have learned nothing yet show all the signs."""
COLLAPSED = 0.25
"""Diversity below this is a sign. Our choice, between one painting for all noise (0) and the real pictures (1)."""
WINNING = 0.9
"""Accuracy of the discriminator above this is a sign. Gilles and Perrin found artefacts there
(docs/methods/conditional-gans.md)."""
LOSING = 0.45
"""Accuracy of the discriminator below this is a sign. Our choice, clearly less than by guessing. GANtor-v2 with a
quarter of its channels stayed there at 64 pixels, and its generator learned a lattice."""
MEMORISED = 0.6
"""Overfit above this is a sign. Karras et al. keep their other measure, r_t, at this value."""
UNSURE = 0.2
"""Overfit with a larger standard error is not reported. Our choice, a third of MEMORISED."""
STRANGE = 100.0
"""A gradient this many times larger or smaller than its median so far is a sign. Our choice, far outside chance."""
FEWEST_NORMS = 20
"""Fewest logged gradient norms for a useful median."""

ACCURACY = "discriminator/accuracy"
"""As logged. A Wasserstein critic, whose accuracy should be high, logs `critic/accuracy`."""
GRADIENT_NORM = "/gradient_norm"


class Vitals(NamedTuple):
    """Measurements at one moment; None where they are not possible."""

    diversity: float | None = None
    overfit: float | None = None
    accuracy: float | None = None
    """Accuracy of the discriminator since the last measurement."""
    gradients: Mapping[str, float] = {}
    """For each network the norm of its gradients since the last measurement, as a multiple of the median before."""

    def measured(self) -> dict[str, float]:
        """Return diversity and overfit under the names they are logged with."""
        named = {"health/diversity": self.diversity, "health/overfit": self.overfit}
        return {name: value for name, value in named.items() if value is not None}


def signs(vitals: Vitals, augmentation: AugmentationKind = "none") -> dict[str, str]:
    """Return the signs of a problem by a short name, each as a sentence with the usual remedies.

    Remedies that the run already uses, according to its `augmentation`, are left out.
    """
    found = {}
    diffaugment = ["method.augment.kind=diffaugment"] if augmentation == "none" else []
    ada = ["method.augment.kind=ada"] if augmentation != "ada" else []
    if vitals.diversity is not None and vitals.diversity < COLLAPSED:
        remedies = [*diffaugment, "a lower method.learning_rate", "the method cwgan-gp"]
        found["collapse"] = (
            f"Collapse: paintings of different noise look alike (diversity {vitals.diversity:.2f} of the real "
            f"pictures'); the usual remedies are {_listed(remedies)}"
        )
    if vitals.accuracy is not None and vitals.accuracy > WINNING:
        remedies = [*ada, "more pictures", "a narrower discriminator", "to stop here"]
        found["accuracy"] = (
            f"The discriminator wins: it is right on {vitals.accuracy:.0%} of the images, which leaves the generator "
            f"little to learn from; the usual remedies are {_listed(remedies)}"
        )
    if vitals.accuracy is not None and vitals.accuracy < LOSING:
        remedies = ["a larger method.discriminator_width", "a larger training.batch_size"]
        found["losing"] = (
            f"The discriminator loses: it is right on {vitals.accuracy:.0%} of the images, less than by guessing, and "
            f"teaches the generator little; the usual remedies are {_listed(remedies)}"
        )
    if vitals.overfit is not None and vitals.overfit > MEMORISED:
        remedies = ["more pictures", *ada, "to stop here"]
        found["overfit"] = (
            "The discriminator memorises: to it, held-out pictures look more like fakes than like training pictures "
            f"(overfit {vitals.overfit:.2f}); the usual remedies are {_listed(remedies)}"
        )
    for network, ratio in vitals.gradients.items():
        if not 1 / STRANGE <= ratio <= STRANGE:
            way, times = ("vanish", 1 / max(ratio, 1e-12)) if ratio < 1 else ("explode", ratio)
            found[f"gradient of {network}"] = (
                f"The gradients of the {network} {way}: {times:,.0f} times {'below' if ratio < 1 else 'above'} their "
                "usual size; the usual remedies are a lower method.learning_rate and an earlier checkpoint"
            )
    return found


def _listed(remedies: Sequence[str]) -> str:
    *some, last = remedies
    return f"{', '.join(some)} or {last}"


class News(NamedTuple):
    """What has changed since the last measurement."""

    begun: Mapping[str, str]
    """New signs by name, a sentence each."""
    ended: tuple[str, ...]
    """Names of signs that disappeared."""


def is_watched(method: Learner[Any]) -> bool:
    """Whether a method paints from classes and has a discriminator."""
    return isinstance(method, Adversarial) and isinstance(method, Painter) and method.prompt_type is ClassPrompt


class CollapseWatch:
    """Watches one run. The pictures to compare with are read at the first measurement."""

    def __init__(self, method: Learner[Any], state: TrainingState, dataset: Dataset) -> None:
        """Watch a method; `state.networks` are its discriminators."""
        assert isinstance(method, Adversarial)
        assert isinstance(method, Painter)
        self.painter, self.adversarial = method, method
        self.networks: Mapping[str, nn.Module] = state.networks
        self.dataset = dataset
        self.standing: frozenset[str] = frozenset()
        self._recent: list[Mapping[str, float]] = []
        self._norms: dict[str, list[float]] = {}
        self._compared: _Compared | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that the user should know before training."""
        if self.dataset.held_out_size:
            return ()
        return ("no pictures are held out, so memorisation cannot be detected; set data.validation_share=0.1",)

    def remember(self, journal: Iterable[Mapping[str, Any]]) -> None:
        """Read what earlier sessions of the run logged and reported."""
        for entry in journal:
            if entry["kind"] == "scalars":
                self.hear(entry["scalars"])
            elif entry["kind"] == "samples":
                self._close_interval()
            elif entry["kind"] == "alarm":
                self.standing |= {entry["sign"]}
            elif entry["kind"] == "alarm-over":
                self.standing -= {entry["sign"]}

    def hear(self, means: Mapping[str, float]) -> None:
        """Add means of what the method logs."""
        self._recent.append(means)

    def measure(self, on_device: Callable[[Tensor], Tensor], autocast: Autocast) -> Vitals:
        """Measure. The painting networks hold the weights to measure and are in eval mode, without gradients.

        `on_device` moves images to the device. `autocast` enters the precision of training. Raises PictureError when a
        picture to compare with cannot be read.
        """
        if self._compared is None:
            self._compared = _read(self.dataset)
        compared = self._compared
        accuracies = [means[ACCURACY] for means in self._recent if ACCURACY in means]
        paintings = self._painted(compared.pairs, autocast)
        return Vitals(
            diversity=spread(paintings) / compared.spread if compared.spread > 0 else None,
            overfit=self._overfit(paintings, compared, on_device),
            accuracy=fmean(accuracies) if accuracies else None,
            gradients=self._close_interval(),
        )

    def news(self, vitals: Vitals, progress: float) -> News:
        """Return the signs that came and went since the last measurement; `progress` is the share of the run done.

        A sign that disappeared and returns is reported again.
        """
        found = signs(vitals, self.adversarial.adversary.augment.options.kind) if progress >= EARLY else {}
        begun = {name: sentence for name, sentence in found.items() if name not in self.standing}
        ended = tuple(sorted(self.standing - found.keys()))
        self.standing = frozenset(found)
        return News(begun, ended)

    def _close_interval(self) -> dict[str, float]:
        """Return gradient norms since the last measurement as multiples of earlier medians; begin a new interval."""
        ratios = {}
        for name in dict.fromkeys(name for means in self._recent for name in means if name.endswith(GRADIENT_NORM)):
            norms = [means[name] for means in self._recent if name in means]
            history = self._norms.setdefault(name, [])
            if len(history) >= FEWEST_NORMS and median(history) > 0:
                ratios[name.removesuffix(GRADIENT_NORM)] = median(norms) / median(history)
            history.extend(norms)
        self._recent = []
        return ratios

    def _painted(self, pairs: Tensor, autocast: Autocast) -> Tensor:
        """Return paintings [2 P, C, S, S] of the pairs' labels, each from its own noise, the same every time."""
        if len(pairs) == 0:
            return torch.empty(0)
        weights = one_hot(pairs, self.dataset.spec.attributes)
        parts = torch.split(torch.arange(len(pairs)), TOGETHER)
        painted = [
            paint_prompt(self.painter, ClassPrompt(weights[part]), Draws.numbered(0, part.tolist()), autocast=autocast)
            for part in parts
        ]
        return torch.cat([images.cpu() for images in painted])

    def _overfit(self, paintings: Tensor, compared: _Compared, on_device: Callable[[Tensor], Tensor]) -> float | None:
        if min(len(compared.learned), len(compared.held_out), len(paintings)) < FEWEST:
            return None
        with in_eval_mode(self.networks):
            learned, held_out, fake = (
                torch.cat([self._realness(on_device(part)) for part in torch.split(images, TOGETHER)])
                for images in (compared.learned, compared.held_out, paintings)
            )
        return overfit(learned, held_out, fake)

    def _realness(self, images: Tensor) -> Tensor:
        return self.adversarial.realness(_as_floats(images)).cpu()


class _Compared(NamedTuple):
    """Real pictures to compare paintings with."""

    pairs: Tensor
    """[2 P, A] int64: the labels of pairs; two of a class follow each other."""
    spread: float
    """Spread of the pictures with these labels."""
    learned: Tensor
    """uint8 [N, C, S, S]"""
    held_out: Tensor
    """uint8 [N, C, S, S]"""


def spread(images: Tensor) -> float:
    """Return the mean distance, in coarse pixels, of the two images of each pair in [2 P, C, S, S]; 0 for none."""
    if len(images) == 0:
        return 0.0
    coarse = F.adaptive_avg_pool2d(images.float(), COARSE).flatten(1)
    return float((coarse[0::2] - coarse[1::2]).norm(dim=1).mean())


def overfit(learned: Tensor, held_out: Tensor, fake: Tensor) -> float | None:
    """Return (E D(learned) - E D(held out)) / (E D(learned) - E D(fake)) of realness [N] each.

    None where its standard error exceeds UNSURE: few pictures are held out, or real and fake scores hardly differ.
    """
    gap = learned.mean() - fake.mean()
    error = torch.sqrt(learned.var() / len(learned) + held_out.var() / len(held_out))
    return float((learned.mean() - held_out.mean()) / gap) if error < UNSURE * gap else None


def same_class_pairs(images: Tensor, labels: Tensor, most: int) -> list[int]:
    """Return indices into images [N, ...] with labels [N, A]. Two of equal labels follow each other; none repeats.

    A picture is not paired with an equal one or its mirror image. At most `most` pairs are taken, evenly spread because
    pictures may be sorted by class.
    """
    waiting: dict[tuple[int, ...], int] = {}
    pairs: list[tuple[int, int]] = []
    for place, label in enumerate(map(tuple, labels.tolist())):
        if label not in waiting:
            waiting[label] = place
        elif not _is_same_picture(images[waiting[label]], images[place]):
            pairs.append((waiting.pop(label), place))
    count = min(most, len(pairs))
    return [place for number in range(count) for place in pairs[number * len(pairs) // count]]


def _is_same_picture(one: Tensor, other: Tensor) -> bool:
    return torch.equal(one, other) or torch.equal(one, other.flip(-1))


def _read(dataset: Dataset) -> _Compared:
    images, labels = _together(dataset.learned(TOGETHER, every=_apart(dataset.size)))
    places = same_class_pairs(images, labels, PAIRS)
    if len(places) < 2 * FEWEST:
        places = []
    return _Compared(labels[places], spread(_as_floats(images[places])), images, _read_held_out(dataset))


def _read_held_out(dataset: Dataset) -> Tensor:
    """Return held-out pictures, bytes [N, C, S, S], or an empty tensor where there are too few."""
    size = dataset.held_out_size
    return _together(dataset.held_out(TOGETHER, every=_apart(size))).images if size >= FEWEST else torch.empty(0)


def _apart(size: int) -> int:
    """Return n: every n-th of `size` pictures is used, at most COMPARED. They are evenly spread because of sorting."""
    return -(-size // COMPARED)


def _together(batches: Iterator[LabelledImages]) -> LabelledImages:
    """Return all batches as one, its images as bytes [N, C, S, S]."""
    images, labels = zip(*((_as_bytes(batch.images), batch.labels) for batch in batches), strict=True)
    return LabelledImages(torch.cat(images), torch.cat(labels))


def _as_bytes(images: Tensor) -> Tensor:
    return ((images + 1) * 127.5).round().to(torch.uint8)


def _as_floats(images: Tensor) -> Tensor:
    return images.float() / 127.5 - 1 if images.dtype == torch.uint8 else images
