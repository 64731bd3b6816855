"""Table files: what they say, what the command line changes of it, and every mistake told by its path."""

from fractions import Fraction
from pathlib import Path

import pytest

from impasto.errors import RecipeError
from impasto.tables.table_file import load_table
from tests.tables.conftest import TABLE


def loaded(text: str = TABLE, *overrides: str):
    Path("t.yaml").write_text(text)
    return load_table("t.yaml", overrides)


def test_a_table_says_which_painters_are_needed() -> None:
    table = loaded()
    assert table.rows[0].published["kid"] == (0.5, 0.25)
    assert table.rows[1].published["fid-by-class"] == {"red": 10, "green": 20, "blue": 60}
    assert table.moments("painter") == {Fraction(1, 2)}, "the end is kept anyway"


def test_overrides_reach_all_runs_some_or_the_evaluator() -> None:
    two = TABLE.replace("runs:\n", "runs:\n  judging: {settings: [method.width=2]}\n  plain:\n")
    assert loaded(TABLE, "figures.sheet.count=7").figures[1].count == 7
    table = loaded(two, "data.path=C:\\art", "p*:training.seed=3", "evaluator.images=7", "evaluator.metrics=[kid]")
    assert table.runs["judging"].settings == ("method.width=2", "data.path=C:\\art")
    assert table.runs["painter"].settings == ("data.path=C:\\art", "training.seed=3")
    assert table.runs["plain"].settings == table.runs["painter"].settings
    assert (table.evaluator.images, table.evaluator.metrics) == (7, ("kid",))


MISTAKES = {
    "no such block": (TABLE.replace("source:", "sauce:"), r"sauce: not an option of a table; did you mean source\?"),
    "missing": (TABLE.replace("source: Nobody, table 0", ""), "source: missing; it must be text"),
    "unknown run": (TABLE.replace("run: painter, after", "run: pantier, after"), r"rows.0.run: there is no run pantier; did you mean painter\?"),
    "unknown metric": (TABLE.replace("[kid,", "[kidd,"), r"evaluator.metrics: there is no metric kidd; did you mean kid\?"),
    "unknown published": (TABLE.replace("{kid: [", "{kdi: ["), r"rows.0.published: there is no metric kdi; did you mean kid\?"),
    "share": (TABLE.replace("1/2", "3/2"), "rows.0.after: must be a share above 0 and at most 1, not '3/2'"),
    "no share": (TABLE.replace("1/2", "1/0"), "rows.0.after: must be a share such as 5/8, not '1/0'"),
    "kind": (TABLE.replace("kind: mixing", "kind: mix"), "figures.0.kind: .* not 'mix'"),
    "folder's name": (TABLE.replace("name: mixed", "name: ../mixed"), "figures.0.name: .* not '../mixed'"),
    "two names": (TABLE.replace("name: half way", "name: at the end"), "rows: two of them have the same name; rename one"),
    "no evaluator": (TABLE.replace("evaluator: {", "evaluator: null #"), "evaluator: missing"),
    "nothing shown": (TABLE[: TABLE.index("rows:")], "rows: there are no rows and no figures"),
    "list": ("[1]", "is not a table; add the blocks about, source and runs"),
    "of a row": (TABLE.replace("run: painter, after: 1/2, pub", "runn: painter, after: 1/2, pub"), r"rows.0.runn: not an option of rows.0; did you mean run\?"),
    "published words": (TABLE.replace("[0.5, 0.25]", "[0.5, x]"), r"rows.0.published.kid: must be a number, \[number, spread\], or a number for each class"),
    "published nothing": (TABLE.replace("[0.5, 0.25]", ".nan"), r"rows.0.published.kid: must be a number, .* not nan"),
    "no list": (TABLE.replace("[kid, colour, fid-by-class]", "kid"), r"evaluator.metrics: must be a list with 1 or more entries, each text, not 'kid'; write \[kid\]"),
    "no block": (TABLE.replace("{recipe: painter.yaml}", "3"), "runs.painter: must be a block of options such as {recipe: ...}, not 3"),
    "run's name": (TABLE.replace("  painter: {", "  a/b: {"), "runs.a/b: must be at most 100 letters, digits"),
    "unknown features": (TABLE.replace("pixels}", "paintre}"), r"evaluator.features: there are no features paintre; did you mean painter\?"),
    "unknown classifier": (TABLE.replace("pixels}", "pixels, classifier: pixel}"), r"evaluator.classifier: there are no features pixel; did you mean pixels\?"),
    "a row's classifier": (TABLE.replace("after: 1/2, pub", "classifier: x, pub"), "rows.0.classifier: there are no features x"),
    "label of a sheet": (TABLE.replace("count: 3", "label: red"), "figures.1.label: a figure of kind classes shows all classes; remove it"),
    "count of a matrix": (TABLE.replace("kind: mixing", "kind: mixing, count: 3"), "figures.0.count: a mixing matrix has one row for each class; remove it"),
    "not YAML": ("a: [", "is not YAML"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_told_by_their_path(mistake: str) -> None:
    text, sentence = MISTAKES[mistake]
    with pytest.raises(RecipeError, match=sentence) as told:
        loaded(text)
    assert str(told.value).startswith("t.yaml: ")


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("training.images", "is not a setting; write it as a.dotted.path=value"),
        ("pantier:training.images=3", r"there is no run pantier; did you mean painter\?"),
        ("evaluator.image=3", r"evaluator.image: not an option of evaluator; did you mean images\?"),
        ("figures.mixd.seed=3", r"figures.mixd.seed=3: there is no figure mixd; did you mean mixed\?"),
        ("figures.label=red", "figures.label=red: there is no figure label; there are mixed, sheet"),
        (
            "rows.0.name=x",
            "rows.0.name=x: only runs, evaluator and figures can be changed here; use your own table file",
        ),
        ("evaluator.images=many", "evaluator.images: must be a whole number from 2 to 1000000, not 'many'"),
    ],
)
def test_overrides_that_fit_nothing_are_told(override: str, sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence):
        loaded(TABLE, override)


def test_an_unknown_table_is_told_with_the_nearest() -> None:
    with pytest.raises(
        RecipeError, match=r"no such table; did you mean gantor-table1\? \(impasto list tables lists them"
    ):
        load_table("gantor-tabel1")
    with pytest.raises(RecipeError, match="gone.yaml: cannot be read as a table"):
        load_table("gone.yaml")
