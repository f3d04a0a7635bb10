"""The converted model is int8 throughout, says what the float network says, and comes out the same every time."""

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
import torch
from conversion_models import averaging_network, leaky_network, noise, torch_outputs
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from hardwear.contract import CHANNEL_COUNT, WINDOW_SAMPLES
from hardwear.errors import ConversionError
from hardwear.quantization.convert import Calibration, to_int8
from hardwear.quantization.onnx_export import export_onnx
from hardwear.quantization.tflite_file import parse, summarize
from hardwear.quantization.tflm import TflmModel

CALIBRATION = noise(200, seed=2)


@dataclass
class Converted:
    network: torch.nn.Module
    onnx: Path
    tflite: bytes
    model: TflmModel
    printed: str


@pytest.fixture(scope="module")
def converted(tmp_path_factory) -> Converted:
    """The leaky network in int8; converting it also loads TensorFlow, once for the module."""
    torch.set_num_threads(1)
    network, path = leaky_network(), tmp_path_factory.mktemp("conversion") / "model.onnx"
    export_onnx(network, path)
    with _descriptors(tmp_path_factory.mktemp("printed") / "output") as printed:
        tflite = to_int8(path, CALIBRATION)
        model = TflmModel(tflite)
    return Converted(network, path, tflite, model, printed.read_text())


class _descriptors:  # noqa: N801, reads like the context manager it is
    """What a block writes to the process's descriptors 1 and 2, by whatever means, into a file."""

    def __init__(self, path: Path):
        self.path = path

    def __enter__(self) -> Path:
        self.sink = os.open(self.path, os.O_CREAT | os.O_WRONLY)
        self.kept = {number: os.dup(number) for number in (1, 2)}
        for number in self.kept:
            os.dup2(self.sink, number)
        return self.path

    def __exit__(self, *_: object) -> None:
        for number, kept in self.kept.items():
            os.dup2(kept, number)
            os.close(kept)
        os.close(self.sink)


def quantized(model: TflmModel, windows: np.ndarray) -> np.ndarray:
    window = model.summary.input
    return np.clip(np.rint(windows / window.scale) + window.zero_point, -128, 127).astype(np.int8)


def real(model: TflmModel, output: int, values: np.ndarray) -> np.ndarray:
    tensor = model.summary.outputs[output]
    return tensor.scale * (values.astype(np.float64) - tensor.zero_point)


def repacked(tflite: bytes, change) -> bytes:
    """The file with its parsed content changed, written anew."""
    content = parse(tflite)
    change(content)
    builder = flatbuffers.Builder(len(tflite))
    builder.Finish(content.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def tensors_of(tflite: bytes, op: int) -> list[list[Any]]:
    """Input tensors of every operator `op`."""
    content = parse(tflite)
    graph = content.subgraphs[0]
    codes = [code.builtinCode for code in content.operatorCodes]
    return [[graph.tensors[i] for i in o.inputs] for o in graph.operators if codes[o.opcodeIndex] == op]


def test_nothing_but_the_networks_layers_is_in_the_file(converted):
    assert converted.model.ops == (
        "RESHAPE",
        "CONV_2D",
        "LEAKY_RELU",
        "MAX_POOL_2D",
        "CONV_2D",
        "CONV_2D",
        "AVERAGE_POOL_2D",
        "RESHAPE",
        "FULLY_CONNECTED",
        "LEAKY_RELU",
        "FULLY_CONNECTED",
    )


def test_window_logits_and_embedding_are_int8_and_in_this_order(converted):
    summary = summarize(converted.tflite)
    assert (summary.input.shape, summary.input.type) == ((1, 128, 6), "INT8")
    assert [(t.shape, t.type) for t in summary.outputs] == [((1, 6), "INT8"), ((1, 20), "INT8")]


def test_convolutions_are_quantised_per_channel_and_dense_layers_per_tensor(converted):
    convolutions = tensors_of(converted.tflite, schema.BuiltinOperator.CONV_2D)
    dense = tensors_of(converted.tflite, schema.BuiltinOperator.FULLY_CONNECTED)
    assert [len(weights.quantization.scale) for _, weights, _ in convolutions] == [8, 12, 10]
    assert [len(weights.quantization.scale) for _, weights, _ in dense] == [1, 1]


def test_int8_answers_lie_close_to_the_float_networks(converted):
    windows = noise(100, seed=5)
    logits, embedding = torch_outputs(converted.network, windows)
    int8 = converted.model.run(quantized(converted.model, windows))
    for output, expected in enumerate((logits, embedding)):
        error = real(converted.model, output, int8[output]) - expected
        assert np.sqrt((error**2).mean()) < 0.05 * expected.std()


def test_the_embedding_is_what_the_logits_are_made_of(converted):
    logits, embedding = converted.model.run(quantized(converted.model, noise(50, seed=6)))
    classifier = converted.network.classifier
    again = (
        real(converted.model, 1, embedding) @ classifier.weight.detach().numpy().T + classifier.bias.detach().numpy()
    )
    assert np.abs(real(converted.model, 0, logits) - again).max() < 4 * converted.model.summary.outputs[0].scale


def test_the_same_network_and_windows_give_the_same_bytes(converted):
    assert to_int8(converted.onnx, CALIBRATION) == converted.tflite


def test_a_user_sees_none_of_tensorflows_chatter(converted):
    assert converted.printed == ""


@pytest.mark.parametrize("loudness", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("limit", [3.0, 5.0])
def test_the_inputs_range_ends_at_the_limit_whatever_the_windows(converted, limit, loudness):
    calibration = Calibration(acc_limit=limit, windows=50)
    window = TflmModel(to_int8(converted.onnx, loudness * CALIBRATION, calibration)).summary.input
    assert window.scale == pytest.approx(2 * limit / 255)
    low, high = (window.scale * (end - window.zero_point) for end in (-128, 127))
    np.testing.assert_allclose([low, high], [-limit, limit], atol=0.5 * window.scale + 1e-6)


@pytest.mark.parametrize(
    "wrong", [{"acc_limit": 0.0}, {"gyro_limit": -2.0}, {"acc_limit": float("inf")}, {"windows": 0}]
)
def test_a_calibration_that_leaves_no_range_or_no_window_is_refused(wrong):
    with pytest.raises(ConversionError, match="limits above 0 and at least one window"):
        Calibration(**wrong)


def test_costs_are_counted_from_the_file(converted):
    summary = converted.model.summary
    assert summary.weight_bytes == 8 * 6 * 5 + 12 * 8 * 3 + 10 * 12 * 3 + 20 * 70 + 6 * 20
    assert summary.bias_bytes == 4 * (8 + 12 + 10 + 20 + 6)
    assert summary.macs == 128 * 8 * 6 * 5 + 64 * 12 * 8 * 3 + 31 * 10 * 12 * 3 + 20 * 70 + 6 * 20
    assert summary.activation_bytes == 2 * 128 * 8
    assert summary.activation_bytes < converted.model.arena_bytes < 5 * summary.activation_bytes


def test_a_mean_over_time_becomes_one_op(tmp_path):
    network = averaging_network()
    export_onnx(network, tmp_path / "model.onnx")
    model = TflmModel(to_int8(tmp_path / "model.onnx", CALIBRATION))
    assert model.ops == ("RESHAPE", "CONV_2D", "MEAN", "FULLY_CONNECTED")
    windows = noise(40, seed=7)
    error = real(model, 0, model.run(quantized(model, windows))[0]) - torch_outputs(network, windows)[0]
    assert np.abs(error).max() < 0.05


@pytest.mark.parametrize(
    "windows",
    [np.zeros((0, 128, 6)), np.zeros((4, 6, 128)), np.zeros((128, 6)), np.full((4, 128, 6), np.nan)],
    ids=["none", "transposed", "single", "nan"],
)
def test_windows_that_can_not_calibrate_are_refused(converted, windows):
    with pytest.raises(ConversionError, match="calibration windows"):
        to_int8(converted.onnx, windows.astype(np.float32))


def test_one_window_after_the_other_or_all_at_once_is_the_same(converted):
    windows = np.random.default_rng(0).integers(-128, 128, (40, 128, 6)).astype(np.int8)
    logits, embedding = converted.model.run(windows)
    order = np.random.default_rng(1).permutation(40)
    for index in order:
        one = converted.model.run(windows[index : index + 1])
        assert (one[0][0] == logits[index]).all()
        assert (one[1][0] == embedding[index]).all()
    empty = converted.model.run(windows[:0])
    assert (empty[0].shape, empty[1].shape) == ((0, 6), (0, 20))


def test_progress_ends_at_the_last_window(converted):
    told = []
    converted.model.run(np.zeros((70, 128, 6), np.int8), lambda done, total, _detail="": told.append((done, total)))
    assert told == [(64, 70), (70, 70)]


@pytest.mark.parametrize(
    "windows",
    [np.zeros((2, 128, 6), np.int16), np.zeros((128, 6), np.int8), np.zeros((2, 6, 128), np.int8)],
)
def test_windows_that_are_not_int8_in_the_contracts_shape_are_refused(converted, windows):
    with pytest.raises(ConversionError, match=f"{WINDOW_SAMPLES}, {CHANNEL_COUNT}"):
        converted.model.run(windows)


@pytest.mark.parametrize("content", [b"", b"TFL3", b"not a model at all", bytes(64)])
def test_a_foreign_file_is_refused(content):
    with pytest.raises(ConversionError, match="tflite file"):
        TflmModel(content)


def test_a_file_cut_anywhere_is_refused(converted):
    for length in np.linspace(0, len(converted.tflite) - 1, 60).astype(int):
        with pytest.raises(ConversionError):
            TflmModel(converted.tflite[:length])


def test_damage_never_raises_anything_but_the_error_for_the_user(converted):
    rng = np.random.default_rng(3)
    refused = 0
    for _ in range(150):
        damaged = bytearray(converted.tflite)
        for position in rng.integers(0, len(damaged), 3):
            damaged[position] = rng.integers(256)
        try:
            summarize(bytes(damaged))
        except ConversionError:
            refused += 1
    assert refused > 10


def test_an_op_that_the_firmware_does_not_carry_is_named(converted):
    def smuggle(content):
        for code in content.operatorCodes:
            if code.builtinCode == schema.BuiltinOperator.LEAKY_RELU:
                code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.TANH

    with pytest.raises(ConversionError, match=r"op 2 \(TANH\): the firmware carries only"):
        summarize(repacked(converted.tflite, smuggle))


def test_dense_weights_per_channel_are_refused(converted):
    def split(content):
        weights = content.subgraphs[0].tensors[content.subgraphs[0].operators[-1].inputs[1]]
        weights.quantization.scale = np.repeat(weights.quantization.scale, 6)

    with pytest.raises(ConversionError, match=r"FULLY_CONNECTED\): expected one weight scale, got 6"):
        summarize(repacked(converted.tflite, split))


def test_a_tensor_left_in_float_is_refused(converted):
    def leave(content):
        graph = content.subgraphs[0]
        graph.tensors[graph.operators[3].outputs[0]].type = schema.TensorType.FLOAT32

    with pytest.raises(ConversionError, match=r"op 3 \(MAX_POOL_2D\): expected int8 .*FLOAT32"):
        summarize(repacked(converted.tflite, leave))


def test_outputs_in_the_other_order_are_refused(converted):
    def swap(content):
        content.subgraphs[0].outputs = content.subgraphs[0].outputs[::-1].copy()

    with pytest.raises(ConversionError, match="logits"):
        summarize(repacked(converted.tflite, swap))


def test_threads_that_load_models_leave_the_process_its_output(converted, capfd):
    threads = [threading.Thread(target=TflmModel, args=(converted.tflite,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(2, b"still here")
    assert capfd.readouterr().err == "still here"
