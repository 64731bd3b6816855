"""Instance normalization with its activation, without copies.

On a CPU, `torch.nn.functional.instance_norm` copies channels-last features to the other memory format and back. One
batch normalization for each image computes the same without the copies.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

from impasto.networks.cpu.switch import plain_gradients

Activation = Literal["none", "relu", "leaky-relu"]

EPSILON = 1e-5
LEAKY_SLOPE = 0.2


def instance_norm(features: Tensor, activation: Activation) -> Tensor:
    """Normalize every channel of every image of [N, C, H, W] over its pixels, then activate."""
    normalized: Tensor = _InstanceNorm.apply(features, activation)
    return normalized


def activated(features: Tensor, activation: Activation) -> Tensor:
    """Activate normalized features in place: nothing else uses them."""
    match activation:
        case "relu":
            return features.relu_()
        case "leaky-relu":
            return functional.leaky_relu_(features, LEAKY_SLOPE)
        case "none":
            return features


class _InstanceNorm(torch.autograd.Function):
    """Norm and activation as one node: backward finds the activation's slope in the output."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, activation: Activation) -> Tensor:
        outputs, means, inverse_deviations = zip(*(normalized_image(image) for image in _images(features)), strict=True)
        output = activated(_join(outputs), activation)
        ctx.activation = activation
        ctx.save_for_backward(
            features, torch.stack(means), torch.stack(inverse_deviations), None if activation == "none" else output
        )
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        features, means, inverse_deviations, output = ctx.saved_tensors
        activation = ctx.activation
        if torch.is_grad_enabled():
            (by_features,) = plain_gradients(
                lambda images: activated(functional.instance_norm(images, eps=EPSILON), activation),
                (features,),
                gradient,
                (True,),
            )
            assert by_features is not None
            return by_features, None
        if ctx.activation == "relu":
            gradient = torch.ops.aten.threshold_backward(gradient, output, 0.0)
        elif ctx.activation == "leaky-relu":
            gradient = torch.ops.aten.leaky_relu_backward(gradient, output, LEAKY_SLOPE, self_is_result=True)
        gradient = gradient.contiguous(memory_format=_layout(features))  # given two layouts, torch returns a wrong one
        images = zip(_images(gradient), _images(features), means, inverse_deviations, strict=True)
        return _join([_image_gradient(*image) for image in images]), None


def normalized_image(image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return an image [1, C, H, W] normalized, with the mean and the inverse deviation [C] of its channels."""
    one = _one(image)
    shift = None if one is None else torch.zeros_like(one)
    return torch.native_batch_norm(image, one, shift, None, None, training=True, momentum=0.0, eps=EPSILON)


def _image_gradient(gradient: Tensor, image: Tensor, mean: Tensor, inverse_deviation: Tensor) -> Tensor:
    """Return the gradient of an image [1, C, H, W] from that of the normalized one."""
    no_running_mean = no_running_variance = None
    result: Tensor = torch.ops.aten.native_batch_norm_backward(
        *(gradient, image, _one(image), no_running_mean, no_running_variance, mean, inverse_deviation),
        train=True,
        eps=EPSILON,
        output_mask=[True, False, False],
    )[0]
    return result


def _one(image: Tensor) -> Tensor | None:
    """Return the weight 1 for each channel where features are of half precision: statistics have the weight's."""
    return image.new_ones(image.shape[1], dtype=torch.float32) if image.dtype.itemsize < 4 else None


def _layout(features: Tensor) -> torch.memory_format:
    """Return the memory format of features [N, C, H, W]."""
    return torch.channels_last if features.is_contiguous(memory_format=torch.channels_last) else torch.contiguous_format


def _images(features: Tensor) -> tuple[Tensor, ...]:
    """View features [N, C, H, W] as N images [1, C, H, W]."""
    return features.unsqueeze(1).unbind()


def _join(images: tuple[Tensor, ...] | list[Tensor]) -> Tensor:
    """Put N images [1, C, H, W] together again; one alone needs no copy."""
    return images[0] if len(images) == 1 else torch.cat(images)
