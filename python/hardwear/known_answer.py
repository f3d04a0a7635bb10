"""The known-answer test: the firmware runs it at boot and refuses to predict if one bit differs.

It goes the whole way of the chip: raw counts, conditioning, first full window, input quantisation, model,
probabilities. The motion comes from the simulator, so that no recording of a person is in a bundle or a firmware.
"""

import base64
import zlib

import numpy as np
import numpy.typing as npt

from hardwear.conditioning.fixed_point import condition_counts
from hardwear.conditioning.spec import FilterSpec
from hardwear.confidence import IntegerSoftmax
from hardwear.contract import CLASSES, WINDOW_SAMPLES, to_counts
from hardwear.errors import BundleError
from hardwear.manifest import KnownAnswer, Manifest
from hardwear.quantization.quantizer import InputQuantizer
from hardwear.quantization.tflm import TflmModel

SAMPLES = WINDOW_SAMPLES + 1
"""One window, and the sample after it that the centred median waits for."""

_WALKING = 1


def simulated_counts() -> npt.NDArray[np.int16]:
    """Raw counts (129, 6) of a simulated walk."""
    from hardwear.datasets import simulate_recordings

    for recording in simulate_recordings(seed=0):
        for segment in recording.segments:
            if segment.activity == _WALKING and segment.stop - segment.start >= SAMPLES:
                return to_counts(recording.samples[segment.start : segment.start + SAMPLES])
    raise BundleError(f"expected a simulated walk of {SAMPLES} samples for the known-answer test, found none")


def answer(
    raw: npt.NDArray[np.int16],
    filter_spec: FilterSpec,
    quantizer: InputQuantizer,
    model: TflmModel,
    softmax: IntegerSoftmax,
) -> KnownAnswer:
    """What the chip must make of `raw`.

    Args:
        raw: (samples, 6) int16 raw counts, at least one window and one sample.
        filter_spec: The conditioning filters.
        quantizer: Counts to the model's input.
        model: The golden model.
        softmax: Its logits to probabilities.

    Returns:
        The recording and its answer.
    """
    window = condition_counts(raw, filter_spec)[:WINDOW_SAMPLES]
    logits, embedding = model.run(quantizer.quantize(window)[np.newaxis])
    return KnownAnswer(
        raw=base64.b64encode(raw.astype("<i2").tobytes()).decode("ascii"),
        samples=len(raw),
        window_crc32=zlib.crc32(window.astype("<i2").tobytes()),
        class_name=CLASSES[int(logits[0].argmax())],
        logits=tuple(logits[0].tolist()),
        embedding=tuple(embedding[0].tolist()),
        probabilities=tuple(softmax.probabilities(logits[0]).tolist()),
    )


def check(manifest: Manifest, model: TflmModel) -> None:
    """Ask this machine the question that the firmware asks itself at boot.

    Raises:
        BundleError: The answer differs from the manifest's.
    """
    known = manifest.known_answer
    actual = answer(known.counts(), manifest.filter, manifest.quantizer, model, manifest.softmax)
    for name in ("window_crc32", "logits", "embedding", "class_name", "probabilities"):
        expected, came = getattr(known, name), getattr(actual, name)
        if expected != came:
            raise BundleError(
                f"known_answer.{name}: expected {expected}, this machine computes {came}; the packages differ from "
                f"those that made the bundle ({manifest.versions}): install those, or convert the run again"
            )
