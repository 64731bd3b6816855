"""Citations in the source and links in the documentation point to something that exists."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SUFFIXES = frozenset({".py", ".yaml", ".md", ".toml", ".html", ".css", ".js"})
OUTSIDE = re.compile(r"\b(spec|sheet|seed)s?( sheet)? 0\d", re.IGNORECASE)
"""Citations of documents that are not in the repository."""
CITATION = re.compile(r'\b(?P<page>docs/[\w/-]+\.md)(?:#(?P<anchor>[\w-]+)|, "(?P<heading>[^"]+)")?')
LINK = re.compile(r"\]\((?P<target>[^()\s]+)\)")


def texts(*places: str) -> Iterator[tuple[Path, str]]:
    """Yield each text file below these places, except this one."""
    for place in places:
        path = ROOT / place
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.suffix in SUFFIXES and file != Path(__file__):
                yield file.relative_to(ROOT), file.read_text(encoding="utf-8")


def slug(heading: str) -> str:
    """Return the anchor that GitHub makes for a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors of a Markdown page: its headings and its explicit ids."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return frozenset({slug(heading) for heading in headings} | set(re.findall(r'<a id="([\w-]+)">', text)))


def test_no_file_cites_documents_outside_of_the_repository() -> None:
    cited = [
        f"{file}:{text.count(chr(10), 0, found.start()) + 1}: {found[0]}"
        for file, text in texts("src", "tests", "docs", "bench", "README.md", "CONTRIBUTING.md")
        for found in OUTSIDE.finditer(text)
    ]
    assert cited == []


def test_cited_pages_and_anchors_exist() -> None:
    """A citation may continue on the next line of a docstring or comment."""
    wrong, count = [], 0
    for file, text in texts("src", "tests", "bench"):
        for found in CITATION.finditer(re.sub(r"\n[ \t]*#?[ \t]*", " ", text)):
            page = ROOT / found["page"]
            count += 1
            anchor = found["anchor"] or (found["heading"] and slug(found["heading"]))
            if not page.is_file() or (anchor and anchor not in anchors(page)):
                wrong.append(f"{file}: {found[0]}")
    assert wrong == []
    assert count > 20


@pytest.mark.parametrize("place", ["docs", "bench", "README.md", "CONTRIBUTING.md", "src/impasto/painters"])
def test_relative_links_resolve(place: str) -> None:
    wrong, count = [], 0
    for file, text in texts(place):
        if file.suffix != ".md":
            continue
        for found in LINK.finditer(re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
            if re.match(r"\w+:", found["target"]):  # an address on the web
                continue
            path, _, anchor = found["target"].partition("#")
            page = ROOT / file.parent / path if path else ROOT / file
            count += 1
            if not page.exists() or (anchor and page.suffix == ".md" and anchor not in anchors(page)):
                wrong.append(f"{file}: {found['target']}")
    assert wrong == []
    assert count or place not in ("docs", "README.md")


def test_the_glossary_is_sorted_and_has_one_entry_for_each_word() -> None:
    rows = re.findall(
        r"^\| ([^|]+) \| [^|]+ \|$", (ROOT / "docs/glossary.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    words = [row for row in rows if row not in ("word", "---")]
    assert len(words) > 50
    assert words == sorted(set(words))


def test_ambiguities_of_each_method_page_are_numbered_in_order() -> None:
    for page in sorted((ROOT / "docs/methods").glob("*.md")):
        numbers = [
            int(number) for number in re.findall(r'<a id="a(\d+)"></a>\*\*A\1 ', page.read_text(encoding="utf-8"))
        ]
        assert numbers == list(range(1, len(numbers) + 1)), page.name
        assert numbers or page.name == "README.md", page.name
