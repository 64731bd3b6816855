"""A kind of made data: options that turn a picture into its counterpart in the second domain."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from impasto.data.renderers.canvas import Picture


class Made(NamedTuple):
    """A made picture."""

    picture: Picture
    """[H, W, 3] uint8, the size of its source."""
    note: str = ""
    """What was done, if it differs between pictures, such as `with noise`."""


class Kind(BaseModel, ABC):
    """The options of one kind of made data, with the function that makes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str

    @abstractmethod
    def make(self, picture: Picture, seed: int) -> Made:
        """Make the counterpart of a picture [H, W, 3]. The same picture and seed give the same counterpart."""
