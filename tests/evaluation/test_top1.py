import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from impasto.errors import EvaluationError
from impasto.evaluation.top1 import check_classes, top1, wilson

CLASSES = ["portrait", "landscape", "still life"]


def test_wilsons_interval_by_hand_and_at_the_ends() -> None:
    assert wilson(8, 10) == pytest.approx((0.4901625, 0.9433178), abs=1e-6)  # Newcombe 1998's method 3
    assert wilson(0, 10) == pytest.approx((0, 0.2775328), abs=1e-6)
    assert wilson(10, 10) == pytest.approx((0.7224672, 1), abs=1e-6)
    assert wilson(50, 100, confidence=0.5) == pytest.approx((0.4663523, 0.5336477), abs=1e-6)


@given(st.integers(1, 5000), st.data())
def test_wilsons_interval_holds_the_share_and_mirrors(of: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, of))
    low, high = wilson(hits, of)
    assert 0 <= low <= hits / of <= high <= 1
    assert low < high
    mirrored = wilson(of - hits, of)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((low, high))
    assert wilson(hits, of, 0.5).low >= low


def test_no_share_of_nothing() -> None:
    with pytest.raises(ValueError, match="not a share"):
        wilson(0, 0)


def test_counts_by_class_and_the_confusion() -> None:
    wanted = ["portrait"] * 4 + ["landscape"] * 2
    seen = ["portrait", "portrait", "portrait", "landscape", "still life", "landscape"]
    found = top1(seen, wanted, CLASSES)
    assert found.overall.value == pytest.approx(4 / 6)
    assert (found.overall.hits, found.overall.of) == (4, 6)
    assert found.overall.interval == wilson(4, 6)
    assert {name: (share.hits, share.of) for name, share in found.by_class.items()} == {
        "portrait": (3, 4),
        "landscape": (1, 2),
    }
    assert found.confusion.tolist() == [[3, 1, 0], [0, 1, 1], [0, 0, 0]]
    assert found.chance == pytest.approx(1 / 3)


def test_classes_go_by_name_and_not_by_place() -> None:
    """Collections and classifiers number their classes each in its own order; taken by number, all would be wrong."""
    collection = ["landscape", "still life", "portrait"]
    places = torch.arange(30) % 3
    wanted = [collection[place] for place in places]
    assert top1(wanted, wanted, CLASSES).overall.value == 1
    assert top1([CLASSES[place] for place in places], wanted, CLASSES).overall.value == 0
    permuted = top1(wanted, wanted, CLASSES[::-1])
    assert permuted.overall.value == 1
    assert torch.equal(permuted.confusion, 10 * torch.eye(3, dtype=torch.int64))


def test_classes_the_classifier_does_not_know_are_named() -> None:
    check_classes(["portrait"], CLASSES)
    with pytest.raises(EvaluationError, match="does not know landscapes, nude; did you mean landscape"):
        top1(["portrait"] * 3, ["landscapes", "nude", "portrait"], CLASSES)
    with pytest.raises(EvaluationError, match="no images"):
        top1([], [], CLASSES)
