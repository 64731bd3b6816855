"""CycleGAN from the paper, in plain eager PyTorch: the reference for impasto's step.

Zhu et al. 2017 (arXiv:1703.10593): networks of section 7.2, losses of section 3 with lambda 10 and identity weight 5,
Adam as in section 7.1. Every picture has its own forward pass, every layer its own module. The pool of 50 fakes is left
out: it returns its input until it is full.
"""

from __future__ import annotations

import itertools
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ResidualBlock(nn.Module):
    """R256: two convolutions, added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
            nn.ReLU(),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Transform features [N, C, H, W]."""
        return features + self.change(features)


def generator() -> nn.Sequential:
    """c7s1-64, d128, d256, R256 nine times, u128, u64, c7s1-3."""
    return nn.Sequential(
        *(nn.ReflectionPad2d(3), nn.Conv2d(3, 64, 7), nn.InstanceNorm2d(64), nn.ReLU()),
        *(nn.Conv2d(64, 128, 3, stride=2, padding=1), nn.InstanceNorm2d(128), nn.ReLU()),
        *(nn.Conv2d(128, 256, 3, stride=2, padding=1), nn.InstanceNorm2d(256), nn.ReLU()),
        *(ResidualBlock(256) for _ in range(9)),
        *(nn.ConvTranspose2d(256, 128, 3, stride=2, padding=1, output_padding=1), nn.InstanceNorm2d(128), nn.ReLU()),
        *(nn.ConvTranspose2d(128, 64, 3, stride=2, padding=1, output_padding=1), nn.InstanceNorm2d(64), nn.ReLU()),
        *(nn.ReflectionPad2d(3), nn.Conv2d(64, 3, 7), nn.Tanh()),
    )


def discriminator() -> nn.Sequential:
    """C64, C128, C256, C512 and a last convolution to one score for every patch of 70 x 70 pixels."""
    return nn.Sequential(
        *(nn.Conv2d(3, 64, 4, stride=2, padding=1), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(64, 128, 4, stride=2, padding=1), nn.InstanceNorm2d(128), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(128, 256, 4, stride=2, padding=1), nn.InstanceNorm2d(256), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(256, 512, 4, padding=1), nn.InstanceNorm2d(512), nn.LeakyReLU(0.2)),
        nn.Conv2d(512, 1, 4, padding=1),
    )


class ReferenceCycleGAN:
    """Two generators, two discriminators and their optimizers; A are photos, B paintings."""

    def __init__(self, device: str, precision: torch.dtype) -> None:
        with torch.device(device):
            self.g_ab, self.g_ba, self.d_a, self.d_b = generator(), generator(), discriminator(), discriminator()
        self.device, self.precision = device, precision
        for weight in itertools.chain(self._generator_weights(), self._discriminator_weights()):
            nn.init.normal_(weight, 0.0, 0.02) if weight.dim() > 1 else nn.init.zeros_(weight)
        self.g_optimizer = torch.optim.Adam(self._generator_weights(), 2e-4, betas=(0.5, 0.999))
        self.d_optimizer = torch.optim.Adam(self._discriminator_weights(), 2e-4, betas=(0.5, 0.999))

    def step(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        """Train on pictures [N, 3, H, W] in [-1, 1]; return the generators' and the discriminators' loss."""
        with self._autocast():
            fake_b, loss_g, fake_a = self._generators_loss(a, b)
        self.g_optimizer.zero_grad()
        loss_g.backward()
        self.g_optimizer.step()
        for weight in self._discriminator_weights():
            weight.requires_grad_(requires_grad=True)
        self.d_optimizer.zero_grad()
        with self._autocast():
            loss_d = self._discriminator_loss(self.d_b, b, fake_b) + self._discriminator_loss(self.d_a, a, fake_a)
        loss_d.backward()
        self.d_optimizer.step()
        return loss_g.detach(), loss_d.detach()

    def _generators_loss(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        fake_b, fake_a = self.g_ab(a), self.g_ba(b)
        cycle = F.l1_loss(self.g_ba(fake_b).float(), a) + F.l1_loss(self.g_ab(fake_a).float(), b)
        identity = F.l1_loss(self.g_ab(b).float(), b) + F.l1_loss(self.g_ba(a).float(), a)
        for weight in self._discriminator_weights():
            weight.requires_grad_(requires_grad=False)
        adversarial = squared_distance(self.d_b(fake_b), 1) + squared_distance(self.d_a(fake_a), 1)
        return fake_b.detach(), adversarial + 10 * cycle + 5 * identity, fake_a.detach()

    def _discriminator_loss(self, discriminator: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        return 0.5 * (squared_distance(discriminator(real), 1) + squared_distance(discriminator(fake), 0))

    def _autocast(self) -> AbstractContextManager[object]:
        return nullcontext() if self.precision == torch.float32 else torch.autocast(self.device, self.precision)

    def _generator_weights(self) -> list[nn.Parameter]:
        return [*self.g_ab.parameters(), *self.g_ba.parameters()]

    def _discriminator_weights(self) -> list[nn.Parameter]:
        return [*self.d_a.parameters(), *self.d_b.parameters()]


def squared_distance(scores: Tensor, target: float) -> Tensor:
    """Mean squared distance of scores of any shape from a target."""
    return (scores.float() - target).square().mean()
