"""The page says what the results hold, what they bear, and what was not run."""

import re
from collections.abc import Callable
from pathlib import Path

import canned_reproduction as canned
import numpy as np
import pytest

from hardwear.contract import CLASSES, SYNTHETIC_HEADING
from hardwear.datasets import Dataset, simulate_dataset
from hardwear.errors import HardwearError
from hardwear.reproduction import embedding
from hardwear.reproduction import results as results_file
from hardwear.reproduction.execute import execute, missing
from hardwear.reproduction.page import Paths, write_page
from hardwear.reproduction.published import PUBLISHED
from hardwear.reproduction.results import Results, read
from hardwear.reproduction.summary import (
    Spread,
    compare,
    figure,
    nearest_shares,
    on_test,
    readings,
    rows_of,
    sweep,
    sweep_epochs,
)
from hardwear.reproduction.table import Row, choose, experiments
from hardwear.reproduction.words import points


def no_data() -> Dataset:
    raise AssertionError("the page is made from the results alone")


def store(out: Path, held: Results) -> Paths:
    paths = Paths(out)
    for record in held.runs.values():
        results_file.add(paths.results, held.data, record, out / "lock")
    return paths


def page_of(out: Path, held: Results) -> str:
    return write_page(store(out, held), out / "runs", no_data).read_text()


def by_acceleration(row: Row, seed: int) -> float:
    """Without gravity as the paper recognises classes, with it better; center loss helps by two points."""
    recall = 0.915 if row.experiment.settings.acceleration == "body_acc" else 0.97
    return recall + (0.02 if row.experiment.method == "center" else 0.0)


@pytest.fixture(scope="module")
def short() -> Results:
    return canned.results([row for row in choose() if row.epochs != 300], by_acceleration)


@pytest.fixture(scope="module")
def page(short: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("docs")
    page_of(out, short)
    return out / "reproduction.md"


def lines_of(page: Path, start: str) -> list[str]:
    return [line for line in page.read_text().splitlines() if line.startswith(start)]


def test_every_figure_of_the_paper_stands_beside_ours(page: Path, short: Results) -> None:
    for published in PUBLISHED.values():
        assert f"| **{published.name}**, the paper |  |  |  | {published.macro_f1:.3f} |" in page.read_text()
    (row,) = choose("center-body@20")
    ours = figure(on_test(short.of(row)), "macro_f1")
    difference = f"{100 * (ours.mean - 0.942):+.1f}".replace("-", "−")
    assert f"| ours | `body_acc` | 20 | 3 | {ours.mean:.3f} ± {ours.sd:.3f} ({difference}) |" in page.read_text()


def test_a_difference_that_rounds_to_nothing_has_no_minus() -> None:
    assert [points(x) for x in (-0.0004, 0.0004, -0.0006, 0.02)] == ["+0.0", "+0.0", "−0.1", "+2.0"]


def test_what_was_not_run_is_said_with_the_command_for_it(page: Path) -> None:
    assert "| ours | `body_acc` | 300 | 0 | not run yet: `hardwear reproduce --only ce-body@300` |" in page.read_text()


def test_a_part_that_lacks_runs_says_how_many_and_what_to_type(tmp_path: Path) -> None:
    text = page_of(tmp_path, canned.results(choose("svm-body")))
    assert "Not run yet, 30 runs: `hardwear reproduce --only sweep`." in text
    assert "Not run yet, 36 runs: `hardwear reproduce --only readings`." in text
    assert "Not measured yet: it needs the run folders" in text


def test_all_tables_are_well_formed(page: Path) -> None:
    blocks = re.findall(r"(?:^\|.*\n)+", page.read_text(), flags=re.MULTILINE)
    assert len(blocks) >= 7
    for block in blocks:
        columns = {line.count("|") for line in block.splitlines()}
        assert len(columns) == 1, block


def test_pictures_are_there_and_nothing_else(page: Path) -> None:
    named = set(re.findall(r"!\[[^]]+\]\(pictures/([^)]+)\)", page.read_text()))
    assert named == {path.name for path in (page.parent / "pictures").iterdir()}
    assert {"reproduction_confusion.png", "reproduction_curves.png", "reproduction_lambda_20.png"} < named


def test_a_page_made_again_is_the_same_to_the_byte(page: Path) -> None:
    before = {path.name: path.read_bytes() for path in (page, *(page.parent / "pictures").iterdir())}
    write_page(Paths(page.parent), page.parent / "runs", no_data)
    assert {path.name: path.read_bytes() for path in (page, *(page.parent / "pictures").iterdir())} == before


def test_figures_of_the_simulator_are_headed_so_and_kept_apart(tmp_path: Path) -> None:
    text = page_of(tmp_path, canned.results(choose("svm-body"), data=canned.SIMULATED))
    assert SYNTHETIC_HEADING in text
    with pytest.raises(HardwearError, match="name another folder with --out"):
        Paths(tmp_path).require_kind(synthetic=False)
    Paths(tmp_path).require_kind(synthetic=True)


def test_no_results_are_no_page(tmp_path: Path) -> None:
    with pytest.raises(HardwearError, match="run `hardwear reproduce` first"):
        write_page(Paths(tmp_path), tmp_path, no_data)


def test_the_nearest_reading_is_the_one_whose_recalls_are_nearest(short: Results, page: Path) -> None:
    complete = [reading for reading in readings(short) if reading.complete]
    assert [r.distance for r in complete] == sorted(r.distance for r in complete)
    assert complete[0].acceleration == "body_acc"
    by_hand = []
    for method, metrics in zip(("ce", "center"), complete[0].metrics, strict=True):
        published = PUBLISHED[method].recall_by_class
        assert published is not None
        by_hand += [np.mean([m.recall[name] for m in metrics]) - published[name] for name in CLASSES]
    assert complete[0].distance == pytest.approx(np.sqrt(np.mean(np.square(by_hand))))
    assert f"{100 * complete[0].distance:.1f} points away" in page.read_text()


def test_last_and_best_epoch_are_two_readings(short: Results) -> None:
    pairs = {(r.acceleration, r.split, r.lambda_2, r.kept) for r in readings(short) if r.complete}
    assert len(pairs) == 12
    assert {kept for *_, kept in pairs} == {"last", "best"}


def test_the_shares_of_readings_that_chance_makes_nearest_add_up(short: Results) -> None:
    complete = [reading for reading in readings(short) if reading.complete]
    shares = nearest_shares(complete)
    assert sum(shares) == pytest.approx(1.0)
    assert sum(s for s, r in zip(shares, complete, strict=True) if r.acceleration == "body_acc") == 1.0
    assert nearest_shares([]) == []


def test_the_sweep_compares_over_common_seeds() -> None:
    rows = {row.name: row for row in choose("sweep")}
    some = canned.results([rows["lambda-0@20"]], lambda row, seed: 0.90, seeds=range(4))
    others = canned.results([rows["lambda-0.03@20"]], lambda row, seed: 0.93, seeds=range(1, 6))
    held = Results(canned.REAL, {**some.runs, **others.runs})
    assert sweep_epochs(held) == [20]
    none, weighted = sweep(held, 20)
    assert (none.weight, none.against_none, none.corrected) == (0.0, None, None)
    assert weighted.against_none is not None
    assert weighted.against_none.pairs == 3
    assert weighted.corrected == weighted.against_none.t_test
    assert compare(some.of(rows["lambda-0@20"]), []) is None


def test_other_epochs_than_declared_are_shown_too(tmp_path: Path) -> None:
    held = canned.results(choose("ce-body,center-body,sweep", epochs=60), by_acceleration)
    (experiment,) = [e for e in experiments("main", "ce") if e.name == "ce-body"]
    assert [row.epochs for row in rows_of(experiment, held)] == [20, 60, 300]
    text = page_of(tmp_path, held)
    assert "| ours | `body_acc` | 60 | 3 |" in text
    assert "pictures/reproduction_lambda_60.png" in text


def test_center_loss_is_judged_by_its_test(tmp_path: Path) -> None:
    def helps(by: float) -> Callable[[Row, int], float]:
        return lambda row, seed: 0.9 + 0.005 * seed + (by if row.experiment.method == "center" else 0.0)

    rows = choose("ce-body@20,center-body@20")
    much = page_of(tmp_path / "much", canned.results(rows, helps(0.06), range(5)))
    little = page_of(tmp_path / "little", canned.results(rows, helps(0.0), range(5)))
    assert "): a difference at the level of 5 %" in much
    assert "no difference that can be told from chance" in little


def test_runs_that_had_not_learnt_their_training_windows_are_called_so(page: Path, tmp_path: Path) -> None:
    assert "**Too few epochs.** After 20 epochs on `body_acc`" in page.read_text()  # the canned curves end at 0.78
    held = canned.results(choose("ce-body@300,center-body@300"))
    for record in held.runs.values():
        record.curves["train_accuracy"][-1] = 0.99
    assert "Too few epochs" not in page_of(tmp_path, held)


def test_a_single_seed_has_no_spread() -> None:
    assert Spread.of([0.9]) == Spread(0.9, None)
    assert Spread.of([1.0, 3.0]) == Spread(2.0, pytest.approx(np.sqrt(2)))


def test_embeddings_are_measured_once_and_drawn_from_their_numbers(tmp_path: Path) -> None:
    whole = simulate_dataset()
    paths, runs = Paths(tmp_path), tmp_path / "runs"
    execute(whole, missing(choose("cnn-body", 1), None, seeds=[0]), paths.results, runs)
    held = read(paths.results)
    assert held is not None
    (run,) = held.runs.values()
    pair = [(Row(e, 1), run) for e in experiments("main", "cnn")]
    loads: list[int] = []

    def load() -> Dataset:
        loads.append(1)
        return whole

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedding, "pair", lambda held: tuple(pair))
        first = embedding.update(paths.embeddings, held, runs, load)
        again = embedding.update(paths.embeddings, held, runs, load)
        elsewhere = embedding.update(paths.embeddings, held, tmp_path / "no runs", load)
    assert first == again == elsewhere == embedding.read(paths.embeddings)
    assert len(loads) == 1
    assert len(first[0].labels) == len(first[0].pca) == len(first[0].tsne) == -(-len(whole.test) // 3)
    assert -1 <= first[0].silhouette <= 1
    assert 0 < first[0].variance <= 1


def test_the_pair_drawn_is_of_the_most_epochs_and_of_one_seed() -> None:
    rows = choose("ce-body,center-body")
    short = canned.results([r for r in rows if r.epochs == 20], seeds=[0, 1])
    long = canned.results([r for r in rows if r.name == "ce-body@300"], seeds=[0])
    more = canned.results([r for r in rows if r.name == "center-body@300"], seeds=[1])
    chosen = embedding.pair(Results(canned.REAL, {**short.runs, **long.runs, **more.runs}))
    assert chosen is not None
    assert [(row.name, record.seed) for row, record in chosen] == [("ce-body@20", 0), ("center-body@20", 0)]
    assert embedding.pair(long) is None
