"""The float network of a bundle, run from its model.onnx."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from hardwear.manifest import ChannelStatistics

_BATCH = 256


class Conv(OpRun):
    """ONNX's 1D convolution by torch: its own reference takes a minute for the test windows."""

    op_domain = ""

    def _run(self, x: Any, weight: Any, bias: Any = None, **attributes: Any) -> tuple[Any]:  # type: ignore[override]
        left, right = attributes["pads"]
        padded = torch.nn.functional.pad(torch.from_numpy(x), (left, right))
        made = torch.nn.functional.conv1d(
            padded,
            torch.from_numpy(weight.copy()),
            None if bias is None else torch.from_numpy(bias.copy()),
            stride=attributes["strides"],
            dilation=attributes["dilations"],
            groups=attributes["group"],
        )
        return (made.numpy(),)


class MaxPool(OpRun):
    """Likewise."""

    op_domain = ""

    def _run(self, x: Any, **attributes: Any) -> tuple[Any]:  # type: ignore[override]
        assert not any(attributes["pads"] or [])
        pooled = torch.nn.functional.max_pool1d(torch.from_numpy(x), attributes["kernel_shape"], attributes["strides"])
        return (pooled.numpy(),)


def float_classes(
    model: Path, normalization: ChannelStatistics, windows: npt.NDArray[np.floating[Any]]
) -> npt.NDArray[np.int64]:
    """Classes that the float network names for (N, 128, 6) windows in g and rad/s: (N,)."""
    graph = onnx.load(model)
    evaluator = ReferenceEvaluator(graph, new_ops=[Conv, MaxPool])
    scaled = (windows - np.array(normalization.mean)) / np.array(normalization.std)
    logits = [
        evaluator.run(["logits"], {"window": batch.astype(np.float32)})[0]
        for batch in np.split(scaled, range(_BATCH, len(scaled), _BATCH))
    ]
    return np.asarray(np.concatenate(logits).argmax(axis=1), dtype=np.int64)
