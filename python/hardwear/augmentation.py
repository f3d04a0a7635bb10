"""Random but plausible changes to training windows: another fit of the strap, another sensor or stride."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from hardwear.errors import TrainingError


@dataclass(frozen=True)
class Augmentation:
    """How strongly windows are changed in training; each is a standard deviation, 0 switches it off."""

    rotation_degrees: float = 0.0
    """Angle of a rotation about an axis drawn uniformly: the board is never worn quite the same."""
    scale: float = 0.0
    """Relative gain error, drawn once per window for the accelerometer and once for the gyroscope."""
    acc_noise: float = 0.0
    """White noise per acceleration sample, g."""
    gyro_noise: float = 0.0
    """White noise per angular-rate sample, rad/s."""
    acc_offset: float = 0.0
    """Constant offset per window and axis, g: what a sensor's zero-g tolerance leaves."""
    tempo: float = 0.0
    """Relative change of pace: the window is resampled about its middle, linearly, its ends repeated."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (isinstance(value, int | float) and 0.0 <= value < float("inf")):
                raise TrainingError(f"expected augmentation.{field.name} to be a number ≥ 0, got {value!r}")


def augment(windows: Tensor, settings: Augmentation, generator: torch.Generator) -> Tensor:
    """Change each window by its own draw.

    Args:
        windows: (B, 128, 6) float32 in physical units (g, rad/s), not normalised.
        settings: How strongly.
        generator: All randomness comes from it, on the windows' device.

    Returns:
        (B, 128, 6) float32; the windows themselves are left as they are.
    """

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, device=windows.device)

    count, samples, _ = windows.shape
    if settings.tempo:
        windows = _resample(windows, 1.0 + settings.tempo * normal(count))
    sensors = windows.reshape(count, samples, 2, 3)
    if settings.rotation_degrees:
        angles = torch.deg2rad(settings.rotation_degrees * normal(count))
        matrices = rotation_matrices(normal(count, 3), angles)
        # The same rotation for both sensors: they sit on the same board.
        sensors = torch.matmul(sensors.reshape(count, 2 * samples, 3), matrices.transpose(1, 2))
        sensors = sensors.reshape(count, samples, 2, 3)
    if settings.scale:
        sensors = sensors * (1.0 + settings.scale * normal(count, 1, 2, 1))
    windows = sensors.reshape(count, samples, 6)
    if settings.acc_noise or settings.gyro_noise:
        sigma = torch.tensor([settings.acc_noise] * 3 + [settings.gyro_noise] * 3, device=windows.device)
        windows = windows + sigma * normal(count, samples, 6)
    if settings.acc_offset:
        offset = torch.zeros(count, 1, 6, device=windows.device)
        offset[..., :3] = settings.acc_offset * normal(count, 1, 3)
        windows = windows + offset
    return windows


def rotation_matrices(axes: Tensor, angles: Tensor) -> Tensor:
    """Rotations by Rodrigues' formula, R = I + sin θ·K + (1 − cos θ)·K².

    Args:
        axes: (B, 3), of any length but zero.
        angles: (B,) radians.

    Returns:
        (B, 3, 3) orthogonal matrices of determinant +1.
    """
    x, y, z = (axes / axes.norm(dim=1, keepdim=True)).unbind(dim=1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=1).reshape(-1, 3, 3)
    sine, cosine = torch.sin(angles)[:, None, None], torch.cos(angles)[:, None, None]
    identity = torch.eye(3, dtype=axes.dtype, device=axes.device)
    return identity + sine * cross + (1.0 - cosine) * (cross @ cross)


def _resample(windows: Tensor, pace: Tensor) -> Tensor:
    """Windows (B, T, C) read at `pace` (B,) samples per sample about the middle, linearly interpolated."""
    samples = windows.shape[1]
    middle = (samples - 1) / 2
    steps = torch.arange(samples, dtype=windows.dtype, device=windows.device) - middle
    at = (middle + pace[:, None] * steps).clamp(0, samples - 1)
    left = at.floor().long().clamp(max=samples - 2)
    weight = (at - left)[..., None]
    rows = torch.arange(len(windows), device=windows.device)[:, None]
    return windows[rows, left] * (1.0 - weight) + windows[rows, left + 1] * weight
