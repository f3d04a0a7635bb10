"""What a network, or a support vector machine, costs whoever runs it."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hardwear.contract import CHANNEL_COUNT, CLASS_COUNT, WINDOW_SAMPLES
from hardwear.networks import Network, inference_form


@dataclass(frozen=True)
class Cost:
    """Of one model."""

    weights: int
    """Numbers that are multiplied with, biases not counted: bytes in int8."""
    macs: int
    """Multiply-accumulates a window, as `tflite_file.summarize` counts them: padding included."""


def cost_of(network: Network) -> Cost:
    """Count weights, and multiply-accumulates of one window, of convolutions, fully connected layers and LSTMs."""
    exported = inference_form(network)
    macs: list[int] = []

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        match layer:
            case nn.Conv1d() | nn.Conv2d():
                macs.append(output[0].numel() * layer.weight[0].numel())
            case nn.Linear():
                macs.append(output[0].numel() * layer.in_features)
            case nn.LSTM():
                macs.append(inputs[0].shape[1] * _weights(layer))

    hooks = [layer.register_forward_hook(count) for layer in exported.modules()]
    with torch.no_grad():
        exported(torch.zeros(1, WINDOW_SAMPLES, CHANNEL_COUNT))
    for hook in hooks:
        hook.remove()
    return Cost(_weights(exported), sum(macs))


def cost_of_machine(support_vectors: int, features: int) -> Cost:
    """Of a kernel machine that tells each class from each: every window is held against every support vector.

    What the features cost is not in it.
    """
    numbers = support_vectors * (features + CLASS_COUNT - 1)
    return Cost(numbers, numbers)


def _weights(module: nn.Module) -> int:
    return sum(p.numel() for name, p in module.named_parameters() if p.dim() > 1 and "bias" not in name)
