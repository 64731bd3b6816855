import math

import pytest
import torch
from torch.nn import functional

from impasto.data.batches import UNKNOWN
from impasto.losses.labels import label_accuracy, label_loss, one_hot

LABELS = torch.tensor([[0, 1], [2, UNKNOWN], [UNKNOWN, UNKNOWN]])
"""Two attributes of three and two classes. The second image lacks one label, the third both."""


def test_conditions_of_attributes_are_concatenated_and_zero_where_unknown() -> None:
    expected = [[1.0, 0, 0, 0, 1], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0]]
    assert one_hot(LABELS, (3, 2)).tolist() == expected
    assert one_hot(torch.tensor([[1], [0]]), (2,)).dtype == torch.float32


def test_one_attribute_gives_cross_entropy() -> None:
    logits, labels = torch.randn(5, 4), torch.tensor([0, 3, 2, 1, 1])
    assert label_loss(logits, labels[:, None], (4,)).item() == pytest.approx(
        functional.cross_entropy(logits, labels).item(), rel=1e-6
    )
    assert label_loss(torch.zeros(5, 4), labels[:, None], (4,)).item() == pytest.approx(math.log(4))


def test_unknown_labels_have_no_loss_and_no_gradient() -> None:
    logits = torch.randn(3, 5, requires_grad=True)
    loss = label_loss(logits, LABELS, (3, 2))
    styles = functional.cross_entropy(logits[:2, :3], torch.tensor([0, 2]))
    artists = functional.cross_entropy(logits[:1, 3:], torch.tensor([1]))
    assert loss.item() == pytest.approx((styles + artists).item(), rel=1e-6)
    loss.backward()
    assert logits.grad is not None
    assert logits.grad[2].abs().max() == logits.grad[1, 3:].abs().max() == 0
    assert label_loss(logits, torch.full((3, 2), UNKNOWN), (3, 2)) == 0


def test_accuracy_counts_known_labels_only() -> None:
    logits = torch.tensor([[9.0, 0, 0, 9, 0], [9, 0, 0, 0, 9], [0, 9, 0, 9, 0]])
    assert label_accuracy(logits, LABELS, (3, 2)).item() == pytest.approx(1 / 3), "right, wrong, wrong"
    assert label_accuracy(logits, torch.full((3, 2), UNKNOWN), (3, 2)) == 0
