"""Dense layers with widened weights: what lies in flash is the model's own, and what stays plain tells why."""

import numpy as np
import pytest
from engine_models import NETWORKS
from tflite_builder import ModelBuilder

from hardwear.codegen import read_graph
from hardwear.codegen.compiled_model import compile_graph
from hardwear.codegen.dense import Dense
from hardwear.codegen.explain import COLUMNS, explain
from hardwear.codegen.graph import FullyConnected
from hardwear.codegen.kernels import Preference

DENSE = [
    step for build in NETWORKS.values() for step in compile_graph(read_graph(build())).steps if isinstance(step, Dense)
]


@pytest.mark.parametrize("step", DENSE, ids=lambda step: f"{step.layer.weights.shape}")
def test_the_kernels_order_of_inputs_and_weights_gives_the_layers_doubled_sums(step: Dense) -> None:
    layer = step.layer
    inputs = np.random.default_rng(1).integers(-128, 128, layer.weights.shape[1])
    # Of every four inputs 0 and 2 meet in one SMLAD, then 1 and 3.
    words = inputs.reshape(-1, 2, 2).transpose(0, 2, 1)
    sums = np.einsum("owpcl,wpl->oc", step.stored_weights.astype(np.int64), words).ravel() + step.biases
    expected = 2 * (layer.weights.astype(np.int64) @ (inputs - layer.input.zero_point) + layer.bias)
    np.testing.assert_array_equal(sums[: len(expected)], expected)
    assert not sums[len(expected) :].any(), "what fills up the last four outputs is zero"


def test_shapes_with_and_without_a_rest_are_among_them() -> None:
    assert {step.unroll for step in DENSE} == {1, 4}
    assert {len(step.layer.weights) % 4 for step in DENSE} > {0, 2}


def test_a_dense_layer_that_stays_plain_tells_why() -> None:
    model = ModelBuilder(seed=3).max_pool(128).flatten().dense(8).mark_embedding().dense(6)  # six inputs
    program = compile_graph(read_graph(model.finish()))
    reasons = {row[0]: row[COLUMNS.index("how and why")] for row in explain(program)}
    plain, widened = (layer for layer in program.graph.layers if isinstance(layer, FullyConnected))
    assert "6 inputs" in reasons[plain.name]
    assert "four outputs" in reasons[widened.name]


@pytest.mark.parametrize("prefer", [Preference.RAM, Preference.FLASH])
def test_weights_stay_int8_where_flash_or_ram_is_spared(prefer: Preference) -> None:
    program = compile_graph(read_graph(NETWORKS["compact"]()), prefer)
    assert not any(isinstance(step, Dense) for step in program.steps)
