"""The network for the board: 23 k weights, and ReLU, which int8 convolutions apply for free."""

from torch import nn

from hardwear.contract import CHANNEL_COUNT, WINDOW_SAMPLES
from hardwear.networks.network import Network

_EMBEDDING_SIZE = 64
_LAST_CHANNELS = 32
_POOLED_SAMPLES = 4


def compact(classes: int, dropout: float) -> Network:
    """Conv 16, 16, pool, conv 32, 32, pool, conv 32, average over 8, fully connected 64, classes.

    Kernels are 5 wide. Averaging the last 32 positions down to 4 keeps some sense of time for an eighth of
    the weights that the fully connected layer would need without. Its 64 outputs are the embedding. Batch
    norm speeds training and is folded before export.
    """
    body = nn.Sequential(
        *_convolution(CHANNEL_COUNT, 16),
        *_convolution(16, 16),
        nn.MaxPool1d(2),
        *_convolution(16, 32),
        *_convolution(32, 32),
        nn.MaxPool1d(2),
        *_convolution(32, _LAST_CHANNELS),
        nn.AvgPool1d(WINDOW_SAMPLES // 4 // _POOLED_SAMPLES),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(_LAST_CHANNELS * _POOLED_SAMPLES, _EMBEDDING_SIZE),
        nn.ReLU(),
    )
    return Network("compact", body, _EMBEDDING_SIZE, classes, dropout)


def _convolution(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return nn.Conv1d(inputs, outputs, kernel_size=5, padding=2), nn.BatchNorm1d(outputs), nn.ReLU()
