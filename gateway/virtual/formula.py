"""A virtual meter's formula: `main - solar - 0.5 * (pump + heater)` becomes how much each meter counts.

1. Names, numbers, `+ - * ( )`. A name may hold a minus as meters' names do, so the sign stands between spaces.
2. Each part of the formula is worked out at once into weights: how often each meter counts, and, under "", what counts
   without one. Nothing of the formula is ever run as a program.
3. In the end every weight belongs to a meter: of two meters only a sum or a difference means anything, never a product.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

LONGEST = 4000
"""Characters: a building of 200 flats, each with its sign and a name of a dozen letters."""
DEEPEST = 20
"""Brackets within brackets: two are hard to read, and each costs some of the interpreter's stack."""
LEAST, MOST = Fraction(1, 10**9), Fraction(10**9)
"""What a meter may count: as much as its `ratio` may be, so that values stay numbers that JSON can hold."""

_TOKEN = re.compile(
    r"(?P<number>[0-9]{1,9}(?:\.[0-9]{1,9})?)(?![A-Za-z0-9_.-])|(?P<name>[A-Za-z0-9_][A-Za-z0-9_-]*)|(?P<sign>[-+*()])"
)
_PLAIN = ""
"""The place of a number that no meter belongs to."""

Weights = dict[str, Fraction]


@dataclass
class FormulaError(Exception):
    """A formula that means nothing: what is wrong with it, and what to write."""

    what: str
    hint: str = ""


@dataclass(frozen=True)
class Formula:
    """How much each meter counts, by its name; none counts nothing. `text` is as it was written."""

    text: str
    weights: Mapping[str, Fraction]


def parse(text: str) -> Formula:
    """Read a formula; raises FormulaError."""
    if len(text) > LONGEST:
        raise FormulaError(f"is longer than {LONGEST} characters", "split it")
    weights = _Reader(text).read()
    if weights.get(_PLAIN):
        raise FormulaError("adds a number that belongs to no meter", "write the number times a meter: 0.5 * main")
    counting = {name: weight for name, weight in weights.items() if weight}
    if not counting:
        raise FormulaError("has no meter in it", 'write names of meters: "main - solar"')
    for name, weight in counting.items():
        if not LEAST <= abs(weight) <= MOST:
            often = "too often" if abs(weight) > MOST else "too little"  # a float may not hold how often
            raise FormulaError(f"counts {name} {often}", f"from {float(LEAST):.9f} to {int(MOST)} times")
    return Formula(" ".join(text.split()), counting)


class _Reader:
    """Goes over a formula once, from left to right."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = self._depth = 0

    def read(self) -> Weights:
        weights = self._sum()
        if self._next:
            raise FormulaError(f"has {self._next!r} where it should end", "put a sign before it")
        return weights

    @property
    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token, self._at = self._next, self._at + 1
        return token

    def _sum(self) -> Weights:
        total = self._product()
        while self._next in ("+", "-"):
            sign = 1 if self._take() == "+" else -1
            total = _added(total, self._product(), sign)
        return total

    def _product(self) -> Weights:
        product = self._factor()
        while self._next == "*":
            self._take()
            product = _times(product, self._factor())
        return product

    def _factor(self) -> Weights:
        sign = 1
        while self._next == "-":
            self._take()
            sign = -sign
        word = self._take()
        if word == "(":
            return _times(self._bracket(), {_PLAIN: Fraction(sign)})
        if not word or word in "+*)":
            where = f"before {word!r}" if word else "at its end"
            raise FormulaError(f"lacks a meter or a number {where}", 'such as "main - 0.5 * pump"')
        match = _TOKEN.fullmatch(word)
        is_number = match is not None and match["number"]
        return {_PLAIN: sign * Fraction(word)} if is_number else {word: Fraction(sign)}

    def _bracket(self) -> Weights:
        self._depth += 1
        if self._depth > DEEPEST:
            raise FormulaError(f"has more than {DEEPEST} brackets within one another", "write it out")
        inside = self._sum()
        if self._take() != ")":
            raise FormulaError("lacks a closing bracket", 'each "(" has its ")"')
        self._depth -= 1
        return inside


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    while rest := text[at:].lstrip():
        at = len(text) - len(rest)
        match = _TOKEN.match(text, at)
        if match is None:
            raise FormulaError(f"has {text[at]!r} in it", "only names, numbers and + - * ( ) stand in a formula")
        tokens.append(match[0])
        at = match.end()
    return tokens


def _added(a: Weights, b: Weights, sign: int) -> Weights:
    return {name: a.get(name, Fraction(0)) + sign * b.get(name, Fraction(0)) for name in {**a, **b}}


def _times(a: Weights, b: Weights) -> Weights:
    if a.keys() - {_PLAIN} and b.keys() - {_PLAIN}:
        raise FormulaError("multiplies two meters", "only a number times a meter means anything")
    factor, rest = (a, b) if not a.keys() - {_PLAIN} else (b, a)
    return {name: factor.get(_PLAIN, Fraction(0)) * weight for name, weight in rest.items()}
