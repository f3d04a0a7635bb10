"""What is promised of the models in the repository, on the test subjects, in the very arithmetic of the chip."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from hardwear.bundle import Bundle
from hardwear.evaluation import evaluate
from hardwear.studies.results import read_document, results_path
from hardwear.studies.seeds import GOALS, STUDY

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "models"


@dataclass(frozen=True)
class Promise:
    """The budget and the score that a shipped model is held to."""

    weight_bytes: int
    activation_bytes: int
    macs: int
    macro_f1: float


PROMISES = {
    "compact": Promise(32 * 1024, 16 * 1024, 1_500_000, macro_f1=0.955),
    "nano": Promise(8 * 1024, 16 * 1024, 1_500_000, macro_f1=0.950),
}


@pytest.fixture(scope="module", params=PROMISES)
def shipped(request) -> Bundle:
    return Bundle.load(MODELS / request.param)


def test_every_shipped_bundle_has_its_promise():
    assert {path.name for path in MODELS.iterdir()} == set(PROMISES)


def test_what_ships_is_the_first_of_five_seeds_whose_mean_reaches_the_goals(shipped):
    document = read_document(results_path(ROOT / "docs", STUDY, shipped.path.name))
    summary = document["summary"]
    assert len(summary["seeds"]) == 5
    assert shipped.manifest.hashes["model.tflite"] == document["rows"]["seed0"]["model_sha256"]
    missed = {goal.figure for goal in GOALS[shipped.path.name] if not goal.met(summary[goal.figure])}
    assert missed <= {"recall_SITTING"}, "the one goal that docs/board-model.md tells as missed"


def test_the_shipped_bundle_was_trained_on_people_and_fits_the_board(shipped):
    promise, network = PROMISES[shipped.path.name], shipped.manifest.network
    assert not shipped.manifest.synthetic
    assert network.name == shipped.path.name
    assert network.weight_bytes <= promise.weight_bytes
    assert network.activation_bytes <= promise.activation_bytes
    assert network.macs <= promise.macs


def test_this_machine_gives_the_shipped_bundles_known_answer(shipped):
    shipped.check_known_answer()


@pytest.mark.data
def test_the_manifests_int8_figures_are_what_tflite_micro_scores(shipped, uci_har):
    result = evaluate(shipped, uci_har)
    assert result.data_sha256 == shipped.manifest.hashes["data"]
    assert result.windows == shipped.manifest.metrics["windows"] == 2947
    assert result.metrics.macro_f1 == shipped.manifest.metrics["int8"]["macro_f1"]
    assert result.metrics.macro_f1 >= PROMISES[shipped.path.name].macro_f1
    assert result.metrics.recall == shipped.manifest.metrics["int8"]["recall"]


def test_int8_costs_at_most_a_third_of_a_point_of_macro_f1(shipped):
    lost = shipped.manifest.metrics["float"]["macro_f1"] - shipped.manifest.metrics["int8"]["macro_f1"]
    assert abs(lost) <= 0.003
