"""What each kind of prompt means for the user: what to give the painter, and the command that paints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from impasto.data.batches import ImageSpec
from impasto.data.prompts import ClassPrompt, PhotoPrompt, Prompt, StylePrompt
from impasto.painter import Painter


@dataclass(frozen=True)
class Usage:
    """How painters of one kind of prompt are used."""

    paints_from: Callable[[ImageSpec], str]
    """What the painter is given, for images like these."""
    command: str
    """Paints with the painter `{painter}`."""
    pipeline_tag: str
    """The Hugging Face hub's name for it."""

    def command_for(self, painter: str) -> str:
        """Return the command that paints with a painter."""
        return self.command.format(painter=painter)


def _classes(spec: ImageSpec) -> str:
    named = f"classes, at {spec.size} pixels: {', '.join(spec.classes)}"
    return named if spec.classes else f"noise, at {spec.size} pixels"


USAGES: Mapping[type[Prompt], Usage] = {
    PhotoPrompt: Usage(
        lambda spec: "photos of any size",  # noqa: ARG005
        "impasto paint PHOTO --painter {painter}",
        "image-to-image",
    ),
    ClassPrompt: Usage(
        _classes, "impasto paint --painter {painter} --class CLASS --count 16", "unconditional-image-generation"
    ),
    StylePrompt: Usage(
        lambda spec: "a photo and a picture whose style it takes, of any size",  # noqa: ARG005
        "impasto paint PHOTO --painter {painter} --style PICTURE",
        "image-to-image",
    ),
}


def usage_of(painter: Painter[Prompt] | type[Painter[Prompt]]) -> Usage:
    """Return how a painter, or a class of painters, is used."""
    return USAGES[painter.prompt_type]
