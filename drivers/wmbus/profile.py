"""Wireless meter models: the rows of a wired one, and rules for a maker's own block.

1. Rows name records as in drivers/mbus/profile.py; the records come from full or compact frames alike.
2. `flags` are what the maker's bits raise, as there.
3. `block` are rules for the maker's own bytes; `ci` says which frames are meant, 0x0F is the block behind the records,
   `record` a record that contains one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from drivers.contract import DecodeError, Number
from drivers.mbus.flags import Bytes, FlagsOfFile, Maker, check_flags, compile_flags, flags_of
from drivers.mbus.profile import Layout, RowOfFile, Said, compare, compile_rows, read_telegram
from drivers.mbus.records import MANUFACTURER_DATA, Records, decode_records
from drivers.mbus.telegram import Telegram
from drivers.profiles import Profile, ProfileError, ProfileFile, Strict
from drivers.quantities import QUANTITIES, scale_of
from drivers.wmbus import prios
from drivers.wmbus.compact import Formats
from drivers.wmbus.layers import COMPACT, MAKERS, Message, unwrap
from drivers.wmbus.link import decode_frame
from drivers.wmbus.maker import Rule, Tags, Written, read_block

Hidden = Literal["prios"]
"""Ways in which makers hide what their frames say, with keys that everybody knows."""


@dataclass(frozen=True, slots=True)
class WirelessLayout:
    """A compiled profile; `blocks` are the rules by CI, or by the head of the record that contains the block.

    `hidden` is the way in which the maker hides what his frames say, `tags` how his block is made of fields.
    """

    records: Layout
    blocks: Mapping[int | bytes, tuple[Rule, ...]] = field(default_factory=dict)
    tags: Tags | None = None
    hidden: Hidden | None = None


def read_message(layout: WirelessLayout, message: Message, formats: Formats) -> Said:
    """Give what a deciphered message says; raises UnknownFormat, DecodeError.

    `formats` learns from full telegrams, and completes compact ones.
    """
    if message.ci in MAKERS:
        return _read_makers(layout, message)
    data = message.records
    if message.ci == COMPACT:
        data = formats.expand(data)
    # A few meters end in the middle of a record, or with bytes of their own and no mark before them.
    records = decode_records(data, cut_off=True)
    if message.ci != COMPACT:
        formats.learn(records)
    said = read_telegram(layout.records, Telegram(message.header, records), message.sender)
    return Said(_own(layout, message, records) | said.values, said.status)


def _read_makers(layout: WirelessLayout, message: Message) -> Said:
    data = message.records
    if layout.hidden == "prios":
        data = prios.take_apart(message.address, message.ci, data)
    values = read_block(layout.blocks.get(message.ci, ()), data, message.meter, layout.tags)
    return Said(values, flags_of(layout.records.flags, message.meter, message.header, Records((), data)))


def _own(layout: WirelessLayout, message: Message, records: Records) -> dict[str, Number]:
    """Read the maker's block and containers."""
    values = read_block(layout.blocks.get(MANUFACTURER_DATA, ()), records.rest, message.meter, layout.tags)
    for record in records.records:
        rules = layout.blocks.get(record.head)
        if rules and isinstance(record.value, str):
            # As text the bytes stand last first.
            values = read_block(rules, record.value.encode("latin-1")[::-1], message.meter, layout.tags) | values
    return values


# --- the file --------------------------------------------------------------------------------------------------------


class When(Strict):
    """Bytes that a block must have at a place, in hexadecimal digits: `{ at = 9, is = "13" }`."""

    at: int = Field(ge=0, le=255)
    equal: Bytes = Field(alias="is")


class TagsOfFile(Strict):
    """A block of fields: `{ start = 7, sizes = { 16 = 4 } }`; tags are decimal."""

    start: int = Field(ge=0, le=255)
    sizes: dict[Annotated[int, Field(ge=0, le=255)], Annotated[int, Field(ge=0, le=255)]]


class RuleOfFile(Strict):
    """One rule: `{ ci = 0xA2, at = 4, size = 3, quantity = "heat_energy", unit = "kWh" }`.

    `record` instead of `ci` is the head of the record that contains the block.
    """

    ci: int = MANUFACTURER_DATA
    record: Bytes | None = None
    makers: tuple[Maker, ...] = ()
    versions: tuple[Annotated[int, Field(ge=0, le=255)], ...] = ()
    when: When | None = None
    tag: int | None = Field(None, ge=0, le=255)
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
    tags: TagsOfFile | None = None
    hidden: Hidden | None = None
    examples: tuple[Example, ...] = Field(min_length=1)

    def compile(self) -> WirelessLayout:
        """Resolve quantities and units; raises ProfileError."""
        if not self.rows and not self.block:
            raise ProfileError(None, "rows", "are missing", "a meter has rows, or rules for its maker's block")
        blocks: dict[int | bytes, tuple[Rule, ...]] = {}
        for number, row in enumerate(self.block):
            place = row.ci if row.record is None else bytes.fromhex(row.record)
            blocks[place] = (*blocks.get(place, ()), _rule(number, row))
        records = Layout(compile_rows(self.rows), frozenset(self.media), flags=compile_flags(self.flags))
        return WirelessLayout(
            records, blocks, Tags(self.tags.start, self.tags.sizes) if self.tags else None, self.hidden
        )

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
    when = (row.when.at, bytes.fromhex(row.when.equal)) if row.when else None
    return Rule(
        quantity.key, row.at, row.size, row.written, scale, row.plus, row.tag, when,
        frozenset(row.makers), frozenset(row.versions),
    )  # fmt: skip
