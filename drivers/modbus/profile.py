"""A Modbus meter model's file: its register table, and examples that prove it.

    table     = "input"                       # function 4; "holding" is function 3
    order     = "CDAB"                        # of the bytes of a 32-bit value; ABCD (high word first) when left out
    forbidden = [[0x000B, 0x000B]]            # never read along with others, first and last register
    registers = [
      { at = 0x0000, quantity = "voltage_l1", unit = "V", type = "s32", scale = "0.1", absent = "0x7FFFFFFF" },
      { at = 0x0010, quantity = "power", unit = "W", type = "s16", scale_at = 0x0011 },  # times 10^(that)
      { at = 0x0020, quantity = "water_volume", unit = "m3", type = "u32", plus = { at = 0x0022, type = "f32" } },
      { at = 0x0030, quantity = "frequency", unit = "Hz", type = "f32", table = "holding" },
    ]
    status    = [ { at = 0x0040, bits = { 0 = "leak", 3 = "battery_low" } } ]
    nameplate = [ { at = 0x0050, name = "serial", type = "ascii", registers = 6 } ]
    [[examples]]
    bytes    = { 0x0000 = "08FE 0000" }       # from this register on, as on the wire
    readings = { voltage_l1 = 230.2 }         # in the row's own unit

An example gives bytes for some rows and lists what they mean; a row whose bytes are there but which is not listed must
come out absent. Examples of a profile with rows in both tables give the bytes of both as if they were one. Two tables
more, `[identify]` and `[address]`, stand in `drivers/modbus/model.py`.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from drivers.contract import Number
from drivers.decimals import exact
from drivers.modbus.codec import MAX_REGISTERS, Read
from drivers.modbus.layout import HOLDING, INPUT, Order, Part, Row, Status
from drivers.modbus.model import Identify, SetAddress
from drivers.modbus.nameplate import Nameplate
from drivers.modbus.numbers import Type, registers_of, step_of
from drivers.modbus.plan import Span, Wire
from drivers.modbus.table import Table
from drivers.profiles import Profile, ProfileError, ProfileFile, Strict
from drivers.quantities import DECIMALS, FLAGS, QUANTITIES, UNITS, scale_of

_FUNCTIONS = {"holding": HOLDING, "input": INPUT}
_ANY_WIRE = Wire(10 / 9600)

Address = Annotated[int, Field(ge=0, le=0xFFFF)]
TableName = Literal["input", "holding"]


def _whole(value: Any) -> Any:
    return int(value, 0) if isinstance(value, str) else value


def _decimal(value: Any) -> Any:
    """Read a float as the decimal it was typed as."""
    return str(value) if isinstance(value, float) else value


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Key = Annotated[Address, BeforeValidator(_whole)]
Bit = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=31)]
Pattern = Annotated[int, BeforeValidator(_whole), Field(ge=0)]
Hex = Annotated[str, StringConstraints(pattern=r"^\s*(?:[0-9A-Fa-f]{4}\s*)+$")]


class Place(Strict):
    """A number in the meter's main table."""

    at: Address
    type: Type

    def part(self) -> Part:
        """Name it to the compiler."""
        return Part(self.at, self.type)


class Register(Place):
    """One value: its own table where it is not the file's, and a second place that it may be made from."""

    quantity: str
    unit: str
    scale: Annotated[Decimal, BeforeValidator(_decimal), Field(gt=0)] = Decimal(1)
    absent: Annotated[list[Pattern], BeforeValidator(_listed)] = Field(default_factory=list)
    table: TableName | None = None
    scale_at: Address | None = None
    plus: Place | None = None

    def row(self, table: TableName) -> Row:
        """Name it to the compiler: the reading's key and the exact factor into the base unit."""
        return Row(
            self.at,
            self.type,
            QUANTITIES[self.quantity].key,
            Fraction(self.scale) * scale_of(self.quantity, self.unit),
            frozenset(self.absent),
            _FUNCTIONS[self.table or table],
            None if self.scale_at is None else Part(self.scale_at, "s16"),
            self.plus.part() if self.plus else None,
        )


class Flags(Strict):
    """A register whose bits, counted from the lowest, are words of the closed list of flags."""

    at: Address
    type: Literal["u16", "u32"] = "u16"
    bits: dict[Bit, str] = Field(min_length=1)
    table: TableName | None = None

    def row(self, table: TableName) -> Status:
        """Name it to the compiler."""
        flags = tuple((1 << bit, word) for bit, word in self.bits.items())
        return Status(self.at, self.type, flags, _FUNCTIONS[self.table or table])


class Plate(Strict):
    """A place where a meter says what it is: `registers` of text, or a number."""

    at: Address
    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,31}$")]
    type: Literal["ascii", "u16", "u32", "u64", "bcd16", "bcd32", "bcd64"]
    registers: int | None = Field(None, ge=1, le=64)
    table: TableName | None = None

    def place(self, table: TableName, order: Order) -> Nameplate:
        """Name it to the driver; raises ProfileError for a text without a length, or a number with one."""
        if (self.type == "ascii") != (self.registers is not None):
            raise ProfileError(None, "nameplate", f"{self.name}: `registers` is for ascii, and ascii needs it")
        kind: Type | None = None if self.type == "ascii" else self.type
        count = self.registers or registers_of(kind or "u16")
        return Nameplate(self.name, Read(_FUNCTIONS[self.table or table], self.at, count), kind, order)


class Example(Strict):
    """Bytes from a meter, and what they mean."""

    raw: dict[Key, Hex] = Field(alias="bytes", min_length=1)
    readings: dict[str, float]

    def registers(self) -> dict[int, bytes]:
        """Spread the bytes over their registers."""
        found: dict[int, bytes] = {}
        for start, text in self.raw.items():
            data = bytes.fromhex(text)
            found |= {start + n: data[2 * n : 2 * n + 2] for n in range(len(data) // 2)}
        return found


class File(ProfileFile):
    """The file's own part for Modbus."""

    driver: Literal["modbus"]
    table: TableName
    order: Order = "ABCD"
    max_registers: int = Field(MAX_REGISTERS, ge=1, le=MAX_REGISTERS)
    forbidden: list[tuple[Address, Address]] = Field(default_factory=list)
    registers: list[Register] = Field(min_length=1)
    status: list[Flags] = Field(default_factory=list)
    nameplate: list[Plate] = Field(default_factory=list)
    identify: Identify | None = None
    address: SetAddress | None = None
    examples: list[Example] = Field(min_length=1)

    def quantities(self) -> tuple[str, ...]:
        """Name the quantities of the rows, in order."""
        return tuple(register.quantity for register in self.registers)

    def compile(self) -> Table:
        """Name all rows to the driver; raises ProfileError."""
        self._check()
        return Table(
            (*(row.row(self.table) for row in self.registers), *(row.row(self.table) for row in self.status)),
            self.order,
            self.max_registers,
            tuple(Span(first, last + 1) for first, last in self.forbidden),
            tuple(row.place(self.table, self.order) for row in self.nameplate),
        )

    def prove(self, profile: Profile) -> None:
        """Decode each example and compare at the row's own resolution; raises ProfileError where they differ."""
        for number, example in enumerate(self.examples):
            values = profile.layout.decode(example.registers(), _ANY_WIRE)
            rows = {register.quantity: register.row(self.table) for register in self.registers}
            covered = {quantity: row for quantity, row in rows.items() if _covers(example.registers(), row)}
            for quantity in example.readings:
                if quantity not in covered:
                    raise ProfileError(
                        None, f"examples.{number}.readings.{quantity}", "no row with that quantity has bytes here",
                        "give the bytes of its registers, or take it out",
                    )  # fmt: skip
            for register in self.registers:
                if register.quantity in covered:
                    place = f"examples.{number}.readings.{register.quantity}"
                    _compare(place, register, covered[register.quantity], example.readings, values)

    def _check(self) -> None:
        seen: set[str] = set()
        for number, register in enumerate(self.registers):
            place = f"registers.{number}"
            known = QUANTITIES.get(register.quantity)
            if known is None:
                raise ProfileError(None, f"{place}.quantity", f"{register.quantity!r} is not in the closed list")
            units = UNITS[known.unit]
            if register.unit not in units:
                raise ProfileError(
                    None, f"{place}.unit", f"{register.unit!r} does not fit", f"one of {', '.join(units)}"
                )
            if register.quantity in seen:
                raise ProfileError(None, f"{place}.quantity", f"{register.quantity!r} stands twice")
            seen.add(register.quantity)
            self._check_row(place, register)
        for number, flags in enumerate(self.status):
            _check_flags(f"status.{number}", flags)
            self._check_span(f"status.{number}", flags.row(self.table).span)

    def _check_row(self, place: str, register: Register) -> None:
        row = register.row(self.table)
        if row.scale and row.plus:
            raise ProfileError(None, f"{place}.plus", "stands beside scale_at", "a value has one second place")
        if any(bits >> 16 * row.registers for bits in row.absent):
            raise ProfileError(None, f"{place}.absent", f"is wider than {row.type}")
        self._check_span(place, row.span)

    def _check_span(self, place: str, span: Span) -> None:
        if span.end > 0x10000:  # noqa: PLR2004  registers have 16-bit addresses
            raise ProfileError(None, f"{place}.at", "the value ends beyond the last register")
        if len(span) > self.max_registers:
            what = f"is wider than max_registers, {self.max_registers}"
            raise ProfileError(None, f"{place}.type", what, "a value is read in one request")


def _check_flags(place: str, flags: Flags) -> None:
    for bit, word in flags.bits.items():
        if word not in FLAGS:
            raise ProfileError(None, f"{place}.bits", f"{word!r} is not in the closed list", ", ".join(FLAGS))
        if bit >= 16 * registers_of(flags.type):
            raise ProfileError(None, f"{place}.bits", f"{flags.type} has no bit {bit}")


def _covers(registers: Mapping[int, bytes], row: Row) -> bool:
    return all(at in registers for at in range(row.span.start, row.span.end))


def _step(row: Row, value: Fraction) -> Fraction:
    """Give a row's resolution near a value: of its finer part, and the finest there is where a register scales it."""
    if row.scale:
        return Fraction(1, 10**DECIMALS)
    return step_of(row.plus.type if row.plus else row.type, row.factor, value)


def _compare(
    place: str, register: Register, row: Row, readings: Mapping[str, float], values: Mapping[str, Number]
) -> None:
    expected, value = readings.get(register.quantity), values.get(row.key)
    if value is None or expected is None:
        if value is not None:
            raise ProfileError(None, place, f"is missing, the bytes say {value} {QUANTITIES[register.quantity].unit}")
        if expected is not None:
            raise ProfileError(None, place, f"should be {expected} {register.unit}, the bytes say absent")
        return
    per_unit = scale_of(register.quantity, register.unit)
    wanted = Fraction(str(expected)) * per_unit
    if abs(exact(value) - wanted) >= _step(row, wanted):
        got = float(exact(value) / per_unit)
        raise ProfileError(None, place, f"should be {expected} {register.unit}, the bytes say {got:.9g}")
