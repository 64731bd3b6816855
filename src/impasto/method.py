"""What a method is: a painter turns prompts into images, a learner learns from batches, a method does both.

All three are made of networks, which a checkpoint holds. A classifier tells classes and does not paint.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar, cast

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from impasto.clock import Clock
from impasto.data.batches import ImageSpec, Labels

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from torch.optim import Optimizer

    from impasto.networks.augmentation import Augmentation

Prompt = TypeVar("Prompt")
Batch = TypeVar("Batch")


SHEET_ROWS = 12
"""Classes on a sheet of samples."""


class MethodOptions(BaseModel):
    """The `method:` block of a recipe. Each method derives its own; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str


class Networked(ABC):
    """Networks built from a recipe's options: what the two files of a checkpoint hold."""

    Options: ClassVar[type[MethodOptions]]

    @abstractmethod
    def __init__(self, options: Any, spec: ImageSpec) -> None:
        """Build the networks on the CPU, untrained; all chance comes from torch's global generator."""

    @abstractmethod
    def networks(self) -> Mapping[str, nn.Module]:
        """Return the networks that paint or classify: the ones averaged, and saved as weights."""

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(next(iter(self.networks().values())).parameters()).device


class Painter(Networked, Generic[Prompt]):
    """Turns a prompt into images. Painting, evaluation and the studio ask for nothing more."""

    prompt_type: ClassVar[type]

    @abstractmethod
    def paint(self, prompt: Prompt, generator: torch.Generator) -> Tensor:
        """Return one painting for each part of the prompt: [N, C, H, W] in [-1, 1]."""

    @property
    def reach(self) -> int | None:
        """How far the pixels of a photo are felt in its painting, pixels, but for the statistics of instance norms.

        A large photo can then be painted in tiles, if the networks see it in steps of 4 pixels or less. None where a
        painting is of one piece.
        """
        return None

    def sheet(self, prompt: Prompt, generator: torch.Generator) -> Mapping[str, Tensor]:
        """Return named rows of images [N, C, H, W] that show what was learned; the paintings unless there is more."""
        return {"painting": self.paint(prompt, generator)}


class LatentPainter(Painter[Labels]):
    """Paints from labels and a latent: the same latent is the same idea, whichever the label."""

    prompt_type = Labels
    spec: ImageSpec
    latent_size: int
    """Numbers of a latent, each drawn from N(0, 1)."""

    @abstractmethod
    def draw(self, weights: Tensor, latents: Tensor) -> Tensor:
        """Return [N, C, H, W] in [-1, 1] for class weights [N, K], one-hot or mixed, and latents [N, latent_size]."""

    def paint(self, prompt: Labels, generator: torch.Generator) -> Tensor:
        """Draw the latents from the generator and paint them."""
        weights = prompt.weights
        latents = torch.randn(len(weights), self.latent_size, generator=generator)
        return self.draw(weights, latents.to(weights.device))

    def sheet(self, prompt: Labels, generator: torch.Generator) -> Mapping[str, Tensor]:
        """Return a row for each class, the first twelve of many, with the same latents in all rows.

        Of several attributes the rows are of the first; the others are as the prompt has them, column by column.
        """
        weights, names = prompt.weights, self.spec.classes_of_first()
        latents = torch.randn(len(weights), self.latent_size, generator=generator).to(weights.device)
        others = weights[:, len(names) :]
        one_hot = torch.eye(len(names), device=weights.device)[:SHEET_ROWS]
        return {
            name: self.draw(torch.cat([row.expand(len(latents), -1), others], 1), latents)
            for name, row in zip(names, one_hot, strict=False)
        }


class Classifier(Networked):
    """Tells which class an image belongs to; its networks are in eval mode when it is asked."""

    @abstractmethod
    def features_and_probabilities(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return pooled features [N, d] and class probabilities [N, K] of images [N, 3, H, W] in [-1, 1]."""

    def classify(self, images: Tensor) -> Tensor:
        """Return the probability of each class, float32 [N, K], for images [N, 3, H, W] in [-1, 1] of any size."""
        return self.features_and_probabilities(images)[1]


class Stateful(Protocol):
    """Something that can be saved and put back: tensors, numbers and plain containers of them."""

    def state_dict(self) -> dict[str, Any]:
        """Return what to save."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any:
        """Put back what was saved."""


@dataclass(frozen=True)
class TrainingState:
    """What going on needs besides the painting networks; the engine saves it and never looks inside."""

    optimizers: Mapping[str, Optimizer]
    networks: Mapping[str, nn.Module] = field(default_factory=dict)
    """Critics and discriminators."""
    memory: Mapping[str, Stateful] = field(default_factory=dict)
    """Image pools and the like."""


class Learner(Networked, Generic[Batch]):
    """Something that learns from batches: one published algorithm, whole in one file."""

    batch_type: ClassVar[type]
    validates: ClassVar[tuple[str, ...]] = ()
    """Names of the metrics that `validate` returns."""
    notes: tuple[str, ...] = ()
    """What its user should know before training, one sentence each."""
    borrowed: tuple[str, ...] = ()
    """Networks that do not learn here: their weights come from the run that `training.start_from` names."""
    compiles: ClassVar[bool] = True
    """False where a critic is differentiated twice, which compiled networks cannot be."""
    turns: int = 1
    """Training steps in which each network learns at least once: the last of them logs every scalar there is."""
    fabric: Fabric

    @abstractmethod
    def prepare(self, fabric: Fabric) -> TrainingState:
        """Keep `fabric`, move the networks to its device and make the optimizers."""

    @abstractmethod
    def training_step(self, batch: Batch, clock: Clock) -> Mapping[str, Tensor]:
        """Learn from one batch; return scalars to log, detached."""

    def validate(self, batches: Iterable[Batch]) -> Mapping[str, float]:  # noqa: ARG002
        """Return metrics of held-out batches by the names in `validates`; the networks are in eval mode."""
        return {}

    def adopted(self, optimizer: Optimizer) -> Optimizer:
        """Return the optimizer as Fabric drives it in this precision and on these devices."""
        return cast("Optimizer", self.fabric.setup_optimizers(optimizer))

    def descend(self, loss: Tensor, optimizer: Optimizer) -> Tensor:
        """Make one update: zero, backward, average the gradients over devices, step; return the gradient's L2 norm.

        Networks stay plain modules (a wrapped one refuses second derivatives under mixed precision), so the gradients
        are averaged here, flattened into one message.
        """
        optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        if self.fabric.world_size > 1:
            self._average(gradients)
        norm = nn.utils.get_total_norm(gradients)
        optimizer.step()
        return norm

    def mean_over_devices(self, value: Tensor) -> Tensor:
        """Return the mean of a scalar over all devices."""
        if self.fabric.world_size == 1:
            return value
        mean = self.fabric.all_reduce(value, reduce_op="mean")
        assert isinstance(mean, Tensor)
        return mean

    def count_over_devices(self, images: Tensor) -> int:
        """Return how many images all devices have where this one has `images`."""
        return len(images) * self.fabric.world_size

    def tell_augmentation(self, augment: Augmentation, verdicts: Tensor, images: Tensor) -> None:
        """Let an adaptive augmentation hear the verdicts on this device's real `images`; the other kinds need none.

        Verdicts are of any shape, above 0 where something real is taken for real and below where not.
        """
        if augment.options.kind == "ada":
            sign = verdicts.detach().float().sign().mean()
            augment.observe(self.mean_over_devices(sign), self.count_over_devices(images))

    def gathered(self, images: Tensor) -> Tensor:
        """Return the images [N, ...] of all devices in rank order, [N * world_size, ...], without gradient."""
        if self.fabric.world_size == 1:
            return images.detach()
        everywhere = self.fabric.all_gather(images.detach().float().contiguous())  # gloo knows no bfloat16
        assert isinstance(everywhere, Tensor)
        return everywhere.flatten(0, 1).to(images.dtype)

    def own_share(self, images: Tensor) -> Tensor:
        """Return this device's part of what `gathered` returned."""
        if self.fabric.world_size == 1:
            return images
        return images.chunk(self.fabric.world_size)[self.fabric.global_rank]

    def _average(self, gradients: list[Tensor]) -> None:
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        averaged = self.fabric.all_reduce(flat, reduce_op="mean")
        assert isinstance(averaged, Tensor)
        for gradient, part in zip(gradients, torch.split(averaged, [g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))


class Method(Painter[Prompt], Learner[Batch], Generic[Batch, Prompt]):
    """A painter that learns."""


class Adversarial(ABC):
    """A learner whose discriminator or critic can be asked what it thinks of images."""

    augment: Augmentation
    """What alters images on their way to it; made by `prepare`."""

    @abstractmethod
    def realness(self, images: Tensor) -> Tensor:
        """Return how real images [N, C, H, W] in [-1, 1] look, float32 [N]; higher is more real, on any scale.

        The discriminator is in eval mode when it is asked, and images are not augmented.
        """


def require_gradients(networks: Iterable[nn.Module], *, needed: bool) -> None:
    """Freeze or thaw networks, so that judging a painting costs no gradients of the judge's own weights."""
    for network in networks:
        network.requires_grad_(needed)
