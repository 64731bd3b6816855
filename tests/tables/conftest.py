"""A table of two rows that is trained and evaluated within seconds."""

from pathlib import Path

import pytest

from tests.evaluation.test_evaluate import fill

RECIPE = """
method: {{name: cdcgan, width: 4, discriminator_width: 4}}
data: {{kind: labelled-folder, path: {folder}, image_size: 16, resize: 18}}
training: {{images: 64, batch_size: 8, precision: fp32, accelerator: cpu}}
"""
TABLE = """
about: {does: Two moments of a tiny painter., data: made here, cost: seconds}
source: Nobody, table 0
notes: [Nobody else has measured this.]
evaluator: {metrics: [kid, colour, fid-by-class], images: 60, features: pixels}
runs:
  painter: {recipe: painter.yaml}
rows:
  - {name: half way, run: painter, after: 1/2, published_images: 320, published: {kid: [0.5, 0.25]}}
  - {name: at the end, run: painter, published: {fid-by-class: {red: 10, green: 20, blue: 60}}}
class_counts: {red: 100, green: 50, blue: 10}
figures:
  - {name: mixed, caption: Two colours <at once>, kind: mixing, run: painter}
  - {name: sheet, caption: Every colour, kind: classes, run: painter, after: 1/2, count: 3}
"""


@pytest.fixture
def table_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """`table.yaml` and what it needs, in the working folder."""
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "cache"))
    folder = fill(tmp_path / "colours", 12, seed=0)
    Path("painter.yaml").write_text(RECIPE.format(folder=folder))
    Path("table.yaml").write_text(TABLE)
    return "table.yaml"
