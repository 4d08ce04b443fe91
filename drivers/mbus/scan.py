"""Finds the wired M-Bus meters of a line; only ever asks. No I/O.

1. A select and a ping that every meter answers tell at each usual speed whether anybody is there.
2. Secondary addresses are searched by parts (search.py): each meter found says its number, maker, version and medium.
3. Meters that know no secondary address are asked by primary address, those in use first; all 250 of them only where
   the search found nobody.

What a meter measures it says itself, beside a checksum, so the model for its medium is sure when its records make
sense to it.
"""

from collections.abc import Iterable, Sequence

from drivers.contract import DecodeError
from drivers.link import Line
from drivers.mbus.frames import FCB, REQ_UD2, SELECT, SELECTED, SND_NKE, SND_UD, Ack, Decoder, Frame, long, short
from drivers.mbus.line import ANSWER_BITS, ANSWER_MORE
from drivers.mbus.profile import Layout, read_telegram
from drivers.mbus.search import Outcome, Probe, Search
from drivers.mbus.telegram import Telegram, decode_telegram
from drivers.profiles import Profile
from drivers.scan import Ask, Found, Script

LINES = tuple(Line(baud, 8, "E", 1) for baud in (2400, 300, 9600))

EVERYONE = 254
LIKELY, ALL = range(1, 6), range(251)
"""Primary addresses: those that installers give, and every one."""

PAUSE = 0.15
"""Seconds of silence inside an answer after which it is over."""

TRIES = 2
_PROBE = 0.4
"""Seconds of one probe, about, for the time left."""


def wired(profiles: Sequence[Profile]) -> Script[list[Found]]:
    """Find every meter of a line."""
    for line in LINES:
        if (yield from _anybody(line)):
            return (yield from _everybody(line, profiles))
    return []


def _anybody(line: Line) -> Script[bool]:
    for request in (long(SND_UD, SELECTED, SELECT, bytes(Probe())), short(SND_NKE, EVERYONE)):
        for _ in range(TRIES):  # several at once are noise each time, a line that catches something is not
            heard = yield _ask(request, line, f"M-Bus at {line.baud}")
            if _frames(heard):
                return True
            if not _noise(heard, request):
                break
        else:
            return True
    return False


def _everybody(line: Line, profiles: Sequence[Profile]) -> Script[list[Found]]:
    found: dict[str, Found] = {}
    primaries: set[int] = set()
    search = Search()
    while (probe := search.next()) is not None:
        doing = f"M-Bus secondary addresses: {len(search.found)} found"
        outcome, frame = yield from _probe(probe, line, doing, _PROBE * (search.left + 5))
        search.heard(outcome)
        if frame is not None:
            primaries.add(frame.address)
            _keep(found, _found(frame, line, profiles, secondary=True))
    for address in LIKELY if found else ALL:
        if address not in primaries:
            frame = yield from _at(address, line, 0.3 * ((LIKELY if found else ALL).stop - address))
            if frame is not None:
                _keep(found, _found(frame, line, profiles, secondary=False))
    return list(found.values())


def _keep(found: dict[str, Found], one: Found) -> None:
    """Keep a meter once, by the address that was found first."""
    found.setdefault(one.serial or str(one.address), one)


def _probe(probe: Probe, line: Line, doing: str, left: float) -> Script[tuple[Outcome, Frame | None]]:
    """Say who answers to a secondary address with open parts."""
    select = long(SND_UD, SELECTED, SELECT, bytes(probe))
    heard = yield _ask(select, line, doing, left)
    if not (_frames(heard) or _noise(heard, select)):
        return "silence", None
    for _ in range(TRIES):
        request = short(REQ_UD2 | FCB, SELECTED)
        heard = yield _ask(request, line, doing, left, whole=_has_frame)
        frame = _only(heard, request)
        if frame is not None and (telegram := _telegram(frame)) and telegram.header.identity:
            return telegram.header.identity, frame
        if heard:
            break
    return ("collision" if heard else "silence"), None


def _at(address: int, line: Line, left: float) -> Script[Frame | None]:
    """Ask one primary address."""
    doing = f"M-Bus primary address {address}"
    ping = short(SND_NKE, address)
    heard = yield _ask(ping, line, doing, left)
    if not _frames(heard):
        return None
    heard = yield _ask(short(REQ_UD2 | FCB, address), line, doing, left, whole=_has_frame)
    return next((frame for frame in _frames(heard) if isinstance(frame, Frame) and frame.address == address), None)


def _ask(request: bytes, line: Line, doing: str, left: float = 0.0, whole: object = None) -> Ask:
    wait = ANSWER_BITS / line.baud + ANSWER_MORE
    most = 300 * line.character + 1.0
    return Ask(
        request,
        line,
        wait,
        doing,
        _has_frame if whole is _has_frame else _has_ack,
        rest=PAUSE,
        most=most,
        left=left,
        final=left > 0,
    )


def _has_ack(heard: bytes) -> bool:
    return heard.endswith(b"\xe5") and bool(_frames(heard))


def _has_frame(heard: bytes) -> bool:
    return any(isinstance(frame, Frame) for frame in _frames(heard))


def _frames(heard: bytes) -> list[Frame | Ack]:
    return Decoder().feed(heard)


def _noise(heard: bytes, request: bytes) -> bool:
    """Tell whether more came than our own words, which many level converters echo."""
    return bool(heard.replace(request, b""))


def _only(heard: bytes, request: bytes) -> Frame | None:
    """Take the one frame that came, and nothing beside it: what else came is several meters at once."""
    decoder = Decoder()
    frames = [frame for frame in decoder.feed(heard.replace(request, b"")) if isinstance(frame, Frame)]
    damaged = decoder.counters["noise_bytes"] or decoder.counters["bad_checksum"] or decoder.pending
    return frames[0] if len(frames) == 1 and not damaged else None


def _telegram(frame: Frame) -> Telegram | None:
    try:
        return decode_telegram(frame.ci, frame.data)
    except DecodeError:
        return None


# --- what they are ---------------------------------------------------------------------------------------------------


def _found(frame: Frame, line: Line, profiles: Sequence[Profile], *, secondary: bool) -> Found:
    telegram = _telegram(frame)
    who = telegram.header.identity if telegram else None
    if telegram is None or who is None:
        evidence = ("it answers, and does not say who it is",)
        return Found("mbus", None, "an M-Bus device", "something", evidence, line, frame.address)
    fitting = [
        profile for profile in _of_medium(profiles, who.medium) if read_telegram(profile.layout, telegram).values
    ]
    said = f"it says: maker {who.manufacturer or 'unknown'}, version {who.version}, medium {who.medium_name}"
    address: int | str = f"{who.number}.{who.manufacturer}" if secondary and who.manufacturer else frame.address
    title = f"{who.manufacturer} {who.medium_name} meter".strip()
    if not fitting:
        return Found("mbus", None, title, "something", (said, "no model we know reads it"), line, address, who.number)
    others = tuple(profile.name for profile in fitting[1:])
    return Found("mbus", fitting[0].name, title, "sure", (said,), line, address, who.number, others)


def _of_medium(profiles: Iterable[Profile], medium: int) -> list[Profile]:
    """Give the models of a medium, those for every maker first."""
    fitting = [profile for profile in profiles if _takes(profile.layout, medium)]
    return sorted(fitting, key=lambda profile: (not profile.name.startswith("mbus-"), profile.name))


def _takes(layout: Layout, medium: int) -> bool:
    return medium in layout.media and layout.reset is None
