"""Instance normalization without affine weights, followed by its activation.

Ulyanov et al. 2016 (arXiv:1607.08022), equation 4. On the CPU, `torch.nn.functional.instance_norm` copies channels-last
features to the other memory format and back; one batch normalization per image computes the same without the copies.
"""

from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

Activation = Literal["none", "relu", "leaky-relu"]

EPSILON = 1e-5
LEAKY_SLOPE = 0.2


def instance_norm(features: Tensor, *, activation: Activation = "none") -> Tensor:
    """Normalize every channel of every image over its pixels, then activate.

    Features are [N, C, H, W], unbounded; the result has their shape, dtype and memory format. The statistics of
    half-precision features are taken in float32. The leaky ReLU has slope 0.2.
    """
    if features.shape[-2:].numel() == 1:
        raise ValueError(f"instance norm needs more than one pixel per channel, got features of {list(features.shape)}")
    if features.device.type == "cpu" and not torch.compiler.is_compiling() and not torch.jit.is_tracing():
        normalized: Tensor = _InstanceNorm.apply(features, activation)
        return normalized
    return _activate(functional.instance_norm(features, eps=EPSILON), activation)


def _activate(features: Tensor, activation: Activation) -> Tensor:
    """Activate in place: nobody else needs the normalized features."""
    match activation:
        case "relu":
            return features.relu_()
        case "leaky-relu":
            return functional.leaky_relu_(features, LEAKY_SLOPE)
        case "none":
            return features


class _InstanceNorm(torch.autograd.Function):
    """Norm and activation as one node, so that backward recovers the activation's slope from the kept output."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, activation: Activation) -> Tensor:
        images = [
            torch.native_batch_norm(image, None, None, None, None, True, 0.0, EPSILON) for image in features.split(1)
        ]
        outputs, means, inverse_deviations = zip(*images, strict=True)
        output = _activate(_join(outputs), activation)
        ctx.activation = activation
        ctx.save_for_backward(features, output, torch.stack(means), torch.stack(inverse_deviations))
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        features, output, means, inverse_deviations = ctx.saved_tensors
        if ctx.activation == "relu":
            gradient = torch.ops.aten.threshold_backward(gradient, output, 0.0)
        elif ctx.activation == "leaky-relu":
            gradient = torch.ops.aten.leaky_relu_backward(gradient, output, LEAKY_SLOPE, True)
        images = zip(gradient.split(1), features.split(1), means, inverse_deviations, strict=True)
        return _join([_input_gradient(*image) for image in images]), None


def _input_gradient(gradient: Tensor, image: Tensor, mean: Tensor, inverse_deviation: Tensor) -> Tensor:
    """Gradient of one normalized image [1, C, H, W] with respect to the features it was made from."""
    result: Tensor = torch.ops.aten.native_batch_norm_backward(
        gradient, image, None, None, None, mean, inverse_deviation, True, EPSILON, [True, False, False]
    )[0]
    return result


def _join(images: "list[Tensor] | tuple[Tensor, ...]") -> Tensor:
    """Batch of single images; one image alone needs no copy."""
    return images[0] if len(images) == 1 else torch.cat(images)
