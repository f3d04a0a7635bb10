"""Augmented windows stay windows of the same motion."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hardwear.augmentation import Augmentation, augment, rotation_matrices
from hardwear.errors import TrainingError


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _windows(count: int = 64) -> torch.Tensor:
    return torch.randn(count, 128, 6, generator=_generator(9))


def test_nothing_switched_on_changes_nothing() -> None:
    windows = _windows()
    assert torch.equal(augment(windows, Augmentation(), _generator()), windows)


def _around(windows: torch.Tensor) -> torch.Tensor:
    """Windows whose sample t of channel 0 reads t, 0 being the window's first: (B, 256, 6)."""
    around = torch.zeros(len(windows), 256, 6)
    around[..., 0] = torch.arange(256.0) - 64
    return around


@given(earlier=st.integers(0, 64), later=st.integers(0, 64), shift=st.integers(1, 64), seed=st.integers(0, 9))
def test_a_shifted_window_is_cut_within_its_room(earlier: int, later: int, shift: int, seed: int) -> None:
    room = torch.tensor([[earlier, later]]).expand(50, 2)
    cut = augment(_around(_windows(50)), Augmentation(shift_samples=shift), _generator(seed), room)[..., 0]
    first = cut[:, 0]
    assert torch.equal(cut, first[:, None] + torch.arange(128.0))
    assert first.min() >= -min(earlier, shift)
    assert first.max() <= min(later, shift)


def test_shifts_are_drawn_over_the_whole_room() -> None:
    room = torch.full((3000, 2), 64)
    cut = augment(_around(_windows(3000)), Augmentation(shift_samples=32), _generator(), room)
    assert set(cut[:, 0, 0].int().tolist()) == set(range(-32, 33))


def test_a_change_of_pace_reads_the_true_neighbours_where_they_are_known() -> None:
    room = torch.zeros(40, 2, dtype=torch.int64)
    cut = augment(_around(_windows(40)), Augmentation(shift_samples=1, tempo=0.05), _generator(), room)[..., 0]
    pace = (cut[:, -1] - cut[:, 0]) / 127
    assert pace.std() > 0.03
    torch.testing.assert_close(cut, 63.5 + pace[:, None] * (torch.arange(128.0) - 63.5), atol=1e-3, rtol=0)


@pytest.mark.parametrize("shift", [65, 1.5, -1])
def test_a_shift_that_the_surroundings_do_not_hold_is_refused(shift: float) -> None:
    with pytest.raises(TrainingError, match="shift_samples"):
        Augmentation(shift_samples=shift)  # type: ignore[arg-type]


def test_rotation_matrices_are_rotations_by_the_angle() -> None:
    angles = torch.linspace(-3.0, 3.0, 50, dtype=torch.float64)
    axes = torch.randn(50, 3, generator=_generator(), dtype=torch.float64)
    matrices = rotation_matrices(axes, angles)
    identity = torch.eye(3, dtype=torch.float64).expand(50, 3, 3)
    torch.testing.assert_close(matrices @ matrices.transpose(1, 2), identity, atol=1e-12, rtol=0)
    torch.testing.assert_close(torch.linalg.det(matrices), torch.ones(50, dtype=torch.float64))
    traces = matrices.diagonal(dim1=1, dim2=2).sum(dim=1)
    torch.testing.assert_close(traces, 1 + 2 * torch.cos(angles))
    torch.testing.assert_close((matrices @ axes[..., None])[..., 0], axes)


def test_rotation_turns_both_sensors_of_a_window_alike_and_keeps_lengths() -> None:
    windows = _windows()
    windows[..., 3:] = 2.0 * windows[..., :3]
    turned = augment(windows, Augmentation(rotation_degrees=30.0), _generator())
    torch.testing.assert_close(turned[..., 3:], 2.0 * turned[..., :3])
    torch.testing.assert_close(turned[..., :3].norm(dim=2), windows[..., :3].norm(dim=2))
    cosines = torch.cosine_similarity(turned[..., :3], windows[..., :3], dim=2)
    assert (cosines < 0.999).any(dim=1).float().mean() > 0.5


def test_rotation_angles_have_the_deviation_asked_for() -> None:
    gravity = torch.zeros(20_000, 128, 6)[:, :1]
    gravity[..., 0] = 1.0
    turned = augment(gravity, Augmentation(rotation_degrees=10.0), _generator())
    # An axis drawn uniformly tilts gravity by θ·sin(angle to the axis), whose square has mean 2/3.
    tilt = torch.rad2deg(torch.atan2(turned[:, 0, 1:3].norm(dim=1), turned[:, 0, 0]))
    assert tilt.square().mean().sqrt().item() == pytest.approx(10.0 * math.sqrt(2 / 3), rel=0.03)


@given(limit=st.floats(1.0, 180.0), seed=st.integers(0, 9))
def test_who_lies_is_rolled_about_the_body_and_nobody_else(limit: float, seed: int) -> None:
    windows, lying = _windows(40), torch.arange(40) % 2 == 0
    rolled = augment(windows, Augmentation(lying_roll_degrees=limit), _generator(seed), lying=lying)
    torch.testing.assert_close(rolled[~lying], windows[~lying])
    torch.testing.assert_close(rolled[..., [0, 3]], windows[..., [0, 3]])
    before, after = windows[lying].unflatten(2, (2, 3)), rolled[lying].unflatten(2, (2, 3))
    turned = torch.atan2(after[..., 2], after[..., 1]) - torch.atan2(before[..., 2], before[..., 1])
    angle = torch.remainder(turned + math.pi, 2 * math.pi) - math.pi
    assert angle.abs().max() <= math.radians(limit) + 1e-3
    torch.testing.assert_close(torch.cos(angle), torch.cos(angle[:, :1, :1]).expand_as(angle), atol=1e-3, rtol=0)


def test_rolls_are_drawn_all_the_way_round() -> None:
    on_the_back = torch.zeros(20_000, 1, 6)
    on_the_back[..., 2] = 1.0
    rolled = augment(
        on_the_back, Augmentation(lying_roll_degrees=180.0), _generator(), lying=torch.ones(20_000, dtype=torch.bool)
    )
    counts = torch.histc(torch.rad2deg(torch.atan2(rolled[:, 0, 2], rolled[:, 0, 1])), 8, -180.0, 180.0)
    assert (counts - 2500).abs().max() < 250
    assert torch.equal(augment(on_the_back, Augmentation(lying_roll_degrees=180.0), _generator()), on_the_back)


def test_scale_is_drawn_per_window_and_sensor() -> None:
    windows = _windows(4000)[:, :4]
    ratio = augment(windows, Augmentation(scale=0.1), _generator()) / windows
    acc, gyro = ratio[..., :3], ratio[..., 3:]
    for part in (acc, gyro):
        torch.testing.assert_close(part, part[:, :1, :1].expand_as(part), atol=1e-4, rtol=1e-4)
        assert part[:, 0, 0].std().item() == pytest.approx(0.1, rel=0.05)
    assert abs(torch.corrcoef(torch.stack([acc[:, 0, 0], gyro[:, 0, 0]]))[0, 1].item()) < 0.06


def test_noise_and_offset_have_the_deviation_asked_for() -> None:
    settings = Augmentation(acc_noise=0.02, gyro_noise=0.05)
    noise = augment(torch.zeros(500, 128, 6), settings, _generator())
    assert noise[..., :3].std().item() == pytest.approx(0.02, rel=0.02)
    assert noise[..., 3:].std().item() == pytest.approx(0.05, rel=0.02)
    offset = augment(torch.zeros(5000, 128, 6), Augmentation(acc_offset=0.03), _generator())
    assert torch.equal(offset, offset[:, :1].expand_as(offset))
    assert offset[:, 0, :3].std().item() == pytest.approx(0.03, rel=0.05)
    assert not offset[..., 3:].any()


def test_tempo_changes_the_pace_about_the_middle() -> None:
    time = torch.arange(128.0) - 63.5
    windows = time[None, :, None].expand(200, 128, 6).contiguous()
    paced = augment(windows, Augmentation(tempo=0.1), _generator())
    slopes = paced[:, 64] - paced[:, 63]
    assert slopes[:, 0].std().item() == pytest.approx(0.1, rel=0.2)
    expected = (slopes[:, :1] * time).clamp(-63.5, 63.5)
    torch.testing.assert_close(paced[..., 0], expected, atol=1e-3, rtol=0)


def test_the_same_generator_gives_the_same_windows_and_the_input_is_left_alone() -> None:
    settings = Augmentation(10.0, 0.1, 0.01, 0.02, 0.01, 0.05)
    windows = _windows()
    first = augment(windows, settings, _generator(3))
    assert torch.equal(first, augment(windows, settings, _generator(3)))
    assert not torch.equal(first, augment(windows, settings, _generator(4)))
    assert torch.equal(windows, _windows())


@pytest.mark.parametrize("bad", [-0.1, float("nan"), float("inf"), "0.1"])
def test_senseless_strengths_are_refused(bad: float) -> None:
    with pytest.raises(TrainingError, match=r"augmentation\.scale"):
        Augmentation(scale=bad)
