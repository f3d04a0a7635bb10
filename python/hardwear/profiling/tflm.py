"""TFLite-Micro's interpreter with CMSIS-NN as an engine of the profiler, compiled from sources that are at hand.

Nothing is downloaded. Two kinds of folders will do: the Arduino library that `[env:nano33ble]` of platformio.ini names,
which holds all it needs, and a checkout of tensorflow/tflite-micro with what its own Makefile downloads.
"""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hardwear.build import COMPILER, PROJECT
from hardwear.errors import BuildError
from hardwear.profiling.image import BOARD, CHIP, FIRMWARE, SECTIONS, compile_with
from hardwear.progress import Progress, silent

ENGINE = (BOARD / "profile" / "tflm.cpp", FIRMWARE / "engines" / "tflm" / "tflm_classifier.cpp")
ARDUINO_LIBRARY = "Chirale_TensorFLowLite"
LIBRARIES_OF_PLATFORMIO = PROJECT / ".pio" / "libdeps"
BUILD = PROJECT / "build" / "profile"

_DEFINES = ("-DNDEBUG", "-DCMSIS_NN", "-DTF_LITE_STRIP_ERROR_STRINGS", "-DTF_LITE_DISABLE_X86_NEON")
_NO_TABLES = ("-fno-unwind-tables", "-fno-asynchronous-unwind-tables", "-fomit-frame-pointer", "-w")
_KERNELS = ("conv", "fully_connected", "pooling")
"""Those that CMSIS-NN replaces, among what the engines support."""
_PLAIN_KERNELS = ("leaky_relu", "reshape", "reduce", "activations")
_NOT_CORE = ("_test", "test_help", "mock_", "fake_", "recording_", "debug_log", "hexdump", "micro_time", "system_setup",
             "micro_profiler")  # fmt: skip


@dataclass(frozen=True)
class Library:
    """Where TFLite-Micro's sources lie."""

    root: Path
    name: str
    standard: str
    """Of C++ that they need."""
    suffix: str
    """Of C++ files."""
    source_root: Path
    """Holds `tensorflow`."""
    flatbuffers: Path
    gemmlowp: Path
    ruy: Path
    cmsis_core: Path
    cmsis_nn: Path

    @property
    def flags(self) -> tuple[str, ...]:
        """What everything that includes its headers is compiled with."""
        folders = (self.source_root, self.flatbuffers, self.gemmlowp, self.ruy)
        return (f"-std={self.standard}", *_DEFINES, *self._variant, *(f"-isystem{folder}" for folder in folders))

    @property
    def _variant(self) -> tuple[str, ...]:
        return ("-DARDUINO=10800",) if self.suffix == "cpp" else ("-DTF_LITE_STATIC_MEMORY",)

    @property
    def core(self) -> list[Path]:
        """The interpreter."""
        lite = self.source_root / "tensorflow" / "lite"
        folders = [
            *(lite / "micro" / name for name in (".", "arena_allocator", "memory_planner", "tflite_bridge")),
            *(lite / name for name in ("core/api", "core/c", "kernels/internal", "kernels/internal/reference")),
            *(lite / "schema", self.source_root / "tensorflow" / "compiler" / "mlir" / "lite" / "schema"),
        ]
        files = [path for folder in folders for path in sorted(folder.glob(f"*.{self.suffix}"))]
        files += [lite / f"array.{self.suffix}", lite / "kernels" / f"kernel_util.{self.suffix}"]
        return [path for path in files if path.is_file() and not any(part in path.name for part in _NOT_CORE)]

    @property
    def kernels(self) -> list[Path]:
        """The operators that the engines support, those of CMSIS-NN where it has them."""
        folder = self.source_root / "tensorflow" / "lite" / "micro" / "kernels"
        names = [folder / "cmsis_nn" / name for name in _KERNELS]
        names += [folder / name for name in _PLAIN_KERNELS]
        names += [folder / f"{name}_common" for name in (*_KERNELS, *_PLAIN_KERNELS)]
        names += [folder / "kernel_util", folder / "micro_tensor_utils"]
        return [path for name in names if (path := name.with_suffix(f".{self.suffix}")).is_file()]

    @property
    def functions(self) -> list[Path]:
        """CMSIS-NN's own, in C."""
        kinds = ("Convolution", "FullyConnected", "Pooling", "NNSupport", "Activation")
        files = [path for kind in kinds for path in sorted((self.cmsis_nn / "Source" / f"{kind}Functions").glob("*.c"))]
        return [path for path in files if not path.stem.endswith(("_f16", "_f32", "_flt"))]


def find_library(folder: Path | None = None) -> Library | None:
    """TFLite-Micro's sources.

    Args:
        folder: Where they are. Default: what PlatformIO downloaded for the Nano 33 BLE.

    Returns:
        None if no folder is named and PlatformIO has not downloaded any.

    Raises:
        BuildError: A folder is named, and they are not there or not complete.
    """
    if folder is None:
        held = sorted(LIBRARIES_OF_PLATFORMIO.glob(f"*/{ARDUINO_LIBRARY}"))
        return _library(held[0]) if held else None
    return _library(folder.resolve())


def _library(root: Path) -> Library:
    if (root / "library.properties").is_file():
        version = dict(
            line.split("=", 1) for line in (root / "library.properties").read_text().splitlines() if "=" in line
        ).get("version", "?")
        third = root / "src" / "third_party"
        library = Library(
            root, f"{ARDUINO_LIBRARY} {version}", "gnu++14", "cpp", root / "src", third / "flatbuffers" / "include",
            third / "gemmlowp", third / "ruy", third / "cmsis" / "CMSIS" / "Core" / "Include", third / "cmsis_nn",
        )  # fmt: skip
    else:
        downloads = root / "tensorflow" / "lite" / "micro" / "tools" / "make" / "downloads"
        library = Library(
            root, "tflite-micro", "gnu++17", "cc", root, downloads / "flatbuffers" / "include", downloads / "gemmlowp",
            downloads / "ruy", downloads / "cmsis" / "CMSIS" / "Core" / "Include", downloads / "cmsis_nn",
        )  # fmt: skip
    needed = (
        library.source_root / "tensorflow" / "lite" / "micro" / "kernels" / "cmsis_nn", library.flatbuffers,
        library.gemmlowp, library.ruy, library.cmsis_core, library.cmsis_nn / "Source",
    )  # fmt: skip
    for path in needed:
        if not path.is_dir():
            raise BuildError(
                f"expected TFLite-Micro with CMSIS-NN in {root}, but there is no {path}. Next step: name a copy of the "
                f"Arduino library {ARDUINO_LIBRARY}, or a checkout of tensorflow/tflite-micro in which `make -f "
                "tensorflow/lite/micro/tools/make/Makefile TARGET=cortex_m_generic TARGET_ARCH=cortex-m4+fp "
                "OPTIMIZED_KERNEL_DIR=cmsis_nn third_party_downloads` has run"
            )
    return library


def build_library(library: Library, jobs: int = 2, progress: Progress = silent) -> Path:
    """An archive of the interpreter (-Os) and its kernels (-O2, their best), compiled once and kept.

    Args:
        library: The sources.
        jobs: Files compiled at a time.
        progress: Told of every file.

    Raises:
        BuildError: The compiler is missing or refuses.
    """
    out = BUILD / f"tflm-{hashlib.sha256(str(library.root).encode()).hexdigest()[:12]}"
    archive = out / "tflm.a"
    out.mkdir(parents=True, exist_ok=True)
    common = (*CHIP, *SECTIONS, *_NO_TABLES)
    cpp = (*common, *library.flags, "-fno-rtti", "-fno-exceptions", "-fno-threadsafe-statics")
    headers = (library.source_root, library.cmsis_nn, library.cmsis_nn / "Include", library.cmsis_core)
    nn = tuple(f"-I{folder}" for folder in headers)
    compiler_of_c = COMPILER.replace("g++", "gcc")
    work = [(COMPILER, (*cpp, "-Os"), path) for path in library.core]
    work += [(COMPILER, (*cpp, *nn, "-O2"), path) for path in library.kernels]
    work += [(compiler_of_c, (*common, *_DEFINES, *nn, "-O2"), path) for path in library.functions]

    def compiled(job: tuple[str, Sequence[str], Path]) -> Path:
        compiler, flags, source = job
        object_file = out / (str(source.relative_to(library.root)).replace(os.sep, "_") + ".o")
        if not object_file.is_file() or object_file.stat().st_mtime < source.stat().st_mtime:
            unfinished = object_file.with_suffix(".part")
            compile_with(compiler, *flags, "-c", str(source), "-o", str(unfinished))
            unfinished.replace(object_file)
        return object_file

    objects: list[Path] = []
    with ThreadPoolExecutor(jobs) as pool:
        for done, object_file in enumerate(pool.map(compiled, work), start=1):
            objects.append(object_file)
            progress(done, len(work), object_file.stem)
    archive.unlink(missing_ok=True)
    compile_with(COMPILER.replace("g++", "ar"), "rcs", str(archive), *map(str, objects))
    return archive
