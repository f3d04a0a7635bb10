"""docs/wear-it.md says what the firmware does: its example packet, its flags, its LED table, its UUIDs."""

import re

from hardwear.contract import CLASSES
from hardwear.wearable import gatt
from hardwear.wearable.packets import Flag, PredictionPacket
from native import FIRMWARE, ROOT

PAGE = (ROOT / "docs" / "wear-it.md").read_text()
LED_SOURCE = (FIRMWARE / "core" / "led.cpp").read_text()
COLORS = {"kWhite": "white", "kRed": "red", "kBlue": "blue", "kGreen": "green", "kMagenta": "magenta"}
COLORS |= {"kYellow": "yellow", "kCyan": "cyan"}


def led_rows() -> list[str]:
    """The firmware's table in Markdown."""
    found = re.findall(r'\{(?:led::\w+|activity\(\d\)), (k\w+), (\d+), (\d+), (\d+), "([^"]+)"\}', LED_SOURCE)
    rows = []
    for color, _, on, period, meaning in found:
        flash = "steady" if on == period else f"{on} ms every {int(period) / 1000:g} s"
        rows.append(f"| {COLORS[color]} | {flash} | {meaning} |")
    return rows


def test_the_led_table_is_the_firmwares() -> None:
    rows = led_rows()
    assert len(rows) == LED_SOURCE.count('"},')
    told = PAGE.split("<!-- led -->")[1].split("<!-- /led -->")[0].strip().splitlines()
    assert told == ["| colour | flash | means |", "|---|---|---|", *rows]


def test_the_example_packet_reads_as_the_page_says() -> None:
    example = re.search(r"```\n((?:[0-9a-f]{2} ){19}[0-9a-f]{2})\n```", PAGE)
    assert example is not None
    packet = PredictionPacket.decode(bytes.fromhex(example.group(1)))
    assert packet == PredictionPacket(
        flags=Flag.UNCALIBRATED,
        sequence=300,
        activity=0,
        label=0,
        confidence=247,
        probabilities=(247, 3, 5, 0, 0, 0),
        time_ms=12_345,
        inference_us=65_600,
    )


def test_every_flag_class_and_characteristic_is_on_the_page() -> None:
    for flag in Flag:
        assert f"| {flag.value:02x} | " in PAGE, flag.name
    for index, name in enumerate(CLASSES):
        assert f"{index} {name}" in PAGE
    for row in gatt.CHARACTERISTICS:
        assert f"| `{row.uuid.split('-')[0]}` |" in PAGE
    assert gatt.SERVICE_UUID in PAGE
