"""The demo, with a model far too small to learn anything: what is painted, when, and what the page shows."""

from pathlib import Path

import pytest

from impasto.cli import demo
from impasto.cli.demo import demo_command
from impasto.painting.painters import DEFAULT_PAINTER
from impasto.recipe import Recipe, load_recipe

TINY = [
    "method.width=4",
    "method.blocks=1",
    "method.discriminator_width=4",
    "training.images=2",
    "training.batch_size=1",
]


def test_it_paints_at_once_then_learns_and_paints_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def smaller(name: str, overrides: list[str]) -> Recipe:
        return load_recipe(name, [*overrides, *TINY, "training.schedule={kind: constant}"])

    monkeypatch.setattr(demo, "load_recipe", smaller)
    for _ in range(2):  # and again, over what is there
        demo_command(tmp_path, "flat")
        out = capsys.readouterr().out
        steps = [f"1/4 Painting 8 photos with {DEFAULT_PAINTER}", "2/4 Learning", "3/4 Painting", "4/4 Writing"]
        places = [out.index(step) for step in steps]
        assert places == sorted(places)
        report = Path(out.split()[-1])
        assert report == tmp_path / "flat" / "report.html"
        by_shipped, learned = (sorted((tmp_path / "flat" / name).iterdir()) for name in (DEFAULT_PAINTER, "paintings"))
        assert [path.name for path in by_shipped] == [path.name for path in learned]
        assert len(learned) == 8
        page = report.read_text(encoding="utf-8")
        assert page.count('<figure class="comparison"') == 16
        assert f">By {DEFAULT_PAINTER}, which comes with impasto</h2>" in page
