"""Pages are made by templates that escape every value: no tags in Python code, and nothing marked as safe by hand."""

import ast
import re
import subprocess
import sys
import zipfile
from importlib import resources
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from impasto.errors import OutputError
from impasto.gallery.page import asset, environment, options_apart, pieces, render, write_page
from tests.gallery.pages import HOSTILE, Page

GALLERY = Path(str(resources.files("impasto.gallery")))
TEMPLATES = sorted(environment.list_templates())
TAG = re.compile(r"<[a-zA-Z/!]|/>")


def strings_of(source):
    """The strings of a file and where they are, without docstrings."""
    tree = ast.parse(source)
    docstrings = {
        id(statement.value)
        for statement in ast.walk(tree)
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def test_the_check_for_tags_finds_them():
    found = [line for line, text in strings_of('"""<b>"""\nx = 1\ny = f"<td>{x}"\nz = "a < b"\n') if TAG.search(text)]
    assert found == [3]


@pytest.mark.parametrize("file", sorted(GALLERY.rglob("*.py")), ids=lambda file: file.name)
def test_python_code_writes_no_tags(file):
    assert [place for place in strings_of(file.read_text("utf-8")) if TAG.search(place[1])] == []


@pytest.mark.parametrize("file", sorted(GALLERY.rglob("*.py")), ids=lambda file: file.name)
def test_only_the_environment_marks_text_as_safe(file):
    calls = re.findall(r"\bMarkup\(", file.read_text("utf-8"))
    assert len(calls) == (2 if file.name == "page.py" else 0)  # a template filled in, and a file of the package


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_template_turns_escaping_off(name):
    source = (GALLERY / "templates" / name).read_text("utf-8")
    assert not re.search(r"\|\s*safe\b|autoescape", source)
    assert environment.autoescape is True


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_attribute_is_quoted(name):
    """An unquoted attribute could be left by a space."""
    source = (GALLERY / "templates" / name).read_text("utf-8")
    assert not re.search(r"=\{\{", source)


def test_there_are_templates_and_assets_for_all_pages():
    for page in ("comparison", "doctor", "memorisation", "quiz", "report", "table"):
        assert f"{page}.html" in TEMPLATES
        assert asset(f"{page}.css")


def test_a_missing_value_is_an_error():
    with pytest.raises(UndefinedError, match="is undefined"):
        render("bar_chart.svg")


def test_values_are_escaped_in_text_and_in_attributes(tmp_path):
    values = {"facts": {HOSTILE: HOSTILE}, "sections": [], "charts": []}
    page = Page(
        write_page(tmp_path / "page.html", "doctor.html", title=HOSTILE, summary=HOSTILE, **values).read_text("utf-8")
    )
    assert page.open == []
    assert page.all("script") == []
    assert page.text.count(HOSTILE) == 5  # title and heading, summary, and a fact's name and value


def test_a_line_may_break_after_some_characters():
    assert pieces("a/b_c/", "/_") == ["a/", "b_", "c/"]
    assert pieces("method.width", ".") == ["method.", "width"]
    assert pieces("", "/") == []


def test_options_in_a_sentence_are_set_apart():
    assert options_apart("Let --quarantine DIR move it, or <b>.") == [
        ("Let ", False),
        ("--quarantine DIR", True),
        (" move it, or <b>.", False),
    ]


def test_templates_and_assets_are_in_the_wheel(tmp_path):
    """What hatch packs are the files below src/impasto that git does not ignore."""
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path], cwd=root, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("templates", "assets"):
        files = {f"impasto/gallery/{folder}/{file.name}" for file in (GALLERY / folder).iterdir()}
        assert files
        assert files <= packed


def test_a_page_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    values = {"facts": {}, "sections": [], "charts": []}
    with pytest.raises(OutputError, match="cannot be written"):
        write_page(tmp_path / "file" / "page.html", "doctor.html", title="", summary="", **values)
