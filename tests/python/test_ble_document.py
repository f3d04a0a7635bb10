"""docs/ble.md says what the code does."""

import re

from hardwear.wearable.gatt import CHARACTERISTICS, INFO, SERVICE_UUID
from hardwear.wearable.packets import RAW_MTU, Info
from native import FIRMWARE, ROOT

DOCUMENT = (ROOT / "docs" / "ble.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in DOCUMENT.splitlines() if line[:1] == "|"]


def test_its_table_is_the_services() -> None:
    table = [row for row in ROWS if re.fullmatch(r"[0-9a-f]{8}-.*", row[1])]
    expected = [
        [c.uuid, ", ".join(str(p.name).lower() for p in c.properties), str(c.max_bytes), c.description]
        for c in CHARACTERISTICS
    ]
    expected[CHARACTERISTICS.index(INFO)][2] = f"up to {INFO.max_bytes}"
    assert [row[1:] for row in table] == expected
    assert f"The service is {SERVICE_UUID}." in DOCUMENT
    assert f"MTU is {RAW_MTU} or more" in DOCUMENT


def test_infos_offsets_are_those_of_the_code() -> None:
    sizes = {"u8": 1, "u16": 2, "u32": 4, "8 B": 8}
    at = 0
    for offset, size, *_ in (row for row in ROWS if row[0].isdigit()):
        assert int(offset) == at
        at += sizes.get(size, 0)
    assert at == Info.HEADER_SIZE


def test_the_build_flag_and_the_files_it_names_exist() -> None:
    assert "HARDWEAR_BONDED_ONLY" in (FIRMWARE / "core" / "wearable_service.h").read_text()
    for path in re.findall(r"`(firmware/[\w/.]+)`", DOCUMENT):
        assert (ROOT / path).is_file(), path
