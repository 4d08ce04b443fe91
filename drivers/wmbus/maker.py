"""A maker's own bytes, read by rules of the meter's profile: which bytes, how written, and which quantity they are.

1. A block is what follows a CI of the makers' own, or the DIF that hands over to the maker, or a container among the
   records.
2. A rule names a place in the block. Where a block is a row of tagged fields, it names the tag, and the profile says
   how long the fields of each tag are.
3. A rule may be of some makers, and hold only where other bytes of the block say so.

Facts that no rule of this kind can say (values that hang on other values) stay outside.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from drivers import decimals
from drivers.contract import Number
from drivers.mbus import values
from drivers.mbus.telegram import Identity

Written = Literal["unsigned", "signed", "bcd", "msb-first"]

_READ: Mapping[Written, Callable[[bytes], int | None]] = {
    "unsigned": values.unsigned,
    "signed": values.integer,
    "bcd": values.bcd,
    "msb-first": lambda data: int.from_bytes(data, "big"),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One value: `size` bytes `at` an offset from the block's first byte, times `scale`, under the quantity's key.

    `plus` is a second place whose value is added, for meters that tell the past period and the current one. With a
    `tag` the places are counted from the data of its field. `when` are bytes the block must have at a place. No
    `makers` are all, no `versions` all of theirs.
    """

    key: str
    at: int
    size: int
    written: Written
    scale: Fraction
    plus: int | None = None
    tag: int | None = None
    when: tuple[int, bytes] | None = None
    makers: frozenset[str] = frozenset()
    versions: frozenset[int] = frozenset()

    def holds(self, block: bytes, who: Identity | None) -> bool:
        """Tell whether the rule speaks of this meter's block."""
        if self.makers and (who is None or who.manufacturer not in self.makers):
            return False
        if self.versions and (who is None or who.version not in self.versions):
            return False
        return self.when is None or block.startswith(self.when[1], self.when[0])


@dataclass(frozen=True, slots=True)
class Tags:
    """A row of fields from `start` on: one byte of tag, then as many bytes as `sizes` says."""

    start: int
    sizes: Mapping[int, int]

    def fields(self, block: bytes) -> dict[int, bytes]:
        """Give the fields by tag, the first of each, up to a tag that is unknown or a field cut off."""
        found: dict[int, bytes] = {}
        at = self.start
        while at < len(block) and (size := self.sizes.get(block[at])) is not None:
            if at + 1 + size > len(block):
                break
            found.setdefault(block[at], block[at + 1 : at + 1 + size])
            at += 1 + size
        return found


def read_block(
    rules: tuple[Rule, ...], block: bytes, who: Identity | None = None, tags: Tags | None = None
) -> dict[str, Number]:
    """Give the values of a block; a rule that reaches beyond it gives none, the first of a quantity counts."""
    found: dict[str, Number] = {}
    fields = tags.fields(block) if tags else {}
    for rule in rules:
        if rule.key in found or not rule.holds(block, who):
            continue
        data = block if rule.tag is None else fields.get(rule.tag, b"")
        places = [rule.at] if rule.plus is None else [rule.at, rule.plus]
        parts = [_at(rule, data, place) for place in places]
        numbers = [part for part in parts if part is not None]
        if len(numbers) == len(places):
            found[rule.key] = decimals.number(sum(numbers) * rule.scale)
    return found


def _at(rule: Rule, block: bytes, at: int) -> int | None:
    data = block[at : at + rule.size]
    return _READ[rule.written](data) if len(data) == rule.size else None
