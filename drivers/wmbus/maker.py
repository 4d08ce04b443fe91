"""A maker's own block, read by rules of the meter's profile: which bytes, how written, and which quantity they are.

The block is what follows a CI of the makers' own, or the DIF that hands over to the maker. Facts that no rule of this
kind can say (ciphers of a maker's own, values that hang on other values) stay outside.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from drivers import decimals
from drivers.contract import Number
from drivers.mbus import values

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

    `plus` is a second place whose value is added, for meters that tell the past period and the current one.
    """

    key: str
    at: int
    size: int
    written: Written
    scale: Fraction
    plus: int | None = None


def read_block(rules: tuple[Rule, ...], block: bytes) -> dict[str, Number]:
    """Give the values of a block; a rule that reaches beyond it gives none."""
    found: dict[str, Number] = {}
    for rule in rules:
        places = [rule.at] if rule.plus is None else [rule.at, rule.plus]
        parts = [_at(rule, block, place) for place in places]
        numbers = [part for part in parts if part is not None]
        if len(numbers) == len(places):
            found[rule.key] = decimals.number(sum(numbers) * rule.scale)
    return found


def _at(rule: Rule, block: bytes, at: int) -> int | None:
    data = block[at : at + rule.size]
    return _READ[rule.written](data) if len(data) == rule.size else None
