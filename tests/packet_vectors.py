"""Reference vectors of what the wearable says and hears, made by Python, held to by both languages.

`tests/reference_vectors.py` writes them to `tests/vectors/`; a test proves that what is committed is what it writes.
The info packet is not among them, as it follows the bundle: its fields are compared one by one.
"""

import json
from dataclasses import asdict, dataclass

from hardwear.codegen.templating import braced
from hardwear.wearable.gatt import CHARACTERISTICS, DEVICE_NAME, MANUFACTURER, SERVICE_UUID
from hardwear.wearable.orientation import IDENTITY, Rotation
from hardwear.wearable.packets import (
    CalibrationAction,
    CalibrationCommand,
    CalibrationPacket,
    Config,
    Flag,
    PredictionPacket,
    RawPacket,
)

TURNED = Rotation(((0, -16384, 0), (11585, 0, 11585), (-11585, 0, 11585)))
"""A quarter turn and half a one."""


@dataclass(frozen=True)
class Refused:
    """Bytes that neither language takes."""

    name: str
    bytes: str


def predictions() -> dict[str, PredictionPacket]:
    return {
        "a window": PredictionPacket(Flag(0), 258, 3, 4, 200, (1, 2, 3, 200, 45, 4), 123_456, 98_765),
        "unknown yet": PredictionPacket(Flag.UNCALIBRATED, 0, 0, 15, 90, (90, 60, 50, 30, 20, 5), 0, 1),
        "no window": PredictionPacket(
            Flag.IMU_FAILING | Flag.SAMPLES_LOST | Flag.SLEPT, 65535, 15, 15, 0, (0,) * 6, 2**32 - 1, 0
        ),
        "every flag": PredictionPacket(Flag(255), 1, 5, 5, 255, (0, 0, 0, 0, 0, 255), 2**31, 2**32 - 1),
    }


def calibrations() -> dict[str, CalibrationPacket]:
    return {
        "idle": CalibrationPacket(0, 0, IDENTITY),
        "walking": CalibrationPacket(2, 128, IDENTITY),
        "done": CalibrationPacket(3, 255, TURNED),
    }


def commands() -> dict[str, CalibrationCommand]:
    plain = [a for a in CalibrationAction if a is not CalibrationAction.SET]
    given = {action.name.lower(): CalibrationCommand(action) for action in plain}
    rotations = {"set identity": IDENTITY, "set turned": TURNED}
    return given | {name: CalibrationCommand(CalibrationAction.SET, rotation) for name, rotation in rotations.items()}


def configs() -> dict[str, Config]:
    return {
        "default": Config(),
        "lowest": Config(0, 0, 1, led=False, low_power=False),
        "highest": Config(6, 255, 255, led=True, low_power=True),
        "dark": Config(2, 100, 10, led=False, low_power=True),
    }


def raws() -> dict[str, RawPacket]:
    rows = tuple(tuple(1000 * i - 7 * c * c for c in range(6)) for i in range(4))
    return {"raw": RawPacket(65533, (*rows, (-32768, 32767, -1, 0, 1, 256)))}


def refused_configs() -> list[Refused]:
    good = Config().encode()
    at = {"version": (0, (0, 2)), "smoothing": (1, (7, 255)), "notify_every": (3, (0,)), "led": (4, (2,))}
    at["low_power"] = (5, (2, 128))
    changed = [
        Refused(f"{name} {value}", (good[:index] + bytes([value]) + good[index + 1 :]).hex())
        for name, (index, values) in at.items()
        for value in values
    ]
    return [Refused("empty", ""), Refused("short", good[:-1].hex()), Refused("long", (good + b"\0").hex()), *changed]


def refused_commands() -> list[Refused]:
    rotation = CalibrationCommand(CalibrationAction.SET, TURNED).encode()
    mirrored = b"\x04" + CalibrationPacket(0, 0, Rotation(((-16384, 0, 0), (0, 16384, 0), (0, 0, 16384)))).encode()[2:]
    stretched = b"\x04" + CalibrationPacket(0, 0, Rotation(((17000, 0, 0), (0, 16384, 0), (0, 0, 16384)))).encode()[2:]
    return [
        Refused("empty", ""),
        Refused("no action", "00"),
        Refused("unknown action", "05"),
        Refused("start and more", "0100"),
        Refused("start with a rotation", "01" + rotation[1:].hex()),
        Refused("set alone", "04"),
        Refused("set short", rotation[:-1].hex()),
        Refused("set long", (rotation + b"\0").hex()),
        Refused("set nothing", "04" + bytes(18).hex()),
        Refused("set a mirror", mirrored.hex()),
        Refused("set a stretch", stretched.hex()),
        Refused("set extremes", "04" + (b"\x00\x80" * 9).hex()),
    ]


def render() -> dict[str, str]:
    """Every file of these vectors by its name."""
    kinds = {
        "predictions": predictions(),
        "calibrations": calibrations(),
        "commands": commands(),
        "configs": configs(),
        "raws": raws(),
    }
    encoded = {kind: {name: packet.encode().hex() for name, packet in all_.items()} for kind, all_ in kinds.items()}
    refused = {"configs": refused_configs(), "commands": refused_commands()}
    content = encoded | {f"refused_{kind}": [asdict(r) for r in each] for kind, each in refused.items()}
    return {"packets.json": json.dumps(content, indent=1) + "\n", "packets.h": _header()}


def _header() -> str:
    out = [
        "// Made by tests/reference_vectors.py; do not edit. Bytes are hexadecimal text.",
        "#pragma once",
        "",
        "#include <cstdint>",
        "",
        '#include "core/packets.h"',
        "",
        "namespace vectors {",
        "",
        "struct PredictionVector { const char* name; hardwear::PredictionPacket packet; const char* bytes; };",
        "const PredictionVector kPredictions[] = {",
    ]
    for name, p in predictions().items():
        fields = (
            int(p.flags), p.sequence, p.activity, p.label, p.confidence, braced(p.probabilities),
            f"{p.time_ms}u", f"{p.inference_us}u",
        )  # fmt: skip
        out.append(f'    {{"{name}", {braced(fields)},\n     "{p.encode().hex()}"}},')
    out += [
        "};",
        "",
        "struct CalibrationVector {",
        "  const char* name;",
        "  uint8_t state, progress;",
        "  hardwear::Rotation rotation;",
        "  const char* bytes;",
        "};",
        "const CalibrationVector kCalibrations[] = {",
    ]
    for name, c in calibrations().items():
        out.append(f'    {{"{name}", {c.state}, {c.progress}, {_rotation(c.rotation)},\n     "{c.encode().hex()}"}},')
    out += [
        "};",
        "",
        "struct CommandVector { const char* name; uint8_t action; hardwear::Rotation rotation; const char* bytes; };",
        "const CommandVector kCommands[] = {",
    ]
    for name, w in commands().items():
        rotation = _rotation(w.rotation or IDENTITY)
        out.append(f'    {{"{name}", {int(w.action)}, {rotation},\n     "{w.encode().hex()}"}},')
    out += [
        "};",
        "",
        "struct ConfigVector {",
        "  const char* name;",
        "  uint8_t smoothing, threshold, notify_every;",
        "  bool led, low_power;",
        "  const char* bytes;",
        "};",
        "const ConfigVector kConfigs[] = {",
    ]
    for name, s in configs().items():
        flags = f"{str(s.led).lower()}, {str(s.low_power).lower()}"
        out.append(f'    {{"{name}", {s.smoothing}, {s.threshold}, {s.notify_every}, {flags}, "{s.encode().hex()}"}},')
    out += [
        "};",
        "",
        "struct RawVector { const char* name; hardwear::RawPacket packet; const char* bytes; };",
        "const RawVector kRaws[] = {",
    ]
    for name, r in raws().items():
        samples = ",\n       ".join(braced(sample) for sample in r.samples)
        out.append(f'    {{"{name}", {{{r.first_sample}, {{{samples}}}}},\n     "{r.encode().hex()}"}},')
    out += ["};", "", "struct Refused { const char* name; const char* bytes; };"]
    for kind, refused in (("Configs", refused_configs()), ("Commands", refused_commands())):
        out += [f"const Refused kRefused{kind}[] = {{"]
        out += [f'    {{"{r.name}", "{r.bytes}"}},' for r in refused]
        out += ["};", ""]
    out += [
        "struct GattVector { const char* uuid; uint8_t properties; uint16_t max_bytes; const char* description; };",
        f'const char kServiceUuid[] = "{SERVICE_UUID}";',
        f'const char kDeviceName[] = "{DEVICE_NAME}";',
        f'const char kManufacturer[] = "{MANUFACTURER}";',
        "const GattVector kGatt[] = {",
        *(f'    {{"{c.uuid}", {int(c.properties)}, {c.max_bytes}, "{c.description}"}},' for c in CHARACTERISTICS),
        "};",
        "",
        "}  // namespace vectors",
        "",
    ]
    return "\n".join(out)


def _rotation(rotation: Rotation) -> str:
    return f"{{{braced(braced(row) for row in rotation.q14)}}}"
