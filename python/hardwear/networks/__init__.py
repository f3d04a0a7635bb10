"""The networks that can be trained, by name."""

from collections.abc import Callable

from hardwear.contract import CLASS_COUNT
from hardwear.errors import TrainingError
from hardwear.networks.cnn import cnn
from hardwear.networks.compact import compact, compact_plain, nano
from hardwear.networks.deep_conv_lstm import deep_conv_lstm
from hardwear.networks.network import Network, inference_form
from hardwear.networks.paper import paper, paper_gap

__all__ = ["Network", "build", "inference_form", "names"]

_BUILDERS: dict[str, Callable[[int, float], Network]] = {
    "compact": compact,
    "compact-plain": compact_plain,
    "nano": nano,
    "paper": paper,
    "paper-gap": paper_gap,
    "cnn": cnn,
    "deepconvlstm": deep_conv_lstm,
}


def names() -> tuple[str, ...]:
    """The names that `build` knows."""
    return tuple(_BUILDERS)


def build(name: str, classes: int = CLASS_COUNT, dropout: float = 0.0) -> Network:
    """Build a network with fresh weights, drawn from torch's global generator.

    Args:
        name: One of `names()`.
        classes: Number of logits.
        dropout: Probability with which an input of a fully connected layer is dropped in training.

    Raises:
        TrainingError: The name is unknown, or a number makes no sense.
    """
    if name not in _BUILDERS:
        raise TrainingError(f"expected a network out of {', '.join(names())}, got {name!r}")
    if classes < 2:
        raise TrainingError(f"expected at least 2 classes, got {classes}")
    if not 0.0 <= dropout < 1.0:
        raise TrainingError(f"expected a dropout probability in [0, 1), got {dropout}")
    return _BUILDERS[name](classes, dropout)
