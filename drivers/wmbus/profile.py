"""Wireless meter models: the rows of a wired one, and rules for a maker's own block.

1. Rows name records as in drivers/mbus/profile.py; the records come from full or compact frames alike.
2. `flags` are what the maker's bits raise, as there.
3. `block` are rules for the maker's own bytes; `ci` says which frames are meant, 0x0F is the block behind the records.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from pydantic import Field

from drivers.contract import DecodeError, Number
from drivers.mbus.flags import FlagsOfFile, check_flags, compile_flags
from drivers.mbus.profile import Layout, RowOfFile, Said, compare, compile_rows, read_telegram
from drivers.mbus.records import MANUFACTURER_DATA, decode_records
from drivers.mbus.telegram import Telegram
from drivers.profiles import Profile, ProfileError, ProfileFile, Strict
from drivers.quantities import QUANTITIES, scale_of
from drivers.wmbus.compact import Formats
from drivers.wmbus.layers import COMPACT, MAKERS, Message, unwrap
from drivers.wmbus.link import decode_frame
from drivers.wmbus.maker import Rule, Written, read_block


@dataclass(frozen=True, slots=True)
class WirelessLayout:
    """A compiled profile; `blocks` are the rules by CI."""

    records: Layout
    blocks: Mapping[int, tuple[Rule, ...]] = field(default_factory=dict)


def read_message(layout: WirelessLayout, message: Message, formats: Formats) -> Said:
    """Give what a deciphered message says; raises UnknownFormat, DecodeError.

    `formats` learns from full telegrams, and completes compact ones.
    """
    if message.ci in MAKERS:
        return Said(read_block(layout.blocks.get(message.ci, ()), message.records))
    data = message.records
    if message.ci == COMPACT:
        data = formats.expand(data)
    # A few meters end in the middle of a record, or with bytes of their own and no mark before them.
    records = decode_records(data, cut_off=True)
    if message.ci != COMPACT:
        formats.learn(records)
    said = read_telegram(layout.records, Telegram(message.header, records), message.sender)
    own: dict[str, Number] = read_block(layout.blocks.get(MANUFACTURER_DATA, ()), records.rest)
    return Said(own | said.values, said.status)


# --- the file --------------------------------------------------------------------------------------------------------


class RuleOfFile(Strict):
    """One rule: `{ ci = 0xA2, at = 4, size = 3, quantity = "heat_energy", unit = "kWh" }`."""

    ci: int = MANUFACTURER_DATA
    at: int = Field(ge=0, le=255)
    size: int = Field(ge=1, le=8)
    quantity: str
    unit: str
    scale: str = "1"
    written: Written = "unsigned"
    plus: int | None = Field(None, ge=0, le=255)


class Example(Strict):
    """A frame without CRCs in hexadecimal digits, its key where it is ciphered, and what it says in base units.

    `flags` are all that it raises.
    """

    telegram: str
    readings: dict[str, float]
    flags: tuple[str, ...] = ()
    key: str | None = None


class File(ProfileFile):
    """A wireless M-Bus meter model."""

    driver: Literal["wmbus"]
    media: tuple[int, ...] = ()
    rows: tuple[RowOfFile, ...] = ()
    block: tuple[RuleOfFile, ...] = ()
    flags: tuple[FlagsOfFile, ...] = ()
    examples: tuple[Example, ...] = Field(min_length=1)

    def compile(self) -> WirelessLayout:
        """Resolve quantities and units; raises ProfileError."""
        if not self.rows and not self.block:
            raise ProfileError(None, "rows", "are missing", "a meter has rows, or rules for its maker's block")
        blocks: dict[int, tuple[Rule, ...]] = {}
        for number, row in enumerate(self.block):
            blocks[row.ci] = (*blocks.get(row.ci, ()), _rule(number, row))
        flags = compile_flags(self.flags)
        return WirelessLayout(Layout(compile_rows(self.rows), frozenset(self.media), flags=flags), blocks)

    def quantities(self) -> tuple[str, ...]:
        """Name the quantities in the order of the rows and rules, each once."""
        return tuple(dict.fromkeys([*(row.quantity for row in self.rows), *(rule.quantity for rule in self.block)]))

    def prove(self, profile: Profile) -> None:
        """Decode every example and compare; raises ProfileError."""
        for number, example in enumerate(self.examples):
            place = f"examples.{number}"
            try:
                frame = decode_frame(bytes.fromhex(example.telegram))
                message = unwrap(frame, bytes.fromhex(example.key) if example.key else None)
                said = read_message(profile.layout, message, Formats())
            except (DecodeError, ValueError) as error:
                raise ProfileError(None, f"{place}.telegram", str(error), "give the frame without its CRCs") from error
            compare(place, said.values, example.readings)
            check_flags(place, said.status, example.flags)


def _rule(number: int, row: RuleOfFile) -> Rule:
    quantity = QUANTITIES.get(row.quantity)
    if quantity is None:
        what = f"{row.quantity!r} is not in the closed list"
        raise ProfileError(None, f"block.{number}.quantity", what, "docs: quantities")
    try:
        scale = Fraction(row.scale) * scale_of(row.quantity, row.unit)
    except (KeyError, ValueError, ZeroDivisionError):
        what = f"{row.scale} {row.unit} is no measure of {row.quantity}"
        raise ProfileError(None, f"block.{number}.unit", what, "docs: quantities") from None
    return Rule(quantity.key, row.at, row.size, row.written, scale, row.plus)
