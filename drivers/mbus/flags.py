"""What a meter raises of itself: bits of its status, of one of its records, or of its maker's own block, as flags.

1. Three bits of the status mean the same with every maker, unless a rule of the maker gives them another meaning.
2. A rule is of some makers, and of some versions where a maker changed his mind; bits without a rule stay raw.
3. The same rules serve meters on a wire and on the air.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from drivers.mbus.records import Record, Records
from drivers.mbus.telegram import Header, Identity
from drivers.profiles import ProfileError, Strict
from drivers.quantities import FLAGS

_COMMON = ((0x04, "battery_low"), (0x08, "measurement_error"), (0x10, "measurement_error"))
"""The status' bits that mean the same at every maker's: mask, flag."""


@dataclass(frozen=True, slots=True)
class FlagRule:
    """Where a maker's bits are, and which flags they raise.

    `head` is the record's DIF to last VIFE; `block` a place in the maker's block, which begins with `starts`; with
    neither the bits are those of the status. A flag is raised where the bits of `mask` are exactly `value`.
    """

    makers: frozenset[str]
    versions: frozenset[int]
    head: bytes
    block: int | None
    starts: bytes
    raises: tuple[tuple[int, int, str], ...]

    def is_for(self, who: Identity | None) -> bool:
        """Tell whether the rule speaks of this meter."""
        return who is not None and who.manufacturer in self.makers and (
            not self.versions or who.version in self.versions
        )  # fmt: skip

    @property
    def is_of_status(self) -> bool:
        """Whether the bits are those of the header's status."""
        return not self.head and self.block is None


def flags_of(rules: tuple[FlagRule, ...], who: Identity | None, header: Header, records: Records) -> tuple[str, ...]:
    """Name the flags that a telegram raises, each once, the common ones first."""
    mine = [rule for rule in rules if rule.is_for(who)]
    own = {mask for rule in mine if rule.is_of_status for mask, _, _ in rule.raises}
    found = [flag for bit, flag in _COMMON if header.status & bit and not any(bit & mask for mask in own)]
    for rule in mine:
        bits = _bits(rule, header, records)
        found += [flag for mask, value, flag in rule.raises if bits & mask == value]
    return tuple(dict.fromkeys(found))


def _bits(rule: FlagRule, header: Header, records: Records) -> int:
    """Give the bits that a rule speaks of; none are set where the telegram does not have them."""
    if rule.is_of_status:
        return header.status
    if rule.block is not None:
        inside = records.rest.startswith(rule.starts) and rule.block < len(records.rest)
        return records.rest[rule.block] if inside else 0
    return next((_bits_of(record) for record in records.records if record.head == rule.head), 0)


def _bits_of(record: Record) -> int:
    if isinstance(record.value, int):
        return record.value
    # The least integer means "no value" to a number; as bits it is the highest one.
    return 1 << 8 * (record.end - record.data_at) - 1 if record.value is None and record.error is None else 0


# --- the file --------------------------------------------------------------------------------------------------------

Maker = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Bytes = Annotated[str, StringConstraints(pattern=r"^([0-9A-F]{2}){1,22}$")]


class FlagsOfFile(Strict):
    """One rule: `{ makers = ["KAM"], record = "02FF20", bits = { 0 = "dry" }, mask = 3, values = { 3 = "leak" } }`.

    `bits` raise a flag each, counted from the lowest; `values` are what the bits of `mask` may say together. Keys are
    decimal.
    """

    makers: tuple[Maker, ...] = Field(min_length=1)
    versions: tuple[Annotated[int, Field(ge=0, le=255)], ...] = ()
    record: Bytes | None = None
    block: int | None = Field(None, ge=0, le=255)
    starts: Bytes | None = None
    bits: dict[Annotated[int, Field(ge=0, le=63)], str] = Field(default_factory=dict)
    mask: int = Field(0, ge=0, lt=1 << 64)
    values: dict[int, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.record is not None and self.block is not None:
            raise ValueError("give record or block, not both")
        if not self.bits and not self.values:
            raise ValueError("give bits, or mask and values")
        if any(not 0 < value <= self.mask or value & ~self.mask for value in self.values):
            raise ValueError("values lie within mask, and 0 raises nothing")
        return self


def compile_flags(rules: tuple[FlagsOfFile, ...]) -> tuple[FlagRule, ...]:
    """Turn a file's rules into the decoder's; raises ProfileError for words that are no flag."""
    return tuple(_compile(number, rule) for number, rule in enumerate(rules))


def _compile(number: int, rule: FlagsOfFile) -> FlagRule:
    raises = tuple(_raises(rule))
    for _, _, word in raises:
        if word not in FLAGS:
            raise ProfileError(None, f"flags.{number}", f"{word!r} is not in the closed list", ", ".join(FLAGS))
    return FlagRule(
        frozenset(rule.makers), frozenset(rule.versions), bytes.fromhex(rule.record or ""), rule.block,
        bytes.fromhex(rule.starts or ""), raises,
    )  # fmt: skip


def _raises(rule: FlagsOfFile) -> Iterator[tuple[int, int, str]]:
    for bit, word in rule.bits.items():
        yield 1 << bit, 1 << bit, word
    for value, word in rule.values.items():
        yield rule.mask, value, word


def check_flags(place: str, raised: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """Hold the flags that were raised against what an example says; raises ProfileError."""
    if set(raised) != set(expected):
        raise ProfileError(None, f"{place}.flags", f"are {list(raised)}", "mend the rules or the example")
