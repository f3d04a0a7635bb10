"""What networks cost is counted as the converted model counts it; the front holds exactly what nobody beats."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.svm import SVC

from hardwear import networks
from hardwear.reproduction.published import PUBLISHED
from hardwear.studies import pareto, seeds
from hardwear.studies.cost import Cost, cost_of, cost_of_machine
from hardwear.studies.pareto import KINDS, OURS, Point, collect, front, points
from hardwear.studies.results import Study, open_results, read_document

ROOT = Path(__file__).parents[2]


def point(name: str, score: float, weight_bytes: int, macs: int | None = 1, measure: str = "macro-F1") -> Point:
    return Point(name, OURS, score, measure, None, weight_bytes, macs, "")


@pytest.mark.parametrize("name", ["compact", "nano"])
def test_costs_are_those_of_the_converted_model(name: str) -> None:
    stated = json.loads((ROOT / "models" / name / "manifest.json").read_text())["network"]
    cost = cost_of(networks.build(stated["name"]))
    assert (cost.weights, cost.macs) == (stated["weight_bytes"], stated["macs"])


def test_lstms_are_counted() -> None:
    network = networks.build("deepconvlstm")
    channels, maps, units = 6, 64, 128
    convolutions = 5 * maps + 3 * 5 * maps * maps
    lstm = 4 * units * (maps * channels + units) + 4 * units * 2 * units
    assert cost_of(network).weights == convolutions + lstm + 6 * units
    lengths = (124, 120, 116, 112)
    convolved = channels * (lengths[0] * 5 * maps + sum(lengths[1:]) * 5 * maps * maps)
    assert cost_of(network).macs == convolved + 112 * lstm + 6 * units


def test_a_machine_is_counted_by_the_numbers_that_it_keeps() -> None:
    labels = np.arange(60) % 6
    machine = SVC(kernel="rbf").fit(np.random.default_rng(0).normal(size=(60, 4)), labels)
    kept = machine.support_vectors_.size + machine.dual_coef_.size
    assert cost_of_machine(len(machine.support_vectors_), 4) == Cost(kept, kept)


def test_every_method_of_the_paper_is_held_against_ours() -> None:
    rerun = [p for p in points(ROOT / "docs", synthetic=False) if p.kind == pareto.RERUN]
    assert {p.name for p in rerun} == {method.name for method in PUBLISHED.values()}


def test_the_front_holds_what_nobody_beats() -> None:
    cheap, better, worse = point("cheap", 0.95, 7000), point("better", 0.97, 23000), point("worse", 0.96, 30000)
    told = point("told", 0.99, 100, measure="accuracy")
    assert front([worse, better, told, cheap], "weight_bytes") == [cheap, better]
    assert front([point("none", 0.99, 1, None), cheap], "macs") == [cheap]
    equal = point("equal", 0.95, 7000)
    assert len(front([cheap, equal], "weight_bytes")) == 1


def test_what_others_report_is_marked_and_cited() -> None:
    reported = [p for p in points(Path("nowhere"), synthetic=False) if p.kind == pareto.REPORTED]
    assert {"NNoM uci-inception", "Light-PTNet", "Table I + CE + center loss"} <= {p.name for p in reported}
    assert [p.name for p in reported if "](" not in p.source or not p.note] == []
    nnom = next(p for p in reported if p.name.startswith("NNoM"))
    assert nnom.score == pytest.approx(0.928, abs=0.001)
    assert points(Path("nowhere"), synthetic=True) == []


def row(seed: int, macro_f1: float) -> dict[str, Any]:
    recall = dict.fromkeys(("WALKING", "WALKING_UPSTAIRS", "WALKING_DOWNSTAIRS", "SITTING", "STANDING", "LAYING"), 0.9)
    metrics = {"macro_f1": macro_f1, "accuracy": macro_f1, "recall": recall}
    network = {"parameters": 23334, "weight_bytes": 23136, "activation_bytes": 4096, "macs": 889216}
    return {"seed": seed, "float": metrics, "int8": metrics, "gap_points": 0.0, "network": network}


def test_the_table_sets_ours_beside_others(tmp_path: Path) -> None:
    study = Study("seeds", "compact", False, {}, {"UCI-HAR": "12" * 32})
    open_results(tmp_path, study, "…", [0, 1], seeds.summarize).put_all({"seed0": row(0, 0.97), "seed1": row(1, 0.98)})
    collect(tmp_path, False, "hardwear study pareto")
    document = read_document(tmp_path / "results" / "pareto_all.json")
    assert document["summary"]["front_bytes"] == ["compact"]
    assert document["data"] == {"UCI-HAR": "12" * 32}
    page = pareto.section(tmp_path)
    assert "| **compact** | 0.9750 ± 0.0071 | 23,136 | 889,216 | bytes, MAC |" in page
    assert [kind for kind in (KINDS[0], KINDS[2]) if kind not in page] == []
    assert (tmp_path / "pictures" / "pareto.png").exists()
    before = (tmp_path / "pictures" / "pareto.png").read_bytes()
    assert pareto.section(tmp_path) == page
    assert (tmp_path / "pictures" / "pareto.png").read_bytes() == before


def test_a_front_without_ours_or_the_papers_says_what_to_call(tmp_path: Path) -> None:
    collect(tmp_path, False, "hardwear study pareto")
    page = pareto.section(tmp_path)
    assert "None of *ours* yet: `hardwear study seeds`." in page
    assert "None of *published method, run here* yet: `hardwear reproduce`." in page
    assert "None of *" not in (ROOT / "docs" / "board-model.md").read_text(encoding="utf-8")


def test_without_any_result_the_part_says_what_to_call(tmp_path: Path) -> None:
    assert "hardwear study pareto" in pareto.section(tmp_path)
    collect(tmp_path, True, "hardwear study pareto --synthetic")
    assert "hardwear study pareto" in pareto.section(tmp_path)
