"""Small networks for the tests of conversion, and what they compute in plain NumPy."""

from functools import reduce

import numpy as np
import torch
from torch import nn

from hardwear.quantization.layers import (
    Activation,
    AveragePool,
    Convolution,
    Dense,
    Flatten,
    GlobalAverage,
    LayerList,
    MaxPool,
)


class TwoOutputs(nn.Module):
    """Any body from (B, 6, 128) to the embedding, and a linear classifier: the shape of every Hardwear network."""

    def __init__(self, body: nn.Module, embedding_size: int, classes: int = 6):
        super().__init__()
        self.body = body
        self.classifier = nn.Linear(embedding_size, classes)

    def forward(self, windows):
        embedding = self.body(windows.transpose(1, 2))
        return self.classifier(embedding), embedding


def leaky_network(seed: int = 0) -> TwoOutputs:
    """Every kind of layer that flattens, small: batch norm, (leaky) ReLU, both pools, an even and an odd kernel."""
    torch.manual_seed(seed)
    body = nn.Sequential(
        nn.Conv1d(6, 8, 5, padding="same"),
        nn.BatchNorm1d(8),
        nn.LeakyReLU(0.1),
        nn.MaxPool1d(2),
        nn.Conv1d(8, 12, 3, padding=1),
        nn.ReLU(),
        nn.Conv1d(12, 10, 3, stride=2),
        nn.AvgPool1d(4),
        nn.Dropout(0.5),
        nn.Flatten(),
        nn.Linear(70, 20),
        nn.LeakyReLU(0.01),
    )
    return _settled(TwoOutputs(body, 20))


def averaging_network(seed: int = 0) -> TwoOutputs:
    """Ends its convolutions in a mean over time."""
    torch.manual_seed(seed)
    body = nn.Sequential(nn.Conv1d(6, 16, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten())
    return _settled(TwoOutputs(body, 16))


def capped_network(seed: int = 0) -> TwoOutputs:
    """ReLU6 where it cuts off much."""
    torch.manual_seed(seed)
    body = nn.Sequential(nn.Conv1d(6, 12, 5, padding=2), nn.BatchNorm1d(12), nn.ReLU6(), nn.AvgPool1d(32), nn.Flatten())
    network = _settled(TwoOutputs(nn.Sequential(*body, nn.Linear(48, 10), nn.ReLU()), 10))
    with torch.no_grad():
        network.body[1].weight *= 10.0
    return network


def _settled(network: TwoOutputs) -> TwoOutputs:
    """Give batch norm the statistics of noise, and its scale and shift values that a mistake would show in."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    network.train()
    with torch.no_grad():
        network(torch.from_numpy(noise(64)))
    return network.eval()


def noise(count: int, seed: int = 1) -> np.ndarray:
    """(count, 128, 6) normalised float32 windows with slow and fast parts."""
    rng = np.random.default_rng(seed)
    slow = np.repeat(rng.normal(0, 1, (count, 8, 6)), 16, axis=1)
    return (slow + 0.5 * rng.normal(0, 1, (count, 128, 6))).astype(np.float32)


def run_layers(layers: LayerList, window: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logits and embedding of one (128, 6) window, layer by layer in float64, straight from the definitions."""
    signal = window.astype(np.float64)
    for index, layer in enumerate(layers.layers):
        signal = _apply(layer, signal)
        if index == layers.embedding:
            embedding = signal
    return signal, embedding


def _apply(layer, signal):
    match layer:
        case Convolution():
            taps = layer.weights.shape[2]
            padded = np.pad(signal, (((taps - 1) // 2, taps // 2), (0, 0))) if layer.same else signal
            starts = range(0, len(padded) - taps + 1, layer.stride)
            return np.array([np.einsum("oik,ki->o", layer.weights, padded[s : s + taps]) + layer.bias for s in starts])
        case Activation():
            return np.minimum(np.where(signal > 0, signal, layer.slope * signal), 6.0 if layer.capped else np.inf)
        case MaxPool() | AveragePool():
            whole = signal[: len(signal) // layer.size * layer.size].reshape(-1, layer.size, signal.shape[1])
            return whole.max(axis=1) if isinstance(layer, MaxPool) else whole.mean(axis=1)
        case GlobalAverage():
            return signal.mean(axis=0)
        case Flatten():
            return signal.reshape(-1)
        case Dense():
            return layer.weights @ signal + layer.bias


def torch_outputs(network: nn.Module, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with torch.no_grad():
        logits, embedding = network(torch.from_numpy(windows))
    return logits.numpy(), embedding.numpy()


def chain(*modules: nn.Module) -> nn.Module:
    """A network of these modules, flattened and classified, whatever comes out of them."""
    body = nn.Sequential(*modules, nn.Flatten())
    with torch.no_grad():
        size = reduce(lambda value, module: module(value), body, torch.zeros(1, 6, 128)).shape[1]
    return TwoOutputs(nn.Sequential(body, nn.Linear(size, 8), nn.ReLU()), 8).eval()
