"""Captured wireless telegrams against the values that wmbusmeters gives, by rules: quantity and unit, dates, texts.

What counts as plain: records of the open tables, in a frame that can be deciphered with the key given. What a maker
keeps to himself (a CI of his own, a block behind DIF 0F, a VIF of his own, a container in a text) is counted apart.
The values inside compact profiles, and their times, count like records.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from drivers.contract import DecodeError
from drivers.mbus.history import stored
from drivers.mbus.records import Record, decode_records
from drivers.wmbus.compact import Formats
from drivers.wmbus.layers import COMPACT, MAKERS, Message, WrongKey, unwrap
from drivers.wmbus.link import decode_frame, split

K, HOUR = Fraction(1, 1000), Fraction(1, 3600)
SUFFIXES: dict[str, dict[str | None, Fraction]] = {
    "kwh": {"Wh": K, "J": K * HOUR, "cal": Fraction(4184, 3_600_000_000)},
    "kvarh": {"varh": K}, "kvah": {"VAh": K}, "kw": {"W": K, "J/h": K * HOUR}, "kvar": {"var": K}, "kva": {"VA": K},
    "m3": {"m3": Fraction(1), "ft3": Fraction(28_316_846_592, 10**12)},
    "m3h": {"m3/h": Fraction(1), "m3/min": Fraction(60), "m3/s": Fraction(3600)},
    "c": {"°C": Fraction(1), "K": Fraction(1)}, "v": {"V": Fraction(1)}, "a": {"A": Fraction(1)},
    "hz": {"Hz": Fraction(1)}, "h": {"h": Fraction(1), "s": HOUR, "d": Fraction(24)},
    "s": {"s": Fraction(1), "h": Fraction(3600)}, "y": {"d": 1 / Fraction("365.2425")}, "bar": {"bar": Fraction(1)},
    "rh": {"%": Fraction(1)}, "dbm": {"dBm": Fraction(1)}, "hca": {None: Fraction(1)},
}  # fmt: skip
"""What a name of wmbusmeters ends with: the wire's units, and the factor from each."""

ABOUT = {"_", "media", "meter", "id", "name"}
"""Not in the records."""

COMPUTED = {
    "evo868": "history_", "waterstarm": "history_", "em24": "total_apparent_energy", "hydrus": "remaining_battery",
}  # fmt: skip
"""Names, by their beginning, that wmbusmeters computes from other values."""

ERRORS_OF_THE_SOURCE = {
    ("volume_flow_m3h", "02bb56"): "how long a limit was exceeded, not a flow",
    ("operating_time_in_error_h", "0aa618"): "the meter says that it has no value",
    ("target_date", "426c"): "a year of 127 is none",
    ("set_date", "426c"): "a year of 127 is none",
}
"""Where the telegram says something else, by name and head of the record."""


class Opened:
    """What a capture holds: its records, and which kind it is."""

    def __init__(self, data: bytes, key: bytes | None) -> None:
        self.records: list[Record] = []
        self.raw: list[bytes] = []
        self.kind = "plain"
        formats = Formats()
        for _, _, frame in split(data):
            try:
                self._take(unwrap(decode_frame(frame), key), formats)
            except WrongKey:
                self.kind = "no key given"
            except DecodeError as error:
                self.kind = error.what.rstrip("0123456789ABCDEF ")

    def _take(self, message: Message, formats: Formats) -> None:
        if message.ci in MAKERS:
            self.kind = "maker's frame"
            return
        data = formats.expand(message.records) if message.ci == COMPACT else message.records
        found = decode_records(data, cut_off=True)
        if message.ci != COMPACT:
            formats.learn(found)
        self.records += found.records
        self.raw += [data[record.data_at : record.end] for record in found.records]
        for inside in stored(found):
            self.records += [replace(inside.record, value=inside.value), replace(inside.record, value=inside.at)]
            self.raw += [b"", b""]
        if message.header.security not in (0, 5, 7):
            self.kind = "maker's cipher"
        elif found.rest.strip(b"\x2f\0\xff"):
            self.kind = "maker's block"
        elif any(isinstance(record.value, str) and len(record.value) > 30 for record in found.records):
            self.kind = "maker's container"


def agrees(name: str, wanted: Any, record: Record, raw: bytes) -> bool:
    """Tell whether a record is what wmbusmeters calls by a name."""
    value = record.value
    if isinstance(wanted, (int, float)):
        scales = SUFFIXES.get(name.rsplit("_", 1)[-1])
        scale = Fraction(1) if scales is None else scales.get(record.unit)
        return (
            scale is not None
            and isinstance(value, (int, Fraction))
            and abs(float(value * scale) - wanted) <= 1e-6 + 1e-6 * abs(wanted)
        )
    if isinstance(value, datetime):
        return wanted in (f"{value:%Y-%m-%d %H:%M}", f"{value:%Y-%m-%d %H:%M:%S}", f"{value:%Y-%m-%d}")
    if isinstance(value, date):
        return bool(wanted[:10] == value.isoformat())
    return wanted in (str(value).strip("\0 "), str(value)[::-1]) or raw[::-1].hex().upper() in (wanted, "0" + wanted)


def is_compared(name: str, wanted: Any, driver: str) -> bool:
    """Tell whether a name stands for a value of the wire; words that wmbusmeters makes of bits are its own."""
    if name in ABOUT or wanted is None or name.startswith(COMPUTED.get(driver, "-")):
        return False
    return isinstance(wanted, (int, float)) or (wanted[:4].isdigit() and wanted[4:5] == "-" and "-00" not in wanted)


def missing(entry: dict[str, Any], opened: Opened) -> Iterator[str]:
    """Name the values that no record gives."""
    for name, wanted in entry["expected"].items():
        if not is_compared(name, wanted, entry["driver"]):
            continue
        heads = {record.head.hex() for record in opened.records}
        if any(name == other and head in heads for other, head in ERRORS_OF_THE_SOURCE):
            continue
        if not any(
            agrees(name, wanted, record, raw) for record, raw in zip(opened.records, opened.raw, strict=True)
        ):  # fmt: skip
            yield name


def captured(captures: Path) -> Iterator[tuple[dict[str, Any], Opened]]:
    """Open every wireless telegram that wmbusmeters has values for."""
    for entry in json.loads((captures / "wmbus/index.json").read_text())["entries"]:
        if "driver" not in entry:
            continue
        data = bytes.fromhex((captures / "wmbus" / entry["file"]).read_text())
        if data[0] != 0x68 or data[3] != 0x68:
            yield entry, Opened(data, bytes.fromhex(entry["key"]) if "key" in entry else None)


@dataclass
class Tally:
    """How many telegrams there are of each kind, how many of them are whole, and what is wrong in plain ones."""

    kinds: Counter[str] = field(default_factory=Counter)
    whole: Counter[str] = field(default_factory=Counter)
    values: int = 0
    wrong: list[tuple[str, list[str]]] = field(default_factory=list)


def tally(captures: Path) -> Tally:
    """Compare every wireless telegram that wmbusmeters has values for."""
    told = Tally()
    for entry, opened in captured(captures):
        gone = list(missing(entry, opened))
        # Records of a maker's own VIF are plain as long as nothing that is expected hangs on them.
        own = any("manufacturer_specific" in (record.quantity, *record.modifiers) for record in opened.records)
        kind = "maker's VIF" if gone and own and opened.kind == "plain" else opened.kind
        told.kinds[kind] += 1
        told.whole[kind] += not gone
        told.values += sum(is_compared(name, wanted, entry["driver"]) for name, wanted in entry["expected"].items())
        if gone and kind == "plain":
            told.wrong.append((entry["file"], gone))
    return told
