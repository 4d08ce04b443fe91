"""What is asked of a meter in one association: its registers, its clock, the rows of its load profile, what it is.

1. Registers are read in lists. Scalers and units are asked for the first time only, and so is what the meter denies:
   `Known` keeps both, and the columns of the load profile, until the bus is opened anew.
2. Rows of a load profile are asked for by time. A meter that cannot do that is asked for its last rows by number.
3. In a row, nothing in a value's place means the value of the row before; nothing in the time's place means one period
   later.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from drivers.contract import DecodeError, Refused
from drivers.dlms import clock
from drivers.dlms.client import Client
from drivers.dlms.data import Data, Tag
from drivers.dlms.layout import History, Layout
from drivers.dlms.link import Script
from drivers.dlms.measured import Said, of_answers
from drivers.dlms.objects import CLOCK, OBIS_LENGTH, Denied, Descriptor, Result, by_entry, by_range

_CAPTURE_OBJECTS, _PERIOD, _ENTRIES_IN_USE = 3, 4, 7
OBJECT_LIST = Descriptor(15, bytes((0, 0, 40, 0, 0, 255)), 2)
NAMEPLATE = {
    "name": Descriptor(1, bytes((0, 0, 42, 0, 0, 255)), 2),
    "serial": Descriptor(1, bytes((0, 0, 96, 1, 0, 255)), 2),
    "firmware": Descriptor(1, bytes((1, 0, 0, 2, 0, 255)), 2),
}

_SPARE_ROWS = 8
"""Rows asked for beyond those of the gap, by meters asked by number: the newest are younger than the gap."""

MAX_ROWS = 3000
"""Rows asked for by number at once: a month of quarter hours."""


@dataclass(slots=True)
class Known:
    """What a meter has told once and does not change: scalers with units, what it lacks, its load profile's columns."""

    fixed: dict[Descriptor, Data] = field(default_factory=dict)
    absent: set[Descriptor] = field(default_factory=set)
    columns: tuple[Descriptor, ...] = ()
    period: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a load profile, in UTC."""

    at: datetime
    said: Said
    is_doubtful: bool = False


def read_registers(client: Client, layout: Layout, known: Known) -> Script[tuple[Said, clock.DateTime | None]]:
    """Read what the rows name, and the clock; raises DriverError."""
    registers = [register for register in layout.registers if register.target not in known.absent]
    targets = [register.target for register in registers]
    scales = [register.scale_target for register in registers if register.scale_target]
    wanted = dict.fromkeys([CLOCK, *targets, *(scale for scale in scales if scale not in known.fixed)])
    results = yield from client.get_all([(target, None) for target in wanted])
    answers = {target: result for target, result in zip(wanted, results, strict=True) if isinstance(result, Data)}
    known.fixed |= {scale: answers[scale] for scale in scales if scale in answers}
    said = of_answers(layout.registers, answers | known.fixed)
    said.left_out["denied_value"] += sum(target not in answers for target in targets)
    if not said.values:
        why = next((str(result) for result in results[1:] if isinstance(result, Denied)), "nothing the profile names")
        raise Refused(f"the meter gives no value: {why}", "does the profile fit, and may this client read?")
    known.absent |= {target for target in targets if target not in answers}
    return said, _time(answers.get(CLOCK))


def read_nameplate(client: Client) -> Script[dict[str, str]]:
    """Read name, serial number and firmware, as far as the meter tells them."""
    results = yield from client.get_all([(target, None) for target in NAMEPLATE.values()])
    told = {name: _text(result) for name, result in zip(NAMEPLATE, results, strict=True)}
    return {name: text for name, text in told.items() if text}


def read_objects(client: Client) -> Script[tuple[Descriptor, ...]]:
    """List the objects of the association, each as attribute 0; raises DriverError."""
    listed = _given((yield from client.get(OBJECT_LIST)), "its object list")
    found = []
    for item in listed.elements:
        match [part.content for part in item.elements]:
            case [int(class_id), _, bytes(code), *_] if len(code) == OBIS_LENGTH:
                found.append(Descriptor(class_id, code, 0))
    return tuple(found)


def read_counter(client: Client, code: bytes) -> Script[int]:
    """Read the highest invocation counter the meter has seen; raises DriverError."""
    value = _given((yield from client.get(Descriptor(1, code, 2))), "its invocation counter")
    if not isinstance(value.content, int):
        raise DecodeError("the invocation counter is no number", "is `counter` of the profile the right object?")
    return value.content


# --- the load profile ------------------------------------------------------------------------------------------------


def read_history(
    client: Client, layout: Layout, history: History, known: Known, since: datetime, until: datetime
) -> Script[list[Row]]:
    """Read the rows from one moment to another, oldest first; raises DriverError."""
    yield from _learn(client, layout, history, known)
    local_since, local_until = since.astimezone(history.zone), until.astimezone(history.zone)
    chosen = by_range(clock.encode(local_since), clock.encode(local_until))
    answer = yield from client.get(history.target, chosen)
    if isinstance(answer, Denied):
        answer = yield from _last_rows(client, history, known, until - since)
    rows = _rows(layout, history, known, _given(answer, "its load profile").elements)
    return sorted((row for row in rows if since <= row.at <= until), key=lambda row: row.at)


def _learn(client: Client, layout: Layout, history: History, known: Known) -> Script[None]:
    """Read columns, period, scalers and units, unless they are known."""
    if known.columns:
        return
    class_id, code = history.target.class_id, history.target.obis
    columns, period = yield from client.get_all(
        [(Descriptor(class_id, code, index), None) for index in (_CAPTURE_OBJECTS, _PERIOD)]
    )
    named = tuple(_column(item) for item in _given(columns, "what its load profile holds").elements)
    scales = [
        register.scale_target
        for register in layout.registers
        if register.target in named and register.scale_target and register.scale_target not in known.fixed
    ]
    results = yield from client.get_all([(scale, None) for scale in scales])
    known.fixed |= {scale: data for scale, data in zip(scales, results, strict=True) if isinstance(data, Data)}
    seconds = period.content if isinstance(period, Data) else 0
    known.columns, known.period = named, seconds if isinstance(seconds, int) else 0


def _last_rows(client: Client, history: History, known: Known, span: timedelta) -> Script[Result]:
    target = Descriptor(history.target.class_id, history.target.obis, _ENTRIES_IN_USE)
    held = _given((yield from client.get(target)), "how many rows it holds").content
    rows = int(span.total_seconds() // known.period) + _SPARE_ROWS if known.period else MAX_ROWS
    first = max(1, (held if isinstance(held, int) else 0) - min(rows, MAX_ROWS) + 1)
    return (yield from client.get(history.target, by_entry(first)))


def _rows(layout: Layout, history: History, known: Known, rows: Sequence[Data]) -> Iterator[Row]:
    before: tuple[Data, ...] = ()
    last: datetime | None = None
    for row in rows:
        cells = row.elements
        if len(cells) != len(known.columns):
            raise DecodeError(f"a row of {len(cells)} values in {len(known.columns)} columns", "was the meter changed?")
        if before:
            cells = tuple(old if new.tag is Tag.NULL else new for new, old in zip(cells, before, strict=True))
        named = dict(zip(known.columns, cells, strict=True))
        told = _time(dict(zip(known.columns, row.elements, strict=True)).get(CLOCK))
        at = told.utc(history.zone) if told else last and last + timedelta(seconds=known.period)
        before, last = cells, at
        if at is not None:
            said = of_answers(layout.registers, named | known.fixed)
            yield Row(at, said, is_doubtful=bool(told and told.is_doubtful))


def _column(item: Data) -> Descriptor:
    match [part.content for part in item.elements]:
        case [int(class_id), bytes(code), int(attribute), *_] if len(code) == OBIS_LENGTH:
            return Descriptor(class_id, code, attribute)
    raise DecodeError("a column of the load profile has no name", "the meter breaks the protocol")


def _time(data: Data | None) -> clock.DateTime | None:
    content = data.content if data else None
    if not isinstance(content, bytes) or len(content) != clock.LENGTH:
        return None
    try:
        return clock.decode(content)
    except DecodeError:
        return None


def _text(result: Result) -> str:
    content = result.content if isinstance(result, Data) else None
    text = content.decode("latin-1") if isinstance(content, bytes) else content
    return text.strip() if isinstance(text, str) and text.isprintable() else ""


def _given(result: Result, what: str) -> Data:
    if isinstance(result, Denied):
        raise Refused(f"the meter denies {what}: {result}", "may this client read it?", code=result.code)
    return result
