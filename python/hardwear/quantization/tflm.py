"""The golden model: TFLite-Micro's own interpreter, whose int8 answers every engine must repeat bit for bit.

The desktop's TFLite is no substitute: its reference kernels round once where TFLite-Micro rounds twice, and XNNPACK
differs by up to three steps.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from tflite_micro import runtime

from hardwear.contract import CHANNEL_COUNT, CLASS_COUNT, WINDOW_SAMPLES
from hardwear.errors import ConversionError
from hardwear.progress import Progress, silent
from hardwear.quantization.captured_output import captured_output
from hardwear.quantization.tflite_file import TfliteSummary, summarize

_ARENA_HEADROOM = 1 << 20
_PROGRESS_EVERY = 64


class TflmModel:
    """An int8 model in TFLite-Micro's interpreter, loaded once and run on as many windows as one likes.

    Args:
        model: Bytes of a .tflite file as `convert.to_int8` writes it.

    Raises:
        ConversionError: Damaged or foreign file, or TFLite-Micro refuses it.
    """

    def __init__(self, model: bytes) -> None:
        self.summary: TfliteSummary = summarize(model)
        self.embedding_size: int = self.summary.outputs[1].shape[1]
        with captured_output() as said:
            try:
                interpreter: Any = runtime.Interpreter.from_bytes(model, arena_size=_ARENA_HEADROOM + 4 * len(model))
                interpreter.set_input(np.zeros((1, WINDOW_SAMPLES, CHANNEL_COUNT), np.int8), 0)
                interpreter.invoke()
                interpreter.print_allocations()
                failure = None
            except (RuntimeError, ValueError) as error:
                failure = error
        if failure is not None:
            raise ConversionError(f"TFLite-Micro refuses the model: {said.tail() or failure}") from failure
        found = re.search(r"Arena allocation total (\d+) bytes", said.text)
        if found is None:
            raise ConversionError(f"expected TFLite-Micro to report its arena, got {said.tail()!r}")
        self._interpreter = interpreter
        self.arena_bytes: int = int(found.group(1))
        """Arena in use on this machine; a little more than on the chip, whose pointers are half as long."""

    @property
    def ops(self) -> tuple[str, ...]:
        """Op names in the order of execution."""
        return self.summary.ops

    def run(
        self, windows: npt.NDArray[np.int8], progress: Progress = silent
    ) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
        """Run the model on one window after the other.

        Args:
            windows: (N, 128, 6) int8, quantised by the bundle's `InputQuantizer`.
            progress: Told about windows done.

        Returns:
            logits (N, 6) int8 and embedding (N, E) int8.

        Raises:
            ConversionError: Wrong shape or type.
        """
        if windows.dtype != np.int8 or windows.shape[1:] != (WINDOW_SAMPLES, CHANNEL_COUNT):
            raise ConversionError(
                f"expected int8 windows of shape (N, {WINDOW_SAMPLES}, {CHANNEL_COUNT}), "
                f"got {windows.dtype} {windows.shape}"
            )
        logits = np.empty((len(windows), CLASS_COUNT), np.int8)
        embedding = np.empty((len(windows), self.embedding_size), np.int8)
        for index in range(len(windows)):
            self._interpreter.set_input(np.ascontiguousarray(windows[index : index + 1]), 0)
            self._interpreter.invoke()
            logits[index] = self._interpreter.get_output(0)
            embedding[index] = self._interpreter.get_output(1)
            if (index + 1) % _PROGRESS_EVERY == 0 or index + 1 == len(windows):
                progress(index + 1, len(windows), "windows")
        return logits, embedding


def activations(model: bytes, windows: npt.NDArray[np.int8], tensors: Sequence[int]) -> list[npt.NDArray[np.int8]]:
    """What TFLite-Micro's interpreter computes on the way to its answer.

    Args:
        model: Bytes of a .tflite file that `TflmModel` takes.
        windows: (N, 128, 6) int8.
        tensors: Numbers of activations in the file.

    Returns:
        (N, values) int8 of each of them, sample-major.
    """
    arena = _ARENA_HEADROOM + 4 * len(model)
    keep = runtime.InterpreterConfig.kPreserveAllTensors
    interpreter: Any = runtime.Interpreter.from_bytes(model, arena_size=arena, intrepreter_config=keep)
    found: list[list[npt.NDArray[np.int8]]] = [[] for _ in tensors]
    for window in windows:
        interpreter.set_input(np.ascontiguousarray(window[np.newaxis]), 0)
        interpreter.invoke()
        for values, tensor in zip(found, tensors, strict=True):
            values.append(np.array(interpreter.GetTensor(tensor, 0)["tensor_data"], np.int8).ravel())
    return [np.stack(values) for values in found]
