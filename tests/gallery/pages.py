"""Pages taken apart, and pictures to put on them."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
from PIL import Image

VOID = {"br", "hr", "img", "input", "link", "meta", "wbr"}
HOSTILE = "<script>alert(1)</script>\"'&"


class Page(HTMLParser):
    """A page taken apart: every tag with its attributes, the words, and whether tags close in order."""

    def __init__(self, html):
        super().__init__()
        self.html, self.tags, self.words, self.open = html, [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        assert len({name for name, _ in attributes}) == len(attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(text)

    def all(self, tag, **attributes):
        return [found for name, found in self.tags if name == tag and attributes.items() <= found.items()]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def picture(path, *, noisy=True, size=(48, 32), seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((size[1], size[0], 3), (30 * seed % 256, 90, 200), dtype=np.uint8)
    if noisy:
        pixels[:] = np.random.default_rng(seed).integers(0, 256, pixels.shape)
    Image.fromarray(pixels).save(path)
    return path


def decoded(uri):
    media_type, content = re.fullmatch(r"data:(image/(?:png|jpeg));base64,(.+)", uri).groups()
    opened = Image.open(io.BytesIO(base64.b64decode(content, validate=True)))
    assert opened.get_format_mimetype() == media_type
    return np.asarray(opened.convert("RGB"), dtype=float)
