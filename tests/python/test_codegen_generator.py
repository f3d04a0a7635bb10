"""`hardwear generate`: same bundle, same bytes; whole files; nobody's own file lost; no mixture compiles."""

import dataclasses
import hashlib
import os
import subprocess
from pathlib import Path

import compiled_engine
import numpy as np
import pytest
from engine_models import NETWORKS

from hardwear import __version__, known_answer
from hardwear.bundle import Bundle
from hardwear.codegen import generate, render
from hardwear.codegen.kernels import Preference
from hardwear.conditioning.design import FILTER_SPEC
from hardwear.confidence import IntegerSoftmax
from hardwear.contract import CLASSES
from hardwear.errors import BuildError
from hardwear.manifest import (
    FORMAT,
    ChannelStatistics,
    ContractRecord,
    Manifest,
    NetworkRecord,
    Outputs,
    OutputScale,
    Scale,
)
from hardwear.quantization.quantizer import InputQuantizer
from hardwear.quantization.tflm import TflmModel

HEADERS = [
    "compiled_model.h",
    "confidence_table.h",
    "contract.h",
    "filter_coefficients.h",
    "known_answer.h",
    "model_data.h",
]


def make_bundle(network: str, name: str = "test") -> Bundle:
    """A bundle in memory, around a network with random weights."""
    tflite = NETWORKS[network]()
    model = TflmModel(tflite)
    window, (logits, embedding) = model.summary.input, model.summary.outputs
    mean, std = (0.5, 0.0, -0.25, 0.1, 0.0, -0.1), (0.4, 0.3, 0.35, 1.1, 1.2, 0.9)
    quantizer = InputQuantizer.design(mean, std, window.scale, window.zero_point)
    raw = np.random.default_rng(3).integers(-9000, 9000, (known_answer.SAMPLES, 6)).astype(np.int16)
    softmax = IntegerSoftmax(logits.scale, 0.5)
    manifest = Manifest(
        format=FORMAT,
        name=name,
        synthetic=True,
        contract=ContractRecord.current(),
        filter=FILTER_SPEC,
        normalization=ChannelStatistics(mean, std),
        quantizer=quantizer,
        input=Scale(window.scale, window.zero_point),
        outputs=Outputs(
            OutputScale(logits.scale, logits.zero_point, logits.shape[1]),
            OutputScale(embedding.scale, embedding.zero_point, embedding.shape[1]),
        ),
        temperature=softmax.temperature,
        network=NetworkRecord(network, 0, 0, 0, 0, 0),
        ops=model.ops,
        arena_bytes=model.arena_bytes,
        known_answer=known_answer.answer(raw, FILTER_SPEC, quantizer, model, softmax),
        metrics={},
        hashes={"model.tflite": hashlib.sha256(tflite).hexdigest()},
        versions={},
    )
    return Bundle(Path("memory"), manifest, hashlib.sha256(manifest.to_bytes()).hexdigest(), tflite)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return make_bundle("global_mean")


def test_same_bundle_gives_the_same_bytes(bundle: Bundle, tmp_path: Path) -> None:
    first, second = generate(bundle, tmp_path / "a"), generate(dataclasses.replace(bundle), tmp_path / "b" / "c")
    assert [path.name for path in first] == HEADERS
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == HEADERS


def test_every_header_names_its_bundle_and_what_made_it(bundle: Bundle) -> None:
    for name, text in render(bundle).items():
        head = "\n".join(text.splitlines()[:3])
        assert bundle.identity in head, name
        assert f"hardwear {__version__}" in head, name
        assert "Do not edit" in head, name


def test_unchanged_headers_are_not_touched(bundle: Bundle, tmp_path: Path) -> None:
    paths = generate(bundle, tmp_path)
    for path in paths:
        os.utime(path, (1, 1))
    (tmp_path / "contract.h").write_text(render(bundle)["contract.h"] + "// stale\n")
    generate(bundle, tmp_path)
    assert [path.name for path in paths if path.stat().st_mtime != 1] == ["contract.h"]


def test_other_files_in_the_folder_stay(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    generate(bundle, tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", HEADERS)
def test_a_file_that_was_not_generated_is_never_overwritten(bundle: Bundle, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("// My own header.\n")
    with pytest.raises(BuildError, match=name):
        generate(bundle, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "// My own header.\n"


def test_a_link_is_not_written_through(bundle: Bundle, tmp_path: Path) -> None:
    target, out = tmp_path / "elsewhere.h", tmp_path / "out"
    out.mkdir()
    target.write_text(render(bundle)["contract.h"])
    (out / "contract.h").symlink_to(target)
    with pytest.raises(BuildError, match="link"):
        generate(bundle, out)


def test_a_file_in_place_of_the_folder_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(BuildError, match="expected a folder"):
        generate(bundle, tmp_path / "out")


def test_contract_repeats_the_manifest(bundle: Bundle, tmp_path: Path) -> None:
    generate(bundle, tmp_path / "generated")
    source = tmp_path / "print.cpp"
    source.write_text(
        """#include <cinttypes>
#include <cstdio>
#include "generated/contract.h"
int main() {
  using namespace hardwear;
  for (uint8_t byte : kIdentity) printf("%02x", byte);
  printf(" %s %s %d %d %d %d %d\\n", kIdentityHex, kBundleName, kSynthetic, kContractVersion, kSampleRateHz,
         kWindowSamples, kHopSamples);
  for (int c = 0; c < kChannelCount; ++c) {
    printf("%s %d ", kChannelNames[c], kCountsPerUnit[c]);
    printf("%" PRId32 " %" PRId64 "\\n", kInputMultiplier[c], kInputOffset[c]);
  }
  for (const char* name : kClassNames) printf("%s ", name);
  printf("\\n%d %.17g %" PRId32 " %d %.17g %" PRId32 "\\n", kInputShift, kLogitsScale, kLogitsZeroPoint,
         kEmbeddingSize, kEmbeddingScale, kEmbeddingZeroPoint);
}
"""
    )
    program = tmp_path / "print"
    compile_against(tmp_path, source, program)
    lines = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
    manifest, quantizer = bundle.manifest, bundle.quantizer
    assert lines[0] == f"{bundle.identity[:16]} {bundle.identity} test 1 1 50 128 64"
    channels = zip(manifest.contract.channels, quantizer.multiplier, quantizer.offset, strict=True)
    assert lines[1:7] == [f"{c.name} {c.counts_per_unit} {m} {o}" for c, m, o in channels]
    assert lines[7].split() == list(CLASSES)
    shift, *outputs = lines[8].split()
    assert int(shift) == quantizer.shift
    logits, embedding = manifest.outputs.logits, manifest.outputs.embedding
    assert [float(value) for value in outputs] == [
        logits.scale, logits.zero_point, embedding.size, embedding.scale, embedding.zero_point,
    ]  # fmt: skip


def test_the_table_holds_the_bundles_scale_and_temperature(bundle: Bundle) -> None:
    text = render(bundle)["confidence_table.h"]
    _, _, values = text.partition("kExponential[256] = {")
    assert [int(value) for value in values.partition("}")[0].split(",")[:-1]] == list(bundle.softmax.table)
    assert f"exp(-d * {bundle.manifest.outputs.logits.scale:.9g} / 0.5)" in text


def test_headers_of_two_bundles_do_not_compile_together(bundle: Bundle, tmp_path: Path) -> None:
    other = make_bundle("global_mean", name="another")
    generate(bundle, tmp_path / "generated")
    source = tmp_path / "mix.cpp"
    for name in ("compiled_model.h", "confidence_table.h", "known_answer.h", "model_data.h"):
        source.write_text(f'#include "generated/{name}"\nint main() {{}}\n')
        compile_against(tmp_path, source, tmp_path / "mix")
        (tmp_path / "generated" / name).write_text(render(other)[name])
        with pytest.raises(AssertionError, match="come from two bundles"):
            compile_against(tmp_path, source, tmp_path / "mix")


@pytest.mark.parametrize("network", sorted(NETWORKS))
def test_headers_compile_for_the_chip_without_a_warning(network: str, tmp_path: Path) -> None:
    generate(make_bundle(network), tmp_path / "generated")
    for source in ("engines/compiled/compiled_classifier.cpp", "core/known_answer.cpp", "core/confidence.cpp"):
        compile_for_chip(tmp_path, source, "-mcpu=cortex-m4")


@pytest.mark.parametrize("prefer", Preference, ids=lambda prefer: prefer.value)
@pytest.mark.parametrize("cpu", ["cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33"])
def test_the_engine_compiles_for_other_chips_and_at_every_level(cpu: str, prefer: Preference, tmp_path: Path) -> None:
    generate(make_bundle("paper_like"), tmp_path / "generated", prefer)
    for flags in (("-O0",), ("-Os", "-fno-omit-frame-pointer"), ("-O3",)):
        compile_for_chip(tmp_path, "engines/compiled/compiled_classifier.cpp", f"-mcpu={cpu}", *flags)


def compile_for_chip(folder: Path, source: str, *flags: str) -> None:
    command = ["arm-none-eabi-g++", *compiled_engine.STRICT, "-mthumb", "-fno-exceptions", "-fno-rtti", *flags]
    command += [f"-I{folder}", f"-I{compiled_engine.FIRMWARE}", "-c", "-o", str(folder / "engine.o")]
    done = subprocess.run(
        [*command, str(compiled_engine.FIRMWARE / source)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), (source, flags)


def compile_against(folder: Path, source: Path, program: Path) -> None:
    command = ["g++", *compiled_engine.STRICT, f"-I{folder}", f"-I{compiled_engine.FIRMWARE}"]
    done = subprocess.run([*command, str(source), "-o", str(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
