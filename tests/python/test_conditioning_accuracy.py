"""Networks trained on the published float windows hold their accuracy behind the fixed-point chain."""

from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from float_network import float_classes

from hardwear.bundle import ONNX_FILE, Bundle
from hardwear.conditioning import fixed_point
from hardwear.conditioning.rebuild import rebuild_windows
from hardwear.datasets import Dataset, Recording, window_origins
from hardwear.evaluation import int8_classes
from hardwear.metrics import classification_metrics
from hardwear.quantization.tflm import TflmModel

SHIPPED = Path(__file__).parents[2] / "models" / "compact"
TENTH_OF_A_POINT = 0.001

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return Bundle.load(SHIPPED)


@pytest.fixture(scope="module")
def fixed_windows(shipped: Bundle, uci_har: Dataset, hapt: tuple[Recording, ...]) -> npt.NDArray[np.float32]:
    """The test windows as the chip conditions them, from HAPT's raw samples in counts."""
    chain = partial(fixed_point.condition, spec=shipped.filter_spec)
    return rebuild_windows(hapt, window_origins(uci_har, hapt).test, chain).astype(np.float32)


def test_a_float_trained_network_loses_at_most_a_tenth_of_a_point(
    shipped: Bundle, uci_har: Dataset, fixed_windows: npt.NDArray[np.float32]
) -> None:
    published, fixed = (
        classification_metrics(
            uci_har.test.labels,
            float_classes(SHIPPED / ONNX_FILE, shipped.manifest.normalization, windows),
        ).macro_f1
        for windows in (uci_har.test.windows, fixed_windows)
    )
    assert published > 0.9, "the network must be worth measuring"
    assert published - fixed <= TENTH_OF_A_POINT


def test_so_does_its_int8_model(shipped: Bundle, uci_har: Dataset, fixed_windows: npt.NDArray[np.float32]) -> None:
    model = TflmModel(shipped.tflite)
    published, fixed = (
        classification_metrics(uci_har.test.labels, int8_classes(model, shipped.quantizer, windows)).macro_f1
        for windows in (uci_har.test.windows, fixed_windows)
    )
    assert published - fixed <= TENTH_OF_A_POINT
