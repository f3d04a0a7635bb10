"""The compiled engine computes what TFLite-Micro computes, to the last bit of every layer."""

from pathlib import Path
from typing import Any

import compiled_engine
import numpy as np
import numpy.typing as npt
import pytest
from compiled_engine import Program
from engine_models import NETWORKS

from hardwear.bundle import Bundle
from hardwear.codegen import generate, read_graph
from hardwear.codegen.compiled_model import compile_graph
from hardwear.codegen.kernels import Preference
from hardwear.quantization.tflm import TflmModel, activations

SHIPPED = compiled_engine.REPOSITORY / "models" / "compact"


def windows(count: int) -> npt.NDArray[np.int8]:
    """Extremes, alternations, single spikes, noise and smooth motion, (count, 128, 6) int8."""
    random = np.random.default_rng(7)
    extremes = np.zeros((12, 128, 6), np.int8)
    extremes[0], extremes[1], extremes[2, ::2], extremes[2, 1::2] = -128, 127, -128, 127
    extremes[3, :, ::2], extremes[3, :, 1::2] = 127, -128
    extremes[4, 64:], extremes[5, :1], extremes[6, -1:] = 127, -128, 127
    extremes[7, 63], extremes[8, :, 0], extremes[9] = 127, -128, -1
    extremes[10], extremes[11, 32:96] = random.choice(np.array([-128, 127], np.int8), (128, 6)), -128
    noise = random.integers(-128, 128, ((count - 12) // 2, 128, 6)).astype(np.int8)
    steps = random.normal(0, 9, (count - 12 - len(noise), 128, 6))
    smooth = np.clip(np.cumsum(steps, axis=1), -128, 127).astype(np.int8)
    return np.concatenate([extremes, noise, smooth])


CASES = [(name, prefer) for name in sorted(NETWORKS) for prefer in Preference]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[1].value}")
def network(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[bytes, Preference, Program]:
    name, prefer = request.param
    model = NETWORKS[name]()
    return model, prefer, compiled_engine.build(model, tmp_path_factory.mktemp(name), prefer)


def test_engine_and_tflite_micro_agree_on_every_logit_and_embedding(network: tuple[bytes, Preference, Program]) -> None:
    model, _, program = network
    inputs = windows(150)
    logits, embedding = TflmModel(model).run(inputs)
    ours_logits, ours_embedding = program.run(inputs)
    np.testing.assert_array_equal(ours_logits, logits)
    np.testing.assert_array_equal(ours_embedding, embedding)
    assert len(np.unique(logits)) > 20, "a model that always answers the same proves nothing"


def test_engine_and_tflite_micro_agree_on_every_layer(network: tuple[bytes, Preference, Program]) -> None:
    model, prefer, program = network
    steps = compile_graph(read_graph(model), prefer).steps
    inputs = windows(16)
    golden = activations(model, inputs, [step.target.tensor.index for step in steps])
    for number, window in enumerate(inputs):
        outputs = program.layers(window)
        assert len(outputs) == len(steps)
        for step, output, expected in zip(steps, outputs, golden, strict=True):
            np.testing.assert_array_equal(output, expected[number], err_msg=step.name)


@pytest.fixture(scope="module", params=["compact", "nano"])
def shipped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Program]:
    bundle = Bundle.load(SHIPPED.with_name(request.param))
    folder = tmp_path_factory.mktemp(request.param)
    generate(bundle, folder / "generated")
    # No sanitisers: thousands of windows have to go through.
    compiled_engine.compile_headers(folder, folder / "engine", "-DNDEBUG")
    return bundle, Program(folder / "engine", bundle.manifest.outputs.embedding.size)


@pytest.mark.parametrize("name", ["compact", "nano", "paper_gap", "relu"])
def test_engine_and_tflite_micro_agree_on_ten_thousand_windows(name: str, tmp_path: Path) -> None:
    sources = {"paper_gap": NETWORKS["paper_gap"], "relu": NETWORKS["compact"]}
    model = sources[name]() if name in sources else Bundle.load(SHIPPED.with_name(name)).tflite
    embedding_size = compiled_engine.write_headers(model, tmp_path)
    # No sanitisers: thousands of windows have to go through.
    compiled_engine.compile_headers(tmp_path, tmp_path / "engine", "-DNDEBUG")
    inputs = windows(10_000)
    ours = Program(tmp_path / "engine", embedding_size).run(inputs)
    for answer, golden in zip(ours, TflmModel(model).run(inputs), strict=True):
        np.testing.assert_array_equal(answer, golden)


@pytest.mark.data
def test_shipped_engine_and_tflite_micro_agree_on_all_test_windows(
    shipped: tuple[Bundle, Program], uci_har: Any
) -> None:
    from hardwear.contract import to_counts

    bundle, program = shipped
    inputs = bundle.quantizer.quantize(to_counts(uci_har.test.windows))
    assert len(inputs) == 2947
    for ours, golden in zip(program.run(inputs), TflmModel(bundle.tflite).run(inputs), strict=True):
        np.testing.assert_array_equal(ours, golden)


def test_committed_headers_are_those_of_the_shipped_bundle(tmp_path: Path) -> None:
    for path in generate(Bundle.load(SHIPPED), tmp_path):
        committed = compiled_engine.FIRMWARE / "generated" / path.name
        assert committed.read_bytes() == path.read_bytes(), f"run `hardwear generate` again: {path.name} differs"
