"""The networks for the board: batch norm folds away, and int8 convolutions apply ReLU and ReLU6 for free."""

from collections.abc import Sequence

from torch import nn

from hardwear.contract import CHANNEL_COUNT, WINDOW_SAMPLES
from hardwear.networks.layers import AsImage, average_pool, graded_convolution, max_pool, normalized_convolution
from hardwear.networks.network import Network

_TAPS = 5
_COMPACT = ((16, 16), (32, 32), (32,))


def compact(classes: int, dropout: float) -> Network:
    """Conv 16, 16, pool, conv 32, 32, pool, conv 32, average to 4 positions, fully connected 64, classes.

    Averaging the last 32 positions down to 4 keeps some sense of time for an eighth of the weights that the
    fully connected layer would need without. Its 64 outputs are the embedding.
    """
    return _pyramid("compact", _COMPACT, positions=4, embedding=64, classes=classes, dropout=dropout)


def compact_plain(classes: int, dropout: float) -> Network:
    """As `compact`, without the graded first layer and with ReLU throughout: to see what those are worth."""
    return _pyramid(
        "compact-plain", _COMPACT, positions=4, embedding=64, classes=classes, dropout=dropout, graded=False
    )


def nano(classes: int, dropout: float) -> Network:
    """As `compact`, in 8 KB: conv 8, 12, pool, conv 16, 20, pool, conv 24, average to 2 positions, FC 32, classes."""
    return _pyramid("nano", ((8, 12), (16, 20), (24,)), positions=2, embedding=32, classes=classes, dropout=dropout)


def _pyramid(
    name: str,
    stages: Sequence[Sequence[int]],
    positions: int,
    embedding: int,
    classes: int,
    dropout: float,
    graded: bool = True,
) -> Network:
    """Stages of convolutions with max pooling by 2 between them, then an average, then the embedding.

    If graded, the first convolution's outputs differ in loudness and the first stage saturates: `graded_convolution`.
    """
    layers: list[nn.Module] = [AsImage()]
    channels, samples = CHANNEL_COUNT, WINDOW_SAMPLES
    for index, stage in enumerate(stages):
        if index:
            layers.append(max_pool(2))
            samples //= 2
        for outputs in stage:
            if graded and len(layers) == 1:
                layers.extend(graded_convolution(channels, outputs, _TAPS))
            else:
                activation = nn.ReLU6() if graded and index == 0 else nn.ReLU()
                layers.extend(normalized_convolution(channels, outputs, _TAPS, activation))
            channels = outputs
    body = nn.Sequential(
        *layers,
        average_pool(samples // positions),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(channels * positions, embedding),
        nn.ReLU(),
    )
    return Network(name, body, embedding, classes, dropout)
