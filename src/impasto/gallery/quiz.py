"""The page of the quiz "real or painted?", which people answer, and the key beside it, which they do not see.

The page is a single file that asks nothing of the network. It holds no name of a picture, and all are encoded alike.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from string import Template

from PIL import Image
from torch import Tensor

from impasto.errors import OutputError
from impasto.evaluation.quiz import Key, Kind, Quiz, read_key
from impasto.files import write_text
from impasto.gallery.page import FOOTER, JPEG_QUALITY, Picture, hint, image, resource, write_page

TITLE = "Real or painted?"
SAID: dict[Kind, str] = {"real": "Real", "painted": "Painted"}


def write_quiz(quiz: Quiz, target: Path, *, overwrite: bool = False) -> Path:
    """Write the page to `target` and its key beside it; return the key's path.

    Raises OutputError when either cannot be written, or when the key of another quiz would be lost without `overwrite`.
    """
    key = key_file(target)
    if not overwrite:
        _check_not_another(key, quiz.key)
    count = len(quiz.pictures)
    body = Template(resource("quiz.html")).substitute(
        title=TITLE,
        summary=f"{count} pictures: half of them are real, and half were painted by a machine, in random order.",
        hint=hint("Say of each what you take it for; where you cannot tell, guess. At the end, save your answers."),
        quiz=quiz.key.quiz,
        count=count,
        cards="\n".join(_card(place, picture) for place, picture in enumerate(quiz.pictures, start=1)),
        footer=FOOTER,
    )
    write_text(key, json.dumps(quiz.key.model_dump(), indent=1) + "\n")
    style = resource("report.css") + resource("quiz.css")
    write_page(target, title=TITLE, style=style, body=body, script=resource("quiz.js"))
    return key


def key_file(page: Path) -> Path:
    """Return where the key of a page lies: quiz-key.json for quiz.html."""
    return page.with_name(f"{page.stem}-key.json")


def _check_not_another(file: Path, key: Key) -> None:
    """Without its key, what people answered is worth nothing."""
    if file.exists() and read_key(file).quiz != key.quiz:
        raise OutputError(f"{file} is the key of another quiz; remove it with its page, or choose another --output")


def _card(number: int, picture: Tensor) -> str:
    choices = "".join(
        f'<label><input type="radio" name="picture-{number}" value="{kind}">{words}</label>'
        for kind, words in SAID.items()
    )
    shown = image(_encoded(picture), f"Picture {number}")
    return f"""<li><fieldset><legend>{number}</legend>
{shown}
<div class="choice">{choices}</div>
</fieldset></li>"""


def _encoded(picture: Tensor) -> Picture:
    """Encode uint8 [3, S, S] as JPEG, whatever is smaller: a choice for each picture would tell flat ones apart."""
    pixels, content = Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy()), io.BytesIO()
    pixels.save(content, "JPEG", quality=JPEG_QUALITY, subsampling="4:4:4")
    return Picture(pixels, "image/jpeg", content.getvalue())
