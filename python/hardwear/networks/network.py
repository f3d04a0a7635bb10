"""What every network has in common: a body that ends in the embedding, and a linear classifier on top."""

import copy

import torch
from torch import Tensor, nn

from hardwear.contract import CHANNEL_COUNT, WINDOW_SAMPLES
from hardwear.errors import TrainingError


class Network(nn.Module):
    """Body → embedding → classifier, from normalised windows.

    The layers are only such as TFLite-Micro and the compiled engine run in int8: Conv1d with "same" padding,
    (leaky) ReLU, max and average pooling, flatten and linear. Batch norm is for training and is folded away
    by `fold_batch_norm`; dropout does nothing outside training.

    Args:
        name: The name in the registry.
        body: From (B, 6, 128) to the embedding (B, E), after its activation.
        embedding_size: E.
        classes: Number of logits.
        dropout: Probability with which an element of the embedding is hidden from the classifier in training.
    """

    def __init__(self, name: str, body: nn.Sequential, embedding_size: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.name = name
        self.embedding_size = embedding_size
        self.classes = classes
        self.body = body
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(embedding_size, classes)

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and embedding.

        Args:
            windows: (B, 128, 6) float, normalised, channels in the contract's order.

        Returns:
            Logits (B, classes) and embedding (B, embedding_size).

        Raises:
            TrainingError: The windows have another shape.
        """
        if not torch.onnx.is_in_onnx_export() and tuple(windows.shape[1:]) != (WINDOW_SAMPLES, CHANNEL_COUNT):
            raise TrainingError(f"expected windows (B, {WINDOW_SAMPLES}, {CHANNEL_COUNT}), got {tuple(windows.shape)}")
        embedding = self.body(windows.transpose(1, 2))
        return self.classifier(self.dropout(embedding)), embedding

    @property
    def parameter_count(self) -> int:
        """Trainable numbers: weights, biases and, until folded, batch norm's scales and shifts."""
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def weight_count(self) -> int:
        """Weights of convolutions and fully connected layers, biases not counted: bytes when in int8."""
        return sum(m.weight.numel() for m in self.modules() if isinstance(m, nn.Conv1d | nn.Linear))


def fold_batch_norm(network: Network) -> Network:
    """A copy in eval mode, in which each batch norm has become part of the convolution before it.

    With the running mean μ and variance v, γ·(w∗x + b − μ)/√(v + ε) + β is again a convolution, of weights
    w·γ/√(v + ε) and bias (b − μ)·γ/√(v + ε) + β. Computed in float64 and
    rounded once. A network without batch norm is copied as it is.

    Raises:
        TrainingError: A batch norm does not follow a Conv1d.
    """
    folded = copy.deepcopy(network).eval()
    layers: list[nn.Module] = []
    for layer in folded.body:
        if not isinstance(layer, nn.BatchNorm1d):
            layers.append(layer)
        elif layers and isinstance(layers[-1], nn.Conv1d):
            _fold_into(layers[-1], layer)
        else:
            before = type(layers[-1]).__name__ if layers else "the input"
            raise TrainingError(
                f"expected every batch norm of {network.name!r} right after a Conv1d, got one after {before}"
            )
    folded.body = nn.Sequential(*layers)
    return folded


@torch.no_grad()
def _fold_into(convolution: nn.Conv1d, norm: nn.BatchNorm1d) -> None:
    mean, variance = norm.running_mean, norm.running_var
    if mean is None or variance is None:
        raise TrainingError("expected a batch norm with running statistics, got one without them")
    factor = norm.weight.double() / torch.sqrt(variance.double() + norm.eps)
    bias = torch.zeros_like(mean) if convolution.bias is None else convolution.bias
    shifted = (bias.double() - mean.double()) * factor + norm.bias.double()
    dtype = convolution.weight.dtype
    convolution.weight.copy_((convolution.weight.double() * factor[:, None, None]).to(dtype))
    convolution.bias = nn.Parameter(shifted.to(dtype))
