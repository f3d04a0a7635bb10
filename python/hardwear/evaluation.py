"""How well a bundle does on labelled windows, computed exactly as the chip computes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hardwear.bundle import Bundle
from hardwear.contract import to_counts
from hardwear.datasets import Dataset
from hardwear.metrics import Metrics, classification_metrics
from hardwear.progress import Progress, silent
from hardwear.quantization.quantizer import InputQuantizer
from hardwear.quantization.tflm import TflmModel


@dataclass(frozen=True)
class Evaluation:
    """Test figures of one bundle, with the names of what was measured."""

    identity: str
    """SHA-256 of the bundle's manifest."""
    model_sha256: str
    """SHA-256 of model.tflite."""
    dataset: str
    data_sha256: str
    synthetic: bool
    """The windows, or what the model learnt from, are simulated."""
    windows: int
    metrics: Metrics

    def to_json(self) -> dict[str, Any]:
        """One flat object; fractions in [0, 1], confusion rows are true classes in the contract's order."""
        return {
            "identity": self.identity,
            "model_sha256": self.model_sha256,
            "dataset": self.dataset,
            "data_sha256": self.data_sha256,
            "synthetic": self.synthetic,
            "windows": self.windows,
            **self.metrics.to_json(),
        }


def int8_logits(
    model: TflmModel, quantizer: InputQuantizer, windows: npt.NDArray[np.float32], progress: Progress = silent
) -> npt.NDArray[np.int8]:
    """Logits that the chip would compute: counts, input quantisation, int8 model.

    Args:
        model: The golden interpreter.
        quantizer: Counts to the model's input.
        windows: (N, 128, 6) float32 conditioned windows in the contract's units.
        progress: Told about windows done.

    Returns:
        (N, 6) int8.
    """
    return model.run(quantizer.quantize(to_counts(windows)), progress)[0]


def int8_classes(
    model: TflmModel, quantizer: InputQuantizer, windows: npt.NDArray[np.float32], progress: Progress = silent
) -> npt.NDArray[np.int64]:
    """Classes that the chip would name: counts, input quantisation, int8 model, largest logit (the first, if equal).

    Args:
        model: The golden interpreter.
        quantizer: Counts to the model's input.
        windows: (N, 128, 6) float32 conditioned windows in the contract's units.
        progress: Told about windows done.

    Returns:
        (N,) class indices.
    """
    return np.asarray(int8_logits(model, quantizer, windows, progress).argmax(axis=1), dtype=np.int64)


def evaluate(bundle: Bundle, dataset: Dataset, progress: Progress = silent) -> Evaluation:
    """Score a bundle on a data set's test windows by TFLite-Micro's interpreter.

    Args:
        bundle: A loaded bundle.
        dataset: Its test windows are classified.
        progress: Told about windows done.

    Returns:
        The figures.
    """
    predictions = int8_classes(TflmModel(bundle.tflite), bundle.quantizer, dataset.test.windows, progress)
    return Evaluation(
        identity=bundle.identity,
        model_sha256=bundle.manifest.hashes["model.tflite"],
        dataset=dataset.name,
        data_sha256=dataset.sha256,
        synthetic=dataset.synthetic or bundle.manifest.synthetic,
        windows=len(predictions),
        metrics=classification_metrics(dataset.test.labels, predictions),
    )
