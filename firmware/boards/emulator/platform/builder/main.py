"""How PlatformIO builds and starts a firmware for QEMU's mps2-an386 (run by SCons)."""

import sys

from SCons.Script import AlwaysBuild, Default, DefaultEnvironment

env = DefaultEnvironment()

env.Replace(
    AR="arm-none-eabi-gcc-ar",
    AS="arm-none-eabi-as",
    CC="arm-none-eabi-gcc",
    CXX="arm-none-eabi-g++",
    GDB="gdb-multiarch",
    OBJCOPY="arm-none-eabi-objcopy",
    RANLIB="arm-none-eabi-gcc-ranlib",
    SIZETOOL="arm-none-eabi-size",
    ARFLAGS=["rc"],
    PROGSUFFIX=".elf",
    # What lies in flash (the initial values of .data too), and what is reserved of RAM (the stack too).
    SIZEPROGREGEXP=r"^(?:\.text|\.data)\s+(\d+).*",
    SIZEDATAREGEXP=r"^(?:\.stack|\.data|\.bss)\s+(\d+).*",
    SIZECHECKCMD="$SIZETOOL -A -d $SOURCES",
    SIZEPRINTCMD="$SIZETOOL -B -d $SOURCES",
)
if env.get("PROGNAME", "program") == "program":
    env.Replace(PROGNAME="firmware")

# Spelled out here: SCons quotes a path with spaces only if it stands in one piece.
linker_script = env.subst("$PROJECT_SRC_DIR/boards/emulator/link.ld")
map_file = env.subst("$BUILD_DIR/${PROGNAME}.map")

machine = ["-mthumb", f"-mcpu={env.BoardConfig().get('build.cpu')}", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]
env.Append(
    ASFLAGS=machine,
    ASPPFLAGS=["-x", "assembler-with-cpp"],
    CCFLAGS=[*machine, "-ffunction-sections", "-fdata-sections"],
    CXXFLAGS=["-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-fno-unwind-tables"],
    CPPDEFINES=[("F_CPU", "$BOARD_F_CPU")],
    LINKFLAGS=[
        *machine,
        "-nostartfiles",
        "--specs=nano.specs",
        f"-T{linker_script}",
        "-Wl,--gc-sections",
        "-Wl,--fatal-warnings",
        "-Wl,--no-warn-rwx-segments",
        f"-Wl,-Map,{map_file}",
    ],
    LIBS=["m", "c", "gcc"],
)

elf = "$BUILD_DIR/${PROGNAME}.elf"
# "nobuild": pio test --without-building, pio run -t nobuild
program = env.File(elf) if "nobuild" in sys.argv[1:] else env.BuildProgram()
env.Depends(elf, linker_script)

AlwaysBuild(env.Alias("nobuild", program))
buildprog = env.Alias("buildprog", program)

env.AddPlatformTarget(
    "size",
    program,
    env.VerboseAction("$SIZEPRINTCMD", "Calculating size $SOURCE"),
    "Program Size",
    "Calculate program size",
)

emulator = '"$PYTHONEXE" "$PROJECT_DIR/tools/run_emulator.py" "$SOURCE"'
env.Replace(UPLOADCMD=emulator)
env.AddPlatformTarget(
    "upload",
    program,
    env.VerboseAction("$UPLOADCMD", "Booting $SOURCE on QEMU"),
    "Boot",
    "Boot the firmware on QEMU's mps2-an386 and ask it who it is",
)
env.AddPlatformTarget(
    "serve",
    program,
    env.VerboseAction(f"{emulator} --serve 4441", "Booting $SOURCE on QEMU"),
    "Serve",
    "Keep the firmware running, its serial line on TCP port 4441",
)

Default([buildprog])
