"""Distances between classes, and their picture."""

from pathlib import Path

import pytest
import torch

from impasto.errors import EvaluationError
from impasto.evaluation.extractors import Pixels
from impasto.evaluation.images import open_pictures
from impasto.evaluation.matrix import distance_matrix
from impasto.gallery.distance_map import FAR, draw_matrix
from tests.evaluation.test_evaluate import fill


@pytest.mark.parametrize("metric", ["kid", "fid"])
def test_classes_are_far_from_others_and_near_to_themselves(cache: Path, tmp_path: Path, metric: str) -> None:
    pictures = open_pictures(str(fill(tmp_path / "c", 12, seed=0)))
    matrix = distance_matrix(pictures, Pixels(), metric)  # type: ignore[arg-type]
    assert matrix.classes == ("blue", "green", "red")
    assert matrix.counts == (12, 12, 12)
    torch.testing.assert_close(matrix.values, matrix.values.T)
    off = matrix.values[~torch.eye(3, dtype=torch.bool)]
    assert off.min() > matrix.values.diagonal().max()
    sheet = draw_matrix(matrix, "colours")
    assert FAR in {colour for _, colour in sheet.getcolors(1 << 20)}, "the farthest pair has the darkest cell"


def test_what_has_no_classes_or_few_pictures_is_told(cache: Path, tmp_path: Path) -> None:
    folder = fill(tmp_path / "c", 3, seed=0)
    with pytest.raises(EvaluationError, match="class blue has 3 pictures; use at least 4"):
        distance_matrix(open_pictures(str(folder)), Pixels())
    with pytest.raises(EvaluationError, match="has fewer than two classes; use --label"):
        distance_matrix(open_pictures(str(folder / "red")), Pixels())
