"""The layers of the v1 discriminators, with their exact numbers of weights."""

import pytest
import torch

from impasto.networks.pair_discriminator import PairDiscriminator


@pytest.mark.parametrize(("classes", "one", "two"), [(10, 11_591_809, 159_073_922), (27, 11_709_313, 159_191_426)])
def test_published_shapes_and_numbers_of_weights(classes: int, one: int, two: int) -> None:
    for stage, size, expected in ((1, 64, one), (2, 256, two)):
        with torch.device("meta"):
            judge = PairDiscriminator(classes, 3, 96, size, stage)  # type: ignore[arg-type]
            features = judge(torch.empty(2, 3, size, size))
            assert judge.pair_logits(features, torch.empty(2, classes)).shape == (2,)
        assert features.shape == (2, 768, 4, 4)
        assert sum(weight.numel() for weight in judge.parameters()) == expected
        assert (judge.alone is None) == (stage == 1)


def test_the_first_convolution_has_no_norm_and_none_but_the_heads_a_bias() -> None:
    judge = PairDiscriminator(2, 3, 4, 64, 2)
    convolutions = [name for name, _ in judge.named_parameters() if name.endswith("bias")]
    norms = sum(isinstance(part, torch.nn.BatchNorm2d) for part in judge.modules())
    assert norms == 6, "of three of the four strided convolutions, two plain ones and the pair's head"
    assert {"alone.bias", "pair.3.bias"} <= set(convolutions)
    assert len(convolutions) == norms + 2


def test_the_class_matters_to_one_head_only() -> None:
    judge = PairDiscriminator(3, 3, 4, 64, 2).eval()
    features = judge(torch.randn(2, 3, 64, 64))
    each = torch.stack([judge.pair_logits(features, row.expand(2, -1)) for row in torch.eye(3)])
    assert not torch.equal(each[0], each[1])
    torch.testing.assert_close(judge.best_pair_logits(features, (3,)), each.max(0).values)
    first, rest = each[0], each[1:].argmax(0)
    both = torch.cat([torch.ones(2, 1), torch.eye(2)[rest]], 1)
    found = judge.best_pair_logits(features, (1, 2))
    torch.testing.assert_close(found, judge.pair_logits(features, both))
    assert not torch.equal(found, first)
    assert judge.alone_logits(features).shape == (2,)
