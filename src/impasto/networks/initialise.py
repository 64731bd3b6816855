"""Initial weights of the networks that follow Radford et al. 2016 (arXiv:1511.06434), section 3."""

from __future__ import annotations

from torch import nn


def initialise(network: nn.Module, std: float = 0.02) -> None:
    """Draw the weights of all convolutions from N(0, std) and set their biases to zero."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
