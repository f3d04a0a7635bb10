"""The layers that networks are built from in training: one-dimensional ones, computed as images of height 1.

torch has fast convolutions, pools and batch norms for images whose memory runs channel by channel within a sample,
which is how windows (B, 128, 6) lie in memory anyway: training takes little more than half the time of Conv1d and its
kin. `inference_form` gives the same layers in one dimension, as they are exported.
"""

import torch
from torch import nn

from hardwear.contract import WINDOW_SAMPLES


class AsImage(nn.Unflatten):
    """(B, C, 128) seen as (B, C, 1, 128); nothing is copied."""

    def __init__(self) -> None:
        super().__init__(2, (1, WINDOW_SAMPLES))


def convolution(inputs: int, outputs: int, taps: int) -> nn.Conv2d:
    """A convolution over time that keeps the length, zeros outside."""
    return nn.Conv2d(inputs, outputs, kernel_size=(1, taps), padding=(0, taps // 2))


def normalized_convolution(inputs: int, outputs: int, taps: int, activation: nn.Module) -> tuple[nn.Module, ...]:
    """Convolution, batch norm, ReLU or ReLU6: on the board one int8 convolution."""
    return convolution(inputs, outputs, taps), nn.BatchNorm2d(outputs), activation


def graded_convolution(inputs: int, outputs: int, taps: int) -> tuple[nn.Module, ...]:
    """As `normalized_convolution` with ReLU6, with outputs that start out 4, 8, … 64 times as loud as the others.

    What tells sitting from standing is tilt and, as much, the body's sway: a hundredth of what walking does to the
    same sensors, and batch norm measures its scale while people walk. The loud outputs are far in ReLU6's saturation
    then and hear the sway when nobody walks, together about what the logarithm of a spectrum would show. Their weights
    sum to zero over time, so that gravity alone does not saturate them. All of it is a start; training may change it.
    """
    layer, norm = convolution(inputs, outputs, taps), nn.BatchNorm2d(outputs)
    plain = 3 * outputs // 8
    loud = outputs - plain
    with torch.no_grad():
        layer.weight[plain:] -= layer.weight[plain:].mean(dim=3, keepdim=True)
        norm.weight[plain:] = torch.tensor([2.0 ** (2 + 5 * index // loud) for index in range(loud)])
    return layer, norm, nn.ReLU6()


def max_pool(size: int) -> nn.MaxPool2d:
    """The largest of every `size` samples."""
    return nn.MaxPool2d((1, size))


def average_pool(size: int) -> nn.AvgPool2d:
    """The mean of every `size` samples."""
    return nn.AvgPool2d((1, size))
