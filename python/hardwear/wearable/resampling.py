"""From the motion sensor's own rate to exactly 50 Hz, in integers: the kernel's design and the specification in NumPy.

A sensor's clock is several per cent off and is not the board's. The signal is read off at equal steps of `step / 2^24`
input samples, `step` following the measured rate, by a windowed sinc h that is anti-alias filter and interpolation at
once. It is tabulated in input samples, so that one table serves every rate from `MIN_RATE_HZ` to `MAX_RATE_HZ`: rows
`p = 0 … PHASES` hold `h(p / PHASES + TAPS / 2 - 1 - j)`, j = 0 … TAPS - 1, in 2^-15, and each sums to 2^15.

Output k lies at the input position of the sum of the k steps before it; 0 is the first sample. With `whole` and
`fraction` (24 bits) of a position, `p` the fraction's upper `PHASE_BITS` and `f` its other `BLEND_BITS` bits:

    d[p] = sum over j of row[p][j] * x[whole - TAPS / 2 + 1 + j]          the first sample stands for all before it
    y = (d[p] * (2^BLEND_BITS - f) + d[p + 1] * f + half) >> (15 + BLEND_BITS)    half = 1/2: halves round up

saturated to int16. Nothing else is rounded: the output takes place at the exact position. It can be told once
`x[whole + TAPS / 2]` is there. `firmware/core/resampler.h` is the same in C++.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.signal import firwin, kaiser_beta

from hardwear.contract import CHANNEL_COUNT, CHANNELS, INT16_MAX, INT16_MIN, SAMPLE_RATE_HZ
from hardwear.errors import DatasetError

PASS_HZ = 15.0
"""Up to here nothing may be lost, and nothing may come down to here."""
FOLD_HZ = SAMPLE_RATE_HZ - PASS_HZ
"""From here on up a frequency would come down below `PASS_HZ`."""
MIN_RATE_HZ, MAX_RATE_HZ = 90.0, 131.0
"""Sensor rates that the kernel is made for: 100 Hz - 10 % to 119 Hz + 10 %."""

TAPS = 44
PHASES = 32
ATTENUATION_DB = 70.0
"""What the Kaiser window is shaped for. The goal is 60; rounding to int16 leaves nothing to gain beyond some 76."""

TAP_BITS = 15
STEP_BITS = 24
PHASE_BITS = PHASES.bit_length() - 1
BLEND_BITS = STEP_BITS - PHASE_BITS
ONE = 1 << STEP_BITS
"""The distance of two input samples."""

MIN_STEP = round(MIN_RATE_HZ / SAMPLE_RATE_HZ * ONE)
MAX_STEP = round(MAX_RATE_HZ / SAMPLE_RATE_HZ * ONE)

Int16Array = npt.NDArray[np.int16]
Int64Array = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

_OUTPUTS_AT_ONCE = 4096


@dataclass(frozen=True)
class Kernel:
    """A tabulated kernel."""

    taps: Int64Array
    """(PHASES + 1, TAPS) in 2^-15, oldest sample first; the rows go from one input sample to the next."""

    @property
    def l1_norm(self) -> int:
        """Largest sum of magnitudes of a row, in 2^-15: below 2^16 the sums of products fit int32."""
        return int(np.abs(self.taps).sum(axis=1).max())

    def response(self, cycles: npt.ArrayLike) -> npt.NDArray[np.complex128]:
        """Gain of the kernel in continuous time, as the integers have it.

        The table with straight lines between its entries is a train of impulses through a triangle, which is exactly
        what the chip computes. A tone of f cycles a sample comes out at f with the gain at f, and at every f + m,
        m any whole number, with the gain there: those are the images.

        Args:
            cycles: (N,) frequencies in cycles per input sample, of any size.

        Returns:
            (N,) complex gains; 1 is unchanged.
        """
        nu = np.asarray(cycles, dtype=np.float64)
        impulses = np.concatenate([self.taps[:-1, ::-1].T.ravel(), [0]]).astype(np.float64)
        # Entry i stands i / PHASES - TAPS / 2 from the middle.
        at = np.arange(len(impulses)) / PHASES - TAPS / 2
        sums = np.array([np.sum(impulses * np.exp(-2j * np.pi * each * at)) for each in nu])
        return np.asarray(sums / (PHASES << TAP_BITS) * np.sinc(nu / PHASES) ** 2)


@cache
def design_kernel() -> Kernel:
    """The shipped kernel: a Kaiser-windowed sinc between pass and stop edge of the worst rates, rounded row by row.

    At the lowest rate `PASS_HZ` is the most cycles a sample, at the highest `FOLD_HZ` the fewest.
    """
    cutoff = (PASS_HZ / MIN_RATE_HZ + FOLD_HZ / MAX_RATE_HZ) / 2
    window = ("kaiser", kaiser_beta(ATTENUATION_DB))
    prototype = firwin(TAPS * PHASES + 1, 2 * cutoff / PHASES, window=window, scale=False)
    # At the ends the window is not quite zero; there a sample enters and leaves, which must not show.
    prototype[[0, -1]] = 0.0
    # Entry i stands i / PHASES - TAPS / 2 from the middle.
    entries = np.arange(PHASES + 1)[:, None] + PHASES * (TAPS - 1 - np.arange(TAPS))[None, :]
    exact = prototype[entries]
    taps = np.array([_rounded(row / row.sum()) for row in exact[: PHASES // 2 + 1]])
    # The kernel is even. The last row is the first one, a sample later: the table has no seam.
    mirrored = taps[1 : PHASES // 2][::-1, ::-1]
    seam = np.concatenate([[0], taps[0, :-1]])[None]
    return Kernel(np.concatenate([taps, mirrored, seam]))


def _rounded(row: FloatArray) -> Int64Array:
    """Weights of sum 1 to multiples of 2^-15 of sum 1: those round up whose remainder is largest."""
    scaled = row * (1 << TAP_BITS)
    down = np.floor(scaled).astype(np.int64)
    missing = (1 << TAP_BITS) - int(down.sum())
    # Mirror images differ in the last bits of a float, which must not decide.
    by_remainder = np.argsort(-np.round(scaled - down, 9), kind="stable")
    down[by_remainder[:missing]] += 1
    return down


KERNEL = design_kernel()
"""What `firmware/core/resampler_kernel.h` holds."""


def step_of_rate(hertz: float) -> int:
    """Input samples per output sample at a sensor's rate, in 2^-24."""
    return round(hertz / SAMPLE_RATE_HZ * ONE)


class StreamResampler:
    """The resampler as a stream: however the samples are cut into chunks, the outputs are the same.

    Args:
        step: Input samples per output sample in 2^-24, held to `MIN_STEP` … `MAX_STEP`.
    """

    def __init__(self, step: int) -> None:
        self.set_step(step)
        self.reset()

    def reset(self) -> None:
        """Forget all samples; the step stays."""
        self._history: Int64Array | None = None
        self._due = 0

    @property
    def step(self) -> int:
        """Input samples per output sample in 2^-24."""
        return self._step

    def set_step(self, step: int) -> None:
        """Change the distance between outputs, from the next output to the one after it on."""
        self._step = min(max(step, MIN_STEP), MAX_STEP)

    def push(self, counts: Int16Array) -> Int16Array:
        """Take the next samples, give every output that is now due.

        Args:
            counts: (n, 6) int16 at the sensor's rate; n may be 0.

        Returns:
            (m, 6) int16 at 50 Hz.

        Raises:
            DatasetError: Another dtype or shape.
        """
        if counts.dtype != np.int16 or counts.ndim != 2 or counts.shape[1] != CHANNEL_COUNT:
            raise DatasetError(
                f"expected int16 counts of shape (N, {CHANNEL_COUNT}) in the order "
                f"{', '.join(c.name for c in CHANNELS)}, got {counts.dtype} {counts.shape}; "
                "convert with contract.to_counts"
            )
        fresh = counts.astype(np.int64)
        if self._history is None:
            if len(fresh) == 0:
                return counts.copy()
            self._history = np.repeat(fresh[:1], TAPS, axis=0)
            self._due = TAPS // 2 * ONE
            fresh = fresh[1:]
        line = np.concatenate([self._history, fresh])
        # `due` counts from the sample in the middle of the history: TAPS / 2 samples before the newest.
        last = ((len(fresh) + 1) << STEP_BITS) - 1
        outputs = max(0, (last - self._due) // self._step + 1)
        positions = self._due + self._step * np.arange(outputs, dtype=np.int64)
        self._due += self._step * outputs - (len(fresh) << STEP_BITS)
        self._history = line[-TAPS:]
        parts = [_read(line, positions[at : at + _OUTPUTS_AT_ONCE]) for at in range(0, outputs, _OUTPUTS_AT_ONCE)]
        return np.concatenate([np.empty((0, CHANNEL_COUNT), np.int16), *parts])


def _read(line: Int64Array, positions: Int64Array) -> Int16Array:
    """The signal at positions that count from row TAPS / 2 - 1 of `line`."""
    whole, fraction = positions >> STEP_BITS, positions & (ONE - 1)
    phase, blend = fraction >> BLEND_BITS, (fraction & ((1 << BLEND_BITS) - 1))[:, None]
    around = line[whole[:, None] + np.arange(TAPS)]
    before, after = (np.einsum("ktc,kt->kc", around, KERNEL.taps[p]) for p in (phase, phase + 1))
    bits = TAP_BITS + BLEND_BITS
    sums = before * ((1 << BLEND_BITS) - blend) + after * blend
    return np.asarray(np.clip((sums + (1 << (bits - 1))) >> bits, INT16_MIN, INT16_MAX), dtype=np.int16)


def resample(counts: Int16Array, step: int) -> Int16Array:
    """A whole recording at a constant step.

    The last TAPS / 2 samples only serve those before them: repeat the last one as often to get an output for each.

    Args:
        counts: (N, 6) int16 at the sensor's rate.
        step: Input samples per output sample in 2^-24, held to `MIN_STEP` … `MAX_STEP`.

    Returns:
        (M, 6) int16 at 50 Hz, from the moment of the first sample on.

    Raises:
        DatasetError: Another dtype or shape.
    """
    return StreamResampler(step).push(counts)
