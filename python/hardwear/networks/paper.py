"""The network of the paper that Hardwear builds upon, its Table I layer by layer: 2,382,662 parameters."""

from torch import nn

from hardwear.contract import CHANNEL_COUNT, WINDOW_SAMPLES
from hardwear.networks.layers import AsImage, convolution, max_pool
from hardwear.networks.network import Network

_EMBEDDING_SIZE = 64
_LAST_CHANNELS = 128
_TAPS = 3


def paper(classes: int, dropout: float) -> Network:
    """Table I: conv 64, 64, pool, conv 128 ×3, pool, fully connected 512, 256, 64 (embedding), classes."""
    flat = _LAST_CHANNELS * WINDOW_SAMPLES // 4
    body = nn.Sequential(
        AsImage(),
        *_convolution(CHANNEL_COUNT, 64),
        *_convolution(64, 64),
        max_pool(2),
        *_convolution(64, 128),
        *_convolution(128, 128),
        *_convolution(128, _LAST_CHANNELS),
        max_pool(2),
        nn.Flatten(),
        *_fully_connected(flat, 512, dropout),
        *_fully_connected(512, 256, dropout),
        *_fully_connected(256, _EMBEDDING_SIZE, dropout),
    )
    return Network("paper", body, _EMBEDDING_SIZE, classes, dropout)


def _convolution(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return convolution(inputs, outputs, _TAPS), nn.LeakyReLU()


def _fully_connected(inputs: int, outputs: int, dropout: float) -> tuple[nn.Module, ...]:
    return nn.Dropout(dropout), nn.Linear(inputs, outputs), nn.LeakyReLU()
