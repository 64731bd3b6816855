"""Inception classifier: recognises the style, genre or artist of a painting, for metrics of painters (IS, top-1, FD).

The classifier of GANtor's evaluation (Datta and Cai, section 4.3): Inception-v3 (Szegedy et al. 2016, arXiv:1512.00567)
with new last layers, trained with cross-entropy + 0.4 cross-entropy of the auxiliary layers by Adam.

Training and scoring share one preprocessing (docs/methods/stacked-gans.md#a6): it is part of the network and of
`fitted`. Departures: the batch norm of the frozen network keeps its running statistics while the last layers learn;
images below 299 pixels have no auxiliary layers, because their kernel is larger than the map; without ImageNet's
weights, the whole network may learn from scratch. On several devices each normalises its own share of a batch, and the
first one's running statistics are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam

from impasto.clock import Clock
from impasto.data.batches import ImageSpec, LabelledImages
from impasto.data.options import Folder
from impasto.data.transforms import centre_crop
from impasto.errors import DataError, RecipeError
from impasto.method import Learner, TrainingState
from impasto.networks.batch_norm import need_two_images
from impasto.painter import Classifier, MethodOptions
from impasto.weights import INCEPTION_IMAGENET, find_weights, read_weights

if TYPE_CHECKING:
    from impasto.networks.inception_v3 import InceptionV3


class InceptionClassifierOptions(MethodOptions):
    """The paper's settings are the defaults."""

    name: Literal["inception-classifier"] = "inception-classifier"
    train: Literal["head", "all"] = "head"
    """Which layers learn: the last ones, as in the paper, or all of them."""
    weights: Literal["imagenet", "none"] | Folder = Field("imagenet", union_mode="left_to_right")
    """Initial weights: ImageNet's (downloaded once, 104 MB), none, or a file of such weights."""
    width: Literal[2, 4, 8, 16, 32] = 32
    """Channels after the first convolution, all others in proportion; the published network has 32."""
    auxiliary_weight: float = Field(0.4, ge=0)
    """Factor on the auxiliary layers' loss."""
    learning_rate: float = Field(1.0e-3, gt=0, le=1)
    """Adam's learning rate. Its decay rates are PyTorch's defaults."""

    @model_validator(mode="after")
    def _has_learned(self) -> InceptionClassifierOptions:
        if self.weights == "none" and self.train == "head":
            raise ValueError("a network without weights must learn as a whole; set method.train=all")
        if self.weights != "none" and self.width != 32:
            raise ValueError(f"weights are for a width of 32, not {self.width}; leave width out or set weights=none")
        return self


class InceptionClassifier(Classifier, Learner[LabelledImages]):
    """Inception-v3 with last layers for the classes of a collection."""

    Options = InceptionClassifierOptions
    batch_type = LabelledImages
    validates = ("accuracy", "loss")

    def __init__(self, options: InceptionClassifierOptions, spec: ImageSpec) -> None:
        from impasto.networks import inception_v3 as network  # importing it takes two seconds

        if spec.size < network.SMALLEST_IMAGE:
            needed = f"inception-classifier needs {network.SMALLEST_IMAGE} pixels, not {spec.size}"
            raise RecipeError("recipe", [f"data.image_size: {needed}"])
        if len(spec.attributes) > 1:
            raise RecipeError(
                "recipe", ["data.label: inception-classifier tells the classes of one label, not several"]
            )
        auxiliary = spec.size >= network.SMALLEST_FOR_AUXILIARY
        if not auxiliary:
            needed = f"need {network.SMALLEST_FOR_AUXILIARY} pixels, not {spec.size}; it learns without them"
            self.notes = (f"Inception-v3's auxiliary layers {needed}",)
        self.options, self.spec = options, spec
        self.inception: InceptionV3 = network.InceptionV3(len(spec.classes), options.width, auxiliary=auxiliary)

    def networks(self) -> Mapping[str, nn.Module]:
        """Return the network."""
        return {"inception": self.inception}

    def training_state(self) -> TrainingState:
        """Load the weights to start from, and make one Adam for the layers that learn.

        Raises DataError where the weights cannot be found or fetched.
        """
        if self.options.weights != "none":
            self._adopt(imagenet_weights() if self.options.weights == "imagenet" else Path(self.options.weights))
        if self.options.train == "head":
            self.inception.train_heads_only()
        learning = [weight for weight in self.inception.parameters() if weight.requires_grad]
        self.optimizer = self.adopted(Adam(learning, self.options.learning_rate, fused=True))
        return TrainingState(optimizers={"classifier": self.optimizer})

    def training_step(self, batch: LabelledImages, clock: Clock) -> Mapping[str, Tensor]:  # noqa: ARG002
        """Minimise the cross-entropy of the last layers and the auxiliary ones."""
        if self.options.train == "all":
            need_two_images(batch.images)
        _, logits, auxiliary = self.inception(batch.images)
        labels = batch.labels[:, 0]
        loss = functional.cross_entropy(logits.float(), labels)
        if auxiliary is not None:
            loss = loss + self.options.auxiliary_weight * functional.cross_entropy(auxiliary.float(), labels)
        self.descend(loss, self.optimizer)
        return {"loss": loss.detach(), "accuracy": (logits.argmax(1) == labels).float().mean()}

    def validate(self, batches: Iterable[LabelledImages]) -> Mapping[str, float]:
        """Return the accuracy and the mean cross-entropy; an empty mapping without images."""
        right, loss, count = 0, 0.0, 0
        for images, (labels,) in ((batch.images, batch.labels.unbind(1)) for batch in batches):
            logits = self.inception(images).logits.float()
            right += int((logits.argmax(1) == labels).sum())
            loss += float(functional.cross_entropy(logits, labels, reduction="sum"))
            count += len(labels)
        return {"accuracy": right / count, "loss": loss / count} if count else {}

    def features_and_probabilities(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the last map, pooled (float32 [N, 2048] at width 32), and class probabilities float32 [N, K].

        Images [N, 3, H, W] in [-1, 1] may have any size; see `fitted`.
        """
        features, logits, _ = self.inception(fitted(images, self.spec.size))
        return features.float(), logits.float().softmax(1)

    def _adopt(self, path: Path) -> None:
        try:
            self.inception.adopt(read_weights(path))
        except (KeyError, RuntimeError) as error:
            reason = str(error).splitlines()[-1].strip()
            raise DataError(
                f"{path} does not hold the weights of torchvision's Inception-v3 ({reason}); use "
                f"{INCEPTION_IMAGENET.name}, from {INCEPTION_IMAGENET.urls[0]}"
            ) from error


def fitted(images: Tensor, size: int) -> Tensor:
    """Bring images [N, 3, H, W] in [-1, 1] to [N, 3, size, size]: shorter side, then middle, as held-out pictures."""
    height, width = images.shape[-2:]
    if (height, width) == (size, size):
        return images
    scale = size / min(height, width)
    shape = (max(size, round(height * scale)), max(size, round(width * scale)))
    resized = functional.interpolate(images, shape, mode="bicubic", antialias=True).clamp(-1, 1)
    return centre_crop(resized, size)


def imagenet_weights() -> Path:
    """Return the file of ImageNet's weights, fetched on first use.

    Raises DataError where it cannot be downloaded or is another file; the message says where to put it by hand.
    """
    try:
        return find_weights(INCEPTION_IMAGENET)
    except DataError as error:
        raise DataError(
            f"{error}, set method.weights=FILE, or start without: method.weights=none method.train=all"
        ) from error
