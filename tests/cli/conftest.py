"""Commands in the test's own process, and a small painter to paint with."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from impasto.cli.app import main
from impasto.engine.train import train
from impasto.recipe import load_recipe

Run = Callable[..., tuple[int, str, str]]
STYLES = ("strokes", "points", "mosaic", "hatching", "flat")


@pytest.fixture
def impasto(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a command in this process and gives its exit code and both outputs."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["impasto", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        code = stop.value.code
        return (code if isinstance(code, int) else 0), captured.out, captured.err

    return run


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a painter of five classes that learned for a second."""
    run = tmp_path_factory.mktemp("trained") / "styles"
    small = ["method.width=4", "method.discriminator_width=4", "training.images=8", "training.batch_size=4"]
    often = ["every.scalars=8", "every.samples=8", "every.checkpoint=8", "training.precision=fp32"]
    train(load_recipe("cdcgan-atelier", [*small, *often]), run)
    return run


@pytest.fixture
def styles(trained: Path) -> str:
    """A copy of that run in `runs/`."""
    shutil.copytree(trained, "runs/styles")
    return "runs/styles"
