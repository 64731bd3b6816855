"""The libraries people use, on the same features: equal where they follow the definitions, and where they do not, shown.

impasto's own arithmetic is float64; the libraries' is partly float32, which 1e-4 allows for.
"""

import warnings

import numpy as np
import pytest
import torch
from torch import Tensor

from impasto.evaluation.frechet import Moments, frechet_distance
from impasto.evaluation.inception_score import inception_score
from impasto.evaluation.kernel_distance import kernel_distance, kernel_distance_of_all
from impasto.evaluation.mifid import memorisation_distances, mifid
from impasto.evaluation.neighbours import prdc

cleanfid = pytest.importorskip("cleanfid.fid")
pytorch_fid = pytest.importorskip("pytorch_fid.fid_score")
torch_fidelity = pytest.importorskip("torch_fidelity")
torchmetrics = pytest.importorskip("torchmetrics.image")

from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric  # noqa: E402
from torch_fidelity.metric_isc import isc_features_to_metric  # noqa: E402
from torch_fidelity.metric_kid import kid_features_to_metric  # noqa: E402
from torch_fidelity.metric_prc import prc_features_to_metric  # noqa: E402
from torchmetrics.image.fid import _compute_fid  # noqa: E402
from torchmetrics.image.kid import poly_mmd  # noqa: E402
from torchmetrics.image.mifid import _compute_cosine_distance, _mifid_compute  # noqa: E402

D = 48


def features(count: int, seed: int) -> Tensor:
    """Non-negative and correlated, as pooled features are."""
    chance = torch.Generator().manual_seed(seed)
    hidden = torch.randn(count, D, generator=chance) + 0.3 * (seed % 2)
    return (hidden @ torch.randn(D, D, generator=torch.Generator().manual_seed(99)) / D**0.5 + 0.4).relu()


REAL, FAKE = features(400, 0), features(300, 1)
FEW_REAL, FEW_FAKE = features(30, 2), features(40, 3)
PAIRS = [(REAL, FAKE), (FEW_REAL, FEW_FAKE), (REAL, FEW_FAKE)]


def moments(rows: Tensor) -> tuple[np.ndarray, np.ndarray]:
    return rows.double().mean(0).numpy(), np.cov(rows.double().numpy(), rowvar=False)


@pytest.mark.parametrize("library", [pytorch_fid.calculate_frechet_distance, cleanfid.frechet_distance])
@pytest.mark.parametrize(("real", "fake"), PAIRS, ids=["many", "few", "few against many"])
def test_frechet_distance_of_pytorch_fid_and_clean_fid(library, real: Tensor, fake: Tensor) -> None:
    (m1, s1), (m2, s2) = moments(real), moments(fake)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # both ask SciPy for an argument it is about to drop
        theirs = library(m1, s1, m2, s2)
    assert frechet_distance(Moments.of(real), Moments.of(fake)).value == pytest.approx(theirs, rel=1e-4)


@pytest.mark.parametrize(("real", "fake"), PAIRS, ids=["many", "few", "few against many"])
def test_frechet_distance_of_torch_fidelity_and_torchmetrics(real: Tensor, fake: Tensor) -> None:
    ours = frechet_distance(Moments.of(real), Moments.of(fake)).value
    theirs = [fid_features_to_statistics(rows.double()) for rows in (real, fake)]
    fidelity = fid_statistics_to_metric(*theirs, verbose=False)["frechet_inception_distance"]
    assert ours == pytest.approx(fidelity, rel=1e-4)
    (m1, s1), (m2, s2) = (map(torch.from_numpy, moments(rows)) for rows in (real, fake))
    assert ours == pytest.approx(_compute_fid(m1, s1, m2, s2).item(), rel=1e-4)


def test_kernel_distance_of_torch_fidelity_and_torchmetrics() -> None:
    """On all images of equally many, where no library's draw of subsets matters."""
    real, fake = REAL[:300], FAKE
    theirs = kid_features_to_metric(real.double(), fake.double(), kid_subsets=2, kid_subset_size=300, verbose=False)
    for ours in (kernel_distance_of_all(real, fake), kernel_distance(real, fake, subsets=2).mean):
        assert ours == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-4)
        assert ours == pytest.approx(poly_mmd(real.double(), fake.double()).item(), rel=1e-4)


def test_kernel_distance_of_clean_fid() -> None:
    real, fake = REAL[:300].double(), FAKE.double()
    theirs = cleanfid.kernel_distance(real.numpy(), fake.numpy(), num_subsets=2)
    assert kernel_distance_of_all(real.float(), fake.float()) == pytest.approx(theirs, rel=1e-4)


def test_inception_score_of_torch_fidelity() -> None:
    logits = 2 * torch.randn(200, 10, generator=torch.Generator().manual_seed(0))
    theirs = isc_features_to_metric(logits, splits=10, shuffle=False)
    ours = inception_score(logits.softmax(1))
    assert ours.mean == pytest.approx(theirs["inception_score_mean"], rel=1e-4)
    assert ours.std == pytest.approx(theirs["inception_score_std"], rel=1e-4)


def test_inception_score_of_torchmetrics() -> None:
    """Its splits hold other images, for it shuffles, and its deviation is a sample's; one split of all is alike."""
    logits = 2 * torch.randn(200, 10, generator=torch.Generator().manual_seed(0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about memory, and that one split has no sample's deviation
        metric = torchmetrics.InceptionScore(feature=torch.nn.Identity(), splits=1)
        metric.features = [logits]
        theirs = metric.compute()[0].item()
    assert inception_score(logits.softmax(1), splits=1).mean == pytest.approx(theirs, rel=1e-4)


@pytest.mark.parametrize(("real", "fake"), PAIRS, ids=["many", "few", "few against many"])
def test_precision_and_recall_of_torch_fidelity(real: Tensor, fake: Tensor) -> None:
    theirs = prc_features_to_metric(fake.double(), real.double(), verbose=False)
    ours = prdc(real, fake)
    assert (ours.precision, ours.recall) == pytest.approx((theirs["precision"], theirs["recall"]), rel=1e-4)


def test_mifid_of_torchmetrics_with_its_arguments_swapped() -> None:
    """Its helper averages over what it is given first; called with the generated images first, it follows Kaggle."""
    distances = memorisation_distances(FAKE, REAL)
    assert distances.mean().item() == pytest.approx(
        _compute_cosine_distance(FAKE.double(), REAL.double(), cosine_distance_eps=2).item(), rel=1e-4
    )
    (m1, s1), (m2, s2) = (map(torch.from_numpy, moments(rows)) for rows in (FAKE, REAL))
    theirs = _mifid_compute(m1, s1, FAKE.double(), m2, s2, REAL.double(), cosine_distance_eps=0.5)
    fid = frechet_distance(Moments.of(FAKE), Moments.of(REAL)).value
    ours = mifid(fid, distances, eps=0.5)
    assert ours.thresholded < 0.5
    assert ours.value == pytest.approx(theirs.item(), rel=1e-4)


def test_mifid_of_torchmetrics_looks_the_wrong_way() -> None:
    """The example of docs/methods/evaluation.md: of 15 generated images 5 copy, which Kaggle punishes and the library does not see."""
    real, fake = worked_example()
    distance = memorisation_distances(fake, real).mean().item()
    library = _compute_cosine_distance(real, fake, cosine_distance_eps=2).item()  # real first, as its metric calls it
    assert (distance, library) == pytest.approx((0.067, 0.111), abs=5e-4)
    assert mifid(40.0, memorisation_distances(fake, real)).thresholded == pytest.approx(distance)
    assert _compute_cosine_distance(real, fake).item() == 1


def worked_example() -> tuple[Tensor, Tensor]:
    """Ten real images and 15 generated, of which 5 copy; the other 10 are 0.1 from the nearest real one.

    Kaggle's mean over the generated is 10 x 0.1 / 15. The 5 real images that nobody copied are 2/9 from the nearest
    generated one, so that the mean over the real is 5 x 2/9 / 10.
    """
    axes = torch.eye(20, dtype=torch.float64)
    copied = axes[:5]
    left = 7 / 9 * copied + (1 - (7 / 9) ** 2) ** 0.5 * axes[5:10]
    near = 0.9 * copied.repeat(2, 1) + 0.19**0.5 * axes[10:]
    return torch.cat([copied, left]), torch.cat([copied, near])
