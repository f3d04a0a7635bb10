"""How long a battery lasts: currents by state, measured by the user or from datasheets, times the share of the day.

Nothing here was measured. Every figure names the table that it is from, and whether that table could be read
(`docs/power.md` tells the same, and shows the arithmetic).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hardwear.contract import HOP_SAMPLES, SAMPLE_RATE_HZ
from hardwear.errors import HardwearError

HOP_MS = 1000 * HOP_SAMPLES / SAMPLE_RATE_HZ
HOURS_A_DAY = 24.0
RAIL_V = 3.3
"""What the regulator gives and all figures of parts are for."""


class State(StrEnum):
    """What the board does. The last two come on top of the others."""

    INFERENCE = "inference"
    SENSING = "sensing"
    ASLEEP = "asleep"
    ADVERTISING = "advertising"
    CONNECTED = "connected"


@dataclass(frozen=True)
class Figure:
    """A typical current of one part."""

    part: str
    doing: str
    milliamps: float
    source: str
    checked: bool
    """The source, or a copy of it, was read; else it is from memory or second hand."""


_PS = "nRF52840 Product Specification, Current consumption"
_LSM = "LSM9DS1 datasheet, Electrical characteristics"
_BMI = "BMI270 datasheet"

FIGURES: Mapping[str, Figure] = {
    "cpu_ldo": Figure(
        "nRF52840", "CPU runs from flash, LDO", 6.1, f"{_PS}: Compounded IS3 less IRADIO_RX1, 16.2 - 10.1", True
    ),
    "cpu_dcdc": Figure("nRF52840", "CPU runs from flash, DC/DC", 3.3, f"{_PS}: CPU running, ICPU0", False),
    "idle": Figure("nRF52840", "CPU waits; crystal and a timer run", 0.6, f"{_PS}: TIMER running, ITIMER", False),
    "tx_ldo": Figure("nRF52840", "radio sends at 0 dBm, LDO", 10.8, f"{_PS}: Radio transmitting, IRADIO_TX3", True),
    "rx_ldo": Figure("nRF52840", "radio listens, LDO", 10.1, f"{_PS}: Radio receiving, IRADIO_RX1", True),
    "tx_dcdc": Figure("nRF52840", "radio sends at 0 dBm, DC/DC", 6.4, f"{_PS}: Radio transmitting, IRADIO_TX1", True),
    "rx_dcdc": Figure("nRF52840", "radio listens, DC/DC", 6.26, f"{_PS}: Radio receiving, IRADIO_RX0", True),
    "lsm9ds1": Figure("LSM9DS1", "both sensors run", 4.6, f"{_LSM}: Idd_XM 0.6 + Idd_G 4.0", False),
    "lsm9ds1_asleep": Figure("LSM9DS1", "accelerometer alone", 0.6, f"{_LSM}: Idd_XM, magnetometer included", False),
    "bmi270": Figure("BMI270", "both sensors run", 0.685, f"{_BMI}, Key features: current consumption", True),
    "bmi270_asleep": Figure("BMI270", "accelerometer alone, 25 Hz", 0.21, f"{_BMI}: second hand", False),
    "power_led": Figure("Nano 33 BLE", "power LED", 1.0, "assumed: the schematic was not at hand", False),
    "rgb_led": Figure("Nano 33 BLE", "RGB LED, one colour", 2.0, "assumed: the schematic was not at hand", False),
}
"""All that the budget is made of, at 3 V to 3.3 V and 25 °C."""

# What the radio does in one event, by the Bluetooth core specification: 8 µs a byte, 150 µs between packets. A
# receiver opens early and closes late: taken together as 300 µs.
ADVERTISING_INTERVAL_MS = 100.0
"""ArduinoBLE's own: 160 x 0.625 ms."""
CONNECTION_INTERVAL_MS = 30.0
"""The central chooses; Linux and phones mostly take 15 to 50."""
_ADVERTISING_TX_MS = 3 * 47 * 0.008
_ADVERTISING_RX_MS = 3 * 0.3
_EVENT_TX_MS = 37 * 0.008
_EVENT_RX_MS = 0.3

_I2C_HZ = 400_000
_BITS_A_BYTE = 9
_SENSOR_RATE_HZ = {"lsm9ds1": 119, "bmi270": 100}
_BYTES_A_SAMPLE = {"lsm9ds1": 12, "bmi270": 13}
_FLASH_MS = 100.0
"""The LED shows an activity so long in each hop."""


@dataclass(frozen=True)
class Design:
    """What the budget depends on.

    Raises:
        HardwearError: A value that makes no sense.
    """

    sensor: str = "lsm9ds1"
    dcdc: bool = False
    """Arduino's core leaves the chip's DC/DC converter off."""
    power_led: bool = False
    """The firmware switches it off at start."""
    rgb_led: bool = True
    inference_ms: float = 15.0
    """Of the compiled engine: 10 ms of modelled cycles (docs/performance.md) and room for the flash's wait states."""
    asleep_hours: float = 0.0
    connected_hours: float = HOURS_A_DAY

    def __post_init__(self) -> None:
        if self.sensor not in _SENSOR_RATE_HZ:
            raise HardwearError(f"expected --sensor to be one of {', '.join(_SENSOR_RATE_HZ)}, got {self.sensor!r}")
        _expect("--inference-ms", self.inference_ms, HOP_MS)
        _expect("--asleep-hours", self.asleep_hours, HOURS_A_DAY)
        _expect("--connected-hours", self.connected_hours, HOURS_A_DAY)


@dataclass(frozen=True)
class Battery:
    """Where the current comes from.

    Raises:
        HardwearError: A value that makes no sense.
    """

    capacity_mah: float = 500.0
    usable: float = 0.8
    """Of the capacity: ageing, cold, and the voltage at which the board stops."""
    volts: float = 3.7
    efficiency: float = 0.8
    """Of the regulator, assumed. Only figures from datasheets go through it."""

    def __post_init__(self) -> None:
        _expect("--capacity-mah", self.capacity_mah, 1e6, above=0)
        _expect("--usable", self.usable, 1, above=0)
        _expect("--battery-v", self.volts, 30, above=0)
        _expect("--efficiency", self.efficiency, 1, above=0)

    @property
    def factor(self) -> float:
        """Milliamperes of the battery for one of the rail."""
        return RAIL_V / (self.volts * self.efficiency)


@dataclass(frozen=True)
class Share:
    """One state's part in the average."""

    state: State
    milliamps: float
    """From the battery, while it lasts."""
    share: float
    """Of the day."""
    measured: bool
    arithmetic: str
    """Where the current comes from, in numbers."""

    @property
    def average(self) -> float:
        """What it adds to the average, in milliamperes."""
        return self.milliamps * self.share


@dataclass(frozen=True)
class Budget:
    """The outcome."""

    shares: tuple[Share, ...]
    battery: Battery
    average_ma: float = field(init=False)
    hours: float = field(init=False)

    def __post_init__(self) -> None:
        average = sum(share.average for share in self.shares)
        if not average > 0:
            raise HardwearError("expected a current above 0 in some state, got none; measure again")
        object.__setattr__(self, "average_ma", average)
        object.__setattr__(self, "hours", self.battery.capacity_mah * self.battery.usable / average)

    @property
    def measured(self) -> bool:
        """Whether every current that counts was measured by the user."""
        return all(share.measured for share in self.shares if share.share > 0)


def budget(measured: Mapping[State, float], design: Design, battery: Battery) -> Budget:
    """Average current and battery life.

    Args:
        measured: Currents from the battery in milliamperes, as far as they were measured; datasheets give the others.
            Of advertising and connected: what comes on top.
        design: What the shares and the datasheet figures follow from.
        battery: What it runs on.

    Raises:
        HardwearError: A measured current makes no sense.
    """
    for state, milliamps in measured.items():
        _expect(f"--{state}-ma", milliamps, 1000)
    awake = 1 - design.asleep_hours / HOURS_A_DAY
    inferring = awake * design.inference_ms / HOP_MS
    connected = design.connected_hours / HOURS_A_DAY
    portions = {
        State.INFERENCE: inferring,
        State.SENSING: awake - inferring,
        State.ASLEEP: 1 - awake,
        State.ADVERTISING: 1 - connected,
        State.CONNECTED: connected,
    }
    from_parts = rail_currents(design)
    shares = []
    for state, portion in portions.items():
        if state in measured:
            shares.append(Share(state, measured[state], portion, True, "measured by you"))
            continue
        milliamps, arithmetic = from_parts[state]
        shares.append(Share(state, milliamps * battery.factor, portion, False, arithmetic))
    return Budget(tuple(shares), battery)


def rail_currents(design: Design) -> dict[State, tuple[float, str]]:
    """Milliamperes at 3.3 V by state, from `FIGURES`, and the sum in words."""
    regulator = "dcdc" if design.dcdc else "ldo"
    cpu, idle = _of(f"cpu_{regulator}"), _of("idle")
    tx, rx = _of(f"tx_{regulator}"), _of(f"rx_{regulator}")
    sensor, sensor_asleep = _of(design.sensor), _of(f"{design.sensor}_asleep")
    lamps = [("power LED", _of("power_led"))] if design.power_led else []
    blink = [("RGB LED", _of("rgb_led") * _FLASH_MS / HOP_MS)] if design.rgb_led else []
    reading = _SENSOR_RATE_HZ[design.sensor] * _BYTES_A_SAMPLE[design.sensor] * _BITS_A_BYTE / _I2C_HZ
    waiting = cpu * reading + idle * (1 - reading)
    advertising = (tx * _ADVERTISING_TX_MS + rx * _ADVERTISING_RX_MS) / ADVERTISING_INTERVAL_MS
    connected = (tx * _EVENT_TX_MS + rx * _EVENT_RX_MS) / CONNECTION_INTERVAL_MS
    return {
        State.INFERENCE: _sum([("CPU", cpu), ("sensor", sensor), *lamps, *blink]),
        State.SENSING: _sum([(f"CPU {reading:.1%} of the time", waiting), ("sensor", sensor), *lamps, *blink]),
        State.ASLEEP: _sum([("CPU waits", idle), ("sensor", sensor_asleep), *lamps]),
        State.ADVERTISING: _sum([(f"radio, every {ADVERTISING_INTERVAL_MS:g} ms", advertising)]),
        State.CONNECTED: _sum([(f"radio, every {CONNECTION_INTERVAL_MS:g} ms", connected)]),
    }


def _of(key: str) -> float:
    return FIGURES[key].milliamps


def _sum(parts: list[tuple[str, float]]) -> tuple[float, str]:
    return sum(value for _, value in parts), " + ".join(f"{name} {value:.2f}" for name, value in parts)


def _expect(option: str, value: float, most: float, above: float | None = None) -> None:
    least = 0.0 if above is None else above
    if not (value > least if above is not None else value >= least) or value > most:
        raise HardwearError(
            f"expected {option} {'above' if above is not None else 'from'} {least:g} to {most:g}, got {value:g}"
        )
