"""Per-channel shift and scale, so that every channel reaches the network with mean 0 and deviation 1."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from hardwear.contract import CHANNEL_COUNT, CHANNELS
from hardwear.errors import TrainingError


@dataclass(frozen=True)
class Normalization:
    """Mean and standard deviation of each channel over the training windows, in the channel's unit."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.mean) != CHANNEL_COUNT or len(self.std) != CHANNEL_COUNT:
            raise TrainingError(
                f"expected {CHANNEL_COUNT} means and deviations, got {len(self.mean)} and {len(self.std)}"
            )
        for channel, mean, std in zip(CHANNELS, self.mean, self.std, strict=True):
            if not (np.isfinite(mean) and np.isfinite(std) and std > 0.0):
                raise TrainingError(
                    f"expected {channel.name} to have a finite mean and a deviation above 0, "
                    f"got {mean} and {std}; check this channel of the training windows"
                )

    @staticmethod
    def of(windows: npt.NDArray[np.float32]) -> "Normalization":
        """Measured on training windows (N, 128, 6), in float64.

        Raises:
            TrainingError: A channel is constant or not finite.
        """
        values = windows.astype(np.float64).reshape(-1, CHANNEL_COUNT)
        return Normalization(tuple(values.mean(axis=0).tolist()), tuple(values.std(axis=0).tolist()))

    @staticmethod
    def from_json(values: dict[str, Any]) -> "Normalization":
        """The reverse of `to_json`."""
        return Normalization(tuple(values["mean"]), tuple(values["std"]))

    def to_json(self) -> dict[str, Any]:
        """As plain values, for a checkpoint."""
        return {"mean": list(self.mean), "std": list(self.std)}

    def apply(self, windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Windows (N, 128, 6) in physical units, normalised, float32."""
        return self.apply_to_tensor(torch.tensor(windows)).numpy()

    def apply_to_tensor(self, windows: torch.Tensor) -> torch.Tensor:
        """As `apply`, on the tensor's device."""
        mean = torch.tensor(self.mean, dtype=torch.float32, device=windows.device)
        std = torch.tensor(self.std, dtype=torch.float32, device=windows.device)
        return (windows - mean) / std
