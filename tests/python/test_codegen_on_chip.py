"""The kernels of the Cortex-M4 answer what TFLite-Micro answers, and cost what the compiler predicted."""

from pathlib import Path

import compiled_engine
import emulated_engine
import numpy as np
import pytest
from compiled_engine import windows_of
from engine_models import NETWORKS
from test_codegen_exactness import windows
from test_codegen_generator import make_bundle
from test_codegen_streaming import streams

from hardwear.bundle import Bundle
from hardwear.codegen import generate, read_graph
from hardwear.codegen.compiled_model import compile_graph
from hardwear.codegen.cost import program_cost
from hardwear.codegen.kernels import Preference
from hardwear.codegen.stack import stack_bytes
from hardwear.quantization.tflm import TflmModel

pytestmark = pytest.mark.emulator

SHIPPED = ("shipped_compact", "shipped_nano")


def load(name: str) -> Bundle:
    """A shipped bundle, or one around a network of the tests."""
    if name in SHIPPED:
        return Bundle.load(compiled_engine.REPOSITORY / "models" / name.removeprefix("shipped_"))
    return make_bundle(name)


@pytest.mark.parametrize("prefer", Preference, ids=lambda prefer: prefer.value)
@pytest.mark.parametrize("name", [*sorted(NETWORKS), *SHIPPED])
def test_chip_and_tflite_micro_agree_and_cost_what_was_predicted(name: str, prefer: Preference, tmp_path: Path) -> None:
    bundle, inputs, recordings = load(name), windows(60), streams(240 if name in SHIPPED else 60)
    generate(bundle, tmp_path / "generated", prefer)
    program = compile_graph(read_graph(bundle.tflite), prefer)
    answer = emulated_engine.run(tmp_path, program, inputs, streams=recordings)
    everything = np.concatenate([inputs, *map(windows_of, recordings)])
    logits, embedding = TflmModel(bundle.tflite).run(everything)
    np.testing.assert_array_equal(answer.logits, logits)
    np.testing.assert_array_equal(answer.embedding, embedding)
    predicted = program_cost(program)
    assert predicted.instructions == pytest.approx(sum(answer.alone.values()), rel=0.05)
    following = program_cost(program, follows=True)
    assert following.instructions == pytest.approx(sum(answer.following.values()), rel=0.05)
    # A small network is mostly kernels, whose size is the compiler's affair.
    assert predicted.flash_bytes == pytest.approx(answer.flash_bytes, rel=0.05, abs=1024)
    assert answer.stack_bytes <= stack_bytes(program.steps)
