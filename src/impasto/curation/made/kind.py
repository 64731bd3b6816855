"""What a kind of made data is: settings that turn a picture into its counterpart in the second domain."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from impasto.data.renderers.canvas import Picture


class Made(NamedTuple):
    """A made picture."""

    picture: Picture
    """[H, W, 3] uint8, of its source's size."""
    note: str = ""
    """What was done, where that differs from picture to picture: `with noise`."""


class Kind(BaseModel, ABC):
    """The settings of one kind of made data, and how it is made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str

    @abstractmethod
    def make(self, picture: Picture, seed: int) -> Made:
        """Make the counterpart of a picture [H, W, 3]; the same picture and seed give the same counterpart."""
