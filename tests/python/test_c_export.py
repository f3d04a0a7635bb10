"""`hardwear export --c`: plain C that every compiler takes, and that answers what TFLite-Micro answers."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from compiled_engine import REPOSITORY
from engine_models import NETWORKS
from test_cli import hardwear
from test_codegen_exactness import windows
from test_codegen_generator import make_bundle
from tflite_builder import ModelBuilder

from hardwear.bundle import Bundle
from hardwear.codegen import generate, read_graph
from hardwear.codegen.c_export import c_name, compile_c, export_c
from hardwear.codegen.kernels import Preference
from hardwear.errors import BuildError, ConversionError
from hardwear.profiling.image import CHIP, build_image, run_image
from hardwear.quantization.tflm import TflmModel

STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wmissing-prototypes", "-Werror")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
CPUS = ("cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33")
SHIPPED = ("compact", "nano")


def load(name: str) -> Bundle:
    return Bundle.load(REPOSITORY / "models" / name) if name in SHIPPED else make_bundle(name)


def compile_c_file(compiler: str, source: Path, *flags: str) -> Path:
    made = source.with_suffix(".o")
    done = subprocess.run(
        [compiler, *STRICT, *flags, "-c", str(source), "-o", str(made)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), (source.name, flags)
    return made


@pytest.mark.parametrize("name", [*sorted(NETWORKS), "nano"])
@pytest.mark.parametrize("prefer", [Preference.SPEED, Preference.FLASH], ids=lambda prefer: prefer.value)
def test_the_exported_model_passes_its_own_test_under_sanitizers(name: str, prefer: Preference, tmp_path: Path) -> None:
    bundle = load(name)
    export_c(bundle, tmp_path, prefer)
    flags = " ".join(("-O1", *SANITIZERS))
    done = subprocess.run(
        ["make", "-C", str(tmp_path), "CC=gcc", f"CFLAGS={flags}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "8 of 8 windows equal" in done.stdout
    shown = subprocess.run([tmp_path / "example"], input="", capture_output=True, text=True, check=True).stdout
    assert "this is " in shown


@pytest.mark.parametrize("name", SHIPPED)
def test_every_compiler_at_hand_takes_the_shipped_models_without_a_warning(name: str, tmp_path: Path) -> None:
    (_, source, example, self_test), prefix = export_c(load(name), tmp_path)[:4], c_name(load(name).manifest.name)
    for file in (source, example, self_test):
        test = [f"-D{prefix.upper()}_NO_MAIN"] if file == self_test else []
        for level in ("-O0", "-O2", "-O3"):
            compile_c_file("gcc", file, level)
        if file != example:
            for cpu in CPUS:
                compile_c_file("arm-none-eabi-gcc", file, f"-mcpu={cpu}", "-mthumb", "-O2", *test)


@pytest.mark.skipif(shutil.which("clang") is None, reason="clang is not installed: apt-get install clang")
@pytest.mark.parametrize("name", SHIPPED)
def test_clang_takes_the_shipped_models_without_a_warning(name: str, tmp_path: Path) -> None:
    bundle = load(name)
    _, source, example, self_test = export_c(bundle, tmp_path)[:4]
    sysroot = subprocess.run(["arm-none-eabi-gcc", "-print-sysroot"], capture_output=True, text=True, check=True).stdout
    headers = Path(sysroot.strip() or "/usr/lib/arm-none-eabi") / "include"
    for file in (source, example, self_test):
        compile_c_file("clang", file, "-O2")
    for cpu in CPUS:
        compile_c_file(
            "clang", source, "--target=arm-none-eabi", f"-mcpu={cpu}", "-mthumb", "-O2", f"-isystem{headers}"
        )


def test_a_big_endian_machine_is_refused(tmp_path: Path) -> None:
    source = export_c(load("nano"), tmp_path)[1]
    command = ["gcc", "-U__BYTE_ORDER__", "-D__BYTE_ORDER__=__ORDER_BIG_ENDIAN__", "-w", "-fsyntax-only", str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "little-endian" in done.stderr


ENGINE = """
#include "boards/emulator/profile/engine.h"
#include "{prefix}.h"
extern "C" int {prefix}_self_test(void);
static int8_t arena[{upper}_ARENA_BYTES];
bool hardwear::profile::begin() {{ return {prefix}_self_test() == 0; }}
uint32_t hardwear::profile::arena_bytes() {{ return sizeof arena; }}
extern "C" __attribute__((noinline)) void hardwear_infer(hardwear::profile::Mode, const int8_t* window, int8_t* logits,
                                                         int8_t* embedding) {{
  {prefix}_run(window, arena, logits, embedding);
  hardwear_step_done();
}}
"""


@pytest.mark.emulator
@pytest.mark.parametrize("prefer", [Preference.SPEED, Preference.FLASH], ids=lambda prefer: prefer.value)
@pytest.mark.parametrize("name", [*sorted(NETWORKS), *SHIPPED])
def test_the_chip_passes_the_self_test_and_agrees_on_other_windows(
    name: str, prefer: Preference, tmp_path: Path
) -> None:
    bundle = load(name)
    generate(bundle, tmp_path / "generated")
    _, source, _, self_test = export_c(bundle, tmp_path, prefer)[:4]
    prefix = c_name(bundle.manifest.name)
    objects = [
        compile_c_file("arm-none-eabi-gcc", file, *CHIP, "-O2", "-fno-exceptions", *flags)
        for file, flags in ((source, []), (self_test, [f"-D{prefix.upper()}_NO_MAIN"]))
    ]
    engine = tmp_path / "exported.cpp"
    engine.write_text(ENGINE.format(prefix=prefix, upper=prefix.upper()))
    inputs = windows(40)
    said = run_image(build_image(tmp_path, inputs, [engine], libraries=objects), bundle.manifest.outputs.embedding.size)
    logits, embedding = TflmModel(bundle.tflite).run(inputs)
    np.testing.assert_array_equal(said.logits, logits)
    np.testing.assert_array_equal(said.embedding, embedding)
    if name == "compact" and prefer is Preference.SPEED:
        assert said.alone[0].instructions < 1_450_000  # TFLite-Micro with CMSIS-NN takes 2.17 million
        assert said.stack_bytes < 512


def test_the_same_bundle_gives_the_same_bytes_and_nobodys_file_is_lost(tmp_path: Path) -> None:
    bundle = load("nano")
    first, second = export_c(bundle, tmp_path / "a"), export_c(bundle, tmp_path / "b")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert all(path.read_text().endswith("\n") for path in first)
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "Makefile").write_text("all:\n\techo mine\n")
    with pytest.raises(BuildError, match="Makefile"):
        export_c(bundle, tmp_path / "c")
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["Makefile"]


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_no_call_writes_over_what_it_reads_and_nothing_leaves_the_arena(name: str) -> None:
    program = compile_c(read_graph(NETWORKS[name]()))
    for step in program.steps:
        spans = [(b.offset - b.before, b.offset + b.size + b.after) for b in (step.source, step.target)]
        (a, b), (c, d) = spans
        assert b <= c or d <= a
        assert min(a, c) >= 0
        assert max(b, d) <= program.arena_bytes
    assert [step.copied_to for step in program.steps if step.copied_to] == ["embedding", "logits"]


def test_an_output_that_is_only_a_view_is_refused() -> None:
    with pytest.raises(ConversionError, match="view"):
        compile_c(read_graph(ModelBuilder().mark_embedding().flatten().dense(6).finish()))


@pytest.mark.parametrize(("name", "expected"), [("compact-uci-har", "compact_uci_har"), ("1st", "model_1st")])
def test_a_name_becomes_an_identifier(name: str, expected: str) -> None:
    assert c_name(name) == expected
    assert re.fullmatch(r"[a-z_]\w*", expected)


def test_the_verb_writes_what_it_says(tmp_path: Path) -> None:
    done = hardwear("export", "models/nano", "--c", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["CMakeLists.txt", "Makefile", "README.md", "example.c", "nano_uci_har.c", "nano_uci_har.h",
                       "self_test.c"]  # fmt: skip
    assert all(name in done.stderr.replace("\n", "") for name in written)
    assert hardwear("export", "--c", tmp_path / "other", "models/nano").returncode == 0
