"""Per-channel shift and scale, so that every channel reaches the network with mean 0 and about deviation 1.

If asked for, what lies further out saturates. int8 has 255 steps for all that a network sees of a sensor. The rare
peaks of a run downstairs reach seven deviations of angular rate; an input that holds them leaves a few steps for the
sway that tells who stands. A network that learnt with a saturating input loses nothing when int8 saturates there.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from hardwear.contract import CHANNEL_COUNT, CHANNELS, GYRO
from hardwear.errors import TrainingError


@dataclass(frozen=True)
class Normalization:
    """What makes the network's input of windows in physical units: (window − mean) / std, within ± limit."""

    mean: tuple[float, ...]
    """Of each channel over the training windows, in the channel's unit."""
    std: tuple[float, ...]
    """Standard deviation of each channel, likewise; where inputs saturate, the gyroscope's is scaled so that both
    sensors do so at the same normalised value."""
    limit: float = 0.0
    """Where the normalised input saturates, either way; 0 nowhere."""

    def __post_init__(self) -> None:
        if len(self.mean) != CHANNEL_COUNT or len(self.std) != CHANNEL_COUNT:
            raise TrainingError(
                f"expected {CHANNEL_COUNT} means and deviations, got {len(self.mean)} and {len(self.std)}"
            )
        if not 0.0 <= self.limit < float("inf"):
            raise TrainingError(f"expected a limit of 0 or above, got {self.limit}")
        for channel, mean, std in zip(CHANNELS, self.mean, self.std, strict=True):
            if not (np.isfinite(mean) and np.isfinite(std) and std > 0.0):
                raise TrainingError(
                    f"expected {channel.name} to have a finite mean and a deviation above 0, "
                    f"got {mean} and {std}; check this channel of the training windows"
                )

    @staticmethod
    def of(windows: npt.NDArray[np.float32], acc_limit: float = 0.0, gyro_limit: float = 0.0) -> "Normalization":
        """Measured on training windows (N, 128, 6), in float64.

        Args:
            windows: In physical units.
            acc_limit: Deviations at which acceleration is to saturate; 0 nowhere.
            gyro_limit: Likewise angular rate; 0 if and only if the other one is.

        Raises:
            TrainingError: A channel is constant or not finite.
        """
        values = windows.astype(np.float64).reshape(-1, CHANNEL_COUNT)
        std = values.std(axis=0)
        if acc_limit:
            std[GYRO] *= gyro_limit / acc_limit
        return Normalization(tuple(values.mean(axis=0).tolist()), tuple(std.tolist()), acc_limit)

    @staticmethod
    def from_json(values: dict[str, Any]) -> "Normalization":
        """The reverse of `to_json`."""
        return Normalization(tuple(values["mean"]), tuple(values["std"]), values.get("limit", 0.0))

    def to_json(self) -> dict[str, Any]:
        """As plain values, for a checkpoint."""
        return {"mean": list(self.mean), "std": list(self.std), "limit": self.limit}

    def apply(self, windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Windows (N, 128, 6) in physical units, as the network sees them, float32."""
        return self.apply_to_tensor(torch.tensor(windows)).numpy()

    def apply_to_tensor(self, windows: torch.Tensor) -> torch.Tensor:
        """As `apply`, on the tensor's device."""
        mean = torch.tensor(self.mean, dtype=torch.float32, device=windows.device)
        std = torch.tensor(self.std, dtype=torch.float32, device=windows.device)
        normalized = (windows - mean) / std
        return normalized.clamp(-self.limit, self.limit) if self.limit else normalized
