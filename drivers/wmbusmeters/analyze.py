"""What `nabd analyze` makes of recorded lines of wmbusmeters: each line that begins as JSON is a frame."""

from collections.abc import Iterator, Mapping

from drivers.analysis import About, Frame, Keys, Span, Value
from drivers.contract import DecodeError, Number
from drivers.profiles import Profile
from drivers.wmbusmeters.codec import Field, Telegram, decode_line
from drivers.wmbusmeters.profile import read_telegram

_UNITS = {
    "m3": "m³", "m3h": "m³/h", "kwh": "kWh", "kvarh": "kvarh", "kw": "kW", "c": "°C", "v": "V", "a": "A", "hz": "Hz",
    "h": "h", "s": "s", "dbm": "dBm", "bar": "bar",
}  # fmt: skip
"""What a name ends with, and its unit."""


def analyze(data: bytes, keys: Keys) -> tuple[Frame, ...]:  # noqa: ARG001  wmbusmeters has the keys
    """Find every line that begins as JSON, whole or damaged; other lines are in no frame."""
    return tuple(_frame(start, line) for start, line in _lines(data))


def readings(data: bytes, profile: Profile, keys: Keys) -> tuple[Mapping[str, Number], ...]:  # noqa: ARG001
    """Give what the meter model makes of each telegram it finds anything in."""
    found = []
    for _, line in _lines(data):
        try:
            found.append(read_telegram(profile.layout, decode_line(line)).values)
        except DecodeError:
            continue
    return tuple(values for values in found if values)


def _lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    start = 0
    for line in data.split(b"\n"):
        if line.startswith(b"{"):
            yield start, line
        start += len(line) + 1


def _frame(start: int, line: bytes) -> Frame:
    end = start + len(line)
    try:
        telegram = decode_line(line)
    except DecodeError as error:
        return Frame(start, end, error.what, spans=(Span(start, end, error.what, known=False),))
    about = About(telegram.id, None, telegram.text("driver") or telegram.text("meter") or None, telegram.media or None)
    return Frame(start, end, None, about, _values(telegram), (Span(start, end, "a telegram that wmbusmeters read"),))


def _values(telegram: Telegram) -> tuple[Value, ...]:
    return tuple(_value(name, value) for name, value in telegram.fields.items() if name != "_")


def _value(name: str, value: Field) -> Value:
    if value is None or isinstance(value, str):
        return Value(name, value)
    if isinstance(value, bool):
        return Value(name, int(value))
    whole = value == value.to_integral_value()
    return Value(name, int(value) if whole else float(value), _UNITS.get(name.rpartition("_")[2]))
