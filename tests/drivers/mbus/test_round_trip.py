"""Z4: records that an encoder of its own writes come back as they were meant, a hundred thousand of them with --all."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from random import Random

import pytest

from drivers.mbus.frames import decode
from drivers.mbus.records import Function, decode_records
from drivers.mbus.telegram import decode_telegram
from drivers.wmbus.compact import Formats
from drivers.wmbus.layers import unwrap
from drivers.wmbus.link import crc16, decode_frame, split

FUNCTIONS: tuple[Function, ...] = ("instantaneous", "maximum", "minimum", "error")
MEANINGS: tuple[tuple[str, str, str, int], ...] = (
    ("03", "energy", "Wh", 0), ("06", "energy", "Wh", 3), ("08", "energy", "J", 0), ("0E", "energy", "J", 6),
    ("10", "volume", "m3", -6), ("13", "volume", "m3", -3), ("16", "volume", "m3", 0), ("18", "mass", "kg", -3),
    ("28", "power", "W", -3), ("2B", "power", "W", 0), ("3B", "volume_flow", "m3/h", -3),
    ("5A", "flow_temperature", "°C", -1), ("5F", "return_temperature", "°C", 0), ("68", "pressure", "bar", -3),
    ("FB00", "energy", "Wh", 5), ("FD48", "voltage", "V", -1), ("FD59", "current", "A", -3),
)  # fmt: skip
"""VIF, and what it means: quantity, unit, power of ten."""
BINARY = {1: 1, 2: 2, 3: 3, 4: 4, 6: 6, 8: 7}
DIGITS = {1: 9, 2: 10, 3: 11, 4: 12, 6: 14}
"""Bytes of a number, and the DIF's last digit: integers, and digits two a byte."""


@dataclass(frozen=True)
class Meant:
    """One record as it is meant."""

    function: Function
    storage: int
    tariff: int
    subunit: int
    quantity: str
    unit: str
    value: Fraction


def draw(dice: Random) -> tuple[bytes, Meant]:
    """Make up a record and write it."""
    vif, quantity, unit, power = dice.choice(MEANINGS)
    extended = dice.random() < 0.5
    storage = dice.choice([dice.getrandbits(1), dice.getrandbits(9), dice.getrandbits(41)]) if extended else 0
    tariff, subunit = (dice.getrandbits(4), dice.getrandbits(2)) if extended else (0, 0)
    function = dice.randrange(4)
    kind, data, number = digits(dice) if dice.random() < 0.4 else binary(dice)
    head = bytes([kind | function << 4 | (storage & 1) << 6]) + bytes.fromhex(vif)
    head = with_extensions(head, storage >> 1, tariff, subunit)
    meant = Meant(FUNCTIONS[function], storage, tariff, subunit, quantity, unit, number * Fraction(10) ** power)
    return head + data, meant


def with_extensions(head: bytes, storage: int, tariff: int, subunit: int) -> bytes:
    """Put DIFEs behind the DIF: four bits of storage, two of tariff and one of subunit each."""
    extensions = []
    while storage or tariff or subunit:
        extensions.append(storage & 0xF | (tariff & 3) << 4 | (subunit & 1) << 6)
        storage, tariff, subunit = storage >> 4, tariff >> 2, subunit >> 1
    row = [head[0], *extensions]
    return bytes([*(byte | 0x80 for byte in row[:-1]), row[-1]]) + head[1:]


def binary(dice: Random) -> tuple[int, bytes, int]:
    """Make up an integer; the least one there is means none."""
    size = dice.choice(list(BINARY))
    most = 2 ** (8 * size - 1) - 1
    number = dice.choice([dice.randint(-most, most), dice.randint(-9, 9), most, -most])
    return BINARY[size], number.to_bytes(size, "little", signed=True), number


def digits(dice: Random) -> tuple[int, bytes, int]:
    """Make up digits; an F in front is a minus."""
    size = dice.choice(list(DIGITS))
    number = dice.randrange(10 ** (2 * size - 1))
    sign = dice.choice((1, 1, 1, -1))
    text = f"{number:0{2 * size}d}" if sign > 0 else f"f{number:0{2 * size - 1}d}"
    return DIGITS[size], bytes.fromhex(text)[::-1], sign * number


def telegrams(dice: Random, records: int) -> Iterator[tuple[bytes, list[Meant]]]:
    """Write records in groups that fit a frame."""
    while records:
        count = min(records, dice.randint(1, 10))
        made = [draw(dice) for _ in range(count)]
        data = b"".join(record for record, _ in made)
        if len(data) < 230:
            yield data, [meant for _, meant in made]
            records -= count


def check(data: bytes, meant: list[Meant]) -> None:
    """Read records as they are, in a wired frame, and in wireless ones with CRCs and without, full and compact."""
    found = decode_records(data).records
    assert [
        Meant(each.function, each.storage, each.tariff, each.subunit, each.quantity, each.unit or "", Fraction(number))
        for each in found
        if isinstance(number := each.value, (int, Fraction))
    ] == meant
    body = bytes.fromhex("08 05 72 78563412 2D2C 1B 16 2A 00 0000") + data
    wired = b"\x68" + bytes((len(body),)) * 2 + b"\x68" + body + bytes((sum(body) % 256, 0x16))
    frame = decode(wired)
    assert decode_telegram(frame.ci, frame.data).records.records == found
    address = bytes.fromhex("44 2D2C 78563412 1B16")
    radio = address + bytes.fromhex("7A 2A 00 0000") + data
    whole = bytes((len(radio),)) + radio
    ((_, _, bare),) = split(format_a(whole))
    assert bare == whole
    assert unwrap(decode_frame(whole), None).records == data
    formats = Formats(())
    formats.learn(decode_records(data))
    heads = b"".join(each.head for each in found)
    short = b"".join(data[each.data_at : each.end] for each in found)
    compact = crc16(heads).to_bytes(2, "little") + crc16(data).to_bytes(2, "little") + short
    assert formats.expand(compact) == data


def format_a(frame: bytes) -> bytes:
    """Put CRCs behind the first ten bytes and behind each sixteen."""
    blocks = [frame[:10], *(frame[at : at + 16] for at in range(10, len(frame), 16))]
    return b"".join(block + crc16(block).to_bytes(2, "big") for block in blocks)


def test_records_come_back() -> None:
    """A sample of them."""
    for data, meant in telegrams(Random(8), 2_000):
        check(data, meant)


@pytest.mark.slow
def test_a_hundred_thousand_records_come_back() -> None:
    """All of them, with other dice."""
    for data, meant in telegrams(Random(9), 100_000):
        check(data, meant)
