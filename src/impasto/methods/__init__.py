"""One file, one published algorithm; METHODS is the table of them all.

The table is closed on purpose: a checkpoint carries its recipe, and a recipe from elsewhere must not be able to name
any callable it likes.
"""

from __future__ import annotations

from collections.abc import Mapping

from impasto.method import Networked
from impasto.methods.cyclegan import CycleGAN
from impasto.methods.inception_classifier import InceptionClassifier

METHODS: Mapping[str, type[Networked]] = {"cyclegan": CycleGAN, "inception-classifier": InceptionClassifier}
