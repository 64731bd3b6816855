"""One file, one published algorithm; METHODS is the table of them all.

The table is closed on purpose: a checkpoint carries its recipe, and a recipe from elsewhere must not be able to name
any callable it likes.
"""

from __future__ import annotations

from collections.abc import Mapping

from impasto.method import Networked
from impasto.methods.cdcgan import CDCGAN
from impasto.methods.cut import CUT
from impasto.methods.cwgan_gp import CWGANGP
from impasto.methods.cyclegan import CycleGAN
from impasto.methods.gantor_v1 import GANtorV1
from impasto.methods.gantor_v2 import GANtorV2
from impasto.methods.inception_classifier import InceptionClassifier

METHODS: Mapping[str, type[Networked]] = {
    "cdcgan": CDCGAN,
    "cut": CUT,
    "cwgan-gp": CWGANGP,
    "cyclegan": CycleGAN,
    "gantor-v1": GANtorV1,
    "gantor-v2": GANtorV2,
    "inception-classifier": InceptionClassifier,
}
