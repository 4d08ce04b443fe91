"""A Modbus meter model's file: its register table, and examples that prove it.

    table     = "input"                       # function 4; "holding" is function 3
    order     = "CDAB"                        # of the bytes of a 32-bit value; ABCD (high word first) when left out
    forbidden = [[0x000B, 0x000B]]            # never read along with others, first and last register
    registers = [
      { at = 0x0000, quantity = "voltage_l1", unit = "V", type = "s32", scale = "0.1", absent = "0x7FFFFFFF" },
    ]
    [[examples]]
    bytes    = { 0x0000 = "08FE 0000" }       # from this register on, as on the wire
    readings = { voltage_l1 = 230.2 }         # in the row's own unit

Two tables more, `[identify]` and `[address]`, stand in `drivers/modbus/model.py`.

An example gives bytes for some rows and lists what they mean; a row whose bytes are there but which is not listed must
come out absent.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from drivers.contract import Number
from drivers.modbus.codec import MAX_REGISTERS, Read
from drivers.modbus.layout import Order, Page, Row, Type, compile_page, step_of
from drivers.modbus.model import Identify, SetAddress
from drivers.modbus.plan import Span, merge
from drivers.profiles import Profile, ProfileError, ProfileFile, Strict
from drivers.quantities import QUANTITIES, UNITS, scale_of

_FUNCTIONS = {"holding": 3, "input": 4}

Address = Annotated[int, Field(ge=0, le=0xFFFF)]


def _whole(value: Any) -> Any:
    return int(value, 0) if isinstance(value, str) else value


def _decimal(value: Any) -> Any:
    """Read a float as the decimal it was typed as."""
    return str(value) if isinstance(value, float) else value


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Key = Annotated[Address, BeforeValidator(_whole)]
Pattern = Annotated[int, BeforeValidator(_whole), Field(ge=0)]
Hex = Annotated[str, StringConstraints(pattern=r"^\s*(?:[0-9A-Fa-f]{4}\s*)+$")]


class Register(Strict):
    """One value of the table."""

    at: Address
    quantity: str
    unit: str
    type: Type
    scale: Annotated[Decimal, BeforeValidator(_decimal), Field(gt=0)] = Decimal(1)
    absent: Annotated[list[Pattern], BeforeValidator(_listed)] = Field(default_factory=list)

    def row(self) -> Row:
        """Name it to the compiler: the reading's key and the exact factor into the base unit."""
        factor = Fraction(self.scale) * scale_of(self.quantity, self.unit)
        return Row(self.at, self.type, QUANTITIES[self.quantity].key, factor, frozenset(self.absent))


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
    table: Literal["input", "holding"]
    order: Order = "ABCD"
    max_registers: int = Field(MAX_REGISTERS, ge=1, le=MAX_REGISTERS)
    forbidden: list[tuple[Address, Address]] = Field(default_factory=list)
    registers: list[Register] = Field(min_length=1)
    identify: Identify | None = None
    address: SetAddress | None = None
    examples: list[Example] = Field(min_length=1)

    def quantities(self) -> tuple[str, ...]:
        """Name the quantities of the rows, in order."""
        return tuple(register.quantity for register in self.registers)

    def compile(self) -> tuple[Page, ...]:
        """Plan the requests and compile how their answers are read; raises ProfileError."""
        self._check()
        rows = [register.row() for register in self.registers]
        forbidden = [Span(first, last + 1) for first, last in self.forbidden]
        spans = merge([Span(row.at, row.at + row.registers) for row in rows], self.max_registers, forbidden)
        return tuple(
            compile_page(
                Read(_FUNCTIONS[self.table], span.start, span.end - span.start),
                [row for row in rows if span.start <= row.at and row.at + row.registers <= span.end],
                self.order,
            )
            for span in spans
        )

    def prove(self, profile: Profile) -> None:
        """Decode each example and compare at the row's own resolution; raises ProfileError where they differ."""
        for number, example in enumerate(self.examples):
            values = _decode(profile.layout, example.registers())
            covered = {r.quantity: r for r in self.registers if _covers(example.registers(), r.row())}
            for quantity in example.readings:
                if quantity not in covered:
                    raise ProfileError(
                        None, f"examples.{number}.readings.{quantity}", "no row with that quantity has bytes here",
                        "give the bytes of its registers, or take it out",
                    )  # fmt: skip
            for quantity, register in covered.items():
                _compare(f"examples.{number}.readings.{quantity}", register, example.readings.get(quantity), values)

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
            _check_width(place, register.row(), self.max_registers)


def _check_width(place: str, row: Row, limit: int) -> None:
    if row.at + row.registers > 0x10000:  # noqa: PLR2004  registers have 16-bit addresses
        raise ProfileError(None, f"{place}.at", "the value ends beyond the last register")
    if row.registers > limit:
        raise ProfileError(None, f"{place}.type", f"is wider than max_registers, {limit}")
    if any(bits >> 16 * row.registers for bits in row.absent):
        raise ProfileError(None, f"{place}.absent", f"is wider than {row.type}")


def _covers(registers: Mapping[int, bytes], row: Row) -> bool:
    return all(row.at + n in registers for n in range(row.registers))


def _decode(pages: tuple[Page, ...], registers: Mapping[int, bytes]) -> dict[str, Number]:
    values: dict[str, Number] = {}
    for page in pages:
        read = page.read
        payload = b"".join(registers.get(at, b"\0\0") for at in range(read.start, read.start + read.count))
        values.update(page.decode(payload))
    return values


def _compare(place: str, register: Register, expected: float | None, values: Mapping[str, Number]) -> None:
    row = register.row()
    value = values.get(row.key)
    if value is None or expected is None:
        if value is not None:
            raise ProfileError(None, place, f"is missing, the bytes say {value} {QUANTITIES[register.quantity].unit}")
        if expected is not None:
            raise ProfileError(None, place, f"should be {expected} {register.unit}, the bytes say absent")
        return
    per_unit = scale_of(register.quantity, register.unit)
    wanted = Fraction(str(expected)) * per_unit
    if abs(Fraction(value) - wanted) >= step_of(row, wanted):
        got = float(Fraction(value) / per_unit)
        raise ProfileError(None, place, f"should be {expected} {register.unit}, the bytes say {got:.9g}")
