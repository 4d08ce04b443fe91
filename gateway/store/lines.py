"""InfluxDB line protocol: one reading, one line. Bytes out, nothing else.

    reading,tenant=t,gw=g,meter=m,commodity=c energy_import_wh=607447.1,q=0i,seq=1000i 1795219200000

Values are floats always, integers and decimal strings too, so that a field never changes its type; `q` and `seq` are
integers. The time is in milliseconds, which the writer must say beside the lines.
"""

import math
from functools import lru_cache

from gateway.store.contract import Row

MEASUREMENT = "reading"

RESERVED = frozenset({"q", "seq", "tenant", "gw", "meter", "commodity"})
"""Names of our own. A value that took one would fix that field's type for ever, and all later readings would fail."""

_TAG = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})


def encode(row: Row) -> str:
    """Make the line of one reading; raises ValueError for what line protocol cannot carry."""
    if not RESERVED.isdisjoint(row.v):
        raise ValueError("a value cannot carry a name of our own fields")
    tags = [("tenant", row.tenant), ("gw", row.gw), ("meter", row.meter), ("commodity", row.commodity)]
    series = "".join(f",{name}={_escaped(value)}" for name, value in tags if value)
    fields = "".join([f"{_escaped(name)}={_float(value)}," for name, value in row.v.items()])
    return f"{MEASUREMENT}{series} {fields}q={row.q}i,seq={row.seq}i {row.ts}"


@lru_cache(maxsize=4096)  # the names of a fleet's quantities and meters, over and over; a few hundred KB
def _escaped(text: str) -> str:
    """Escape a tag's value or a field's name; both know the same three escapes.

    A backslash has no escape of its own there and would swallow what follows it; a line break would end the line.
    """
    if "\\" in text or not text.isprintable():
        raise ValueError("line protocol cannot carry a backslash or a control character")
    return text.translate(_TAG)


def _float(value: float | str) -> str:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("line protocol cannot carry a number that is not finite")
    return repr(number)
