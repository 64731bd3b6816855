"""GANs that paint from noise, in plain eager PyTorch: the references for impasto's steps.

The tables and corrected losses of docs/methods/conditional-gans.md (conditional DCGAN and WGAN-GP at 64 pixels) and
docs/methods/stacked-gans.md (GANtor-v2, with the sizes of the authors' repository). Every batch has its own forward
pass, every layer its own module, and Adam is PyTorch's default. Weights that are not trained in a half of a step are
frozen in it, and fakes for a critic are painted without gradients. These optimisations are common, so the reference has
them too.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STYLES = 25
GENRES = 10

LEARNING_RATE = 2e-4

DROPOUT = 0.5
INPUT_NOISE = 0.05
"""Standard deviation of the noise that GANtor-v2 adds to all inputs of its discriminator."""

CRITIC_STEPS = 5
PENALTY_WEIGHT = 10.0


class CDCGAN:
    """Conditional DCGAN: a discriminator with two heads, a step of each network."""

    latent_size = 100

    def __init__(self, device: str) -> None:
        with torch.device(device):
            self.generator, self.discriminator = dcgan_generator(self.latent_size), DCGANDiscriminator()
        for network in (self.generator, self.discriminator):
            network.apply(draw_small_weights)
        self.g_optimizer = torch.optim.Adam(self.generator.parameters(), LEARNING_RATE, betas=(0.5, 0.999))
        self.d_optimizer = torch.optim.Adam(self.discriminator.parameters(), LEARNING_RATE, betas=(0.5, 0.999))

    def step(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Learn from images [N, 3, 64, 64] and classes [N]; return the generator's and the discriminator's loss."""
        latents = torch.randn(len(images), self.latent_size, device=images.device)
        fakes = self.generator(torch.cat([latents, one_hot(labels, STYLES)], 1)[:, :, None, None])
        loss_d = self._double_loss(images, labels, 1) / 2 + self._double_loss(fakes.detach(), labels, 0) / 2
        update(self.d_optimizer, loss_d)
        self.discriminator.requires_grad_(requires_grad=False)
        loss_g = self._double_loss(fakes, labels, 1)
        update(self.g_optimizer, loss_g)
        self.discriminator.requires_grad_(requires_grad=True)
        return loss_g.detach(), loss_d.detach()

    def _double_loss(self, images: Tensor, labels: Tensor, target: float) -> Tensor:
        validity, classes = self.discriminator(images)
        adversarial = F.binary_cross_entropy_with_logits(validity, torch.full_like(validity, target))
        return adversarial + F.cross_entropy(classes, labels)


def dcgan_generator(latent_size: int) -> nn.Sequential:
    """[N, latent_size + K, 1, 1] -> [N, 3, 64, 64]."""
    return nn.Sequential(
        *(nn.ConvTranspose2d(latent_size + STYLES, 512, 4, bias=False), nn.BatchNorm2d(512), nn.ReLU()),
        *(nn.ConvTranspose2d(512, 256, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(256), nn.ReLU()),
        *(nn.ConvTranspose2d(256, 128, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(128), nn.ReLU()),
        *(nn.ConvTranspose2d(128, 64, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU()),
        *(nn.ConvTranspose2d(64, 3, 4, stride=2, padding=1), nn.Tanh()),
    )


class DCGANDiscriminator(nn.Module):
    """[N, 3, 64, 64] -> validity [N] and class logits [N, K]."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(3, 64, 4, stride=2, padding=1), nn.LeakyReLU(0.2)),
            *(nn.Conv2d(64, 128, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(128), nn.LeakyReLU(0.2)),
            *(nn.Conv2d(128, 256, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(256), nn.LeakyReLU(0.2)),
            *(nn.Conv2d(256, 512, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(512), nn.LeakyReLU(0.2)),
        )
        self.validity = nn.Conv2d(512, 1, 4)
        self.label = nn.Conv2d(512, STYLES, 4)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Score images."""
        features = self.features(images)
        return self.validity(features).flatten(), self.label(features).flatten(1)


class CWGANGP:
    """Conditional WGAN with gradient penalty: five steps of the critic on different images, then a generator step."""

    latent_size = 128

    def __init__(self, device: str) -> None:
        with torch.device(device):
            self.generator, self.critic = ResidualGenerator(self.latent_size), ResidualCritic()
        for network in (self.generator, self.critic):
            network.apply(draw_he_weights)
        self.g_optimizer = torch.optim.Adam(self.generator.parameters(), LEARNING_RATE, betas=(0.0, 0.9))
        self.d_optimizer = torch.optim.Adam(self.critic.parameters(), LEARNING_RATE, betas=(0.0, 0.9))

    def step(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Learn from images [5 N, 3, 64, 64] and classes [5 N]; return the generator's and last critic's loss."""
        for reals, classes in zip(images.chunk(CRITIC_STEPS), labels.chunk(CRITIC_STEPS), strict=True):
            loss_c = self._critic_loss(reals, classes)
            update(self.d_optimizer, loss_c)
        self.critic.requires_grad_(requires_grad=False)
        scores, logits = self.critic(self._paint(classes))
        loss_g = F.cross_entropy(logits, classes) - scores.mean()
        update(self.g_optimizer, loss_g)
        self.critic.requires_grad_(requires_grad=True)
        return loss_g.detach(), loss_c.detach()

    def _paint(self, labels: Tensor) -> Tensor:
        latents = torch.randn(len(labels), self.latent_size, device=labels.device)
        return self.generator(torch.cat([latents, one_hot(labels, STYLES)], 1))

    def _critic_loss(self, reals: Tensor, labels: Tensor) -> Tensor:
        with torch.no_grad():
            fakes = self._paint(labels)
        scores, logits = self.critic(reals)
        wasserstein = self.critic(fakes)[0].mean() - scores.mean()
        penalty = self._gradient_penalty(reals, fakes)
        return wasserstein + PENALTY_WEIGHT * penalty + F.cross_entropy(logits, labels)

    def _gradient_penalty(self, reals: Tensor, fakes: Tensor) -> Tensor:
        share = torch.rand(len(reals), 1, 1, 1, device=reals.device)
        between = (share * reals + (1 - share) * fakes).requires_grad_()
        (slope,) = torch.autograd.grad(self.critic(between)[0].sum(), between, create_graph=True)
        return (slope.flatten(1).norm(dim=1) - 1).square().mean()


class ResidualGenerator(nn.Module):
    """[N, latent_size + K] -> [N, 3, 64, 64]."""

    def __init__(self, latent_size: int) -> None:
        super().__init__()
        self.linear = nn.Linear(latent_size + STYLES, 512 * 4 * 4)
        self.blocks = nn.Sequential(UpBlock(512, 512), UpBlock(512, 256), UpBlock(256, 128), UpBlock(128, 64))
        self.last = nn.Sequential(nn.BatchNorm2d(64), nn.ReLU(), nn.Conv2d(64, 3, 3, padding=1), nn.Tanh())

    def forward(self, request: Tensor) -> Tensor:
        """Paint."""
        return self.last(self.blocks(self.linear(request).unflatten(1, (512, 4, 4))))


class UpBlock(nn.Module):
    """Pre-activation residual block that doubles: [N, i, h, w] -> [N, o, 2h, 2w]."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            *(nn.BatchNorm2d(channels), nn.ReLU(), nn.Upsample(scale_factor=2)),
            nn.Conv2d(channels, out_channels, 3, padding=1),
            *(nn.BatchNorm2d(out_channels), nn.ReLU()),
            nn.Conv2d(out_channels, out_channels, 3, padding=1),
        )
        self.shortcut = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(channels, out_channels, 1))

    def forward(self, features: Tensor) -> Tensor:
        """Enlarge and transform features."""
        return self.shortcut(features) + self.change(features)


class ResidualCritic(nn.Module):
    """[N, 3, 64, 64] -> scores [N] and class logits [N, K]."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 3, padding=1),
            *(DownBlock(64, 128), DownBlock(128, 256), DownBlock(256, 512), DownBlock(512, 512)),
            nn.Flatten(),
        )
        self.score = nn.Linear(512 * 4 * 4, 1)
        self.label = nn.Linear(512 * 4 * 4, STYLES)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Score images."""
        features = self.features(images)
        return self.score(features).flatten(), self.label(features)


class DownBlock(nn.Module):
    """Pre-activation residual block that halves, its LayerNorms over C, H and W: [N, i, 2h, 2w] -> [N, o, h, w]."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            *(nn.GroupNorm(1, channels), nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1)),
            *(nn.GroupNorm(1, channels), nn.ReLU(), nn.Conv2d(channels, out_channels, 3, padding=1)),
            nn.AvgPool2d(2),
        )
        self.shortcut = nn.Sequential(nn.Conv2d(channels, out_channels, 1), nn.AvgPool2d(2))

    def forward(self, features: Tensor) -> Tensor:
        """Transform and reduce features."""
        return self.shortcut(features) + self.change(features)


class GANtorV2:
    """GANtor-v2's stage II. Stage I is frozen. The discriminator is a classifier and an autoencoder."""

    latent_size = 100

    def __init__(self, device: str) -> None:
        with torch.device(device):
            self.stage_one, self.stage_two = stage_one_generator(self.latent_size), StageTwoGenerator()
            self.discriminator = GANtorDiscriminator()
        for network in (self.stage_one, self.stage_two, self.discriminator):
            network.apply(draw_small_weights)
        self.stage_one.eval().requires_grad_(requires_grad=False)
        self.g_optimizer = torch.optim.Adam(self.stage_two.parameters(), LEARNING_RATE, betas=(0.5, 0.999))
        self.d_optimizer = torch.optim.Adam(self.discriminator.parameters(), LEARNING_RATE, betas=(0.5, 0.999))

    def step(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Learn from images [N, 3, 256, 256] and classes [N]; return the generator's and the discriminator's loss."""
        weights = one_hot(labels, GENRES)
        latents = torch.randn(len(images), self.latent_size, device=images.device)
        small = self.stage_one(torch.cat([latents, weights], 1))
        fakes, reals = F.avg_pool2d(self.stage_two(small, weights), 2), F.avg_pool2d(images, 2)
        loss_d = self._loss(reals, labels) + self._class_loss(fakes.detach(), torch.full_like(labels, GENRES))
        update(self.d_optimizer, loss_d)
        self.discriminator.requires_grad_(requires_grad=False)
        loss_g = self._loss(fakes, labels)
        update(self.g_optimizer, loss_g)
        self.discriminator.requires_grad_(requires_grad=True)
        return loss_g.detach(), loss_d.detach()

    def _class_loss(self, images: Tensor, classes: Tensor) -> Tensor:
        logits, _ = self.discriminator(images)
        return F.cross_entropy(with_fake_class(logits), classes)

    def _loss(self, images: Tensor, classes: Tensor) -> Tensor:
        logits, features = self.discriminator(images)
        copies = self.discriminator.decoder(features)
        return F.cross_entropy(with_fake_class(logits), classes) + F.mse_loss(copies, images) / 2


def with_fake_class(logits: Tensor) -> Tensor:
    """[N, K] -> [N, K + 1]: the last class, whose logit is always 0, means that an image is fake."""
    return F.pad(logits, (0, 1))


def stage_one_generator(latent_size: int) -> nn.Sequential:
    """[N, latent_size + K] -> [N, 3, 64, 64]."""
    return nn.Sequential(
        *(nn.Linear(latent_size + GENRES, 1536 * 4 * 4, bias=False), nn.BatchNorm1d(1536 * 4 * 4), nn.LeakyReLU(0.2)),
        nn.Unflatten(1, (1536, 4, 4)),
        *(up(1536, 768), up(768, 384), up(384, 192), up(192, 96)),
        *(nn.Conv2d(96, 3, 3, padding=1, bias=False), nn.Tanh()),
    )


def up(channels: int, out_channels: int) -> nn.Sequential:
    """upBlock: [N, i, h, w] -> [N, o, 2h, 2w]."""
    return nn.Sequential(
        *(nn.Upsample(scale_factor=2), nn.Conv2d(channels, out_channels, 3, padding=1, bias=False)),
        *(nn.BatchNorm2d(out_channels), nn.LeakyReLU(0.2)),
    )


class StageTwoGenerator(nn.Module):
    """[N, 3, 64, 64] and class weights [N, K] -> [N, 3, 256, 256]."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            *(nn.Conv2d(3, 192, 3, padding=1, bias=False), nn.LeakyReLU(0.2)),
            *(nn.Conv2d(192, 384, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(384), nn.LeakyReLU(0.2)),
            *(nn.Conv2d(384, 768, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(768), nn.LeakyReLU(0.2)),
        )
        self.joint = nn.Sequential(
            *(nn.Conv2d(768 + GENRES, 768, 3, padding=1, bias=False), nn.BatchNorm2d(768), nn.LeakyReLU(0.2)),
            *(ResidualBlock(768), ResidualBlock(768)),
            *(up(768, 384), up(384, 192), up(192, 96), up(96, 48)),
            *(nn.Conv2d(48, 3, 3, padding=1, bias=False), nn.Tanh()),
        )

    def forward(self, small: Tensor, weights: Tensor) -> Tensor:
        """Paint larger."""
        features = self.encoder(small)
        request = weights[:, :, None, None].expand(-1, -1, *features.shape[2:])
        return self.joint(torch.cat([features, request], 1))


class ResidualBlock(nn.Module):
    """Two convolutions, added to their input, then ReLU: [N, C, H, W] -> the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            *(nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()),
            *(nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Transform features."""
        return F.relu(features + self.change(features))


class GANtorDiscriminator(nn.Module):
    """[N, 3, 128, 128] -> class logits [N, K] and features [N, 1024, 4, 4], which the decoder turns into images."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            *(nn.Conv2d(3, 64, 3, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Dropout(DROPOUT)),
            *(nn.Conv2d(64, 128, 3, stride=2, padding=1), nn.BatchNorm2d(128), nn.LeakyReLU(0.2), nn.Dropout(DROPOUT)),
            *(nn.Conv2d(128, 256, 3, stride=2, padding=1), nn.BatchNorm2d(256), nn.LeakyReLU(0.2), nn.Dropout(DROPOUT)),
            *(nn.Conv2d(256, 512, 3, stride=2, padding=1), nn.BatchNorm2d(512), nn.LeakyReLU(0.2)),
            *(nn.Conv2d(512, 512, 3), nn.BatchNorm2d(512), nn.LeakyReLU(0.2), nn.Dropout(DROPOUT)),
            *(nn.Conv2d(512, 1024, 3), nn.BatchNorm2d(1024), nn.LeakyReLU(0.2)),
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(1024 * 4 * 4, GENRES))
        self.decoder = nn.Sequential(
            *(nn.Conv2d(1024, 512, 3, padding=1), nn.BatchNorm2d(512), nn.LeakyReLU(0.2), nn.Upsample(scale_factor=2)),
            *(nn.Conv2d(512, 256, 3, padding=1), nn.BatchNorm2d(256), nn.LeakyReLU(0.2), nn.Upsample(scale_factor=2)),
            *(nn.Conv2d(256, 128, 3, padding=1), nn.BatchNorm2d(128), nn.LeakyReLU(0.2), nn.Upsample(scale_factor=2)),
            *(nn.Conv2d(128, 64, 3, padding=1), nn.BatchNorm2d(64), nn.LeakyReLU(0.2), nn.Upsample(scale_factor=2)),
            *(nn.Conv2d(64, 32, 3, padding=1), nn.BatchNorm2d(32), nn.LeakyReLU(0.2), nn.Upsample(scale_factor=2)),
            *(nn.Conv2d(32, 16, 3, padding=1), nn.BatchNorm2d(16), nn.LeakyReLU(0.2)),
            *(nn.Conv2d(16, 3, 3, padding=1), nn.Tanh()),
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Score images, with noise during training."""
        if self.training:
            images = images + INPUT_NOISE * torch.randn_like(images)
        features = self.encoder(images)
        return self.classifier(features), features


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """[N] -> float32 [N, K]."""
    return F.one_hot(labels, classes).float()


def update(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Update the weights by a loss."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def draw_small_weights(module: nn.Module) -> None:
    """Initialise as DCGAN: N(0, 0.02) for convolutions and linear layers, N(1, 0.02) for batch norms, 0 for biases."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear | nn.BatchNorm1d | nn.BatchNorm2d):
        is_norm = isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)
        nn.init.normal_(module.weight, float(is_norm), 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def draw_he_weights(module: nn.Module) -> None:
    """Initialise convolutions as He et al., and their biases with zero."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight)
        nn.init.zeros_(module.bias)
