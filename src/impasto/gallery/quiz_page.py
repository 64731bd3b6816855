"""The page of the quiz "real or painted?", and the key with the right answers beside it.

The page holds no name of a picture, and all pictures are encoded alike: nothing but the pixels tells them apart.
"""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from impasto.errors import OutputError
from impasto.evaluation.quiz import Key, Kind, Quiz, read_key
from impasto.files import write_text
from impasto.gallery.page import write_page
from impasto.gallery.pictures import encode_jpeg

TITLE = "Real or painted?"
CHOICES: dict[Kind, str] = {"real": "Real", "painted": "Painted"}


def write_quiz(quiz: Quiz, target: Path, *, overwrite: bool = False) -> Path:
    """Write the page to `target` and its key beside it; return the key's path.

    Raises OutputError when either cannot be written, or without `overwrite` when another quiz's key would be lost.
    """
    key = key_file(target)
    if not overwrite:
        _check_not_another(key, quiz.key)
    write_text(key, json.dumps(quiz.key.model_dump(), indent=1) + "\n")
    count = len(quiz.pictures)
    pixels = [Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy()) for picture in quiz.pictures]
    write_page(
        target,
        "quiz.html",
        title=TITLE,
        summary=f"{count} pictures in random order: half of them are real, half were painted by a machine.",
        quiz=quiz.key.quiz,
        pictures=[encode_jpeg(one) for one in pixels],  # JPEG even where PNG is smaller: the format must not tell
        choices=CHOICES,
    )
    return key


def key_file(page: Path) -> Path:
    """Return the path of a page's key: quiz-key.json for quiz.html."""
    return page.with_name(f"{page.stem}-key.json")


def _check_not_another(file: Path, key: Key) -> None:
    """Keep the key of another quiz: without it, the answers to that quiz cannot be scored."""
    if file.exists() and read_key(file).quiz != key.quiz:
        raise OutputError(f"{file} is the key of another quiz; remove it with its page, or choose another --output")
