"""The files of a replay: series, marks and settings, each line proven before anything is judged."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from drivers.quantities import BY_KEY, QUANTITIES
from gateway.alerts.settings import Settings, decode
from gateway.message import ID, MessageError

COLUMNS = ["time", "meter", "quantity", "value"]
MARK_COLUMNS = ["time", "meter", "event"]
MARKS = ("away_on", "away_off")
LATEST = 1 << 42
"""UTC ms in 2109: what an event can hold."""


@dataclass
class ReplayError(Exception):
    """A file that cannot be replayed: which one, its line, why, and what to do."""

    path: Path | None
    line: int
    what: str
    hint: str = ""

    def __str__(self) -> str:
        """One line for people."""
        where = f"{self.path}:{self.line}: " if self.path else ""
        return f"{where}{self.what}" + (f" ({self.hint})" if self.hint else "")


class Row(NamedTuple):
    """One value of the file; `ts` in UTC ms."""

    ts: int
    meter: str
    key: str
    value: float


class Mark(NamedTuple):
    """From `ts` (UTC ms) on, the customer of a meter is away, or is back."""

    ts: int
    meter: str
    away: bool


def load_rows(path: Path, zone: str = "UTC") -> list[Row]:
    """Read the values of a CSV file; raises ReplayError."""
    rows = []
    newest: dict[tuple[str, str], int] = {}
    for line, (when, meter, quantity, text) in _lines(path, COLUMNS):
        key = quantity if quantity in BY_KEY else QUANTITIES[quantity].key if quantity in QUANTITIES else None
        if key is None:
            raise ReplayError(path, line, f"there is no quantity {quantity[:40]!r}", "such as energy_import or power")
        if not re.fullmatch(ID, meter):
            raise ReplayError(path, line, f"meter {meter[:40]!r} is not an id", "letters A-Z a-z, digits, _ and -")
        if text == "":
            continue  # an empty cell is no reading
        try:
            ts = newest[meter, key] = _time(when, zone, newest.get((meter, key), 0))
            rows.append(Row(ts, meter, key, _number(text)))
        except ValueError as error:
            raise ReplayError(path, line, str(error), "time,meter,quantity,value") from None
    return rows


def load_marks(path: Path, zone: str = "UTC") -> list[Mark]:
    """Read a file of away_on and away_off, in the order of their times; raises ReplayError."""
    marks = []
    for line, (when, meter, mark) in _lines(path, MARK_COLUMNS):
        if mark not in MARKS:
            raise ReplayError(path, line, f"there is no event {mark[:40]!r}", f"one of {', '.join(MARKS)}")
        try:
            marks.append(Mark(_time(when, zone), meter, mark == "away_on"))
        except ValueError as error:
            raise ReplayError(path, line, str(error), "time,meter,event") from None
    return sorted(marks)


def load_settings(path: Path) -> Settings:
    """Read settings as the hub sends them, in JSON; raises ReplayError."""
    try:
        return decode(path.read_bytes())
    except (OSError, MessageError) as error:
        raise ReplayError(path, 1, str(error), '{"v":1,"meters":{"gw-1_main":{"rating_a":63}}}') from None


def _lines(path: Path, columns: list[str]) -> Iterator[tuple[int, list[str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            if next(reader, None) != columns:
                raise ReplayError(path, 1, "is not the header line", ",".join(columns))
            for cells in reader:
                if len(cells) != len(columns):
                    raise ReplayError(path, reader.line_num, f"has {len(cells)} cells", ",".join(columns))
                yield reader.line_num, cells
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ReplayError(path, 1, f"cannot be read: {error}", "a CSV file in UTF-8") from None


def _time(text: str, zone: str, before: int = 0) -> int:
    """Read a time as UTC ms; a local time that comes twice is the second one where the first is not after `before`."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    ts = round(moment.timestamp() * 1000)
    if not 0 <= ts < LATEST:
        raise ValueError(f"{text[:40]!r} is no time a meter is read at")
    again = round(moment.replace(fold=1).timestamp() * 1000)
    return again if ts <= before < again else ts


def _number(text: str) -> float:
    value = float(text)
    if not abs(value) < 1e15:  # noqa: PLR2004  also what is no number
        raise ValueError(f"{text[:40]!r} is no number a meter shows")
    return int(value) if value.is_integer() else value
