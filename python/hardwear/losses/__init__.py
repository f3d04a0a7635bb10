"""The losses, one a file."""

from hardwear.losses.center import CenterLoss

__all__ = ["CenterLoss"]
