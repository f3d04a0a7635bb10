"""Dense layers with weights that are widened in flash: four outputs at a time."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from hardwear.codegen.convolutions import INT32_MAX, Rescale, rescale
from hardwear.codegen.graph import INT8_MIN, FullyConnected, Layer
from hardwear.codegen.layout import Rows
from hardwear.codegen.sums import folded_bias, magnitudes, reach

_FOUR = 4
"""Outputs that are computed together, and inputs that share a word."""
_UNROLL = 4
"""Words of inputs that are computed between two branches."""


@dataclass(frozen=True, eq=False)
class Dense:
    """A dense layer from rows to rows; its integers as in `firmware/engines/compiled/dense.h`."""

    kernel: ClassVar[str] = "dense"
    layer: FullyConnected
    source: Rows
    target: Rows

    @property
    def name(self) -> str:
        """The layer's."""
        return self.layer.name

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What it computes."""
        return (self.layer,)

    @property
    def rescale(self) -> Rescale:
        """The integers that make a sum an output."""
        found = _rescale(self.layer)
        assert found is not None
        return found

    @property
    def fours(self) -> int:
        """How often four outputs are computed."""
        return -(-len(self.layer.weights) // _FOUR)

    @property
    def unroll(self) -> int:
        """Fours of inputs that are computed between two branches."""
        return _UNROLL if self.layer.weights.shape[1] % (_FOUR * _UNROLL) == 0 else 1

    @property
    def stored_weights(self) -> npt.NDArray[np.int16]:
        """(fours of outputs, fours of inputs, 2, 4 outputs, 2), doubled; of four inputs, 0 and 2 meet, then 1 and 3."""
        weights = _filled_up(self.layer.weights, self.fours)
        words = weights.reshape(self.fours, _FOUR, -1, 2, 2).transpose(0, 2, 4, 1, 3)
        return (2 * words).astype(np.int16)

    @property
    def biases(self) -> list[int]:
        """One for each output, those included that fill up the last four."""
        biases: list[int] = _filled_up(2 * folded_bias(self.layer), self.fours).tolist()
        return biases

    @property
    def functions(self) -> dict[tuple[object, ...], int]:
        """Functions that are compiled for it, by what tells them apart, and their bytes of code."""
        return {("dense", self.unroll): 190 + 52 * self.unroll}

    @property
    def instructions(self) -> float:
        """On a Cortex-M4; the loop is counted, what surrounds it fitted."""
        outputs, inputs = self.layer.weights.shape
        turns = inputs / (_FOUR * self.unroll)
        return float(self.fours * (turns * (13 * self.unroll + 2) + 50) + 17 * outputs + 40)


def why_not_dense(layer: FullyConnected) -> str | None:
    """Why a dense layer can't be computed with widened weights; None if it can."""
    if layer.weights.shape[1] % _FOUR:
        return f"{layer.weights.shape[1]} inputs, which four do not divide"
    return None if _rescale(layer) is not None else "sums or multipliers that leave 32 bits when doubled"


def _rescale(layer: FullyConnected) -> Rescale | None:
    # Partial sums multiply raw values, which reach to -128.
    partial = np.abs(folded_bias(layer)) - INT8_MIN * magnitudes(layer)
    if 2 * int(partial.max()) > INT32_MAX or layer.multiplier.shift > 0:
        return None
    return rescale(layer.multiplier, int(reach(layer).max()), layer.output.zero_point)


def _filled_up(values: npt.NDArray[np.integer], fours: int) -> npt.NDArray[np.int64]:
    """With outputs of zero up to whole fours."""
    more = ((0, fours * _FOUR - len(values)), *[(0, 0)] * (values.ndim - 1))
    return np.pad(values.astype(np.int64), more)
