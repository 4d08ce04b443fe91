"""What `nabd analyze` makes of recorded SML bytes: files, who sent them, their values, and what every byte means.

Known faults of makes are mended as profiles have it (quirks.py); a value is the wire's otherwise.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone

from drivers.analysis import About, Frame, Keys, Value
from drivers.contract import Number
from drivers.obis import Obis
from drivers.profiles import Profile
from drivers.quantities import QUANTITIES
from drivers.sml.codec import Decoder, Framer, Raw
from drivers.sml.explain import explain
from drivers.sml.identity import IDS, MAKERS, id_text, letters, maker_of, medium_of
from drivers.sml.message import Damaged, Entry, Moment, Telegram, moment, read_file
from drivers.sml.profile import read_telegram
from drivers.sml.quirks import QUIRKS, mend
from drivers.units import NO_UNIT, UNITS

_ERRORS = {
    "cut": "cut off: the file does not end",
    "too_long": "too long: no end within the bound of a file",
    "bad_escape": "damaged: an escape that means nothing",
    "bad_crc": "damaged: the file's checksum is wrong",
    "bad_message_crc": "damaged: a message's checksum is wrong",
    "malformed": "no SML, though the file's checksum is right",
}
_MAKER_LETTERS = 3


def _code(obis: str) -> bytes:
    c, d, e = obis.split(".")
    return bytes((1, 0, int(c), int(d), int(e), 255))


_QUANTITIES = {_code(row.obis): row.name for row in QUANTITIES.values() if row.obis}


def analyze(data: bytes, keys: Keys) -> tuple[Frame, ...]:  # noqa: ARG001  SML has no keys
    """Find every file, whole or damaged, and explain it; bytes between files are in none."""
    return tuple(_frame(raw) for raw in _cuts(data))


def readings(data: bytes, profile: Profile, keys: Keys) -> tuple[Mapping[str, Number], ...]:  # noqa: ARG001
    """Give what the meter model makes of each telegram it finds anything in."""
    found = (read_telegram(profile.layout, telegram).values for telegram in Decoder().feed(data))
    return tuple(values for values in found if values)


def _cuts(data: bytes) -> Iterator[Raw]:
    framer = Framer()
    yield from framer.feed(data)
    rest = framer.rest()
    if rest is not None:
        yield rest


def _frame(raw: Raw) -> Frame:
    end = raw.start + len(raw.data)
    explained = explain(raw)
    error, telegram = raw.error, None
    if error is None:
        try:
            telegram = mend(read_file(raw.body), QUIRKS)
        except Damaged as damaged:
            error = damaged.reason
    if telegram is None:
        return Frame(raw.start, end, _ERRORS[error or "malformed"], spans=explained.spans)
    return Frame(
        raw.start, end, None, _about(telegram), tuple(map(_value, telegram.entries)),
        explained.spans, explained.plain, explained.inside,
    )  # fmt: skip


def _about(telegram: Telegram) -> About:
    server = telegram.server
    return About(id_text(server) or None, maker_of(server, telegram.entries), None, medium_of(server))


def _value(entry: Entry) -> Value:
    unit = None if entry.unit in NO_UNIT else UNITS.get(entry.unit or 0, f"unit {entry.unit}")
    at = _iso(entry.at) if entry.at else None
    return Value(str(Obis.of_bytes(entry.code)), _shown(entry), unit, at, _QUANTITIES.get(entry.code))


def _shown(entry: Entry) -> int | float | str | None:
    value = entry.value
    if isinstance(value, bytes):
        if entry.code in IDS:
            return id_text(value)
        # The maker's three letters are text everywhere; other bytes may be letters by chance.
        if entry.code == MAKERS[0] and len(value) == _MAKER_LETTERS and (text := letters(value)):
            return text
        return value.hex()
    if isinstance(value, int):
        # Division of integers gives the float that is nearest to the decimal, and so prints as it.
        power: int = 10 ** abs(entry.scaler)
        return int(value * power) if entry.scaler >= 0 else value / power
    time = moment(value)
    return _iso(time) if time else None


def _iso(time: Moment) -> str:
    zone = UTC if time.offset is None else timezone(timedelta(minutes=time.offset))
    return datetime.fromtimestamp(time.unix, zone).isoformat()
