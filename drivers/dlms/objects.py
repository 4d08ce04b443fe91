"""The objects of a DLMS meter as messages name them: attributes and methods, chosen rows, and a meter's no.

1. An object is named by its class and its six OBIS bytes; a descriptor adds which attribute, or which method.
2. An access says which rows of a load profile are asked for: between two times, or by number.
3. A meter says no to one attribute with a number where its value would be: `Denied`.
"""

from dataclasses import dataclass
from enum import IntEnum

from drivers.dlms.axdr import Data, Reader, Tag, encode, encode_length

OBIS_LENGTH = 6

DENIALS = {
    1: "hardware fault", 2: "temporary failure", 3: "access denied", 4: "no such object", 9: "object of another class",
    11: "object unavailable", 12: "value of another type", 13: "out of the scope of access", 14: "block unavailable",
    15: "long get aborted", 16: "no long get in progress", 17: "long set aborted", 18: "no long set in progress",
    19: "wrong block number", 250: "another reason",
}  # fmt: skip
"""Why a meter says no to one attribute or method (data access result)."""


class Selector(IntEnum):
    """How rows of a load profile are chosen."""

    RANGE = 1
    ENTRY = 2


@dataclass(frozen=True, slots=True)
class Descriptor:
    """An attribute or a method of an object: the object's class and OBIS bytes, and the attribute's number."""

    class_id: int
    obis: bytes
    index: int

    def __bytes__(self) -> bytes:
        """Give the nine bytes."""
        return self.class_id.to_bytes(2, "big") + self.obis + bytes((self.index,))

    def __str__(self) -> str:
        """Write class, OBIS code and number."""
        a, b, c, d, e, f = self.obis
        return f"class {self.class_id}, {a}-{b}:{c}.{d}.{e}*{f}, {self.index}"


@dataclass(frozen=True, slots=True)
class Access:
    """Which part of an attribute: a way to choose, and what it needs."""

    selector: int
    parameter: Data

    def __bytes__(self) -> bytes:
        """Give the bytes."""
        return bytes((self.selector,)) + encode(self.parameter)


@dataclass(frozen=True, slots=True)
class Denied:
    """The meter's no to one attribute or method."""

    code: int

    def __str__(self) -> str:
        """Say it in words."""
        return DENIALS.get(self.code, f"number {self.code}")


Result = Data | Denied
Query = tuple[Descriptor, Access | None]
"""An attribute, and which part of it."""


# --- choosing rows ---------------------------------------------------------------------------------------------------

CLOCK = Descriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)
"""The time of a load profile's rows."""


def by_range(first: bytes, last: bytes, column: Descriptor = CLOCK) -> Access:
    """Choose the rows of a load profile from one date-time (12 bytes) to another, both included."""
    chosen = (
        Data(Tag.UINT16, column.class_id), Data(Tag.OCTET_STRING, column.obis), Data(Tag.INT8, column.index),
        Data(Tag.UINT16, 0),
    )  # fmt: skip
    bounds = (Data(Tag.OCTET_STRING, first), Data(Tag.OCTET_STRING, last), Data(Tag.ARRAY, ()))
    return Access(Selector.RANGE, Data(Tag.STRUCTURE, (Data(Tag.STRUCTURE, chosen), *bounds)))


def by_entry(first: int, last: int = 0, first_column: int = 1, last_column: int = 0) -> Access:
    """Choose the rows of a load profile by number, 1 being the first; a `last` of 0 is the last there is."""
    rows = (Data(Tag.UINT32, first), Data(Tag.UINT32, last))
    columns = (Data(Tag.UINT16, first_column), Data(Tag.UINT16, last_column))
    return Access(Selector.ENTRY, Data(Tag.STRUCTURE, (*rows, *columns)))


# --- bytes -----------------------------------------------------------------------------------------------------------


def encode_query(query: Query) -> bytes:
    """Give an attribute and its access."""
    target, access = query
    return bytes(target) + (b"\x00" if access is None else b"\x01" + bytes(access))


def encode_result(result: Result) -> bytes:
    """Give a value or a no."""
    return bytes((1, result.code)) if isinstance(result, Denied) else b"\x00" + encode(result)


def encode_results(results: tuple[Result, ...]) -> bytes:
    """Give a list's results, as they stand in one message or in the pieces of several."""
    return encode_length(len(results)) + b"".join(map(encode_result, results))


def read_descriptor(reader: Reader) -> Descriptor:
    """Read an attribute or a method."""
    start = reader.at
    class_id, obis = reader.number(2), reader.take(OBIS_LENGTH)
    descriptor = Descriptor(class_id, obis, reader.byte())
    reader.note(start, str(descriptor))
    return descriptor


def read_query(reader: Reader) -> Query:
    """Read an attribute and its access."""
    target = read_descriptor(reader)
    if not reader.flag("rows are chosen"):
        return target, None
    selector = reader.number(1, "chosen by way")
    return target, Access(selector, reader.value(1))


def read_result(reader: Reader) -> Result:
    """Read a value or a no."""
    if not reader.flag("denied"):
        return reader.value()
    start = reader.at
    denied = Denied(reader.byte())
    reader.note(start, str(denied))
    return denied


def read_results(reader: Reader) -> tuple[Result, ...]:
    """Read a list's results."""
    return tuple(read_result(reader) for _ in range(reader.count("results")))
