"""The two ways in which a convolution runs over planes: tap by tap, and by minimal filtering.

Each has its own weights, integers and scratch memory, and knows what its assembly takes: the instructions below are
counted from `firmware/engines/compiled/planes.h` and `toom_cook.h`, what the compiler makes of the rest was fitted to
GCC 12 at -O2.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from hardwear.codegen.fixed_point import Multiplier
from hardwear.codegen.fusion import FusedConv
from hardwear.codegen.graph import INT8_MAX, INT8_MIN, Layer
from hardwear.codegen.layout import BLOCK, COUPLE, PAIRS, QUADS, WORD_BYTES, Planes, block_count, couple_count, room
from hardwear.codegen.minimal_filtering import FILTERS, MinimalFilter, fits_int16
from hardwear.codegen.sums import folded_bias, magnitudes, reach

TAPS = tuple(sorted(FILTERS))
"""Lengths of the fast convolution kernels; shorter ones are filled up with taps of zero."""

_STORED_OFFSET = 128
"""Planes hold values so much higher, as bytes."""
INT32_MAX = 2**31 - 1
_POST_INDEX_MAX = 1020
"""Bytes by which LDRD moves its address."""
_TAP_UNROLL = 8
"""Pairs of channels that are computed between two branches, tap by tap: some 100 bytes of code each, in every layer."""
_POINT_UNROLL = 16
"""Likewise by minimal filtering: 44 bytes each, shared by all layers that have as many."""
_SPARING_UNROLL = 2
"""Likewise, either way, where speed is not what counts."""
_STRIP = 4
"""Tiles that meet a pair of output channels at a time."""
_TILE_SHIFT = 3
"""Of the divisors of both minimal filters; the sums of `toom_cook.h` are scaled by it."""


@dataclass(frozen=True)
class Rescale:
    """How one output channel's sum becomes the byte that is stored."""

    multiplier: int
    half: int
    """What rounds the right shift, plus the output's zero point as stored, shifted left."""
    shift: int
    product: int
    """Bound of the product's magnitude."""


@dataclass(frozen=True, eq=False)
class PlanesConv(ABC):
    """A fused convolution from planes to planes."""

    fused: FusedConv
    source: Planes
    target: Planes

    kernel: ClassVar[str]
    """Its C++ function."""
    together: ClassVar[int] = 1
    """Blocks that are computed, or left out, together."""

    @property
    def name(self) -> str:
        """The convolution's."""
        return self.fused.conv.name

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What it computes."""
        return self.fused.layers

    @property
    def taps(self) -> int:
        """Taps that are computed."""
        return fast_taps(self.fused.conv.taps)

    @property
    def blocks(self) -> int:
        """Blocks of four positions of one output channel."""
        return block_count(self.fused.conv.output.positions)

    @property
    def output_channels(self) -> int:
        """Output channels."""
        return len(self.fused.conv.weights)

    @property
    def rescales(self) -> tuple[Rescale, ...]:
        """The integers of every output channel."""
        found = _rescales(self.fused)
        assert found is not None
        return found

    @property
    def negative_sums_end_at_zero(self) -> bool:
        """Whether every negative sum becomes the smallest byte, so that it does not matter how its half is rounded."""
        return self.fused.conv.output.zero_point == INT8_MIN

    @property
    @abstractmethod
    def stored_weights(self) -> npt.NDArray[np.int16] | npt.NDArray[np.int8]:
        """What is in flash."""

    @property
    @abstractmethod
    def channel_bytes(self) -> int:
        """Flash for the integers of one output channel."""

    @property
    @abstractmethod
    def scratch_bytes(self) -> int:
        """RAM beside input and output."""

    @property
    @abstractmethod
    def functions(self) -> dict[tuple[object, ...], int]:
        """Functions that are compiled for it, by what tells them apart, and their bytes of code."""

    @abstractmethod
    def instructions(self, left: int, right: int) -> float:
        """For the first `left` blocks and all from number `right` on; (0, 0) are all."""


@dataclass(frozen=True, eq=False)
class DirectConv(PlanesConv):
    """Tap by tap."""

    narrow: bool
    """Whether the weights are int8 in flash and widened at run time."""

    @property
    def kernel(self) -> str:  # type: ignore[override]
        """Its C++ function."""
        return "convolve_widening" if self.narrow else "convolve"

    @property
    def biases(self) -> tuple[int, ...]:
        """Of the output channels, doubled, less what the input's zero point adds."""
        return tuple(2 * int(bias) for bias in folded_bias(self.fused.conv, _STORED_OFFSET))

    @property
    def weights(self) -> npt.NDArray[np.int16]:
        """(output channels, pairs of input channels, taps, 2), doubled."""
        doubled = 2 * _paired_weights(self.fused, self.source)
        return doubled.transpose(0, 1, 3, 2).astype(np.int16)

    @property
    def stored_weights(self) -> npt.NDArray[np.int16] | npt.NDArray[np.int8]:
        """The weights, or their undoubled bytes in the order in which SXTB16 takes them."""
        words = self.weights.reshape(self.output_channels, -1, 2)
        if not self.narrow:
            return words
        even = np.pad(words // 2, ((0, 0), (0, words.shape[1] % 2), (0, 0))).astype(np.int8)
        return even.reshape(len(words), -1, 2, 2).transpose(0, 1, 3, 2)

    @property
    def channel_bytes(self) -> int:
        """Flash for the integers of one output channel."""
        return 16

    @property
    def scratch_bytes(self) -> int:
        """RAM for the widened weights of one output channel."""
        return 2 * self.stored_weights[0].size if self.narrow else 0

    @property
    def unroll(self) -> int:
        """Planes that are computed between two branches."""
        pairs = _SPARING_UNROLL if self.narrow or self.source.lanes == QUADS else _TAP_UNROLL
        return _divisor(self.source.count, pairs * PAIRS // self.source.lanes)

    @property
    def halves(self) -> str:
        """The C++ name of the way in which halves of negative sums are rounded."""
        shifted = {rescale.shift != 0 for rescale in self.rescales}
        if self.negative_sums_end_at_zero or shifted == {False}:
            return "kUp"
        return "kAwayFromZero" if shifted == {True} else "kByChannel"

    @property
    def pair_instructions(self) -> int:
        """Of one pair of channels and four positions: loads, SMLADs, and what widens bytes before."""
        widening = 3 + self.taps if self.source.lanes == QUADS else 0
        return {3: 15, 5: 24}[self.taps] + widening

    @property
    def functions(self) -> dict[tuple[object, ...], int]:
        """One for itself, of its shape."""
        unrolled = self.unroll * self.source.lanes // PAIRS
        return {("convolve", self.name): 200 + 4 * unrolled * self.pair_instructions}

    def instructions(self, left: int, right: int) -> float:
        """For the first `left` blocks and all from number `right` on."""
        outputs = BLOCK // self.fused.pool
        block = 6 + self.source.pairs * self.pair_instructions + {1: 0, 2: 6, 4: 9}[self.fused.pool]
        if self.unroll != self.source.count:
            block += 1 + 3 * (self.source.count // self.unroll)
        table = 1 if self.fused.table is not None else 0
        rounding = {"kUp": 0, "kAwayFromZero": 1, "kByChannel": 2}[self.halves]
        block += 2 + table + (rounding == 2) + outputs * (4 + table + rounding) + 4
        widening = 2.5 * self.stored_weights[0].size if self.narrow else 0
        blocks = left + self.blocks - right
        return self.output_channels * (blocks * block + 44 + (14 if left else 0) + widening)


@dataclass(frozen=True, eq=False)
class ToomCookConv(PlanesConv):
    """By minimal filtering: four positions at a time, as products at the points of a polynomial."""

    kernel: ClassVar[str] = "convolve_tiles"
    together: ClassVar[int] = COUPLE

    @property
    def filter(self) -> MinimalFilter:
        """The matrices of its length."""
        return FILTERS[self.taps]

    @property
    def stored_weights(self) -> npt.NDArray[np.int16]:
        """(pairs of output channels, points, pairs of input channels, 2 output channels, 2), transformed."""
        points = _transformed(self.fused, self.source)
        pairs = np.pad(points, ((0, len(points) % 2), (0, 0), (0, 0), (0, 0)))
        return pairs.reshape(-1, 2, *points.shape[1:]).transpose(0, 4, 2, 1, 3).astype(np.int16)

    @property
    def biases(self) -> npt.NDArray[np.int64]:
        """(output channels, positions of a tile): 8 times what is added to a sum over what is stored."""
        low_lanes = _paired_weights(self.fused, self.source)[:, :, 0].sum(axis=1)
        raised = self.filter.raised * self.filter.raised_outputs(low_lanes)
        folded = folded_bias(self.fused.conv, _STORED_OFFSET)[:, np.newaxis]
        biases: npt.NDArray[np.int64] = (folded - raised) << _TILE_SHIFT
        return biases

    @property
    def channel_bytes(self) -> int:
        """Flash for the integers of one output channel."""
        return 32

    @property
    def scratch_bytes(self) -> int:
        """RAM for what a strip's inputs are transformed to, and for the products of two output channels."""
        return self.span + self.filter.points * _STRIP * 2 * WORD_BYTES

    @property
    def span(self) -> int:
        """Bytes of what a strip's inputs are transformed to."""
        return self.filter.points * _STRIP * self.source.pairs * WORD_BYTES

    @property
    def unroll(self) -> int:
        """Pairs of input channels that are computed between two branches: those of whole planes."""
        limit = _SPARING_UNROLL if self.source.lanes == QUADS else _POINT_UNROLL
        pairs = self.source.lanes // PAIRS
        return pairs * _divisor(self.source.count, limit // pairs)

    @property
    def rounds(self) -> int:
        """How often so many are all pairs."""
        return self.source.pairs // self.unroll

    @property
    def away(self) -> bool:
        """Whether halves of negative sums are rounded away from zero."""
        return not self.negative_sums_end_at_zero

    @property
    def tiles(self) -> int:
        """Tiles of one output channel, in whole couples."""
        return COUPLE * couple_count(self.fused.conv.output.positions)

    @property
    def functions(self) -> dict[tuple[object, ...], int]:
        """Those of `toom_cook.h`, which are shared with layers of the same length, unrolling and output."""
        points, fused, lanes = self.filter.points, self.fused, self.source.lanes
        table, outputs = fused.table is not None, BLOCK * COUPLE // fused.pool
        transform = {6: 160, 8: 230}[points]
        if lanes == QUADS:
            transform = 2 * (transform + 4 * points) - 60
        finish = {6: 160, 8: 220}[points] + outputs * (14 + 4 * table + 8 * self.away)
        return {
            ("transform_tile", points, self.unroll, lanes): transform,
            **self._multiply(44),
            ("finish_channel", points, fused.pool, table, self.away, lanes): finish,
            ("convolve_tiles", lanes): 396,
        }

    @property
    def lone_couple_functions(self) -> dict[tuple[object, ...], int]:
        """What is compiled beside them for half a strip."""
        return self._multiply(24)

    def _multiply(self, pair: int) -> dict[tuple[object, ...], int]:
        around = 86 if self.rounds > 1 else 46
        return {("multiply_strip", pair, self.filter.points, self.unroll, self.rounds > 1): pair * self.unroll + around}

    def lone_couple(self, left: int, right: int) -> bool:
        """Whether half a strip is left over of the first `left` blocks and all from number `right` on."""
        return (self.tiles - (right - left)) % _STRIP != 0

    def instructions(self, left: int, right: int) -> float:
        """For the first `left` blocks and all from number `right` on."""
        tiles = self.tiles - (right - left)
        strips, couples, lone = tiles // _STRIP, tiles // COUPLE, int(self.lone_couple(left, right))
        points, pairs = self.filter.points, -(-self.output_channels // 2)
        transform = self.source.count * 3 + self.source.pairs * {6: 21, 8: 37}[points] + self.rounds * 22
        if self.source.lanes == QUADS:
            transform += self.source.pairs * points
        point = 10 + 4 * self.rounds if self.rounds > 1 else 5
        multiply = strips * (points * (11 * self.source.pairs + point) + 12)
        multiply += lone * (points * (6 * self.source.pairs + point + 1) + 12)
        outputs = COUPLE * BLOCK // self.fused.pool
        table = 1 if self.fused.table is not None else 0
        finish = {6: 43, 8: 57}[points] + {1: 0, 2: 12, 4: 18}[self.fused.pool]
        finish += outputs * (4 + table + (2 if self.away else 0)) + (2 if self.away else 0)
        calls = (strips + lone) * (pairs * 36 + 50) + 60
        return tiles * transform + pairs * (multiply + 2 * couples * finish) + calls


def fast_taps(taps: int) -> int:
    """The shortest fast kernel that holds so many taps; 0 if there is none."""
    return next((fast for fast in TAPS if taps <= fast), 0)


def plane_words(fused: FusedConv) -> int:
    """Words of a plane that a convolution reads, those around its input included."""
    return room(fused.conv.output.positions) + fast_taps(fused.conv.taps) - 1


def why_plain(fused: FusedConv) -> str | None:
    """Why a convolution can't run over planes; None if it can."""
    conv, taps = fused.conv, fast_taps(fused.conv.taps)
    if not taps:
        return f"{conv.taps} taps, the fast kernels reach to {TAPS[-1]}"
    if conv.stride != 1:
        return f"stride {conv.stride}, the fast kernels know 1"
    stride = max(plane_words(fused), conv.pad_left + room(conv.input.positions))
    if stride * WORD_BYTES > _POST_INDEX_MAX:
        return f"planes of {stride} positions, the fast kernels reach to {_POST_INDEX_MAX // WORD_BYTES}"
    return None if _rescales(fused) is not None else "sums or multipliers that leave 32 bits when doubled"


def why_tap_by_tap(conv: ToomCookConv) -> str | None:
    """Why a convolution over planes can't run by minimal filtering; None if it can."""
    if any(rescale.shift == 0 for rescale in conv.rescales) and conv.away:
        return "a channel is not shifted"
    if not fits_int16(_transformed(conv.fused, conv.source)):
        return "its weights leave 16 bits when transformed"
    scaled = 1 << _TILE_SHIFT - 1
    if any(scaled * (rescale.product + abs(rescale.half) + 2) > INT32_MAX for rescale in conv.rescales):
        return "products that leave 32 bits at a scale of 8"
    largest = int(reach(conv.fused.conv).max())
    return "sums that leave 32 bits at a scale of 8" if largest << _TILE_SHIFT > INT32_MAX else None


def _divisor(number: int, limit: int) -> int:
    """The largest divisor up to `limit`."""
    return next(count for count in range(min(number, limit), 0, -1) if number % count == 0)


def _paired_weights(fused: FusedConv, source: Planes) -> npt.NDArray[np.int64]:
    """(output channels, pairs of input channels that meet in one SMLAD, 2, taps); zeros fill up what is missing."""
    outputs, taps, inputs = fused.conv.weights.shape
    weights = np.zeros((outputs, source.count * source.lanes, fast_taps(taps)), np.int64)
    weights[:, :inputs, :taps] = fused.conv.weights.transpose(0, 2, 1)
    # Of four lanes the first and third are a pair, then the second and fourth.
    lanes = weights.reshape(outputs, source.count, 2, source.lanes // 2, -1)
    return lanes.swapaxes(2, 3).reshape(outputs, source.pairs, 2, -1)


def _transformed(fused: FusedConv, source: Planes) -> npt.NDArray[np.int64]:
    """Weights at the points: (output channels, pairs of input channels, 2, points)."""
    paired = _paired_weights(fused, source)
    transformed: npt.NDArray[np.int64] = paired @ FILTERS[paired.shape[3]].weights.T
    return transformed


def _rescales(fused: FusedConv) -> tuple[Rescale, ...] | None:
    """The integers of a convolution over planes, or None if they would leave 32 bits."""
    conv = fused.conv
    # Partial sums multiply what is stored, which reaches to 255.
    partial = np.abs(folded_bias(conv, _STORED_OFFSET)) + (INT8_MAX - INT8_MIN) * magnitudes(conv)
    if 2 * int(partial.max()) > INT32_MAX or any(multiplier.shift > 0 for multiplier in conv.multipliers):
        return None
    rescales = [
        rescale(multiplier, int(largest), conv.output.zero_point + _STORED_OFFSET)
        for multiplier, largest in zip(conv.multipliers, reach(fused.conv), strict=True)
    ]
    usable = tuple(rescale for rescale in rescales if rescale is not None)
    return usable if len(usable) == len(rescales) else None


def rescale(multiplier: Multiplier, largest: int, zero_point: int) -> Rescale | None:
    """One channel's integers, given the largest magnitude of its sum."""
    shift, mantissa = -multiplier.shift, multiplier.mantissa
    product = (largest * mantissa + 2**30 >> 31) + 1
    if mantissa == 0 or (shift > 0 and product < 1 << (shift - 1)):
        mantissa, shift, product = 0, 1, 0  # the answer is the zero point whatever the input
    half = (1 << shift >> 1) + (zero_point << shift)
    return None if product + abs(half) + 1 > INT32_MAX else Rescale(mantissa, half, shift, product)
