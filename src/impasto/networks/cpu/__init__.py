"""Fast CPU versions of what the networks compute. `networks/` has the definitions and chooses, by `switch.is_fast`.

Everything here computes what PyTorch computes, up to rounding. It is used for eager code on a CPU only: neither on a
GPU nor in compiled or exported programs. `training.fast_cpu=false` in a recipe, or the environment variable
IMPASTO_FAST_CPU=0, turns it off: then all networks are plain PyTorch.

winograd.py              3x3 convolutions with fewer multiplications
few_channels.py          convolutions to and from images of few channels
twice_differentiable.py  convolutions for gradient penalties
neighbours_mean.py       the mean of 2x2 neighbours with a fast derivative
image_norm.py            layer norm for gradient penalties
instance_norm.py         instance norm without copies
"""
