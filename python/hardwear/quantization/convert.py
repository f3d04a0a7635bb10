"""ONNX to a full-int8 .tflite: Keras Conv2D(1, k) layers through TFLiteConverter, calibrated on training windows.

Conv2D over a height of one, because Conv1D would add eleven RESHAPEs. Dense weights per tensor, because older
TFLite-Micro (the Arduino library's) miscomputes them per channel. TensorFlow is imported only once the ONNX file is
known to be convertible.
"""

import importlib
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx.reference import ReferenceEvaluator
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from hardwear.contract import CHANNEL_COUNT, WINDOW_SAMPLES
from hardwear.errors import ConversionError
from hardwear.quantization.captured_output import captured_output
from hardwear.quantization.layers import (
    Activation,
    AveragePool,
    Convolution,
    Dense,
    Flatten,
    GlobalAverage,
    Layer,
    LayerList,
    MaxPool,
    read_onnx,
)
from hardwear.quantization.onnx_export import EMBEDDING_NAME, INPUT_NAME, LOGITS_NAME
from hardwear.quantization.tflite_file import parse, summarize
from hardwear.tensorflow_log import keep_tensorflow_quiet


@dataclass(frozen=True)
class Calibration:
    """What the int8 input holds, what activation ranges are taken from; docs/conversion.md has the table behind it."""

    acc_limit: float = 3.0
    """Standard deviations from its mean at which acceleration saturates in int8, for a finer step to all others."""
    gyro_limit: float = 2.0
    """Likewise angular rate. On validation subjects these bring the int8 logits closest to the float ones."""
    windows: int = 512
    """At most so many windows, spread evenly; four times as many change less than the rounding does."""

    def __post_init__(self) -> None:
        """Refuse what leaves no range or no window."""
        if not (0.0 < self.acc_limit < math.inf and 0.0 < self.gyro_limit < math.inf) or self.windows < 1:
            raise ConversionError(
                "expected limits above 0 and at least one window to calibrate on, "
                f"got {self.acc_limit}, {self.gyro_limit} and {self.windows}"
            )


_VERIFIED_WINDOWS = 4
_FLOAT_TOLERANCE, _FLOAT_NOISE = 1e-4, 1e-6

FloatWindows = npt.NDArray[np.float32]


def to_int8(onnx_path: Path, windows: FloatWindows, calibration: Calibration = Calibration()) -> bytes:
    """Convert an ONNX model to a full-int8 .tflite file.

    Args:
        onnx_path: File written by `export_onnx`.
        windows: (N, 128, 6) normalised float32 windows to calibrate on; training windows, never test windows.
        calibration: How many of them, and `acc_limit`, either way, as the input's range: both sensors are to be
            normalised so that they may saturate there, see `with_one_range`.

    Returns:
        The .tflite file: int8 input (1, 128, 6); int8 outputs logits (1, 6) and embedding (1, E), in this order;
        convolutions per channel, dense layers per tensor. The same model and windows give the same bytes.

    Raises:
        ConversionError: A layer that the board can't run (named, before TensorFlow is loaded), windows of the wrong
            shape, Keras and ONNX disagree, or the converter leaves something that is not int8.
    """
    layers = read_onnx(onnx_path)
    samples = _samples(windows, calibration)
    with captured_output() as said:
        try:
            model, failure = _convert(layers, samples, onnx_path), None
        except ConversionError:
            raise
        except Exception as error:  # TensorFlow raises whatever its C++ side raised
            model, failure = b"", error
    if failure is not None:
        raise ConversionError(f"TensorFlow can't convert {onnx_path}: {failure}\n{said.tail()}") from failure
    summarize(model)
    return model


def _samples(windows: FloatWindows, calibration: Calibration) -> FloatWindows:
    """The windows that the converter sees, clipped to the input's range, which it takes from them."""
    if windows.ndim != 3 or windows.shape[1:] != (WINDOW_SAMPLES, CHANNEL_COUNT) or len(windows) == 0:
        raise ConversionError(
            f"expected calibration windows of shape (N, {WINDOW_SAMPLES}, {CHANNEL_COUNT}), got {windows.shape}"
        )
    if not np.isfinite(windows).all():
        raise ConversionError("expected finite calibration windows, got NaN or infinity")
    chosen = np.linspace(0, len(windows) - 1, min(len(windows), calibration.windows)).round().astype(np.int64)
    limit = calibration.acc_limit
    samples = np.clip(windows[chosen], -limit, limit).astype(np.float32)
    # Both ends must be among them, whichever windows were chosen.
    samples[0, 0, 0], samples[0, -1, 0] = -limit, limit
    return samples


def _tensorflow() -> Any:
    """TensorFlow, imported on first use (seconds) and told to keep quiet.

    By name, so that nothing that only reads bundles pays for it or needs it installed.
    """
    keep_tensorflow_quiet()
    return importlib.import_module("tensorflow")


def _convert(layers: LayerList, samples: FloatWindows, onnx_path: Path) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tensorflow = _tensorflow()
        keras_model = _keras_model(tensorflow, layers)
        _verify_float(keras_model, onnx_path, samples[:_VERIFIED_WINDOWS])
        converter = tensorflow.lite.TFLiteConverter.from_keras_model(keras_model)
        converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([window[np.newaxis]] for window in samples)
        converter.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tensorflow.int8
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True
        return _logits_first(converter.convert())


def _keras_model(tensorflow: Any, layers: LayerList) -> Any:
    tensorflow.keras.backend.clear_session()  # else the layers' names, and so the file, depend on what ran before
    keras = tensorflow.keras.layers
    window = tensorflow.keras.Input(batch_shape=(1, WINDOW_SAMPLES, CHANNEL_COUNT), name=INPUT_NAME)
    signal = keras.Reshape((1, WINDOW_SAMPLES, CHANNEL_COUNT), name="row")(window)
    embedding = None
    for index, layer in enumerate(layers.layers):
        keras_layer = _keras_layer(keras, layer, f"layer_{index:02d}")
        signal = keras_layer(signal)
        if isinstance(layer, Convolution):
            keras_layer.set_weights([layer.weights.transpose(2, 1, 0)[np.newaxis], layer.bias])
        elif isinstance(layer, Dense):
            keras_layer.set_weights([layer.weights.T, layer.bias])
        if index == layers.embedding:
            embedding = signal
    return tensorflow.keras.Model(window, {LOGITS_NAME: signal, EMBEDDING_NAME: embedding}, name="hardwear")


def _keras_layer(keras: Any, layer: Layer, name: str) -> Any:
    match layer:
        case Convolution():
            outputs, _, taps = layer.weights.shape
            padding = "same" if layer.same else "valid"
            return keras.Conv2D(outputs, (1, taps), (1, layer.stride), padding, name=name)
        case Activation(slope=0.0):
            return keras.ReLU(max_value=6.0 if layer.capped else None, name=name)
        case Activation():
            return keras.LeakyReLU(negative_slope=layer.slope, name=name)
        case MaxPool():
            return keras.MaxPooling2D((1, layer.size), name=name)
        case AveragePool():
            return keras.AveragePooling2D((1, layer.size), name=name)
        case GlobalAverage():
            return keras.GlobalAveragePooling2D(name=name)
        case Flatten():
            return keras.Flatten(name=name)
        case Dense():
            return keras.Dense(layer.weights.shape[0], name=name)


def _verify_float(keras_model: Any, onnx_path: Path, windows: FloatWindows) -> None:
    """The rebuilt network must say in float what the ONNX file says, by ONNX's own reference implementation."""
    reference = ReferenceEvaluator(onnx.load(str(onnx_path)))
    for window in windows:
        rebuilt = keras_model(window[np.newaxis])
        expected = reference.run([LOGITS_NAME, EMBEDDING_NAME], {INPUT_NAME: window[np.newaxis]})
        for name, values in zip((LOGITS_NAME, EMBEDDING_NAME), expected, strict=True):
            error = float(np.abs(np.asarray(rebuilt[name]) - values).max())
            if not error <= _FLOAT_TOLERANCE * float(np.abs(values).max()) + _FLOAT_NOISE:
                raise ConversionError(
                    f"{onnx_path}: expected the rebuilt network to repeat the ONNX file's {name} to a part in "
                    f"{1 / _FLOAT_TOLERANCE:.0f}, but it is off by {error}; please report this network"
                )


def _logits_first(model: bytes) -> bytes:
    """Put the outputs into the order logits, embedding, whatever order the converter chose.

    The signature in the file says which is which; two int32 indices are swapped in place, nothing is rewritten.
    """
    buffer = bytearray(model)
    signature = parse(model).signatureDefs[0]
    index = {output.name.decode(): int(output.tensorIndex) for output in signature.outputs}
    outputs = schema.Model.GetRootAsModel(buffer, 0).Subgraphs(0).OutputsAsNumpy()
    wanted = np.array([index[LOGITS_NAME], index[EMBEDDING_NAME]], np.int32)
    if sorted(outputs.tolist()) != sorted(wanted.tolist()):
        raise ConversionError(f"expected the outputs {wanted.tolist()} in the .tflite file, got {outputs.tolist()}")
    outputs[:] = wanted
    return bytes(buffer)
