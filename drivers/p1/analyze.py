"""What `nabd analyze` makes of recorded P1 bytes: telegrams in the clear and ciphered ones, whole and damaged.

1. Each frame is found as on a live port; one that breaks off at the end of the data counts as cut.
2. A ciphered frame is explained to its tag; what was in it is explained as a telegram of its own, in `inside`. Whether
   its counter rises is not asked: a recording may hold one frame twice.
3. A group that is a time belongs to the group behind it, unless that is a time too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from drivers.analysis import About, Frame, Keys, Span, Value
from drivers.contract import DecodeError, Number
from drivers.p1.codec import Telegram, decode, judge, lines, read_object
from drivers.p1.explain import about, devices, values, word
from drivers.p1.framing import TITLE, Cut, Framing, sealed_head
from drivers.p1.profile import read_telegram
from drivers.p1.sealed import COUNTER_LENGTH, SAID, TAG_LENGTH, counter_of, unseal
from drivers.profiles import Profile


def analyze(data: bytes, keys: Keys) -> tuple[Frame, ...]:
    """Find every frame and explain it; bytes between frames are in none."""
    return tuple(_frame(cut, data, keys) for cut in _cuts(data))


def readings(data: bytes, profile: Profile, keys: Keys) -> tuple[Mapping[str, Number], ...]:
    """Give what the meter model makes of each telegram it finds anything in."""
    telegrams = (_telegram(cut, keys) for cut in _cuts(data))
    found = (read_telegram(profile.layout, telegram).values for telegram in telegrams if telegram)
    return tuple(values for values in found if values)


def _cuts(data: bytes) -> Iterator[Cut]:
    framing = Framing()
    yield from framing.feed(data)
    yield from framing.finish()


def _telegram(cut: Cut, keys: Keys) -> Telegram | None:
    try:
        return decode(unseal(cut.body, keys)) if cut.kind == "sealed" else judge(cut)
    except DecodeError:
        return None


def _frame(cut: Cut, data: bytes, keys: Keys) -> Frame:
    if cut.kind == "sealed":
        return _sealed(cut, keys)
    end = min(cut.at + len(cut.body) + len(cut.checksum or b""), len(data))
    try:
        telegram = judge(cut)
    except DecodeError as error:
        return Frame(cut.at, end, error.hint, spans=tuple(_lines(cut)))
    return Frame(cut.at, end, None, about(telegram), _values(telegram), tuple(_lines(cut, telegram)))


# --- in the clear ----------------------------------------------------------------------------------------------------


def _values(telegram: Telegram) -> tuple[Value, ...]:
    sub_meters = devices(telegram.objects)
    return tuple(value for entry in telegram.objects for value in values(entry, sub_meters))


def _lines(cut: Cut, telegram: Telegram | None = None) -> Iterator[Span]:
    """Explain a telegram line by line; line ends belong to the line before them."""
    at, whole = cut.at, cut.kind == "plain"
    body = cut.body if whole else cut.body + b"!"
    found = [*lines(body), (len(body) - 1, "")]
    yield Span(at, at + found[0][0], f"identification: {body[1 : found[0][0]].decode('latin-1').strip()}", depth=0)
    sub_meters = devices(telegram.objects) if telegram else {}
    for (start, line), (stop, _) in pairwise(found):
        entry = read_object(line)
        meaning = "; ".join(word(value) for value in values(entry, sub_meters)) if entry else "no object"
        yield Span(at + start, at + stop, meaning, known=entry is not None, depth=1)
    if whole:
        mark = at + len(body) - 1
        yield Span(mark, mark + 1, "end")
        if cut.checksum:
            meaning = "CRC-16 of the text, right" if telegram else "CRC-16, of another text"
            yield Span(mark + 1, mark + 1 + len(cut.checksum), meaning, known=telegram is not None)


# --- ciphered --------------------------------------------------------------------------------------------------------


def _sealed(cut: Cut, keys: Keys) -> Frame:
    frame, end = cut.body, cut.at + len(cut.body)
    title = frame[TITLE]
    who = About(title.hex().upper(), title[:3].decode("ascii", "replace").upper(), None, "electricity")
    try:
        text = unseal(frame, keys)
        telegram = decode(text)
    except DecodeError as error:
        what = f"{SAID[error.what]}: {error.hint}" if error.what in SAID else error.hint
        return Frame(cut.at, end, what, who, spans=tuple(_envelope(cut, is_open=False)))
    inside = Cut(0, "plain", text[: text.rindex(b"!") + 1], text[text.rindex(b"!") + 1 :].strip())
    return Frame(
        cut.at, end, None, replace(about(telegram), id=about(telegram).id or who.id), _values(telegram),
        tuple(_envelope(cut, is_open=True)), text, tuple(_lines(inside, telegram)),
    )  # fmt: skip


def _envelope(cut: Cut, *, is_open: bool) -> Iterator[Span]:
    at, frame = cut.at, cut.body
    start = sealed_head(frame)
    text, tag = at + start + 1 + COUNTER_LENGTH, at + len(frame) - TAG_LENGTH
    title = frame[TITLE]
    yield Span(at, at + 1, "ciphered telegram: general-glo-ciphering")
    yield Span(at + 1, at + 2, f"{len(title)} bytes of system title", depth=1)
    yield Span(at + TITLE.start, at + TITLE.stop, f"system title {title.hex().upper()}", depth=1)
    yield Span(at + TITLE.stop, at + start, f"{len(frame) - start} bytes follow", depth=1)
    if start == len(frame):
        return
    yield Span(at + start, at + start + 1, f"security control {frame[start]:02X}", depth=1)
    if tag < text:
        yield Span(at + start + 1, at + len(frame), "too short for counter and tag", known=False, depth=1)
        return
    yield Span(at + start + 1, text, f"frame counter {counter_of(frame)}", depth=1)
    yield Span(text, tag, "ciphered text" + ("" if is_open else ", not opened"), known=is_open, depth=1)
    yield Span(tag, at + len(frame), "tag" + (", proves it all" if is_open else ""), known=is_open, depth=1)
