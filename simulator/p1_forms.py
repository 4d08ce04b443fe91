"""How countries write a P1 telegram, and how they seal it: an encoder of the simulator's own.

It shares no line with `drivers.p1`, so that neither can excuse the other's mistake. A telegram is a list of lines, made
by a `Form`; `finish` puts head, end and checksum around them, `Seal` the envelope of Luxembourg and Austria.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

CRC_POLYNOMIAL = 0xA001
OLD_GAS = "24.3.0"
"""DSMR 2 and 3: local time, unit in a group of its own, the number on the next line."""

Ending = Literal["padded", "unpadded", "none"]


@dataclass(frozen=True, slots=True)
class Form:
    """A national form: the head, the electricity meter's codes, and how numbers and units are written.

    `codes` gives for each OBIS code the quantity in base units; `digits` the width and decimals of a number by its
    dimension, whose unit is kilo where `kilo` says so. `star` parts number and unit. `gas` is the code of a gas value.
    """

    identification: str
    codes: Mapping[str, str]
    version: str = "1-3:0.2.8(50)"
    kilo: bool = True
    star: str = "*"
    ending: Ending = "padded"
    gas: str = "24.2.1"

    def number(self, code: str, value: float) -> str:
        """Write one line: `1-0:1.8.1(000004.426*kWh)`."""
        group, kind, _ = code.partition(":")[2].split(".")
        width, decimals, unit = _SHAPES[_dimension(group, kind)]
        if unit in _KILO and self.kilo:
            value, unit = value / 1000, f"k{unit}"
        elif unit in _KILO:
            width, decimals = 9, 0
        if kind == "8":
            value = cut(value, decimals)
        return f"{code}({value:0{width}.{decimals}f}{self.star}{unit})"


_SHAPES = {
    "energy": (10, 3, "Wh"), "reactive": (10, 3, "varh"), "power": (6, 3, "W"),
    "voltage": (5, 1, "V"), "current": (6, 2, "A"),
}  # fmt: skip
_KILO = ("Wh", "varh", "W")
_STEP = 20


def cut(value: float, decimals: int) -> float:
    """Cut a register, as meters do: rounding up would count what has not gone through yet."""
    return int(value * 10.0**decimals) / 10.0**decimals


def _dimension(group: str, kind: str) -> str:
    if kind == "8":
        return "energy" if group in ("1", "2") else "reactive"
    return {1: "power", 2: "power", 11: "current", 12: "voltage"}[int(group) % _STEP]


_TARIFFS = {f"1-0:{n}.8.{t}": f"energy_{way}_t{t}" for n, way in ((1, "import"), (2, "export")) for t in (1, 2)}
_TOTALS = {
    "1-0:1.8.0": "energy_import", "1-0:2.8.0": "energy_export",
    "1-0:3.8.0": "reactive_energy_import", "1-0:4.8.0": "reactive_energy_export",
}  # fmt: skip
_POWERS = {"1-0:1.7.0": "power_import", "1-0:2.7.0": "power_export"}
_PHASE_POWERS = {
    f"1-0:{_STEP * n + c}.7.0": f"power_{way}_l{n}" for c, way in ((1, "import"), (2, "export")) for n in (1, 2, 3)
}
_VOLTAGES = {f"1-0:{_STEP * n + 12}.7.0": f"voltage_l{n}" for n in (1, 2, 3)}
_CURRENTS = {f"1-0:{_STEP * n + 11}.7.0": f"current_l{n}" for n in (1, 2, 3)}
_LIVE = {**_POWERS, **_PHASE_POWERS, **_VOLTAGES, **_CURRENTS}

FORMS: Mapping[str, Form] = {
    "dsmr5": Form("NBD5\\2SIMULATED", {**_TARIFFS, **_LIVE}),
    "dsmr3": Form("NBD3\\2SIMULATED", {**_TARIFFS, **_POWERS}, version="", ending="none", gas=OLD_GAS),
    "fluvius": Form("NBF5\\2SIMULATED", {**_TARIFFS, **_LIVE}, version="0-0:96.1.4(50217)", star="", gas="24.2.3"),
    "luxembourg": Form("NBL5\\2SIMULATED", {**_TOTALS, **_POWERS, **_CURRENTS}, version="1-3:0.2.8(42)"),
    "austria": Form("NBA5\\2SIMULATED", {**_TOTALS, **_TARIFFS, **_POWERS}, kilo=False),
    "sweden": Form("NBS5\\2SIMULATED", {**_TOTALS, **_LIVE}, version="", ending="unpadded"),
}


def finish(form: Form, lines: list[str]) -> bytes:
    """Put head, end and checksum around the lines of a telegram."""
    text = "\r\n".join([f"/{form.identification}", "", *filter(None, [form.version, *lines]), "!"]).encode("ascii")
    digits = {"padded": f"{checksum(text):04X}", "unpadded": f"{checksum(text):X}", "none": ""}[form.ending]
    return text + digits.encode("ascii") + b"\r\n"


def checksum(text: bytes) -> int:
    """Divide by x^16 + x^15 + x^2 + 1, lowest bit first."""
    rest = 0
    for byte in text:
        rest ^= byte
        for _ in range(8):
            rest = rest >> 1 ^ CRC_POLYNOMIAL * (rest & 1)
    return rest


def as_eight_bits(text: bytes) -> bytes:
    """Write 7E1 characters as a head that knows 8N1 only would deliver them: with even parity in the highest bit."""
    return bytes(byte | byte.bit_count() % 2 << 7 for byte in text)


class Seal:
    """Ciphers telegrams as a meter does, with a counter that rises; `again` says the last one once more."""

    def __init__(
        self, key: bytes, authentication_key: bytes, title: bytes = b"NBD\0\0\0\0\1", counter: int = 0
    ) -> None:
        # Imported here: only a simulated meter that ciphers needs it.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        self._encrypt: Callable[[bytes, bytes, bytes], bytes] = AESGCM(key).encrypt
        self._authentication_key = authentication_key
        self._title = title
        self._counter = counter
        self._last = b""

    def seal(self, text: bytes) -> bytes:
        """Give the frame that holds a telegram, under the next counter."""
        self._counter += 1
        number = self._counter.to_bytes(4, "big")
        # AESGCM gives a tag of 16 bytes, of which DLMS sends the first 12.
        sealed = self._encrypt(self._title + number, text, b"\x30" + self._authentication_key)[:-4]
        length = 1 + len(number) + len(sealed)
        self._last = b"\xdb\x08" + self._title + b"\x82" + length.to_bytes(2, "big") + b"\x30" + number + sealed
        return self._last

    def again(self) -> bytes:
        """Give the last frame once more, as somebody who recorded it would."""
        return self._last
