"""Feature extractors: published networks, classifiers trained with impasto, and two fallbacks without weights.

Values from different extractors are never compared. So each extractor describes itself (`about`), with a hash of its
weights.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from impasto.chance import generator
from impasto.data.pictures import scaled
from impasto.data.transforms import batch_of, centre_crop, resized
from impasto.errors import DataError, EvaluationError, PainterError, did_you_mean
from impasto.evaluation.record import Features
from impasto.networks.dinov2 import PATCH as DINOV2_PATCH
from impasto.networks.dinov2 import DINOv2
from impasto.networks.inception_features import IMAGE_SIZE, InceptionFeatures, Seen, resize_as_tensorflow
from impasto.painting.painters import RUNS, LoadedClassifier, fingerprint, load_classifier
from impasto.weights import DINOV2, INCEPTION_2015, INCEPTION_IMAGENET, Published, find_weights, read_weights

Precision = Literal["fp32", "bf16"]
DTYPES: Mapping[Precision, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16}
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
DINOV2_SIZE = 16 * DINOV2_PATCH
PIXELS_SIZE = 16
OFFLINE = "pixels"
"""Name of the features that need no weights."""
SHIPPED_SEED = 0
"""Seed of the random network, so that its values can be repeated anywhere."""


class FeaturesError(EvaluationError):
    """Features cannot be opened. Each command adds which option selects other features."""


class ExtractorOptions(NamedTuple):
    """How features are computed."""

    weights: Path | None = None
    """File of weights. Default: the published file, which is found or downloaded."""
    device: torch.device = torch.device("cpu")
    precision: Precision = "fp32"


class Extractor(ABC):
    """Turns images of any size into features, and into class probabilities if it is a classifier."""

    about: Features
    dimensions: int
    """Number of features of an image."""
    classes: tuple[str, ...] = ()
    """Names of the classes, in the order of the probabilities. Numbers if the names are not known."""
    knows_names: bool = False
    """Whether `classes` are names that pictures can have as classes."""
    accuracy: float | None = None
    """Share of held-out pictures classified correctly, in 0..1. None if it was not measured."""
    device: torch.device = torch.device("cpu")

    @abstractmethod
    def prepare(self, image: Tensor) -> Tensor:
        """Return one image, uint8 [3, H, W], at the network's size, on the CPU. All images get the same shape."""

    @abstractmethod
    def compute(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return features [N, d] and probabilities [N, K] (K may be 0), float32, of prepared images on `device`."""

    @torch.inference_mode()
    def __call__(self, images: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Return features [N, d] and probabilities [N, K] of images uint8 [3, H, W], on the CPU."""
        return self.extract([self.prepare(image) for image in images])

    @torch.inference_mode()
    def extract(self, prepared: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return features [N, d] and probabilities [N, K] of prepared images, on the CPU."""
        batch = torch.stack([image.permute(1, 2, 0) for image in prepared]).permute(0, 3, 1, 2)
        allowed = torch.backends.cudnn.allow_tf32
        torch.backends.cudnn.allow_tf32 = False  # "fp32" is full precision on a GPU too
        try:
            with torch.autocast(self.device.type, enabled=False):  # training may have enabled it
                features, probabilities = self.compute(batch.to(self.device, non_blocking=True))
        finally:
            torch.backends.cudnn.allow_tf32 = allowed
        return features.float().cpu(), probabilities.float().cpu()


class Inception2015(Extractor):
    """The network of published FIDs: TensorFlow's Inception of 2015, ported by torch-fidelity.

    Class probabilities are those of torch-fidelity's Inception Score: softmax of the 1,008 logits without their bias.
    See docs/methods/evaluation.md.
    """

    dimensions = 2048
    classes = tuple(str(number) for number in range(1008))

    def __init__(self, weights: Mapping[str, Tensor], about: Features, device: torch.device) -> None:
        self.about, self.device = about, device
        self.network = InceptionFeatures(weights, "2015", DTYPES[about.precision]).to(device)

    def prepare(self, image: Tensor) -> Tensor:
        """Resize like the TensorFlow graph: bilinear, without antialiasing; then (x - 128) / 128."""
        return resize_as_tensorflow(batch_of(image).float().sub_(128).div_(128))[0]

    def compute(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """See Extractor."""
        features, logits = self.network(images)
        return features, torch.softmax(logits - self.network.classes.bias, dim=1)


class CleanInception2015(Inception2015):
    """The same network with clean-fid's antialiased resizing (Parmar et al. 2022, arXiv:2104.11222)."""

    def prepare(self, image: Tensor) -> Tensor:
        """Resize bicubically with antialiasing, as floats clipped to 0..255; then (x - 128) / 128."""
        size = (IMAGE_SIZE, IMAGE_SIZE)
        pixels = F.interpolate(batch_of(image).float(), size, mode="bicubic", antialias=True)[0]
        return pixels.clamp_(0, 255).sub_(128).div_(128)


class InceptionImageNet(Extractor):
    """torchvision's Inception-v3, trained on ImageNet (docs/methods/evaluation.md)."""

    dimensions = 2048
    classes = tuple(str(number) for number in range(1000))

    def __init__(self, weights: Mapping[str, Tensor], about: Features, device: torch.device) -> None:
        self.about, self.device = about, device
        self.network = InceptionFeatures(weights, "torchvision", DTYPES[about.precision]).to(device)

    def prepare(self, image: Tensor) -> Tensor:
        """Resize bicubically with antialiasing to 299 x 299; then (x / 255 - 0.5) / 0.5, as these weights expect."""
        return resized(image, IMAGE_SIZE, IMAGE_SIZE).float().div_(127.5).sub_(1)

    def compute(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """See Extractor."""
        seen: Seen = self.network(images)
        return seen.features, torch.softmax(seen.logits, dim=1)


class DINOv2Features(Extractor):
    """DINOv2 ViT-L/14. Its distances match human ratings better than Inception's.

    Stein et al. 2023, arXiv:2306.04675.
    """

    def __init__(self, weights: Mapping[str, Tensor], about: Features, device: torch.device) -> None:
        self.about, self.device = about, device
        self.network = DINOv2(weights).to(device)
        self.dimensions = self.network.width

    def prepare(self, image: Tensor) -> Tensor:
        """Resize bicubically with antialiasing to 224 x 224, and normalize with ImageNet's mean and deviation."""
        small = resized(image, DINOV2_SIZE, DINOV2_SIZE).float().div_(255)
        return (small - torch.tensor(IMAGENET_MEAN)[:, None, None]) / torch.tensor(IMAGENET_DEVIATION)[:, None, None]

    def compute(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """See Extractor."""
        reduced = self.about.precision == "bf16"
        with torch.autocast(images.device.type, torch.bfloat16, enabled=reduced):
            features: Tensor = self.network(images)
        return features, features.new_zeros(len(features), 0)


class Pixels(Extractor):
    """The images themselves at 16 x 16. Needs no weights. Compares colour and layout, not content."""

    dimensions = 3 * PIXELS_SIZE**2
    about = Features("pixels", "", f"bicubic-antialiased-{PIXELS_SIZE}")

    def prepare(self, image: Tensor) -> Tensor:
        """Resize bicubically with antialiasing."""
        return resized(image, PIXELS_SIZE, PIXELS_SIZE)

    def compute(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return pixel values in 0..1 as features [N, d], and no probabilities [N, 0]."""
        features = images.float().div(255).flatten(1)
        return features, features.new_zeros(len(features), 0)


class Classified(Extractor):
    """A classifier trained with impasto: features of its last layer, and its class probabilities."""

    def __init__(self, loaded: LoadedClassifier, device: torch.device) -> None:
        self.network, self.size, self.device = loaded.classifier, loaded.size, device
        self.classes, self.accuracy, self.knows_names = loaded.classes, loaded.validation_accuracy, True
        self.about = Features(loaded.name, loaded.fingerprint, f"bicubic-antialiased-middle-{loaded.size}")
        blank = torch.zeros(1, 3, loaded.size, loaded.size, device=device)
        with torch.inference_mode():
            self.dimensions = self.network.features_and_probabilities(blank)[0].shape[1]

    def prepare(self, image: Tensor) -> Tensor:
        """Resize the shorter side to the training size and crop the centre, as for the run's held-out pictures."""
        height, width = scaled((image.shape[1], image.shape[2]), self.size)
        return centre_crop(resized(image, height, width), self.size)

    def compute(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """See Extractor."""
        return self.network.features_and_probabilities(images.float().div(127.5).sub(1))


def open_extractor(name: str, options: ExtractorOptions | None = None) -> Extractor:
    """Return an extractor by name, or a classifier by its run folder.

    Raises FeaturesError if there is no such extractor, or if its weights are missing or do not fit. Raises
    EvaluationError for a classifier at a precision other than fp32.
    """
    options = options or ExtractorOptions()
    if name in OPENERS:
        return OPENERS[name](options)
    try:
        classifier = load_classifier(name, options.device)
    except PainterError as error:
        is_there = Path(name).exists() or (RUNS / name).exists()
        why = error if is_there else f"there are no features {name}{did_you_mean(name, OPENERS)}"
        raise FeaturesError(str(why)) from error
    if options.precision != "fp32":
        raise EvaluationError(f"{name} computes in fp32 only, not in {options.precision}; use precision fp32")
    return Classified(classifier, options.device)


def _file_of(expected: Published, given: Path | None) -> Path:
    """Return the given file. Without one, find or download the published file."""
    if given is not None:
        if not given.is_file():
            raise FeaturesError(f"the weights {given} are not a file; use {expected.name}, from {expected.urls[0]}")
        return given
    try:
        return find_weights(expected)
    except DataError as error:
        raise FeaturesError(f"{error}; or use a file of weights, or the features {OFFLINE} (not comparable)") from error


def _published(
    kind: Callable[[Mapping[str, Tensor], Features, torch.device], Extractor],
    name: str,
    expected: Published,
    resize: str,
    *,
    comparable: bool,
) -> Callable[[ExtractorOptions], Extractor]:
    def opened(options: ExtractorOptions) -> Extractor:
        path = _file_of(expected, options.weights)
        weights = read_weights(path)
        digest = fingerprint(path)
        published = options.precision == "fp32" and path.name == expected.name
        about = Features(name, digest, resize, options.precision, comparable=comparable and published)
        try:
            return kind(weights, about, options.device)
        except (KeyError, ValueError, RuntimeError) as error:
            raise FeaturesError(f"{path} does not hold the weights of {name} ({error}); use {expected.name}") from error

    return opened


def random_inception(seed: int = SHIPPED_SEED) -> dict[str, Tensor]:
    """Return a random state dict for the Inception of 2015. It keeps the scale of activations (He et al. 2015)."""
    from torchvision.models.inception import Inception3  # takes over a second to import

    with torch.device("meta"):
        shapes = Inception3(num_classes=1008, aux_logits=False, init_weights=False).state_dict()
    chance = generator(seed, "random inception")
    weights: dict[str, Tensor] = {}
    for name, like in shapes.items():
        if name.endswith(("conv.weight", "fc.weight")):
            deviation = (2 / like[0].numel()) ** 0.5
            weights[name] = torch.randn(like.shape, generator=chance) * deviation
        elif not name.endswith("num_batches_tracked"):
            weights[name] = torch.full(like.shape, float(name.endswith(("bn.weight", "running_var"))))
    return weights


def _random_inception(options: ExtractorOptions) -> Extractor:
    about = Features("random-inception", f"seed-{SHIPPED_SEED}", "bilinear-tensorflow-299", options.precision)
    return Inception2015(random_inception(), about, options.device)


OPENERS: Mapping[str, Callable[[ExtractorOptions], Extractor]] = {
    "inception-2015": _published(
        Inception2015, "inception-2015", INCEPTION_2015, "bilinear-tensorflow-299", comparable=True
    ),
    "inception-2015-clean": _published(
        CleanInception2015, "inception-2015-clean", INCEPTION_2015, "bicubic-antialiased-float-299", comparable=True
    ),
    "inception-imagenet": _published(
        InceptionImageNet, "inception-imagenet", INCEPTION_IMAGENET, "bicubic-antialiased-299", comparable=False
    ),
    "dinov2": _published(DINOv2Features, "dinov2", DINOV2, f"bicubic-antialiased-{DINOV2_SIZE}", comparable=True),
    "random-inception": _random_inception,
    "pixels": lambda options: Pixels(),  # noqa: ARG005
}
"""Extractors by name. The last two are fallbacks for machines without weights."""
