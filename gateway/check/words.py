"""What a check says: intervals of use, and remarks, each with a word of a closed list."""

from typing import Literal, NamedTuple

Quality = Literal["good", "catch_up", "rollover", "reset", "suspect"]

Flag = Literal[
    "gap", "dup", "late", "neg", "roll", "reset", "glitch", "spike", "imposs", "hilo", "sum", "zero", "stuck", "na",
    "idchg", "relat", "leak", "pest",
]  # fmt: skip
"""One word a rule; docs/reference/checks.md says when each is said, and why. What a meter flags of itself is no remark:
its words travel with the reading."""


class Interval(NamedTuple):
    """What a counter counted from `start` to `end` (UTC ms), in the base unit of `key`; `amount` None is unknown.

    A named tuple, for it is made up to a hundred times a second.
    """

    meter: str
    key: str
    start: int
    end: int
    amount: float | None
    quality: Quality


class Remark(NamedTuple):
    """Something a rule noticed of `key` (empty: of the whole meter) from `start` to `end`, UTC ms."""

    meter: str
    key: str
    flag: Flag
    start: int
    end: int
