"""One option, one meaning: an option that several commands have is the same wherever it appears."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from impasto.cli.app import app
from impasto.cli.help_text import ORDER, flowing

DETAILED = {
    "--against",
    "--columns",
    "--count",
    "--format",
    "--metrics",
    "--output",
    "--photos",
    "--size",
    "--to-class",
}
"""Options that mean the same everywhere, but whose help adds what a command does with them."""


def commands(group: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every command with its full name, the hidden ones left out."""
    for word, command in group.commands.items():
        full = f"{name} {word}".strip()
        if hasattr(command, "commands"):
            yield from commands(command, full)
        elif not command.hidden:
            yield full, command


ALL = dict(commands(typer.main.get_command(app)))


def options(command: Any) -> dict[str, Any]:
    """The options of a command by name."""
    named = {name: parameter for parameter in command.params for name in parameter.opts if name.startswith("--")}
    return {name: parameter for name, parameter in named.items() if name != "--help"}


def test_there_are_thirteen_names_at_the_top_in_the_order_of_their_use() -> None:
    group: Any = typer.main.get_command(app)
    shown = [name for name in group.list_commands(None) if not group.commands[name].hidden]
    assert shown == list(ORDER)
    assert len(shown) == 13


def test_an_option_is_declared_alike_in_all_commands() -> None:
    found: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for name in ALL:
        for option, parameter in options(ALL[name]).items():
            found[option].add(("" if option in DETAILED else parameter.help, parameter.metavar or "", *parameter.opts))
    several = {option for option, forms in found.items() if len(forms) > 1}
    assert several == {"--output", "--size"}, {option: found[option] for option in several}
    assert {metavar for _, metavar, *_ in found["--output"]} == {"FILE", "DIR"}
    assert {metavar for _, metavar, *_ in found["--size"]} == {"PIXELS", "PIXELS|own"}


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_command_that_writes_a_file_has_overwrite_and_names_outputs_alike(name: str) -> None:
    mine = options(ALL[name])
    outputs = [option for option in mine if option.startswith("--output")]
    assert not {"--json", "--into", "--page", "--copies", "--save-statistics"} & mine.keys()
    if "--output" in mine:
        assert mine["--output"].opts == ["--output", "-o"]
        assert mine["--output"].metavar in ("FILE", "DIR")
    if any(mine[option].metavar == "FILE" for option in outputs):
        assert "--overwrite" in mine


@pytest.mark.parametrize("name", sorted(ALL))
def test_help_is_in_plain_words(name: str) -> None:
    command = ALL[name]
    texts = [command.help, *(parameter.help for parameter in command.params if not getattr(parameter, "hidden", False))]
    for text in texts:
        assert text
        assert not re.search(
            r"\b(unless said|so many|just so|judge[sd]?|wishes|whichever)\b", text.replace("judge.", "")
        ), text
        assert text.rstrip("\n")[-1] in ".)" or text.startswith("  ") or "impasto " in text.splitlines()[-1], text


def test_paragraphs_flow_and_examples_stay() -> None:
    assert flowing("One\ntwo.\n\n  impasto x\n\n  impasto y\n\nThree\nfour.") == (
        "One two.\n\n  impasto x\n\n  impasto y\n\nThree four."
    )
