"""A radio stick (IMST iM871A) that hears the wireless meters of a scenario, one after the other.

1. A meter's records are ciphered with its key, where the scenario gives it one, in security mode 5 or 7.
2. The frame goes into the stick's message, with signal and checksum. `FORMS` are the ways other receivers tell it.

It writes its bytes by itself: nothing of the driver's codec is used here, so that neither is the other's witness.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Literal

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from simulator.mbus_server import MAKER, MEDIA, VERSION
from simulator.place import Place, Placed
from simulator.pushing import PushingServer

EVERY = 8.0
"""Seconds between two frames of a meter: real ones send twice to ten times less often."""

_BLOCK, _FILLER, _PROOF = 16, b"\x2f", b"\x2f\x2f"
_SEND, _SHORT, _AFL = 0x44, 0x7A, 0x90
_LEVEL = 0x64

# Quantity -> DIF, VIF and VIFE of a 32-bit integer of base units.
_RECORDS: Mapping[str, str] = {
    "energy_import": "04 03", "energy_export": "04 83 3C", "power": "04 2B", "water_volume": "04 13",
    "gas_volume": "04 13", "heat_energy": "04 03", "heat_volume": "04 13", "water_flow": "04 3B", "gas_flow": "04 3B",
}  # fmt: skip


@dataclass
class WirelessMeter:
    """One meter: `number` is its eight digits, `key` 16 bytes or None."""

    number: str
    medium: int
    values: Callable[[], Mapping[str, float]]
    key: bytes | None = None
    mode: Literal[5, 7] = 5
    maker: str = MAKER
    counter: int = 0

    def frame(self) -> bytes:
        """Give the next frame, its length first, without CRCs."""
        self.counter += 1
        first, second, third = (ord(letter) - 64 for letter in self.maker)
        maker = (first << 10 | second << 5 | third).to_bytes(2, "little")
        address = maker + bytes.fromhex(self.number)[::-1] + bytes((VERSION, self.medium))
        body = bytes((_SEND,)) + address + self._layers(address, _records(self.values()))
        return bytes((len(body),)) + body

    def _layers(self, address: bytes, records: bytes) -> bytes:
        access = self.counter % 256
        head = bytes((_SHORT, access, 0))
        if self.key is None:
            return head + b"\0\0" + records
        plain = _PROOF + records
        plain += _FILLER * (-len(plain) % _BLOCK)
        blocks = len(plain) // _BLOCK << 4
        if self.mode == 5:  # noqa: PLR2004
            return head + bytes((blocks, 5)) + _cbc(self.key, address + bytes((access,)) * 8, plain)
        counter, pad = self.counter.to_bytes(4, "little"), b"\x07" * 7
        encryption = _mac(self.key, b"\0" + counter + address[2:6] + pad)
        authentication = _mac(self.key, b"\1" + counter + address[2:6] + pad)
        said = head + bytes((blocks, 7, 0x10)) + _cbc(encryption, bytes(_BLOCK), plain)
        control = b"\x25"
        signature = _mac(authentication, control + counter + said)[:8]
        return bytes((_AFL, 15)) + b"\x00\x2c" + control + counter + signature + said


def _records(values: Mapping[str, float]) -> bytes:
    # A register shows what has gone through: cut, never rounded up.
    return b"".join(
        bytes.fromhex(head) + int(values[name]).to_bytes(4, "little", signed=True)
        for name, head in _RECORDS.items()
        if name in values
    )


def _cbc(key: bytes, iv: bytes, data: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def _mac(key: bytes, data: bytes) -> bytes:
    mac = CMAC(algorithms.AES(key))
    mac.update(data)
    return mac.finalize()


# --- checksums and the sticks' ways to tell --------------------------------------------------------------------------


def radio_crc(data: bytes) -> bytes:
    """Give the CRC of a block on air, bit by bit."""
    rest = 0
    for byte in data:
        for bit in range(7, -1, -1):
            feed = (rest >> 15 ^ byte >> bit) & 1
            rest = (rest << 1 & 0xFFFF) ^ (0x3D65 if feed else 0)
    return (rest ^ 0xFFFF).to_bytes(2, "big")


def format_a(frame: bytes) -> bytes:
    """Put the CRCs of format A into a frame."""
    blocks = [frame[:10], *(frame[at : at + 16] for at in range(10, len(frame), 16))]
    return b"".join(block + radio_crc(block) for block in blocks)


def format_b(frame: bytes) -> bytes:
    """Put the CRCs of format B into a frame, and count them in its length."""
    long = len(frame) > 126  # noqa: PLR2004  what one block holds with its CRC, 128
    frame = bytes((frame[0] + (4 if long else 2),)) + frame[1:]
    blocks = [frame[:126], frame[126:]] if long else [frame]
    return b"".join(block + radio_crc(block) for block in blocks)


def _hci_crc(data: bytes) -> bytes:
    rest = 0xFFFF
    for byte in data:
        rest ^= byte
        for _ in range(8):
            rest = rest >> 1 ^ (0x8408 if rest & 1 else 0)
    return (rest ^ 0xFFFF).to_bytes(2, "little")


def im871a(frame: bytes) -> bytes:
    """Tell a frame as iM871A does, with signal and checksum."""
    said = bytes((0xC2, 0x03, frame[0])) + frame[1:] + bytes((_LEVEL,))
    return b"\xa5" + said + _hci_crc(said)


def iu891a(frame: bytes) -> bytes:
    """Tell a frame as iU891A does, between marks."""
    said = b"\x09\x20" + bytes.fromhex("9F436D38 00 00 02 B5") + frame
    said += _hci_crc(said)
    return b"\xc0" + said.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"


def amb8465(frame: bytes) -> bytes:
    """Tell a frame as AMB8465 does with commands on."""
    said = b"\xff\x03" + frame
    checksum = 0
    for byte in said:
        checksum ^= byte
    return said + bytes((checksum,))


def cul(frame: bytes) -> bytes:
    """Tell a frame as a CUL stick does in mode T, with its signal."""
    return b"b" + format_a(frame).hex().upper().encode() + b"80D2\r\n"


def rtl_wmbus(frame: bytes) -> bytes:
    """Tell a frame as rtl_wmbus does."""
    number, digits = frame[7:3:-1].hex(), frame.hex()
    return f"T1;1;1;2026-03-01 12:00:00.000;97;148;{number};0x{digits}\n".encode()


FORMS: Mapping[str, Callable[[bytes], bytes]] = {
    "im871a": im871a, "iu891a": iu891a, "amb8465": amb8465, "rc1180": bytes, "cul": cul, "rtl_wmbus": rtl_wmbus,
}  # fmt: skip
"""Receivers, and how each tells a frame."""


# --- a line of a scenario --------------------------------------------------------------------------------------------


def said(meters: Sequence[WirelessMeter], form: str = "im871a") -> Iterator[bytes]:
    """Give what the stick says, one meter after the other, without end."""
    for meter in cycle(meters):
        yield FORMS[form](meter.frame())


def line(place: Place) -> Placed:
    """Serve a stick that hears the meters of a line; an address is the number printed on the meter."""
    meters = [
        WirelessMeter(
            f"{meter.address or 0:08}", MEDIA[model.commodity], place.values(meter),
            bytes.fromhex(meter.key) if meter.key else None,
        )
        for meter, model in zip(place.meters, place.models, strict=True)
    ]  # fmt: skip
    telling = said(meters)
    return Placed(PushingServer(lambda: next(telling), EVERY / len(meters)))
