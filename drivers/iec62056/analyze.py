"""What `nabd analyze` makes of recorded IEC 62056-21 bytes: every list, whole and damaged, character by character.

1. Lists are looked for as leniently as the codec can. One whose check character is wrong is shown with its values, and
   with its error: no driver takes them unless a profile says so.
2. A list without STX is whole when `!` ends it and every line reads; unless ETX and a check character follow, for then
   its STX was lost on the way.
3. What reader and meter say to one another before and after a list is in no frame.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from drivers.analysis import Frame, Keys, Span
from drivers.contract import Number
from drivers.iec62056.codec import Decoder, Located, Reader
from drivers.iec62056.explain import about, values
from drivers.iec62056.messages import ETX, STX, Block, DataSet, Identification
from drivers.iec62056.profile import read_list
from drivers.profiles import Profile

_REASONS = {
    "bad_parity": "a character has the wrong parity",
    "malformed": "not every line is a data set",
    "cut": "the list breaks off",
    "too_long": "the list never ends",
}


def analyze(data: bytes, keys: Keys) -> tuple[Frame, ...]:  # noqa: ARG001  nothing is ciphered here
    """Find every list and explain it; bytes between lists are in none."""
    return tuple(_frames(data))


def readings(data: bytes, profile: Profile, keys: Keys) -> tuple[Mapping[str, Number], ...]:  # noqa: ARG001
    """Give what the meter model makes of each list it takes and finds anything in."""
    found = Decoder(profile.layout.manner.bcc).feed(data)
    said = (read_list(profile.layout, read_out).values for read_out in found)
    return tuple(values for values in said if values)


def _located(data: bytes) -> list[Located]:
    """Find messages; a list that begins with STX and never ends is tried once more as one that `!` ends."""
    found = Reader("ignored").locate(data)
    if found and isinstance(found[-1][2], Identification):
        start = found[-1][0]
        tail = Reader("absent").locate(data[start:])
        found[-1:] = [(start + begin, start + end, message) for begin, end, message in tail]
    return found


def _frames(data: bytes) -> Iterator[Frame]:
    head: tuple[int, int, Identification] | None = None
    for start, end, message in _located(data):
        if head is not None:
            yield _frame(data, head, (start, end, message))
        head = (start, end, message) if isinstance(message, Identification) else None
    if head is not None:
        yield _frame(data, head, None)


def _frame(data: bytes, head: tuple[int, int, Identification], rest: Located | None) -> Frame:
    start, after, said = head
    if rest is None or isinstance(rest[2], Identification):
        end = len(data) if rest is None else rest[0]
        spans = (*_head(data, start, after), *_gap(data, after, end, "no list"))
        return Frame(start, end, _REASONS["cut"], about(said, ()), spans=spans)
    begin, end, message = rest
    sets = message.sets if isinstance(message, Block) else ()
    spans = (*_head(data, start, after), *_gap(data, after, begin, "noise"), *_list(data, begin, end, message))
    return Frame(start, end, _error(data, end, message), about(said, sets), tuple(values(sets)), spans)


def _error(data: bytes, end: int, message: object) -> str | None:
    if not isinstance(message, Block):
        return _REASONS.get(getattr(message, "reason", ""), "this is no list")
    if message.check == "wrong":
        return "the check character is wrong"
    if message.check == "absent" and data[end:].lstrip(b"\r\n").startswith(ETX):
        return "a check character follows, but STX is missing"
    return None


# --- what every byte means -------------------------------------------------------------------------------------------


def _head(data: bytes, start: int, end: int) -> Iterator[Span]:
    speed = Identification("AAA", chr(data[start + 4]), "")
    offer = f"mode {speed.mode}" + (f", {speed.baud} baud" if speed.baud else "")
    yield Span(start, start + 4, f"maker {data[start + 1 : start + 4].decode('latin-1')}")
    yield Span(start + 4, start + 5, offer)
    yield Span(start + 5, end, f"type {data[start + 5 : end].decode('latin-1').strip()}")


def _gap(data: bytes, start: int, end: int, meaning: str) -> Iterator[Span]:
    if start < end:
        known = not data[start:end].strip(b"\r\n\0\x7f")
        yield Span(start, end, "empty line" if known else meaning, known=known)


def _list(data: bytes, start: int, end: int, message: object) -> Iterator[Span]:
    framed = isinstance(message, Block) and message.check != "absent"
    stop = end - 2 if framed else end
    if data[start : start + 1] == STX:
        yield Span(start, start + 1, "start of the list (STX)")
        start += 1
    yield from _sets(data, start, stop)
    if framed:
        right = isinstance(message, Block) and message.check == "right"
        yield Span(stop, stop + 1, "end of the block (ETX)")
        yield Span(stop + 1, end, f"check character, {'right' if right else 'of another text'}", known=right)


def _sets(data: bytes, start: int, stop: int) -> Iterator[Span]:
    """Explain data sets one by one; line ends belong to what stands before them."""
    named = ""
    while start < stop:
        close = data.find(b")", start, stop) + 1
        end = _behind_line_end(data, close or stop, stop)
        text = data[start:end].decode("latin-1").strip("\r\n")
        address, bracket, inside = text.removesuffix(")").partition("(")
        if not close or not bracket or not text.isprintable():
            yield Span(start, end, "end of the list" if text == "!" else "no data set", known=text == "!", depth=1)
        else:
            value, _, unit = inside.partition("*")
            named = address or named
            yield Span(start, end, _word(DataSet(named, value, unit or None)), depth=1)
        start = end


def _behind_line_end(data: bytes, at: int, stop: int) -> int:
    while at < stop and data[at] in b"\r\n":
        at += 1
    return at


def _word(entry: DataSet) -> str:
    (value,) = values((entry,))
    name = value.quantity.replace("_", " ") if value.quantity else value.id
    said = replace(entry, unit=entry.unit or "")
    return f"{name}: {f'{said.value} {said.unit}'.strip() or 'nothing'}"
