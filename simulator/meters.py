"""A virtual Modbus meter: what a household's channel would show in the registers that a profile lists.

The words are made here, apart from the codec that reads them, so that a mistake on one side shows.
"""

import math
import struct
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from drivers.modbus.profile import File
from drivers.modbus.profile import Register as Row
from drivers.profiles import Profile
from drivers.quantities import QUANTITIES, scale_of
from simulator.serving import SimulatorError

HOLE = 64
"""Holes up to this size read as zeros, as most meters have it; beyond, an address is refused."""

_FUNCTIONS = {"holding": 3, "input": 4}
_FORMATS = {"u16": "H", "s16": "h", "u32": "I", "s32": "i", "u64": "Q", "s64": "q", "f32": "f", "f64": "d"}

Values = Callable[[], Mapping[str, float]]
"""Gives what the meter measures now: by quantity, in base units; what it cannot measure is missing."""


@dataclass(frozen=True, slots=True)
class Register:
    """One value in a table: where, which quantity, its type and order, and its step in the quantity's base unit.

    `absent` is the bit pattern that says "no value"; without one, the type's highest value or NaN does. `rest` marks
    the second place of a row with `plus`: what the whole steps of the first one leave.
    """

    at: int
    quantity: str
    type: str
    order: str = "ABCD"
    step: Fraction = Fraction(1)
    absent: int | None = None
    rest: bool = False

    @property
    def size(self) -> int:
        """How many registers of 16 bits it takes."""
        return struct.calcsize(f">{_FORMATS[self.type]}") // 2

    def words(self, value: float | None) -> tuple[int, ...]:
        """Give its words for a value in base units, or for none."""
        data = self._absent() if value is None else self._pack(value / float(self.step))
        if self.order in ("BADC", "DCBA"):
            data = b"".join(data[at : at + 2][::-1] for at in range(0, len(data), 2))
        words = struct.unpack(f">{self.size}H", data)
        return words[::-1] if self.order in ("CDAB", "DCBA") else words

    def _pack(self, steps: float) -> bytes:
        code = _FORMATS[self.type]
        if self.rest:
            steps -= math.floor(steps + 1e-9)
        if code in "fd":
            return struct.pack(f">{code}", steps)
        bits = 16 * self.size
        if QUANTITIES[self.quantity].kind == "counter":
            # A step is counted when it is complete (but for the last bits of a float); a full counter rolls over.
            whole: int = math.floor(steps + 1e-9) & ((1 << bits) - 1)
            return whole.to_bytes(bits // 8, "big")
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if code.islower() else (0, (1 << bits) - 1)
        return struct.pack(f">{code}", min(max(round(steps), low), high))

    def _absent(self) -> bytes:
        code = _FORMATS[self.type]
        if self.absent is not None:
            return self.absent.to_bytes(2 * self.size, "big")
        if code in "fd":
            return struct.pack(f">{code}", math.nan)
        highest = 16 * self.size - int(code.islower())
        return ((1 << highest) - 1).to_bytes(2 * self.size, "big")


@dataclass(frozen=True, slots=True)
class Constant:
    """Registers that do not measure: the model's code, or the meter's address, which a client may write."""

    function: int
    at: int
    words: tuple[int, ...]
    is_address: bool = False


@dataclass(frozen=True, slots=True)
class VirtualMeter:
    """One unit on a Modbus line: its tables by function (3 or 4), where holes refuse to be read, and its values."""

    tables: Mapping[int, tuple[Register, ...]]
    values: Values
    forbidden: tuple[range, ...] = ()
    constants: tuple[Constant, ...] = ()

    def refresh(self, function: int, asked: range, block: list[int], base: int) -> None:
        """Write what the meter measures now into the asked registers of `block`, whose first address is `base`."""
        values = self.values()
        for register in self.tables.get(function, ()):
            if register.at < asked.stop and register.at + register.size > asked.start:
                first = register.at - base
                block[first : first + register.size] = register.words(values.get(register.quantity))

    def spans(self, function: int) -> list[range]:
        """Give the ranges that may be read: the registers, and the holes between them that are not forbidden."""
        spans: list[range] = []
        for register in sorted(self.tables.get(function, ()), key=lambda register: register.at):
            end = register.at + register.size
            if spans and self._may_bridge(range(spans[-1].stop, register.at)):
                spans[-1] = range(spans[-1].start, max(end, spans[-1].stop))
            else:
                spans.append(range(register.at, end))
        return spans

    def _may_bridge(self, hole: Iterable[int]) -> bool:
        addresses = tuple(hole)
        return len(addresses) <= HOLE and not any(address in gone for gone in self.forbidden for address in addresses)


def modbus_meter(profile: Profile, values: Values, address: int = 1) -> VirtualMeter:
    """Read the registers of a Modbus profile's file; raises SimulatorError for any other profile."""
    if profile.driver != "modbus" or profile.path is None:
        raise SimulatorError(f"{profile.name} is no Modbus meter", "put it on a line with its own kind")
    file = File.model_validate(tomllib.loads(profile.path.read_text(encoding="utf-8")))
    registers = tuple(register for row in file.registers for register in _registers(file, row))
    forbidden = tuple(range(first, last + 1) for first, last in file.forbidden)
    tables = {_FUNCTIONS[file.table]: registers}
    return VirtualMeter(tables, values, forbidden, tuple(_constants(file, address)))


def _registers(file: File, row: Row) -> Iterable[Register]:
    step = Fraction(row.scale) * scale_of(row.quantity, row.unit)
    absent = row.absent[0] if row.absent else None
    yield Register(row.at, row.quantity, row.type, file.order, step, absent)
    if row.plus:
        yield Register(row.plus.at, row.quantity, row.plus.type, file.order, step, rest=True)


def _constants(file: File, address: int) -> Iterable[Constant]:
    if file.identify and file.identify.values:
        code = file.identify.values[0]
        words = (code,) if file.identify.type == "u16" else (code >> 16, code & 0xFFFF)
        yield Constant(_FUNCTIONS[file.identify.table], file.identify.at, words)
    if file.address:
        words = struct.unpack(">2H", struct.pack(">f", address)) if file.address.type == "f32" else (address,)
        yield Constant(_FUNCTIONS["holding"], file.address.at, words, is_address=True)
