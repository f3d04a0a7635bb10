"""The stack of an inference: a bound that the generator knows, the compiler confirms, and the firmware asserts."""

import re
import subprocess
from pathlib import Path

import pytest
from compiled_engine import FIRMWARE
from engine_models import NETWORKS
from test_codegen_on_chip import SHIPPED, load

from hardwear.codegen import generate, read_graph
from hardwear.codegen.compiled_model import compile_graph
from hardwear.codegen.kernels import Preference
from hardwear.codegen.stack import stack_bytes
from hardwear.profiling.image import CHIP, FLAGS

CALLED_BY_POINTER = ("transform_tile", "multiply_strip", "finish_channel")
LIBRARY_BYTES = 32
"""For a function of the C library, such as memcpy."""


def pushed_by_assembly() -> dict[str, int]:
    """Bytes that each kernel's assembly pushes, which the compiler does not see."""
    pushed: dict[str, int] = {}
    for header in sorted((FIRMWARE / "engines/compiled").glob("*.h")):
        function = ""
        for line in header.read_text().splitlines():
            if found := re.search(r"\bvoid (\w+)\(", line):
                function = found[1]
            elif found := re.match(r"\s*push \{(.*)\}", line):
                spans = [re.findall(r"r(\d+)", part) for part in found[1].split(",")]
                registers = sum(int(span[-1]) - int(span[0]) + 1 for span in spans)
                pushed[function] = pushed.get(function, 0) + 4 * registers
    return pushed


def deepest_path(graph: str) -> int:
    """Bytes of the deepest path through a call graph of GCC's -fcallgraph-info=su; fails where it goes round."""
    # The compiler splits functions, and names the parts after the whole in some places only.
    graph = re.sub(r"(\.(part|isra|constprop)\.\d+)+(?=\")", "", graph)
    saved = pushed_by_assembly()
    frames: dict[str, int] = {}
    for title, label in re.findall(r'node: \{ title: "([^"]*)" label: "([^"]*)"', graph):
        found = re.search(r"(\d+) bytes \((\w+)\)", label)
        assert found is None or found[2] == "static", f"a frame whose size shows at run time only: {label}"
        pushed = sum(size for name, size in saved.items() if f"::{name}(" in label)
        frames[title] = max(frames.get(title, 0), int(found[1]) + pushed if found else LIBRARY_BYTES)
    frames["__indirect_call"] = 0
    calls: dict[str, list[str]] = {title: [] for title in frames}
    for source, target in re.findall(r'edge: \{ sourcename: "([^"]*)" targetname: "([^"]*)"', graph):
        calls[source].append(target)
    calls["__indirect_call"] = [title for title in frames if any(name in title for name in CALLED_BY_POINTER)]

    def depth(title: str, above: tuple[str, ...] = ()) -> int:
        assert title not in above, f"{title} calls itself"
        return frames[title] + max((depth(target, (*above, title)) for target in calls[title]), default=0)

    return max(depth(title) for title in frames)


@pytest.mark.parametrize("prefer", Preference, ids=lambda prefer: prefer.value)
@pytest.mark.parametrize("name", [*sorted(NETWORKS), *SHIPPED])
def test_the_compilers_call_graph_stays_below_the_bound(name: str, prefer: Preference, tmp_path: Path) -> None:
    bundle = load(name)
    generate(bundle, tmp_path / "generated", prefer)
    bound = stack_bytes(compile_graph(read_graph(bundle.tflite), prefer).steps)
    assert f"kStackBytes = {bound};" in (tmp_path / "generated" / "compiled_model.h").read_text()
    source = FIRMWARE / "engines/compiled/compiled_classifier.cpp"
    for level in ("-O2", "-Os", "-O3") if name in SHIPPED else ("-O2",):
        flags = [*CHIP, *FLAGS, level, "-fcallgraph-info=su", "-fno-ipa-icf"]  # equal functions not merged: each a node
        command = ["arm-none-eabi-g++", *flags, f"-I{tmp_path}", f"-I{FIRMWARE}"]
        subprocess.run([*command, "-c", str(source), "-o", str(tmp_path / "engine.o")], cwd=tmp_path, check=True)
        used = deepest_path((tmp_path / "engine.ci").read_text())
        assert (bound / 2 if name in SHIPPED else 0) < used <= bound, level


def test_a_network_that_takes_more_than_promised_does_not_compile(tmp_path: Path) -> None:
    generate(load("paper_like"), tmp_path / "generated")
    header = tmp_path / "generated" / "compiled_model.h"
    header.write_text(re.sub(r"kStackBytes = \d+", "kStackBytes = 4096", header.read_text()))
    source = FIRMWARE / "engines/compiled/compiled_classifier.cpp"
    command = ["arm-none-eabi-g++", *CHIP, *FLAGS, f"-I{tmp_path}", f"-I{FIRMWARE}", "-fsyntax-only", str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "more stack than promised" in done.stderr


def test_what_assembly_pushes_is_read_from_the_headers() -> None:
    pushed = pushed_by_assembly()
    assert pushed["convolve_channel"] == 48
    assert pushed["finish_channel"] == 20


def test_a_path_that_goes_round_is_noticed() -> None:
    node = 'node: { title: "%s" label: "%s\\n8 bytes (static)" }'
    edge = 'edge: { sourcename: "%s" targetname: "%s" label: "" }'
    straight = "\n".join((node % ("a", "a"), node % ("b", "b"), edge % ("a", "b")))
    assert deepest_path(straight) == 16
    with pytest.raises(AssertionError, match="calls itself"):
        deepest_path(straight + edge % ("b", "a"))
