"""Current transformers as their label has them: primary and secondary current, such as 250/5."""

import re
from dataclasses import dataclass
from fractions import Fraction

from gateway.commission.digits import LIMIT, western
from gateway.commission.errors import Unreadable
from gateway.config.models import MeterTable

_LABEL = re.compile(r"([0-9]{1,5})(?:A)?[/:]([0-9]{1,3})(?:A)?")
COUNTED_APART = frozenset({"modbus", "mbus", "pulse", "iec62056-21", "dlms"})
"""Meters that may hang behind transformers: P1 and the meters of households that push do not."""


@dataclass(frozen=True, slots=True)
class Transformer:
    """A transformer's label, and how many times the primary current is the secondary."""

    label: str
    ratio: Fraction


def may_have_one(row: MeterTable) -> bool:
    """Tell whether to ask for transformers."""
    return row.profile.commodity == "electricity" and row.profile.driver in COUNTED_APART


def read_transformer(text: str) -> Transformer | None:
    """Read a label; None for none. Raises Unreadable."""
    line = western(text[:LIMIT]).replace(" ", "").upper()
    if not line or line in {"-", "0", "1", "1/1"}:
        return None
    match = _LABEL.fullmatch(line)
    if match is None or not int(match[1]) or not int(match[2]):
        raise Unreadable(f"{text[:LIMIT]!r} is no transformer's label", "type both currents, such as 250/5")
    return Transformer(f"{int(match[1])}/{int(match[2])}", Fraction(int(match[1]), int(match[2])))
