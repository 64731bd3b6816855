"""Speed of the training steps of the methods that paint from noise: impasto against the papers in plain PyTorch.

    python bench/gan_steps.py --method cdcgan cwgan-gp --rounds 7

All variants start from equal weights. The first step has a learning rate of 0, the same pictures and the same random
numbers. Its losses and gradients must agree before anything is timed. Then the variants alternate, one step each per
round. bench/README.md explains the columns.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Literal, NamedTuple, Protocol

os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # as in the command impasto, for both sides

import torch
from reference_gans import CDCGAN, CRITIC_STEPS, CWGANGP, GENRES, LEARNING_RATE, PENALTY_WEIGHT, STYLES, GANtorV2
from torch import Tensor, nn
from torch.optim import Optimizer
from turns import Device, Measurement, Trainee, first_steps, make_equal, pictures, take_turns

from impasto.clock import Clock
from impasto.data.batches import ImageSpec, LabelledImages
from impasto.engine.launch import launch
from impasto.method import Learner
from impasto.methods import METHODS
from impasto.recipe import TrainingOptions

Precision = Literal["fp32", "bf16"]


class Difference(NamedTuple):
    """Relative difference of a first step from the reference's."""

    losses: float
    gradients: float
    """Difference of their norms. Rounding errors grow during backpropagation through a deep network."""


TOLERANCES: Mapping[Precision, Difference] = {"fp32": Difference(1e-4, 1e-3), "bf16": Difference(1e-2, 5e-2)}
REFERENCE = "reference fp32"


class Case(NamedTuple):
    """A method to compare, with its setting."""

    name: str
    reference: Callable[[str], Trainee]
    adversary: str
    """Name of the discriminator or critic on both sides."""
    size: int
    classes: int
    batch: int
    batches: int
    """Batches per step."""
    generator_loss: Mapping[str, float]
    """impasto's scalars that add up to this loss, with their weights."""
    discriminator_loss: Mapping[str, float]
    options: Mapping[str, int] = MappingProxyType({})
    """Options of impasto's method that are not its defaults."""


CASES = (
    Case(
        name="cdcgan",
        reference=CDCGAN,
        adversary="discriminator",
        size=64,
        classes=STYLES,
        batch=64,
        batches=1,
        generator_loss={"generator/adversarial": 1, "generator/label": 1},
        discriminator_loss={"discriminator/validity": 1, "discriminator/label": 1},
    ),
    Case(
        name="cwgan-gp",
        reference=CWGANGP,
        adversary="critic",
        size=64,
        classes=STYLES,
        batch=32,
        batches=CRITIC_STEPS,
        generator_loss={"generator/adversarial": 1, "generator/label": 1},
        discriminator_loss={"critic/distance": -1, "critic/penalty": PENALTY_WEIGHT, "critic/label": 1},
    ),
    Case(
        name="gantor-v2",
        reference=GANtorV2,
        adversary="discriminator",
        size=256,
        classes=GENRES,
        batch=4,
        batches=1,
        generator_loss={"generator/class": 1, "generator/reconstruction": 1},
        discriminator_loss={"discriminator/class": 1, "discriminator/fake": 1, "discriminator/reconstruction": 1},
        options={"stage": 2},
    ),
)


class Side(Trainee, Protocol):
    """A variant that trains with the code of one side."""

    adversary: nn.Module
    optimizers: Sequence[Optimizer]
    """Optimizers of the generator and the discriminator."""

    def __init__(self, case: Case, device: Device, precision: Precision) -> None:
        """Make its networks."""


class Reference:
    """The reference. In bfloat16 it is the same step under autocast."""

    def __init__(self, case: Case, device: Device, precision: Precision) -> None:
        self.trainee = case.reference(device)
        self.adversary = getattr(self.trainee, case.adversary)
        self.optimizers = (self.trainee.g_optimizer, self.trainee.d_optimizer)
        self.autocast = partial(torch.autocast, device, torch.bfloat16, enabled=precision == "bf16")

    def step(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Make one step."""
        with self.autocast():
            return self.trainee.step(images, labels)


class Impasto:
    """impasto's method, trained as its engine does, with the reference's weights."""

    def __init__(self, case: Case, device: Device, precision: Precision) -> None:
        self.case, original = case, case.reference(device)
        self.fabric = launch(TrainingOptions(images=1, precision=precision, accelerator=device))
        method_class = METHODS[case.name]
        assert issubclass(method_class, Learner)
        classes = tuple(f"class {number}" for number in range(case.classes))
        options = method_class.Options(name=case.name, **case.options)
        self.method = method_class(options, ImageSpec(3, case.size, classes))
        state = self.method.prepare(self.fabric)
        self.adversary, self.optimizers = state.networks[case.adversary], tuple(state.optimizers.values())
        self.clock = Clock(images=1)
        for name, network in {**self.method.networks(), **state.networks}.items():
            network.to(memory_format=torch.channels_last)
            take_weights(network, getattr(original, name))

    def step(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Make one step."""
        case, scalars = self.case, {}
        for some, classes in zip(images.chunk(case.batches), labels.chunk(case.batches), strict=True):
            batch = LabelledImages(some.contiguous(memory_format=torch.channels_last), classes[:, None])
            with self.fabric.autocast():
                scalars |= self.method.training_step(batch, self.clock)
            self.clock.advance(len(some))
        return weighted_sum(scalars, case.generator_loss), weighted_sum(scalars, case.discriminator_loss)


def take_weights(network: nn.Module, original: nn.Module) -> None:
    """Copy the weights of a network with the same layers in the same order. Their names may differ."""
    with torch.no_grad():
        for (name, weight), value in zip(network.named_parameters(), original.parameters(), strict=True):
            assert weight.shape == value.shape, name
            weight.copy_(value)


def weighted_sum(scalars: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    return torch.stack([weight * scalars[name] for name, weight in weights.items()]).sum()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", choices=[case.name for case in CASES], nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, help="images a batch, where not the papers'")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    arguments = parser.parse_args()
    best: Device = "cuda" if torch.cuda.is_available() else "cpu"
    device: Device = best if arguments.device == "auto" else arguments.device
    print(make_equal(device))
    for case in CASES:
        if arguments.method is None or case.name in arguments.method:
            report(case, arguments.batch or case.batch, device, arguments.rounds)


def report(case: Case, batch: int, device: Device, rounds: int) -> None:
    """Measure a method's variants and print their table."""
    print(f"\n{case.name}, {case.size} px, {case.batches} x {batch} images a step, {rounds} rounds", flush=True)
    images = pictures(device, case.size, case.batches * batch)
    labels = torch.arange(len(images), device=device) % case.classes
    torch.backends.cudnn.allow_tf32 = False  # TF32 rounds to 10 bits; the first steps are compared
    variants, measured = first_steps(makers(case, device), images, labels)
    torch.backends.cudnn.allow_tf32 = True
    differences = {name: difference(name, variants, measured) for name in variants}
    check_agreement(differences)
    for variant in variants.values():
        let_learn(variant)
    take_turns(variants, measured, images, labels, device, rounds)
    print("variant           s/step  ratio   from    to  images/s  losses, gradients differ by")
    for name, one in measured.items():
        seconds, gains = statistics.median(one.seconds), one.gains(measured[REFERENCE])
        losses, gradients = differences[name]
        print(
            f"{name:16} {seconds:7.3f} {statistics.median(gains):6.2f} {min(gains):6.2f} {max(gains):5.2f}"
            f" {len(images) / seconds:9.1f}  {losses:.0e}, {gradients:.0e}"
        )


def makers(case: Case, device: Device) -> dict[str, Callable[[], Side]]:
    """Return a function that makes each variant, by name."""
    return {
        f"{side.__name__.lower()} {precision}": partial(comparable, side, case, device, precision)
        for side, precision in itertools.product((Reference, Impasto), TOLERANCES)
    }


def difference(name: str, variants: Mapping[str, Side], measured: Mapping[str, Measurement]) -> Difference:
    """Return the largest differences from the reference: of a variant's losses and of its gradients' norms."""
    ours, theirs = gradient_norms(variants[name]), gradient_norms(variants[REFERENCE])
    gradients = max(abs(a / b - 1) for a, b in zip(ours, theirs, strict=True))
    return Difference(max(measured[name].differs(measured[REFERENCE])), gradients)


def check_agreement(differences: Mapping[str, Difference]) -> None:
    """End the program if impasto's results differ from the reference's."""
    for precision, most in TOLERANCES.items():
        found = differences[f"impasto {precision}"]
        if not (found.losses <= most.losses and found.gradients <= most.gradients):
            raise SystemExit(f"impasto {precision} differs from the reference by {found}; the limit is {most}")


def comparable(side: type[Side], case: Case, device: Device, precision: Precision) -> Side:
    """Make a variant whose losses and gradients can be compared.

    Its learning rates are 0, because Adam's first update is large even for a gradient of pure rounding error. Its
    discriminator has no dropout and no noise, because those random numbers depend on the memory layout of tensors.
    """
    variant = side(case, device, precision)
    for optimizer in variant.optimizers:
        optimizer.param_groups[0]["lr"] = 0.0
    for module in variant.adversary.modules():
        module.training = isinstance(module, nn.BatchNorm2d)
    return variant


def let_learn(variant: Side) -> None:
    """Undo the changes of `comparable`."""
    for optimizer in variant.optimizers:
        optimizer.param_groups[0]["lr"] = LEARNING_RATE
    variant.adversary.train()


def gradient_norms(variant: Side) -> list[float]:
    """Return the norms of the gradients after a step: of the generator and of the discriminator."""
    return [
        float(nn.utils.get_total_norm([weight.grad for weight in optimizer.param_groups[0]["params"]]))
        for optimizer in variant.optimizers
    ]


if __name__ == "__main__":
    main()
