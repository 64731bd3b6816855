"""The page of a table shows all of it and escapes what comes from files."""

import re

from impasto.evaluation.record import Features, Measure, Record
from impasto.gallery.table_page import write_table_page
from impasto.tables.options import Table
from impasto.tables.result import Budget, Drawn, RowResult, TableResult
from tests.gallery.pages import HOSTILE, Page, picture


def result(folder):
    table = Table(
        about={"does": HOSTILE, "data": "none", "cost": "none"},
        source=HOSTILE,
        notes=(HOSTILE,),
        runs={"r": {}},
        evaluator={"metrics": ("top1",)},
        rows=({"name": HOSTILE, "run": "r"},),
        figures=({"name": "one", "caption": HOSTILE, "kind": "sweep", "run": "r"},),
    )
    features = Features(HOSTILE, "", "none")
    record = Record("a", "b", "", "", 50, 0, 0, features, (Measure("top1", 0.2147),), (HOSTILE,))
    row = RowResult(HOSTILE, folder, Budget(10, 1000, 97265, ("CPU", HOSTILE)), [record], {"top1": 11.6})
    return TableResult("tiny", table, [row], {"one": Drawn(picture(folder / "one.png"))})


def test_the_page_shows_all_values_and_escapes_names(tmp_path):
    page = Page(write_table_page(result(tmp_path), tmp_path / "page.html").read_text("utf-8"))
    assert page.open == []
    assert page.all("script") == []
    assert not re.search(r"https?://", page.html)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert ids == [attributes["aria-labelledby"] for attributes in page.all("section")]
    for words in ("top1, ours", "21.47 %", "11.60 %", "1 %", "27:01:05", "CPU, then", "top1 of 50 images"):
        assert words in page.text
    assert page.text.count(HOSTILE) >= 7
    assert [image["alt"] for image in page.all("img")] == [HOSTILE]
