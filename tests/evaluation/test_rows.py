import pytest
import torch

from impasto.errors import EvaluationError
from impasto.evaluation import rows
from impasto.evaluation.rows import blocks, check_pair, check_rows


def test_blocks_cover_all_rows_once_in_order() -> None:
    covered = [row for block in blocks(10, 4) for row in range(10)[block]]
    assert covered == list(range(10))
    assert list(blocks(0, 4)) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_the_first_broken_row_is_named(value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "COLUMNS", 4)
    features = torch.zeros(12, 3)
    features[9, 1] = features[11, 0] = value
    with pytest.raises(EvaluationError, match="row 9 of the features"):
        check_rows(features)
    with pytest.raises(EvaluationError, match="row 109 of"):
        check_rows(features, first=100)


def test_the_largest_numbers_are_finite() -> None:
    check_rows(torch.full((2, 64), torch.finfo(torch.float32).max))


def test_what_is_no_pair_of_features_is_refused() -> None:
    with pytest.raises(EvaluationError, match=r"rows \[N, d\]"):
        check_rows(torch.zeros(3))
    with pytest.raises(EvaluationError, match="of 3 and of 4 dimensions"):
        check_pair(torch.zeros(2, 3), torch.zeros(2, 4))
    with pytest.raises(EvaluationError, match="at least 2 images are needed on each side, but one side has 1"):
        check_pair(torch.zeros(2, 3), torch.zeros(1, 3), at_least=2)
