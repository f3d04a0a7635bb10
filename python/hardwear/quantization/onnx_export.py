"""A trained network as ONNX: one window in, logits and embedding out."""

import io
import warnings
from pathlib import Path
from typing import Any

import torch

from hardwear.contract import CHANNEL_COUNT, WINDOW_SAMPLES
from hardwear.errors import ConversionError

INPUT_NAME = "window"
LOGITS_NAME = "logits"
EMBEDDING_NAME = "embedding"
_OPSET = 17


def export_onnx(network: torch.nn.Module, path: Path) -> None:
    """Write `network` as ONNX with input `window` (1, 128, 6) and outputs `logits` (1, 6) and `embedding` (1, E).

    Batch norm that follows a convolution is folded into it, dropout vanishes: the network is written as it predicts.
    The same network gives the same bytes.

    Args:
        network: Maps normalised float32 windows (B, 128, 6) to (logits (B, 6), embedding (B, E)).
        path: File to write; its folder must exist.

    Raises:
        ConversionError: torch can't express one of the layers in ONNX.
    """
    was_training = network.training
    window = torch.zeros(1, WINDOW_SAMPLES, CHANNEL_COUNT)
    buffer: Any = io.BytesIO()  # torch's hints forget that it also writes to a stream
    try:
        network.eval()
        with warnings.catch_warnings():
            # The exporter that torch recommends instead needs onnxscript and writes another graph for every version.
            warnings.simplefilter("ignore", DeprecationWarning)
            torch.onnx.export(
                network,
                (window,),
                buffer,
                dynamo=False,
                input_names=[INPUT_NAME],
                output_names=[LOGITS_NAME, EMBEDDING_NAME],
                opset_version=_OPSET,
            )
    except (torch.onnx.errors.OnnxExporterError, RuntimeError, TypeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ConversionError(
            f"expected a network that torch can write as ONNX, but: {reason}. Build it from Conv1d, ReLU or "
            "LeakyReLU, MaxPool1d, AvgPool1d, Flatten and Linear"
        ) from error
    finally:
        network.train(was_training)
    path.write_bytes(buffer.getvalue())
