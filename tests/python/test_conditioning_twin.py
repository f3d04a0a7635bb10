"""The chip's C++ computes what the NumPy specification says, to the last bit."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conditioning_signals import Counts, every_kind

from hardwear.codegen.filter_coefficients import render
from hardwear.conditioning import FILTER_SPEC, FilterSpec, condition_counts, design_filter
from hardwear.contract import to_counts
from hardwear.datasets import Recording

ROOT = Path(__file__).parents[2]
FIRMWARE = ROOT / "firmware"

Twin = Callable[[Counts], Counts]


@pytest.fixture(scope="module")
def compile_twin(tmp_path_factory: pytest.TempPathFactory) -> Callable[[FilterSpec], Twin]:
    """The C++ chain as a program, built with sanitizers that end it at the first undefined step."""
    compiler = shutil.which("g++")
    assert compiler, "these tests need g++ (apt-get install g++)"

    def compile_for(spec: FilterSpec) -> Twin:
        folder = tmp_path_factory.mktemp("conditioning")
        (folder / "generated").mkdir()
        (folder / "generated" / "filter_coefficients.h").write_text(render(spec, "// For a test."))
        program = folder / "condition"
        sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
        warnings = ["-Wall", "-Wextra", "-Wconversion", "-Werror"]
        sources = [FIRMWARE / "core" / "conditioning.cpp", Path(__file__).with_name("conditioning_main.cpp")]
        includes = ["-I", folder, "-I", FIRMWARE]
        options = ["-std=gnu++14", "-O1", *warnings, *sanitizers, *includes, "-o", program]
        subprocess.run([compiler, *options, *sources], check=True)

        def condition(counts: Counts) -> Counts:
            done = subprocess.run(
                [program, str(counts.shape[-2])], input=counts.tobytes(), capture_output=True, check=False
            )
            assert done.returncode == 0, done.stderr.decode()
            return np.frombuffer(done.stdout, dtype=np.int16).reshape(counts.shape)

        return condition

    return compile_for


@pytest.fixture(scope="module")
def twin(compile_twin: Callable[[FilterSpec], Twin]) -> Twin:
    return compile_twin(FILTER_SPEC)


def test_numpy_and_cpp_agree_on_every_bit_of_a_million_hard_samples(twin: Twin) -> None:
    samples = 0
    for kind, counts in every_kind(FILTER_SPEC).items():
        np.testing.assert_array_equal(condition_counts(counts), twin(counts), err_msg=kind)
        samples += counts.shape[0] * counts.shape[1]
    assert samples >= 10**6


@pytest.mark.parametrize("samples", [1, 2, 3])
def test_they_agree_on_recordings_shorter_than_the_median(twin: Twin, samples: int) -> None:
    counts = np.random.default_rng(2).integers(-(2**15), 2**15, (5, samples, 6)).astype(np.int16)
    np.testing.assert_array_equal(condition_counts(counts), twin(counts))


def test_other_word_widths_reach_the_chip_through_the_header_alone(
    compile_twin: Callable[[FilterSpec], Twin],
) -> None:
    coarse = design_filter(1.0)
    assert coarse.coefficient_fraction_bits < FILTER_SPEC.coefficient_fraction_bits
    assert coarse.state_fraction_bits < FILTER_SPEC.state_fraction_bits
    twin = compile_twin(coarse)
    for kind, counts in every_kind(coarse, recordings=4).items():
        np.testing.assert_array_equal(condition_counts(counts, coarse), twin(counts), err_msg=kind)


def test_the_committed_header_holds_the_shipped_filters() -> None:
    committed = (FIRMWARE / "generated" / "filter_coefficients.h").read_text()
    lines = committed.splitlines()
    banner = "\n".join(lines[: lines.index("//")])
    assert "Do not edit" in banner
    assert render(FILTER_SPEC, banner) == committed


@pytest.mark.data
def test_they_agree_on_real_recordings(twin: Twin, hapt: tuple[Recording, ...]) -> None:
    for recording in hapt[:3]:
        counts = to_counts(recording.samples)
        np.testing.assert_array_equal(condition_counts(counts), twin(counts))
