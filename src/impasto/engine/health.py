"""The collapse watch: how an adversarial painter of labels fares while it learns, and what to say when it fares badly.

Three things are looked at whenever a sheet of samples is painted. Diversity: how far apart paintings of one class and
different noise are, as a share of how far apart real pictures of one class are. Overfit: r_v of Karras et al. 2020
(arXiv:2006.06676), equation 1, by which a discriminator takes held-out pictures for real (0) or for fakes (1). And what
the method logs: the discriminator's accuracy and the norms of gradients. Looking never changes learning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from statistics import fmean, median
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from impasto.chance import generator
from impasto.data.batches import Images, LabelledImages, Labels
from impasto.data.dataset import Dataset
from impasto.engine.measuring import in_eval_mode
from impasto.losses.labels import one_hot
from impasto.method import Adversarial, Learner, Painter, TrainingState
from impasto.networks.augmentation import AugmentationKind

PAIRS = 32
"""Pairs of images of one class whose distances diversity is the mean of."""
FEWEST = 8
"""Pairs, or held-out pictures, without which nothing is said."""
JUDGED = 256
"""Pictures learned from, and held-out ones, that the discriminator is asked about."""
TOGETHER = 32
"""Images in a pass through a network."""
COARSE = 16
"""Images are compared at this size, pixels: composition and colour, not texture."""

EARLY = 0.2
"""Share of a run in which no alarm is raised: until they have learned something, networks show all the signs."""
COLLAPSED = 0.25
"""Diversity below this is a sign: our choice, between one painting for all noise (0) and the real pictures (1)."""
WINNING = 0.9
"""Accuracy of the discriminator above this is a sign (spec 01: seed 001 found its artefacts there)."""
LOSING = 0.45
"""Accuracy of the discriminator below this is a sign: our choice, surely less than by guessing. GANtor-v2's stayed
there with a quarter of its channels at 64 pixels, and taught its generator a lattice."""
BY_HEART = 0.6
"""Overfit above this is a sign; Karras et al. steer their other meter, r_t, to it."""
UNSURE = 0.2
"""Overfit with a larger standard error is not told: our choice, a third of what is a sign."""
STRANGE = 100.0
"""A gradient so many times larger or smaller than its median so far is a sign: our choice, far outside of chance."""
FEWEST_NORMS = 20
"""Logged gradient norms without which their median says nothing."""

ACCURACY = "discriminator/accuracy"
"""As logged; a Wasserstein critic, whose accuracy should be high, logs `critic/accuracy`."""
GRADIENT_NORM = "/gradient_norm"


class Vitals(NamedTuple):
    """What is known of a run's health at one moment; None where it cannot be known."""

    diversity: float | None = None
    overfit: float | None = None
    accuracy: float | None = None
    """Share of images that the discriminator judged rightly, since the last look."""
    gradients: Mapping[str, float] = {}
    """For each network the norm of its gradients since the last look, as a multiple of the median before."""

    def measured(self) -> dict[str, float]:
        """Return what was measured by looking, by the names it is logged under."""
        named = {"health/diversity": self.diversity, "health/overfit": self.overfit}
        return {name: value for name, value in named.items() if value is not None}


def signs(vitals: Vitals, augmentation: AugmentationKind = "none") -> dict[str, str]:
    """Return what looks bad, by a short name: a sentence that tells the sign and the usual remedies.

    Remedies that the run has taken already, as its `augmentation` tells, are not among them.
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
    if vitals.overfit is not None and vitals.overfit > BY_HEART:
        remedies = ["more pictures", *ada, "to stop here"]
        found["overfit"] = (
            "It learns by heart: to the discriminator, held-out pictures look more like fakes than like those learned "
            f"from (overfit {vitals.overfit:.2f}); the usual remedies are {_listed(remedies)}"
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
    """What has changed since the last look."""

    begun: Mapping[str, str]
    """Signs that were not there: a sentence each by name."""
    ended: tuple[str, ...]
    """Names of signs that went away."""


def is_watched(method: Learner[Any]) -> bool:
    """Whether a method paints labels and has a discriminator to ask."""
    return isinstance(method, Adversarial) and isinstance(method, Painter) and method.prompt_type is Labels


class Health:
    """Watches one run; what it compares with is read at the first look."""

    def __init__(self, method: Learner[Any], state: TrainingState, dataset: Dataset) -> None:
        """Take a watched method; `state.networks` are its discriminators."""
        assert isinstance(method, Adversarial)
        assert isinstance(method, Painter)
        self.painter, self.judge = method, method
        self.networks: Mapping[str, nn.Module] = state.networks
        self.dataset = dataset
        self.standing: frozenset[str] = frozenset()
        self._recent: list[Mapping[str, float]] = []
        self._norms: dict[str, list[float]] = {}
        self._compared: _Compared | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the owner of the pictures should know before training, one sentence each."""
        if self.dataset.held_out_size:
            return ()
        return ("nothing is held out, so that learning by heart cannot be noticed; say data.validation_share=0.1",)

    def remember(self, journal: Iterable[Mapping[str, Any]]) -> None:
        """Hear again what earlier sessions of the run logged and told."""
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
        """Take in means of what the method logs."""
        self._recent.append(means)

    def look(self, on_device: Callable[[Any], Any]) -> Vitals:
        """Measure; the painting networks hold the weights to be judged and are in eval mode, without gradients.

        `on_device` takes a batch or prompt there. Raises PictureError when a picture to compare with cannot be read.
        """
        if self._compared is None:
            self._compared = _read(self.dataset)
        compared = self._compared
        accuracies = [means[ACCURACY] for means in self._recent if ACCURACY in means]
        paintings = self._painted(compared.pairs, on_device)
        return Vitals(
            diversity=spread(paintings) / compared.spread if compared.spread > 0 else None,
            overfit=self._overfit(paintings, compared, on_device),
            accuracy=fmean(accuracies) if accuracies else None,
            gradients=self._close_interval(),
        )

    def news(self, vitals: Vitals, progress: float) -> News:
        """Return the signs that came and went since the last look; `progress` is the share of the run behind.

        A sign that went away and comes back is told again.
        """
        found = signs(vitals, self.judge.augment.options.kind) if progress >= EARLY else {}
        begun = {name: sentence for name, sentence in found.items() if name not in self.standing}
        ended = tuple(sorted(self.standing - found.keys()))
        self.standing = frozenset(found)
        return News(begun, ended)

    def _close_interval(self) -> dict[str, float]:
        """Return the gradients' norms since the last look as multiples of the medians before; begin a new interval."""
        ratios = {}
        for name in dict.fromkeys(name for means in self._recent for name in means if name.endswith(GRADIENT_NORM)):
            norms = [means[name] for means in self._recent if name in means]
            history = self._norms.setdefault(name, [])
            if len(history) >= FEWEST_NORMS and median(history) > 0:
                ratios[name.removesuffix(GRADIENT_NORM)] = median(norms) / median(history)
            history.extend(norms)
        self._recent = []
        return ratios

    def _painted(self, pairs: Tensor, on_device: Callable[[Any], Any]) -> Tensor:
        """Return paintings [2 P, C, S, S] of the pairs' labels, each of its own noise, the same at every look."""
        if len(pairs) == 0:
            return torch.empty(0)
        chance, weights = generator(0, "health"), one_hot(pairs, self.dataset.spec.attributes)
        prompts = [on_device(Labels(part)) for part in torch.split(weights, TOGETHER)]
        return torch.cat([self.painter.paint(prompt, chance).float().cpu() for prompt in prompts])

    def _overfit(self, paintings: Tensor, compared: _Compared, on_device: Callable[[Any], Any]) -> float | None:
        if min(len(compared.learned), len(compared.held_out), len(paintings)) < FEWEST:
            return None
        with in_eval_mode(self.networks):
            learned, held_out, fake = (
                torch.cat([self._realness(on_device(Images(part))) for part in torch.split(images, TOGETHER)])
                for images in (compared.learned, compared.held_out, paintings)
            )
        return overfit(learned, held_out, fake)

    def _realness(self, part: Images) -> Tensor:
        return self.judge.realness(_as_floats(part.images)).cpu()


class _Compared(NamedTuple):
    """What real pictures are like."""

    pairs: Tensor
    """[2 P, A] int64: the labels of pairs, two of a class after one another."""
    spread: float
    """Of the pictures with these labels."""
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

    None where its standard error exceeds UNSURE: few pictures are held out, or real ones hardly told from fakes.
    """
    gap = learned.mean() - fake.mean()
    error = torch.sqrt(learned.var() / len(learned) + held_out.var() / len(held_out))
    return float((learned.mean() - held_out.mean()) / gap) if error < UNSURE * gap else None


def same_class_pairs(images: Tensor, labels: Tensor, most: int) -> list[int]:
    """Return places in images [N, ...] with labels [N, A], two of equal labels after one another; each place once.

    A picture is not paired with one that equals it or is its mirror image. Of more than `most` pairs so many are
    taken, evenly spread because pictures may be sorted by class.
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
    """Return n so that every n-th of `size` pictures are at most JUDGED: evenly spread, as they may be sorted."""
    return -(-size // JUDGED)


def _together(batches: Iterator[LabelledImages]) -> LabelledImages:
    """Return all batches as one, its images as bytes [N, C, S, S]."""
    images, labels = zip(*((_as_bytes(batch.images), batch.labels) for batch in batches), strict=True)
    return LabelledImages(torch.cat(images), torch.cat(labels))


def _as_bytes(images: Tensor) -> Tensor:
    return ((images + 1) * 127.5).round().to(torch.uint8)


def _as_floats(images: Tensor) -> Tensor:
    return images.float() / 127.5 - 1 if images.dtype == torch.uint8 else images
