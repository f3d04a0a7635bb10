"""The plain convolutional network that human activity papers compare with: two convolutions, one hidden layer.

After the CNN baseline of Ordóñez and Roggen (Sensors 16(1), 2016) and its kin: 5-tap convolutions of 64 channels
without batch norm, each followed by max pooling, then one fully connected layer of 128.
"""

from torch import nn

from hardwear.contract import CHANNEL_COUNT, WINDOW_SAMPLES
from hardwear.networks.layers import AsImage, convolution, max_pool
from hardwear.networks.network import Network

_CHANNELS = 64
_EMBEDDING_SIZE = 128
_TAPS = 5


def cnn(classes: int, dropout: float) -> Network:
    """Conv 64, pool, conv 64, pool, fully connected 128 (embedding), classes."""
    body = nn.Sequential(
        AsImage(),
        convolution(CHANNEL_COUNT, _CHANNELS, _TAPS),
        nn.ReLU(),
        max_pool(2),
        convolution(_CHANNELS, _CHANNELS, _TAPS),
        nn.ReLU(),
        max_pool(2),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(_CHANNELS * WINDOW_SAMPLES // 4, _EMBEDDING_SIZE),
        nn.ReLU(),
    )
    return Network("cnn", body, _EMBEDDING_SIZE, classes, dropout)
