"""Completion as a shell asks for it: names and dotted paths, fast, and without loading torch."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from impasto.cli import completion
from impasto.cli.completion import SHARED
from impasto.data.dataset import DataOptions
from impasto.recipe import EvaluationOptions, EveryOptions, TrainingOptions
from impasto.recipe_files import shipped_recipes, shipped_tables

SCRIPT = """
import os, sys
from impasto.cli.app import main
lines, sys.argv = sys.argv[1:], ["impasto"]
for line in lines:
    os.environ.update(COMP_WORDS=line, COMP_CWORD=str(line.count(" ")))
    try:
        main()
    except SystemExit:
        print("---")
    assert "torch" not in sys.modules
"""


def completed(*lines: str) -> list[list[str]]:
    """What bash offers for lines that end at the cursor."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "_IMPASTO_COMPLETE": "complete_bash"}
    command = [sys.executable, "-c", SCRIPT, *lines]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return [found.split() for found in done.stdout.split("---\n")[:-1]]


def test_names_are_completed() -> None:
    Path("runs/monet/checkpoints/000000004").mkdir(parents=True)
    Path("runs/monet/checkpoints/000000004/weights.safetensors").touch()
    expected = {
        "impasto tr": ["train"],
        "impasto dist": [],  # the old name is hidden
        "impasto train cyclegan-": ["cyclegan-atelier", "cyclegan-landscape", "cyclegan-monet2photo"],
        "impasto table artgan-m": ["artgan-mnist"],
        "impasto export ": ["engraver", "impressionist", "monet", "styles"],
        "impasto figure sweep --painter m": ["monet"],
        "impasto data get monet2": ["monet2photo"],
        "impasto list p": ["painters"],
    }
    assert dict(zip(expected, completed(*expected), strict=True)) == expected


def test_dotted_paths_are_completed_with_the_recipes_values() -> None:
    training, width, style = completed(
        "impasto train cyclegan-atelier tr",
        "impasto train cyclegan-atelier data.style=mosaic method.wi",
        "impasto data show cyclegan-atelier data.st",
    )
    assert all(setting.startswith("training.") for setting in training)
    assert {"training.images=1500", "training.batch_size=2", "training.seed="} <= set(training)
    assert width == ["method.width=32"]
    assert style == ["data.style=hatching"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_script_for_bash_completes_in_bash(tmp_path: Path) -> None:
    command = tmp_path / "impasto"
    command.write_text(f"#!{sys.executable}\nimport sys\nfrom impasto.cli.app import main\nmain()\n")
    command.chmod(0o755)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    script = """
source <(_IMPASTO_COMPLETE=source_bash impasto)
COMP_WORDS=(impasto train cut-im) COMP_CWORD=2
_impasto_completion impasto
echo "${COMPREPLY[*]}"
"""
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout == "cut-impressionist\n"


def test_settings_listed_for_every_recipe_are_those_of_the_models() -> None:
    models = {
        "data": DataOptions,
        "training": TrainingOptions,
        "every": EveryOptions,
        "evaluation": EvaluationOptions,
    }
    assert SHARED.keys() == models.keys()
    for block, model in models.items():
        assert set(SHARED[block]) == model.model_fields.keys() - {"kind"}


def test_every_setting_of_every_recipe_is_offered_once() -> None:
    for recipe in shipped_recipes():
        context = typer.Context(typer.main.get_command(typer.Typer(callback=lambda: None)))
        context.params = {"recipe": recipe}
        paths = [setting.partition("=")[0] for setting in completion.settings(context, "")]
        assert len(paths) == len(set(paths)) > 20
        assert not any(other.startswith(f"{path}.") for path in paths for other in paths), (
            "no block beside its settings"
        )


@pytest.mark.parametrize("recipe", ["nowhere", "broken.yaml", "list.yaml"])
def test_a_recipe_that_cannot_be_read_offers_the_settings_of_every_recipe(recipe: str) -> None:
    Path("broken.yaml").write_text("a: [")
    Path("list.yaml").write_text("[1]")
    context = typer.Context(typer.main.get_command(typer.Typer(callback=lambda: None)))
    context.params = {"recipe": recipe}
    assert completion.settings(context, "every.") == [f"every.{name}=" for name in SHARED["every"]]


def test_about_completes_painters_recipes_and_tables() -> None:
    assert {"engraver", *shipped_recipes(), *shipped_tables()} <= set(completion.things(""))
