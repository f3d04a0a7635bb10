"""What every network has in common: a body that ends in the embedding, and a linear classifier on top."""

import copy

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from hardwear.contract import CHANNEL_COUNT, WINDOW_SAMPLES
from hardwear.errors import TrainingError
from hardwear.networks.layers import AsImage


class Network(nn.Module):
    """Body → embedding → classifier, from normalised windows.

    A network for the board has only layers that TFLite-Micro and the compiled engine run in int8: convolutions with
    "same" padding, (leaky) ReLU, max and average pooling, flatten and linear. Batch norm is for training and is folded
    away by `inference_form`; dropout does nothing outside training.

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
        """Weights of convolutions and of connected layers, biases not counted: bytes when in int8."""
        return sum(parameter.numel() for parameter in self.parameters() if parameter.ndim > 1)


def inference_form(network: Network) -> Network:
    """A copy in eval mode as it is exported: one-dimensional layers, each batch norm part of the convolution before it.

    With the running mean μ and variance v, γ·(w∗x + b − μ)/√(v + ε) + β is again a convolution, of weights
    w·γ/√(v + ε) and bias (b − μ)·γ/√(v + ε) + β. Computed in float64 and rounded once. A network that is not
    built from `hardwear.networks.layers`, such as a recurrent one, is copied as it is.

    Raises:
        TrainingError: A batch norm does not follow a convolution.
    """
    copied = copy.deepcopy(network).eval()
    if not isinstance(copied.body[0], AsImage):
        return copied
    layers: list[nn.Module] = []
    for layer in list(copied.body.children())[1:]:
        if not isinstance(layer, nn.BatchNorm2d):
            layers.append(_one_dimensional(layer))
        elif layers and isinstance(layers[-1], nn.Conv1d):
            _fold_into(layers[-1], layer)
        else:
            before = type(layers[-1]).__name__ if layers else "the input"
            raise TrainingError(
                f"expected every batch norm of {network.name!r} right after a convolution, got one after {before}"
            )
    copied.body = nn.Sequential(*layers)
    return copied


def _one_dimensional(layer: nn.Module) -> nn.Module:
    """The same layer for (B, C, T) instead of (B, C, 1, T)."""
    match layer:
        case nn.Conv2d():
            taps, pad = layer.kernel_size[1], int(layer.padding[1])
            # Without fresh weights, which would cost the caller random numbers.
            convolution: nn.Conv1d = skip_init(  # type: ignore[no-untyped-call]
                nn.Conv1d, layer.in_channels, layer.out_channels, taps, padding=pad
            )
            convolution.weight = nn.Parameter(layer.weight.detach().squeeze(2).contiguous())
            convolution.bias = layer.bias
            return convolution
        case nn.MaxPool2d():
            return nn.MaxPool1d(_width(layer.kernel_size))
        case nn.AvgPool2d():
            return nn.AvgPool1d(_width(layer.kernel_size))
        case _:
            return layer


def _width(size: int | tuple[int, ...]) -> int:
    return size if isinstance(size, int) else size[1]


@torch.no_grad()
def _fold_into(convolution: nn.Conv1d, norm: nn.BatchNorm2d) -> None:
    mean, variance = norm.running_mean, norm.running_var
    if mean is None or variance is None:
        raise TrainingError("expected a batch norm with running statistics, got one without them")
    factor = norm.weight.double() / torch.sqrt(variance.double() + norm.eps)
    bias = torch.zeros_like(mean) if convolution.bias is None else convolution.bias
    shifted = (bias.double() - mean.double()) * factor + norm.bias.double()
    dtype = convolution.weight.dtype
    convolution.weight.copy_((convolution.weight.double() * factor[:, None, None]).to(dtype))
    convolution.bias = nn.Parameter(shifted.to(dtype))
