"""A bundle is whole, vouched for by one hash, or refused with what to do; and its figures are the chip's own."""

import base64
import hashlib
import json
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hardwear import contract, known_answer, networks
from hardwear.bundle import Bundle
from hardwear.conditioning import condition_counts
from hardwear.conditioning.design import FILTER_SPEC
from hardwear.contract import CLASSES, to_counts
from hardwear.datasets import Dataset, WindowSet, simulate_dataset
from hardwear.errors import BundleError, ConversionError
from hardwear.evaluation import evaluate
from hardwear.manifest import FORMAT, Manifest
from hardwear.networks import inference_form
from hardwear.quantization import convert
from hardwear.quantization.quantizer import InputQuantizer
from hardwear.quantization.tflm import TflmModel
from hardwear.training import Normalization, Run, TrainingSettings
from hardwear.training.run import DataIdentity, RunResults, Scores


def first(windows: WindowSet, count: int) -> WindowSet:
    return windows.select(np.linspace(0, len(windows) - 1, count).astype(np.int64))


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    simulated = simulate_dataset()
    return replace(simulated, train=first(simulated.train, 300), test=first(simulated.test, 120))


@pytest.fixture(scope="module")
def run(dataset) -> Run:
    """A compact network that has seen the data but learnt nothing: bundles do not ask how good a network is."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network, normalization = networks.build("compact"), Normalization.of(dataset.train.windows)
    network.train()
    with torch.no_grad():
        network(torch.from_numpy(normalization.apply(dataset.train.windows)))
    data = DataIdentity(dataset.name, dataset.sha256)
    results = RunResults(Scores(1, None, None), best=None, kept="last", weights_sha256="", seconds=0.0)
    return Run(inference_form(network), normalization, TrainingSettings(), results, data, Path("runs/test"))


@pytest.fixture(scope="module")
def created(run, dataset, tmp_path_factory) -> Bundle:
    return Bundle.create(run, dataset, tmp_path_factory.mktemp("bundles") / "made" / "bundle")


def test_a_run_on_acceleration_without_gravity_is_refused(run, dataset, tmp_path) -> None:
    """The board measures gravity; converted, the network would see what it never learnt."""
    without = replace(run, settings=replace(run.settings, acceleration="body_acc"))
    with pytest.raises(BundleError, match="expected a run on total_acc"):
        Bundle.create(without, dataset, tmp_path / "bundle")


@pytest.fixture
def copy(created, tmp_path) -> Path:
    """A copy of the bundle, to damage."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    for file in created.path.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def rewrite(folder: Path, change) -> None:
    """Change the manifest's JSON and write it as it would have been written."""
    document = json.loads((folder / "manifest.json").read_text())
    change(document)
    (folder / "manifest.json").write_text(json.dumps(document, sort_keys=True, indent=1) + "\n")


# -- creating -------------------------------------------------------------------------------------------------------


def test_a_bundle_is_three_files_and_the_hash_of_one(created):
    assert {file.name for file in created.path.iterdir()} == {"model.tflite", "model.onnx", "manifest.json"}
    content = (created.path / "manifest.json").read_bytes()
    assert created.identity == hashlib.sha256(content).hexdigest()
    for name in ("model.tflite", "model.onnx"):
        assert created.manifest.hashes[name] == hashlib.sha256((created.path / name).read_bytes()).hexdigest()


def test_what_is_loaded_is_what_was_created(created):
    assert Bundle.load(created.path) == created


def test_the_same_run_gives_the_same_bytes(created, run, dataset, tmp_path):
    again = Bundle.create(run, dataset, tmp_path / "again")
    assert again.identity == created.identity
    for file in created.path.iterdir():
        assert (again.path / file.name).read_bytes() == file.read_bytes()


def test_the_manifest_tells_what_the_run_was(created, run, dataset):
    manifest = created.manifest
    assert (manifest.format, manifest.name, manifest.synthetic) == (FORMAT, "compact-synthetic", True)
    assert manifest.normalization.mean == run.normalization.mean
    assert manifest.normalization.std[:3] == run.normalization.std[:3]
    assert manifest.normalization.std[3:] == pytest.approx([std * 2.0 / 3.0 for std in run.normalization.std[3:]])
    assert manifest.filter == FILTER_SPEC
    assert manifest.temperature == 1.0
    assert manifest.hashes["data"] == dataset.sha256
    assert manifest.network.parameters == run.network.parameter_count
    assert manifest.network.weight_bytes == run.network.weight_count <= 32 * 1024
    assert manifest.outputs.embedding.size == run.network.embedding_size
    assert set(manifest.versions) >= {"torch", "tensorflow-cpu", "tflite-micro", "onnx", "numpy", "hardwear"}
    assert manifest.arena_bytes == TflmModel(created.tflite).arena_bytes


def test_nothing_in_the_manifest_depends_on_where_or_when_it_was_made(created):
    text = (created.path / "manifest.json").read_text()
    assert str(created.path) not in text
    assert "runs/test" not in text


@pytest.fixture
def converted_already(created, monkeypatch):
    """Spare what the test is not about: the conversion, which would give these very bytes."""
    monkeypatch.setattr(convert, "to_int8", lambda *_, **__: created.tflite)


@pytest.mark.usefixtures("converted_already")
@pytest.mark.parametrize("failure", [ConversionError("no"), KeyboardInterrupt()])
def test_a_failure_leaves_no_half_written_folder(failure, run, dataset, tmp_path, monkeypatch):
    def fail(*_):
        raise failure

    monkeypatch.setattr(known_answer, "answer", fail)
    with pytest.raises(type(failure)):
        Bundle.create(run, dataset, tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("converted_already")
def test_a_failure_leaves_the_bundle_that_was_there(copy, created, run, dataset, monkeypatch):
    monkeypatch.setattr(known_answer, "simulated_counts", lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        Bundle.create(run, dataset, copy)
    assert Bundle.load(copy).identity == created.identity
    assert [entry.name for entry in copy.parent.iterdir()] == ["bundle"]


@pytest.mark.usefixtures("converted_already")
def test_the_temperature_is_part_of_the_identity_and_changes_nothing_but_probabilities(created, run, dataset, tmp_path):
    surer = Bundle.create(run, dataset, tmp_path / "surer", temperature=0.5)
    assert surer.softmax == replace(created.softmax, temperature=0.5)
    assert surer.identity != created.identity
    assert surer.tflite == created.tflite
    known, same = surer.manifest.known_answer, created.manifest.known_answer
    assert max(known.probabilities) > max(same.probabilities)
    assert replace(known, probabilities=same.probabilities) == same
    surer.check_known_answer()


@pytest.mark.parametrize("temperature", [0.0, -1.0, 0.009, 101.0, float("nan"), float("inf")])
def test_a_temperature_out_of_range_is_refused_before_anything_is_converted(temperature, run, dataset, tmp_path):
    with pytest.raises(ConversionError, match=r"expected a temperature of 0\.01 to 100"):
        Bundle.create(run, dataset, tmp_path / "bundle", temperature=temperature)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("converted_already")
def test_a_bundle_may_be_replaced(copy, created, run, dataset):
    (copy / "model.tflite").write_bytes(b"damaged")
    assert Bundle.create(run, dataset, copy).identity == created.identity


def test_a_folder_of_something_else_is_never_replaced(run, dataset, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(BundleError, match="absent, empty or a bundle"):
        Bundle.create(run, dataset, tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_other_data_than_the_run_saw_are_refused(run, dataset, tmp_path):
    other = replace(dataset, name="UCI-HAR", sha256="f" * 64)
    with pytest.raises(BundleError, match=f"trained on, SYNTHETIC .*{dataset.sha256[:16]}.* got UCI-HAR with ffff"):
        Bundle.create(run, other, tmp_path / "bundle")


# -- loading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["model.tflite", "model.onnx", "manifest.json"])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(BundleError, match=f"{name} is missing; convert the run again"):
        Bundle.load(copy)


@pytest.mark.parametrize("name", ["model.tflite", "model.onnx"])
@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:99] + bytes([b[99] ^ 1]) + b[100:], lambda b: b""])
def test_a_damaged_file_is_named_with_both_hashes(copy, name, damage):
    content = (copy / name).read_bytes()
    (copy / name).write_bytes(damage(content))
    expected = hashlib.sha256(content).hexdigest()[:16]
    came = hashlib.sha256(damage(content)).hexdigest()[:16]
    with pytest.raises(BundleError, match=f"{name}: expected SHA-256 {expected}… .*, got {came}…"):
        Bundle.load(copy)


def test_a_file_that_does_not_belong_is_named(copy):
    (copy / "model_old.tflite").write_bytes(b"")
    with pytest.raises(BundleError, match=r"also found model_old\.tflite"):
        Bundle.load(copy)


def test_a_folder_that_is_not_there_says_how_to_make_one(tmp_path):
    with pytest.raises(BundleError, match="does not exist; make one with `hardwear convert`"):
        Bundle.load(tmp_path / "nothing")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"format": 2}'])
def test_a_manifest_that_is_none_is_refused(copy, content):
    (copy / "manifest.json").write_bytes(content)
    with pytest.raises(BundleError, match="expected"):
        Bundle.load(copy)


def test_changed_line_endings_are_noticed_because_they_change_the_identity(copy):
    content = (copy / "manifest.json").read_bytes()
    (copy / "manifest.json").write_bytes(content.replace(b"\n", b"\r\n"))
    with pytest.raises(BundleError, match="line endings"):
        Bundle.load(copy)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(format=1), "expected bundle format 2, got 1"),
        (lambda m: m.update(temperature=1), "manifest.temperature: expected float, got 1"),
        (lambda m: m.update(temperature=0.0), "expected a temperature of 0.01 to 100, got 0.0"),
        (lambda m: m.pop("quantizer"), "manifest: expected an object with the keys .*quantizer"),
        (lambda m: m.update(comment="mine"), "manifest: expected an object with the keys"),
        (lambda m: m.update(synthetic=1), "manifest.synthetic: expected bool, got 1"),
        (lambda m: m["input"].update(scale="0.1"), "manifest.input.scale: expected float, got '0.1'"),
        (lambda m: m["quantizer"].update(shift=True), "manifest.quantizer.shift: expected int, got True"),
        (lambda m: m["quantizer"]["multiplier"].pop(), "expected 6 multipliers"),
        (lambda m: m["quantizer"]["offset"].__setitem__(2, 2**63), "gyro|acc_z: expected .* offset within"),
        (lambda m: m["quantizer"]["offset"].__setitem__(0, 12345), "manifest.quantizer: expected .* as model.tflite"),
        (lambda m: m["contract"].update(hop_samples=32), "contract.hop_samples: expected 64 .* got 32"),
        (lambda m: m["contract"]["classes"].reverse(), "contract.classes: expected"),
        (lambda m: m["contract"]["channels"][3].update(counts_per_unit=1024), "contract.channels: expected"),
        (lambda m: m["contract"].update(version=99), "contract.version: expected"),
        (lambda m: m["filter"].update(coefficient_fraction_bits=29), "filter"),
        (lambda m: m["ops"].__setitem__(1, "TANH"), "manifest.ops: expected"),
        (lambda m: m["input"].update(zero_point=1), "manifest.input: expected"),
        (lambda m: m["outputs"]["logits"].update(scale=1.0), "manifest.outputs.logits: expected"),
        (lambda m: m["outputs"]["embedding"].update(size=65), "manifest.outputs.embedding: expected"),
        (lambda m: m["hashes"].pop("model.onnx"), "model.onnx: expected SHA-256 none"),
        (lambda m: m.update(ops={}), "manifest.ops: expected a list"),
        (lambda m: m.update(hashes=[]), "manifest.hashes: expected an object"),
    ],
)
def test_a_manifest_that_contradicts_format_contract_or_model_is_refused(copy, change, message):
    rewrite(copy, change)
    with pytest.raises(BundleError, match=message) as caught:
        Bundle.load(copy)
    assert str(copy) in str(caught.value)


def test_loading_needs_neither_torch_nor_tensorflow(created):
    code = (
        "import sys, pathlib; from hardwear.bundle import Bundle; Bundle.load(pathlib.Path(sys.argv[1])); "
        "assert not {'torch', 'tensorflow', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, created.path], check=True)


def test_the_manifest_reads_back_as_it_was_written(created):
    assert Manifest.from_bytes(created.manifest.to_bytes()) == created.manifest


# -- the known answer -----------------------------------------------------------------------------------------------


def test_the_known_answer_is_the_whole_chip_chain_step_by_step(created):
    known = created.manifest.known_answer
    raw = np.frombuffer(base64.b64decode(known.raw), "<i2").reshape(known.samples, 6)
    window = condition_counts(raw.astype(np.int16), created.filter_spec)[:128]
    logits, embedding = TflmModel(created.tflite).run(created.quantizer.quantize(window)[np.newaxis])
    assert zlib.crc32(window.astype("<i2").tobytes()) == known.window_crc32
    assert logits[0].tolist() == list(known.logits)
    assert embedding[0].tolist() == list(known.embedding)
    assert known.class_name == CLASSES[int(np.argmax(known.logits))]


def test_the_known_answer_moves_and_comes_from_the_simulator(created):
    counts = created.manifest.known_answer.counts()
    assert (counts == known_answer.simulated_counts()).all()
    assert counts.std(axis=0).min() > 50
    assert len(set(created.manifest.known_answer.embedding)) > 4


def test_one_sample_more_than_a_window_is_enough_for_the_first_window():
    longer = np.random.default_rng(0).integers(-9000, 9000, (400, 6)).astype(np.int16)
    alone = condition_counts(longer[: known_answer.SAMPLES])[: contract.WINDOW_SAMPLES]
    assert (alone == condition_counts(longer)[: contract.WINDOW_SAMPLES]).all()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("window_crc32", 0),
        ("logits", (0,) * 6),
        ("embedding", (1,) * 64),
        ("class_name", "SWIMMING"),
        ("probabilities", (43,) * 6),
    ],
)
def test_a_machine_that_computes_otherwise_is_noticed(created, key, value):
    created.check_known_answer()
    other = replace(created.manifest, known_answer=replace(created.manifest.known_answer, **{key: value}))
    with pytest.raises(BundleError, match=f"known_answer.{key}: expected"):
        replace(created, manifest=other).check_known_answer()


@pytest.mark.parametrize("raw", ["AAAA", "not base64!"])
def test_a_damaged_recording_of_the_known_answer_is_refused(created, raw):
    with pytest.raises(BundleError, match=r"known_answer.raw: expected"):
        replace(created.manifest.known_answer, raw=raw).counts()


# -- evaluation -----------------------------------------------------------------------------------------------------


def test_evaluation_computes_what_the_chip_computes(created, dataset):
    result = evaluate(created, dataset)
    quantizer = InputQuantizer.design(
        created.manifest.normalization.mean,
        created.manifest.normalization.std,
        created.manifest.input.scale,
        created.manifest.input.zero_point,
    )
    logits, _ = TflmModel(created.tflite).run(quantizer.quantize(to_counts(dataset.test.windows)))
    named, true = logits.argmax(axis=1), dataset.test.labels
    assert result.windows == 120
    assert result.metrics.accuracy == pytest.approx((named == true).mean())
    for index, name in enumerate(CLASSES):
        assert result.metrics.recall[name] == pytest.approx((named[true == index] == index).mean())
    assert np.array(result.metrics.confusion).sum() == 120


def test_evaluation_repeats_the_manifests_int8_figures(created, dataset):
    assert evaluate(created, dataset).metrics.to_json() == {
        **created.manifest.metrics["int8"],
        "confusion": tuple(tuple(row) for row in created.manifest.metrics["int8"]["confusion"]),
    }


def test_the_float_figures_are_the_float_networks(created, run, dataset):
    accuracy = (run.logits(dataset.test.windows).argmax(axis=1) == dataset.test.labels).mean()
    assert created.manifest.metrics["float"]["accuracy"] == pytest.approx(accuracy)


def test_evaluation_as_json_names_what_was_measured(created, dataset):
    document = json.loads(json.dumps(evaluate(created, dataset).to_json()))
    assert document["identity"] == created.identity
    assert document["model_sha256"] == created.manifest.hashes["model.tflite"]
    assert (document["dataset"], document["synthetic"], document["windows"]) == ("SYNTHETIC", True, 120)
    assert set(document) >= {"macro_f1", "accuracy", "recall", "confusion", "data_sha256"}
    assert list(document["recall"]) == list(CLASSES)


@pytest.mark.parametrize("simulated_model", [True, False])
def test_real_windows_do_not_make_a_simulated_model_real(created, dataset, simulated_model):
    real = replace(dataset, name="UCI-HAR")
    bundle = replace(created, manifest=replace(created.manifest, synthetic=simulated_model))
    assert evaluate(bundle, real).synthetic is simulated_model
