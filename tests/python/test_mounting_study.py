"""The study of mountings: its page says what was measured, and what it does to recordings is what it says."""

import json

import numpy as np
import pytest
from scipy.spatial.transform import Rotation as Turn

from hardwear.datasets import Recording, Segment
from hardwear.marked_section import markers
from hardwear.studies.mounting import benefit_section, estimators, heading_section, wear, wearings
from hardwear.wearable.calibration import CalibrationState
from hardwear.wearable.direction_learning import Stretch
from native import ROOT

DOCUMENT = json.loads((ROOT / "docs" / "results" / "mounting.json").read_text())


@pytest.mark.parametrize(("name", "write"), [("heading", heading_section), ("benefit", benefit_section)])
def test_the_page_says_what_was_measured(name, write):
    begin, end = markers(name)
    page = (ROOT / "docs" / "mounting.md").read_text(encoding="utf-8")
    assert page.split(begin)[1].split(end)[0] == write(DOCUMENT) + "\n"


def test_the_figures_are_of_the_shipped_model():
    manifest = json.loads((ROOT / "models" / "compact" / "manifest.json").read_text())
    assert DOCUMENT["model_sha256"] in json.dumps(manifest)


def recording(experiment: int, user: int, *activities: int) -> Recording:
    still = np.zeros((10 * len(activities), 3))
    segments = tuple(Segment(a, 10 * k, 10 * k + 10) for k, a in enumerate(activities))
    return Recording(experiment, user, still, still, segments)


def test_a_recording_without_standing_belongs_to_the_one_before_it():
    first, second, third = recording(1, 1, 5, 1), recording(2, 2, 5), recording(3, 2, 1)
    assert [[r.experiment for r in w] for w in wearings([first, second, third])] == [[1], [2, 3]]


def test_every_estimator_is_exact_on_people_who_walk_alike_and_blind_to_nobody():
    drawn = np.random.default_rng(0)
    alike = drawn.standard_normal(36) + 1j * drawn.standard_normal(36)
    axes = np.array([0.6 + 0.2j, -0.3 + 0.5j])
    found = [Stretch(user, user, alike, axes) for user in range(6)]
    for way in estimators(found):
        assert len(way.degrees) == 6
        assert np.abs(way.degrees).max() < 1e-6
        assert way.to_json()["wrong_way_round"] == 0


@pytest.mark.data
def test_what_is_found_makes_every_mounting_alike(hapt):
    """The calibrated samples of one recording are the same however the board hung, to rounding."""
    boards = [np.eye(3), *Turn.random(3, rng=np.random.default_rng(1)).as_matrix()]
    worn = [wear((hapt[4],), board, None) for board in boards]
    assert all(w.calibration.state == CalibrationState.DONE for w in worn)
    body = [w.calibration.result.rotation.matrix() @ board for w, board in zip(worn, boards, strict=True)]
    for matrix in body[1:]:
        assert np.degrees(Turn.from_matrix(matrix @ body[0].T).magnitude()) < 0.1


@pytest.mark.data
@pytest.mark.parametrize("rest_g", [0.9, 1.1])
def test_what_a_sensor_reads_at_rest_is_made_good(hapt, rest_g):
    worn = wear((hapt[4],), np.eye(3), rest_g)
    assert worn.calibration.result.acc_gain_q14 / 2**14 == pytest.approx(8454 / 8192 / rest_g, abs=1e-3)
