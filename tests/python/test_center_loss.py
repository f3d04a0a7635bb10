"""Center loss against its definition (Wen et al. 2016, eq. 2 to 4), recomputed here without autograd."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hardwear.errors import TrainingError
from hardwear.losses import CenterLoss


def _example(seed: int, batch: int = 9, classes: int = 6, size: int = 5, rate: float = 0.5) -> tuple[
    CenterLoss, torch.Tensor, torch.Tensor
]:  # fmt: skip
    generator = torch.Generator().manual_seed(seed)
    loss = CenterLoss(classes, size, rate).double()
    loss.centers.copy_(torch.randn(classes, size, generator=generator, dtype=torch.float64))
    features = torch.randn(batch, size, generator=generator, dtype=torch.float64)
    return loss, features, torch.randint(classes, (batch,), generator=generator)


@given(seed=st.integers(0, 10_000), batch=st.integers(1, 40))
def test_loss_is_half_the_mean_squared_distance_to_the_own_center(seed: int, batch: int) -> None:
    loss, features, labels = _example(seed, batch)
    x, y, c = features.numpy(), labels.numpy(), loss.centers.numpy()
    expected = sum(0.5 * np.sum((x[i] - c[y[i]]) ** 2) for i in range(batch)) / batch
    assert loss(features, labels).item() == pytest.approx(expected, rel=1e-12)


@given(seed=st.integers(0, 10_000), batch=st.integers(1, 40))
def test_gradient_is_the_distance_to_the_own_center(seed: int, batch: int) -> None:
    loss, features, labels = _example(seed, batch)
    features.requires_grad_()
    loss(features, labels).backward()
    x, y, c = features.detach().numpy(), labels.numpy(), loss.centers.numpy()
    assert features.grad is not None
    np.testing.assert_allclose(features.grad.numpy(), (x - c[y]) / batch, rtol=1e-12, atol=1e-15)


def test_gradient_passes_gradcheck_in_float64() -> None:
    loss, features, labels = _example(seed=1)
    assert torch.autograd.gradcheck(lambda x: loss(x, labels), (features.requires_grad_(),))


@given(seed=st.integers(0, 10_000), batch=st.integers(1, 40), rate=st.floats(0.0, 1.0))
def test_centers_move_by_their_own_rate_over_one_plus_count(seed: int, batch: int, rate: float) -> None:
    loss, features, labels = _example(seed, batch, rate=rate)
    x, y, c = features.numpy(), labels.numpy(), loss.centers.numpy().copy()
    expected = c.copy()
    for j in range(len(c)):
        own = [x[i] for i in range(batch) if y[i] == j]
        expected[j] -= rate * sum((c[j] - xi for xi in own), np.zeros(x.shape[1])) / (1 + len(own))
    loss.update(features, labels)
    np.testing.assert_allclose(loss.centers.numpy(), expected, rtol=1e-12, atol=1e-14)


def test_centers_of_absent_classes_stay() -> None:
    loss, features, _ = _example(seed=2)
    before = loss.centers.clone()
    loss.update(features, torch.full((len(features),), 3))
    moved = (loss.centers != before).any(dim=1)
    assert moved.tolist() == [False, False, False, True, False, False]


def test_centers_are_out_of_reach_of_optimiser_and_weight_decay() -> None:
    loss, features, labels = _example(seed=3)
    assert list(loss.parameters()) == []
    assert "centers" in loss.state_dict()
    weight = torch.nn.Parameter(torch.eye(5, dtype=torch.float64))
    optimizer = torch.optim.AdamW([weight, *loss.parameters()], lr=0.1, weight_decay=0.5)
    before = loss.centers.clone()
    loss(features @ weight, labels).backward()
    optimizer.step()
    assert loss.centers.grad is None
    assert torch.equal(loss.centers, before)
    assert not torch.equal(weight, torch.eye(5))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_loss_keeps_the_dtype(dtype: torch.dtype) -> None:
    loss = CenterLoss(6, 4, 0.5).to(dtype)
    assert loss(torch.ones(2, 4, dtype=dtype), torch.tensor([0, 5])).dtype == dtype


@pytest.mark.parametrize("bad", [-1, 6])
@pytest.mark.parametrize("method", ["forward", "update"])
def test_labels_out_of_range_are_refused(bad: int, method: str) -> None:
    loss, features, labels = _example(seed=4)
    labels[2] = bad
    with pytest.raises(TrainingError, match=rf"labels 0 … 5, got labels from .*{bad}"):
        getattr(loss, method)(features, labels)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("method", ["forward", "update"])
def test_features_that_are_not_finite_are_refused(bad: float, method: str) -> None:
    loss, features, labels = _example(seed=5)
    features[1, 0] = features[7, 2] = bad
    before = loss.centers.clone()
    with pytest.raises(TrainingError, match="got NaN or infinity in 2 of 9"):
        getattr(loss, method)(features, labels)
    assert torch.equal(loss.centers, before)


@pytest.mark.parametrize(
    ("features", "labels", "complaint"),
    [
        (torch.zeros(3, 4), torch.zeros(3, dtype=torch.long), r"features \(m, 5\)"),
        (torch.zeros(3, 5), torch.zeros(2, dtype=torch.long), r"labels \(m,\)"),
        (torch.zeros(0, 5), torch.zeros(0, dtype=torch.long), "at least 1"),
        (torch.zeros(3, 5), torch.zeros(3), "integer labels"),
    ],
)
def test_inputs_of_wrong_shape_or_type_are_refused(
    features: torch.Tensor, labels: torch.Tensor, complaint: str
) -> None:
    with pytest.raises(TrainingError, match=complaint):
        CenterLoss(6, 5, 0.5)(features, labels)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_outside_zero_to_one_is_refused(rate: float) -> None:
    with pytest.raises(TrainingError, match="center rate"):
        CenterLoss(6, 5, rate)
