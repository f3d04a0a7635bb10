"""What is known of a layer's sums of products before any window: what is folded into them, how far they go."""

import numpy as np
import numpy.typing as npt

from hardwear.codegen.graph import INT8_MAX, INT8_MIN, Conv1D, FullyConnected

SummingLayer = Conv1D | FullyConnected


def folded_bias(layer: SummingLayer, stored_offset: int = 0) -> npt.NDArray[np.int64]:
    """(outputs,): the bias less what the zero point adds, for kernels that multiply inputs as they are stored.

    Args:
        layer: A convolution or a dense layer.
        stored_offset: By how much inputs are stored higher than their int8.
    """
    sums = _rows(layer).sum(axis=1)
    folded: npt.NDArray[np.int64] = layer.bias - (layer.input.zero_point + stored_offset) * sums
    return folded


def magnitudes(layer: SummingLayer) -> npt.NDArray[np.int64]:
    """(outputs,): the sum of an output's weights without their signs."""
    summed: npt.NDArray[np.int64] = np.abs(_rows(layer)).sum(axis=1)
    return summed


def reach(layer: SummingLayer) -> npt.NDArray[np.int64]:
    """(outputs,): the largest magnitude that a sum, bias included, has for any window."""
    zero_point = layer.input.zero_point
    largest = max(INT8_MAX - zero_point, zero_point - INT8_MIN)
    reached: npt.NDArray[np.int64] = np.abs(layer.bias.astype(np.int64)) + magnitudes(layer) * largest
    return reached


def _rows(layer: SummingLayer) -> npt.NDArray[np.int64]:
    return layer.weights.reshape(len(layer.weights), -1).astype(np.int64)
