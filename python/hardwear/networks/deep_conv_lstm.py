"""DeepConvLSTM (Ordóñez and Roggen, Sensors 16(1), 2016): four convolutions over time, two LSTM layers.

It runs on the host only: int8 TFLite-Micro has no LSTM that the board's engines know.
"""

import torch
from torch import Tensor, nn

from hardwear.contract import CHANNEL_COUNT
from hardwear.networks.network import Network

_FEATURE_MAPS = 64
_TAPS = 5
_UNITS = 128


def deep_conv_lstm(classes: int, dropout: float) -> Network:
    """Conv 64 ×4 (5 taps, unpadded, each sensor channel by itself), LSTM 128 ×2, classes.

    As published: ReLU, orthogonal initialisation, dropout before each recurrent and dense layer. The embedding is the
    second LSTM's output at the last sample.
    """
    convolutions: list[nn.Module] = []
    for index in range(4):
        convolutions += [nn.Conv2d(_FEATURE_MAPS if index else 1, _FEATURE_MAPS, (1, _TAPS)), nn.ReLU()]
    body = nn.Sequential(
        nn.Unflatten(1, (1, CHANNEL_COUNT)),
        *convolutions,
        _Recurrent(_FEATURE_MAPS * CHANNEL_COUNT, dropout),
    )
    network = Network("deepconvlstm", body, _UNITS, classes, dropout)
    for name, parameter in network.named_parameters():
        if "weight" in name:
            _orthogonal(parameter)
    return network


class _Recurrent(nn.Module):
    """(B, maps, channels, T) to (B, 128): what two LSTM layers say once they have seen the whole window."""

    def __init__(self, features: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(features, _UNITS, num_layers=2, batch_first=True, dropout=dropout)

    def forward(self, maps: Tensor) -> Tensor:
        sequence: Tensor = self.lstm(self.dropout(maps.flatten(1, 2).transpose(1, 2)))[0]
        return sequence[:, -1]


@torch.no_grad()
def _orthogonal(weight: nn.Parameter) -> None:
    """Each of an LSTM's four gates on its own, as the published code does."""
    parts = weight.chunk(4) if len(weight) == 4 * _UNITS else (weight,)
    for part in parts:
        nn.init.orthogonal_(part)
