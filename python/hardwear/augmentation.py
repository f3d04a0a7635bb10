"""Random but plausible changes to training windows: another fit of the strap, another sensor or stride."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from hardwear.datasets.surroundings import MARGIN
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
    """Relative change of pace, or of the sampling rate: the window is resampled about its middle, linearly."""
    lying_roll_degrees: float = 0.0
    """Windows of LAYING are turned about x, which points from feet to head, up to so many degrees either way, evenly
    drawn. Not a deviation. People lie on their back, their sides and their front; recordings hold little but the first,
    and a network that saw nothing else may call the others anything."""
    shift_samples: int = 0
    """The window is cut anew, up to so many samples earlier or later, evenly drawn, as far as its activity lasts. Not a
    deviation; needs windows with surroundings."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (type(value) in (int, float) and 0.0 <= value < float("inf")):
                raise TrainingError(f"expected augmentation.{field.name} to be a number ≥ 0, got {value!r}")
        if type(self.shift_samples) is not int or self.shift_samples > MARGIN:
            raise TrainingError(
                f"expected augmentation.shift_samples to be a whole number of samples up to {MARGIN}, "
                f"got {self.shift_samples!r}"
            )


def augment(
    windows: Tensor,
    settings: Augmentation,
    generator: torch.Generator,
    room: Tensor | None = None,
    lying: Tensor | None = None,
) -> Tensor:
    """Change each window by its own draw.

    Args:
        windows: (B, 128, 6) float32 in physical units (g, rad/s), not normalised. With `room`, (B, 128 + 2·64, 6):
            each window with its surroundings. A change of pace repeats the outermost samples where there are no others.
        settings: How strongly.
        generator: All randomness comes from it, on the windows' device.
        room: (B, 2) integer, by how many samples each window may move earlier and later. Without, none is shifted.
        lying: (B,) bool, which windows are of somebody who lies. Without, none is rolled.

    Returns:
        (B, 128, 6) float32; the windows themselves are left as they are.
    """

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, device=windows.device)

    count, samples = len(windows), windows.shape[1]
    first = torch.zeros(count, dtype=torch.int64, device=windows.device)
    if room is not None:
        samples -= 2 * MARGIN
        drawn = torch.rand(count, generator=generator, device=windows.device)
        shift = ((2.0 * drawn - 1.0) * settings.shift_samples).round().long()
        first = MARGIN + torch.minimum(torch.maximum(shift, -room[:, 0]), room[:, 1])
    if settings.tempo:
        windows = _resample(windows, first, samples, 1.0 + settings.tempo * normal(count))
    elif room is not None:
        windows = windows[torch.arange(count, device=windows.device)[:, None], first[:, None] + _steps(samples, first)]
    if settings.lying_roll_degrees and lying is not None:
        drawn = torch.rand(count, generator=generator, device=windows.device)
        angles = torch.deg2rad(settings.lying_roll_degrees * (2.0 * drawn - 1.0)) * lying
        along_the_body = torch.tensor([1.0, 0.0, 0.0], device=windows.device).expand(count, 3)
        windows = _turn(windows, rotation_matrices(along_the_body, angles))
    if settings.rotation_degrees:
        angles = torch.deg2rad(settings.rotation_degrees * normal(count))
        windows = _turn(windows, rotation_matrices(normal(count, 3), angles))
    if settings.scale:
        gains = 1.0 + settings.scale * normal(count, 1, 2, 1)
        windows = (windows.reshape(count, samples, 2, 3) * gains).reshape(count, samples, 6)
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


def _turn(windows: Tensor, matrices: Tensor) -> Tensor:
    """Both sensors by the same rotation, (B, 3, 3): they sit on the same board."""
    count, samples, channels = windows.shape
    vectors = windows.reshape(count, 2 * samples, 3)
    return torch.matmul(vectors, matrices.transpose(1, 2)).reshape(count, samples, channels)


def _resample(windows: Tensor, first: Tensor, samples: int, pace: Tensor) -> Tensor:
    """`samples` from `first` (B,) on, read at `pace` (B,) samples a sample about their middle, linearly."""
    around = windows.shape[1]
    middle = (samples - 1) / 2
    steps = _steps(samples, first).to(windows.dtype) - middle
    at = (first[:, None] + middle + pace[:, None] * steps).clamp(0, around - 1)
    left = at.floor().long().clamp(max=around - 2)
    weight = (at - left)[..., None]
    rows = torch.arange(len(windows), device=windows.device)[:, None]
    return windows[rows, left] * (1.0 - weight) + windows[rows, left + 1] * weight


def _steps(samples: int, like: Tensor) -> Tensor:
    return torch.arange(samples, device=like.device)
