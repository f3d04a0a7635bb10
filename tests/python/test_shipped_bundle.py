"""What is promised of the model in the repository, on the test subjects, in the very arithmetic of the chip."""

from pathlib import Path

import pytest

from hardwear.bundle import Bundle
from hardwear.evaluation import evaluate

SHIPPED = Path(__file__).parents[2] / "models" / "compact"


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return Bundle.load(SHIPPED)


def test_the_shipped_bundle_was_trained_on_people_and_fits_the_board(shipped):
    assert not shipped.manifest.synthetic
    assert shipped.manifest.network.weight_bytes <= 32 * 1024


def test_this_machine_gives_the_shipped_bundles_known_answer(shipped):
    shipped.check_known_answer()


@pytest.mark.data
def test_the_manifests_int8_figures_are_what_tflite_micro_scores(shipped, uci_har):
    result = evaluate(shipped, uci_har)
    assert result.data_sha256 == shipped.manifest.hashes["data"]
    assert result.windows == shipped.manifest.metrics["windows"] == 2947
    assert result.metrics.macro_f1 == shipped.manifest.metrics["int8"]["macro_f1"] >= 0.955
    assert result.metrics.recall == shipped.manifest.metrics["int8"]["recall"]


def test_int8_costs_less_than_a_third_of_a_point_of_macro_f1(shipped):
    lost = shipped.manifest.metrics["float"]["macro_f1"] - shipped.manifest.metrics["int8"]["macro_f1"]
    assert abs(lost) <= 0.003
