"""What a worn board tells, sample for sample and packet for packet: twin of `firmware/core/wearable.h`."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from hardwear.bundle import Bundle
from hardwear.conditioning.fixed_point import StreamConditioner
from hardwear.contract import CHANNEL_COUNT, CLASS_COUNT, HOP_SAMPLES, WINDOW_SAMPLES
from hardwear.quantization.tflm import TflmModel
from hardwear.wearable.orientation import Mounting, straighten
from hardwear.wearable.packets import Config, Flag, PredictionPacket
from hardwear.wearable.rate_meter import RateMeter
from hardwear.wearable.resampling import StreamResampler
from hardwear.wearable.smoothing import UNKNOWN_ACTIVITY, LabelSmoother

BLOCK_SAMPLES = 32
"""The most samples that are taken out of the sensor's FIFO at one go."""

STATUS_MS = 3000
"""After so long without a window a packet tells the board's state."""

Int16Array = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Block:
    """Samples as they came out of the sensor's FIFO at one go."""

    time_us: int
    """When the sensor was read, modulo 2^32."""
    counts: Int16Array
    """(n, 6) int16, n up to `BLOCK_SAMPLES`, the sensor's rate, the board's axes."""
    interrupted: bool
    """Samples are missing before the first."""
    drained: bool
    """The FIFO was empty after the last."""


def blocks(time_us: int, counts: Int16Array, interrupted: bool) -> list[Block]:
    """What one look into the FIFO makes of the samples that it finds.

    Args:
        time_us: When.
        counts: (n, 6) int16.
        interrupted: Samples are missing before the first.
    """
    parts = [counts[at : at + BLOCK_SAMPLES] for at in range(0, len(counts) + 1, BLOCK_SAMPLES)]
    return [
        Block(time_us, part, interrupted and index == 0, drained=len(part) < BLOCK_SAMPLES)
        for index, part in enumerate(parts)
    ]


@dataclass
class WornBoard:
    """FIFO, measured rate, resampler, mounting, conditioning, window, int8 model, smoothed label, packet.

    The model is TFLite-Micro's interpreter, everything else the NumPy specifications. Faults of the sensor other than
    lost samples, stillness and calibration are not told here.
    """

    bundle: Bundle
    nominal_millihertz: int
    mounting: Mounting = field(default_factory=Mounting)
    calibrated: bool = False
    config: Config = field(default_factory=Config)

    def __post_init__(self) -> None:
        self._meter = RateMeter(self.nominal_millihertz)
        self._resampler = StreamResampler(self._meter.step)
        self._conditioner = StreamConditioner(self.bundle.filter_spec)
        self._smoother = LabelSmoother(self.config.smoothing, self.config.threshold)
        self._model = TflmModel(self.bundle.tflite)
        self._conditioned = np.empty((0, CHANNEL_COUNT), np.int16)
        self._drained = 0
        self._sequence = 0
        self._lost = False
        self._last_told_ms = 0

    def take(self, found: Sequence[Block], now_ms: int) -> list[PredictionPacket]:
        """Take what one look into the FIFO found.

        Args:
            found: The blocks, in order.
            now_ms: The board's clock, which began at 0.

        Returns:
            A packet for each window that is due, and one without a window if there was none for long. The time that the
            model took, which only a board knows, is 0.
        """
        packets: list[PredictionPacket] = []
        for block in found:
            if block.interrupted:
                self._begin_anew()
            # The step only changes between blocks, so one may resample and condition a block at once.
            even = self._resampler.push(block.counts)
            conditioned = self._conditioner.push(straighten(self.mounting, even))
            self._conditioned = np.concatenate([self._conditioned, conditioned])
            while len(self._conditioned) >= WINDOW_SAMPLES:
                packets.append(self._predict(self._conditioned[:WINDOW_SAMPLES], now_ms))
                self._conditioned = self._conditioned[HOP_SAMPLES:]
            self._drained += len(block.counts)
            if block.drained:
                self._meter.add(block.time_us, self._drained)
                self._resampler.set_step(self._meter.step)
                self._drained = 0
        if now_ms - self._last_told_ms >= STATUS_MS:
            self._smoother.reset()
            packets.append(self._tell(UNKNOWN_ACTIVITY, (0,) * CLASS_COUNT, now_ms))
        return packets

    def _begin_anew(self) -> None:
        self._lost = True
        self._drained = 0
        self._meter.restart()
        self._resampler.reset()
        self._conditioner.reset()
        self._conditioned = self._conditioned[:0]

    def _predict(self, window: Int16Array, now_ms: int) -> PredictionPacket:
        logits, _ = self._model.run(self.bundle.quantizer.quantize(window[None]))
        probabilities = tuple(int(p) for p in self.bundle.softmax.probabilities(logits)[0])
        self._smoother.push(probabilities)
        return self._tell(int(logits[0].argmax()), probabilities, now_ms)

    def _tell(self, activity: int, probabilities: tuple[int, ...], now_ms: int) -> PredictionPacket:
        flags = Flag(0)
        if not self.calibrated:
            flags |= Flag.UNCALIBRATED
        if self._lost:
            flags |= Flag.SAMPLES_LOST
        packet = PredictionPacket(
            flags=flags,
            sequence=self._sequence,
            activity=activity,
            label=self._smoother.label,
            confidence=0 if activity == UNKNOWN_ACTIVITY else probabilities[activity],
            probabilities=probabilities,
            time_ms=now_ms,
            inference_us=0,
        )
        self._lost = False
        self._last_told_ms = now_ms
        self._sequence = (self._sequence + 1) & 0xFFFF
        return packet
