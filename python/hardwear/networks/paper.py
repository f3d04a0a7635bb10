"""The network of the paper that Hardwear builds upon, its Table I layer by layer: 2,382,662 parameters.

Those do not fit the board. 2.26 million of them stand in the dense layers, which `paper_gap` does without.
"""

from torch import nn

from hardwear.contract import CHANNEL_COUNT, WINDOW_SAMPLES
from hardwear.networks.layers import AsImage, average_pool, convolution, max_pool
from hardwear.networks.network import Network

_EMBEDDING_SIZE = 64
_LAST_CHANNELS = 128
_LAST_SAMPLES = WINDOW_SAMPLES // 4
_TAPS = 3


def paper(classes: int, dropout: float) -> Network:
    """Table I: conv 64, 64, pool, conv 128 ×3, pool, fully connected 512, 256, 64 (embedding), classes."""
    body = nn.Sequential(
        *_convolutions(),
        nn.Flatten(),
        *_fully_connected(_LAST_CHANNELS * _LAST_SAMPLES, 512, dropout),
        *_fully_connected(512, 256, dropout),
        *_fully_connected(256, _EMBEDDING_SIZE, dropout),
    )
    return Network("paper", body, _EMBEDDING_SIZE, classes, dropout)


def paper_gap(classes: int, dropout: float) -> Network:
    """Table I's convolutions, then an average over all positions, fully connected 64 (embedding), classes.

    Four fifths of Table I's multiply-accumulates (9.6 of 11.8 million) in a sixteenth of its weights: it fits the
    board, and is what engines are timed with. The average is a pooling layer and no mean over an axis, which
    TFLite-Micro computed in float until 2024.
    """
    body = nn.Sequential(
        *_convolutions(),
        average_pool(_LAST_SAMPLES),
        nn.Flatten(),
        *_fully_connected(_LAST_CHANNELS, _EMBEDDING_SIZE, dropout),
    )
    return Network("paper-gap", body, _EMBEDDING_SIZE, classes, dropout)


def _convolutions() -> tuple[nn.Module, ...]:
    """From windows to 128 channels of 32 samples."""
    return (
        AsImage(),
        *_convolution(CHANNEL_COUNT, 64),
        *_convolution(64, 64),
        max_pool(2),
        *_convolution(64, 128),
        *_convolution(128, 128),
        *_convolution(128, _LAST_CHANNELS),
        max_pool(2),
    )


def _convolution(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return convolution(inputs, outputs, _TAPS), nn.LeakyReLU()


def _fully_connected(inputs: int, outputs: int, dropout: float) -> tuple[nn.Module, ...]:
    return nn.Dropout(dropout), nn.Linear(inputs, outputs), nn.LeakyReLU()
