"""`impasto compare`: what it prints and writes, and its exit codes."""

from pathlib import Path

import pytest
import typer

from impasto.cli import compare as command
from impasto.cli.compare import compare_command
from impasto.engine.train import train
from impasto.errors import OutputError, RunError
from impasto.recipe import load_recipe


def test_real_runs_are_compared(tiny_recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(2):
        train(load_recipe(tiny_recipe, [f"training.seed={seed}"]), Path(f"runs/seed{seed}"))
    compare_command([Path("runs/seed0"), Path("runs/seed1")], Path("pages/compare.html"))
    out = capsys.readouterr().out.splitlines()
    assert out == [
        "seed0: 8 images, finished",
        "seed1: 8 images, finished",
        str(Path("pages/compare.html").resolve()),
    ]
    page = Path("pages/compare.html").read_text(encoding="utf-8")
    assert "2 runs of cyclegan that differ in 1 setting." in page
    assert page.count("<svg") == 11  # CycleGAN's losses and gradient norms
    assert page.count("data:image/") == 6  # of the first image, half the way and the end


def test_a_folder_that_is_no_run_is_refused() -> None:
    with pytest.raises(RunError, match="elsewhere is not a run folder"):
        compare_command([Path("elsewhere")], Path("compare.html"))
    assert not Path("compare.html").exists()


def test_a_page_is_replaced_only_with_overwrite(tiny_recipe: Path) -> None:
    train(load_recipe(tiny_recipe), Path("runs/one"))
    Path("compare.html").write_text("mine")
    with pytest.raises(
        OutputError, match=r"compare\.html exists; pass --overwrite to replace it, or choose another --output"
    ):
        compare_command([Path("runs/one")], Path("compare.html"))
    assert Path("compare.html").read_text() == "mine"
    compare_command([Path("runs/one")], Path("compare.html"), overwrite=True)
    assert Path("compare.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_ctrl_c_exits_with_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "write_comparison", interrupted)
    with pytest.raises(typer.Exit) as leaving:
        compare_command([Path("run")], Path("compare.html"))
    assert leaving.value.exit_code == 130
    assert capsys.readouterr().err == "Stopped; no page was written.\n"
