"""A painter is uploaded with its card by the real library, to a local look-alike of the hub; and paints from there."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from PIL import Image

from impasto.errors import ImpastoError, PainterError
from impasto.painting.card import card_of
from impasto.painting.paint_files import paint_files
from impasto.painting.painters import LoadedPainter, find_painter, load_painter
from impasto.painting.publish import push_painter
from tests.conftest import picture
from tests.painting import model_hub
from tests.painting.model_hub import ModelHub

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # of the hub's library


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModelHub]:
    from huggingface_hub import constants

    with model_hub.running() as hub:
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # the look-alike knows the older way, by LFS
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
        monkeypatch.setattr(constants, "HF_STORED_TOKENS_PATH", str(tmp_path / "no-tokens"))
        monkeypatch.setenv("HF_TOKEN", hub.token)
        yield hub


def pushed(name: str, painter: LoadedPainter, **options: bool) -> str:
    return push_painter(painter, find_painter(painter.name), name, **options)


def test_what_is_published_paints_alike(hub: ModelHub, tiny_run: Path, tmp_path: Path) -> None:
    recipe = tiny_run / "checkpoints" / "000000008" / "recipe.yaml"
    secret = f"evaluation:\n  metrics: [kid]\n  weights: {tmp_path}/inception.pth\n"
    text = re.sub(r"^evaluation: null\n", secret, recipe.read_text(), flags=re.MULTILINE)
    recipe.write_text(text.replace("metrics: null", "metrics: 4"))
    assert str(tmp_path) in recipe.read_text()
    painter = load_painter(tiny_run)
    assert pushed("ada/tiny-monet", painter) == f"{hub.url}/ada/tiny-monet"
    files = hub.models["ada/tiny-monet"]
    assert files.keys() == {"README.md", "recipe.yaml", "weights.safetensors"}
    assert hub.private["ada/tiny-monet"] is False
    pictures = painter.recipe.data.photos.parent  # type: ignore[attr-defined]
    for text in (files["README.md"], files["recipe.yaml"]):
        for private in (tmp_path, pictures):
            assert str(private).encode() not in text, "paths of this machine are private"
    there = tmp_path / "tiny-monet"
    there.mkdir()
    for name, content in files.items():
        (there / name).write_bytes(content)
    fetched = load_painter(there)
    assert (fetched.name, fetched.fingerprint) == ("tiny-monet", painter.fingerprint)
    picture(1).save(tmp_path / "a.png")
    one, other = (
        paint_files([tmp_path / "a.png"], which, tmp_path / which.name / "out").painted[0]
        for which in (painter, fetched)
    )
    with Image.open(one) as here, Image.open(other) as elsewhere:
        assert here.tobytes() == elsewhere.tobytes()


def test_the_card(hub: ModelHub, tiny_run: Path) -> None:
    painter = load_painter(tiny_run)
    pushed("ada/tiny", painter, private=True)
    _, front, card = hub.models["ada/tiny"]["README.md"].decode().split("---\n", 2)
    assert yaml.safe_load(front) == {
        "library_name": "impasto",
        "pipeline_tag": "image-to-image",
        "tags": ["impasto", "cyclegan", "art"],
    }
    assert card.startswith("# tiny\n")
    for said in ("8 images seen", "5 photos and 3 paintings to learn from", "CPU", "hf download ada/tiny"):
        assert said in card
    assert hub.private["ada/tiny"]
    pushed("ada/tiny", painter)  # again: a new commit


def test_a_card_of_ones_own_and_one_that_was_published(hub: ModelHub, tiny_run: Path, tmp_path: Path) -> None:
    (tiny_run / "README.md").write_text("# Haystacks\n\nIn the manner of 1890.\n")
    pushed("ada/tiny", load_painter(tiny_run))
    there = tmp_path / "fetched"
    there.mkdir()
    for name, content in hub.models["ada/tiny"].items():
        (there / name).write_bytes(content)
    fetched = load_painter(there)
    found = find_painter(there)
    assert card_of(fetched, found) == "# Haystacks\n\nIn the manner of 1890.\n", "as it was written"
    push_painter(fetched, found, "ada/again")
    again = hub.models["ada/again"]["README.md"].decode()
    assert again.count("library_name") == again.count("## Paint with it") == 1
    assert "hf download ada/again" in again
    (there / "README.md").write_bytes(b"caf\xe9")
    with pytest.raises(PainterError, match=r"README.md is not UTF-8 text"):
        card_of(fetched, found)


def test_a_shipped_painter_has_its_own_card(hub: ModelHub) -> None:
    painter = load_painter("styles")
    pushed("ada/styles", painter)
    card = hub.models["ada/styles"]["README.md"].decode()
    assert card_of(painter, find_painter("styles")) in card
    assert "pipeline_tag: unconditional-image-generation" in card
    assert len(hub.models["ada/styles"]["weights.safetensors"]) > 5_000_000


def test_what_cannot_be_published_gets_one_sentence(
    hub: ModelHub, tiny_run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    painter = load_painter(tiny_run)
    for name in ("monet", "ada/a b", "a/b/c"):
        with pytest.raises(ImpastoError, match=f"{name} is not a model name; use OWNER/NAME"):
            pushed(name, painter)
    with pytest.raises(ImpastoError, match=r"does not let you write bob/tiny \(.*the rights.*; run `hf auth login`"):
        pushed("bob/tiny", painter)
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(ImpastoError, match="does not let you write ada/tiny"):
        pushed("ada/tiny", painter)
    assert hub.models == {}
    monkeypatch.setenv("HF_TOKEN", hub.token)
    hub.full = True
    with pytest.raises(
        ImpastoError,
        match=r"hub did not accept ada/tiny \(Bad request: no room\)|hub did not accept ada/tiny \(no room\)",
    ):
        pushed("ada/tiny", painter)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ImpastoError, match="hub cannot be reached"):
        pushed("ada/tiny", painter)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImpastoError, match=r"pip install 'impasto\[hub\]'"):
        pushed("ada/tiny", painter)
