"""Looks at a line whose meters cannot be read well: listens, asks, and tries other speeds. Sans I/O, and only reads.

1. Listen. Requests that are not ours mean a second reader; then nothing is asked.
2. Meters that talk by themselves are listened to at the usual speeds until a telegram is understood.
3. Modbus meters are knocked at as configured, several times, and what comes is kept as it is: rubbish around good
   answers tells of the line's ends. Where none answers, the same addresses and the usual ones are knocked at in other
   speeds and framings. The other protocols are searched as `nabd scan` does.
4. `judge` says what that means; `gateway/scan/port.py` runs the script on a real line.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from drivers.iec62056 import scan as iec62056
from drivers.link import Line
from drivers.mbus import scan as mbus
from drivers.modbus import scan as modbus
from drivers.modbus.codec import rtu_request
from drivers.scan import PAUSE, Ask, Found, Script, framing_of, listen
from gateway.doctor.finding import Finding
from gateway.doctor.wires import inverted, pieces, shows, through_swapped
from gateway.scan.plan import LAST, SLICE, TALK, TALKERS, recognise

PUSHED = ("p1", "sml", "wmbus")
KNOCKS = 8
"""How often one meter is knocked at: enough to see one answer in eight broken."""
MOST_UNITS = 12
STEADY = 3
"""Knocks that bring bytes without a sense, after which it is no chance."""
KEPT = 4096
"""Bytes of what was heard that are judged: two of the longest telegrams."""
SPOILT = 0.1
"""Part of the answers with rubbish around them above which a line's ends are suspected."""
SHOWN = 12


@dataclass
class LineFacts:
    """What a line said: `idle` unasked, `answers` to each knock as configured, `found` whoever was understood.

    `units` are the Modbus addresses configured, `numbers` those of other protocols that are the meter's own number.
    """

    line: Line
    idle: bytes = b""
    units: Sequence[int] = ()
    numbers: Sequence[str] = ()
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)


def examine(driver: str, line: Line, addresses: Sequence[int | str | None]) -> Script[LineFacts]:
    """Look at a serial line; `addresses` are those of its meters, as configured."""
    units = [int(address or 1) for address in addresses] if driver == "modbus" else []
    facts = LineFacts(line, units=units, numbers=[one for one in addresses if isinstance(one, str)])
    if driver in PUSHED:
        yield from _hear(facts)
        return facts
    facts.idle = yield listen(line, 2 * SLICE, _doing("listening", line))
    if modbus.overheard(facts.idle) > 1:
        return facts
    if driver == "modbus":
        yield from _knock(facts)
    else:
        stages: dict[str, Callable[[], Script[list[Found]]]] = {
            "mbus": lambda: mbus.wired([]),
            "iec62056": iec62056.asked,
        }
        if driver in stages:
            facts.found = yield from stages[driver]()
    return facts


def judge(name: str, driver: str, facts: LineFacts) -> list[Finding]:
    """Say what is wrong with a line."""
    requests = modbus.overheard(facts.idle)
    if requests > 1 and driver not in PUSHED:
        return [Finding("two_masters", name, {"requests": requests})]
    for one in facts.found:
        if one.line is not None and one.line != facts.line:
            return [_other_settings(name, facts.line, one.line)]
    if _swapped(driver, facts):
        heard = b"".join(answer for _, answer in facts.answers) or facts.idle
        return [Finding("wires_swapped", name, {"bytes": heard[:SHOWN].hex(" ")})]
    found = _ends(name, facts) + _addresses(name, facts) + _numbers(name, facts)
    if driver not in PUSHED and len(facts.idle) >= TALK:
        found.append(Finding("foreign_talk", name, {"bytes": len(facts.idle)}))
    return found


# --- what is asked ---------------------------------------------------------------------------------------------------


def _hear(facts: LineFacts) -> Script[None]:
    for line in (facts.line, *(one for one in TALKERS if one.baud != facts.line.baud)):
        heard = b""
        for _ in range(round(LAST / SLICE)):
            heard += yield listen(line, SLICE, _doing("listening", line))
            facts.found = recognise(heard[-KEPT:], line)
            if facts.found:
                break
        facts.idle = facts.idle or heard[-KEPT:]
        if facts.found or not heard:  # a line is silent at every speed
            return


def _knock(facts: LineFacts) -> Script[None]:
    units = list(facts.units)[:MOST_UNITS]
    for unit in units:
        for _ in range(KNOCKS):
            heard = yield _ask(unit, facts.line, modbus.PATIENCE)
            facts.answers.append((unit, heard))
            if not heard:
                break
    if any(modbus.speakers(heard) & {unit} for unit, heard in facts.answers):
        return
    # What comes back from a line whose framing alone is wrong is tried first: the same speed.
    lines = sorted(modbus.LINES, key=lambda one: one.baud != facts.line.baud)
    for line in (facts.line, *(one for one in lines if one != facts.line)):
        for unit in dict.fromkeys((*units, *modbus.DOORS)):
            heard = yield _ask(unit, line, modbus.HASTE * 2)
            facts.found += [Found("modbus", None, "", "something", (), line, one) for one in modbus.speakers(heard)]
        if facts.found:
            return


def _ask(unit: int, line: Line, wait: float) -> Ask:
    return Ask(rtu_request(unit, modbus.KNOCK), line, wait, _doing("asking", line), rest=PAUSE)


def _doing(what: str, line: Line) -> str:
    return f"{what} at {line.baud} {framing_of(line)}"


# --- what it means ---------------------------------------------------------------------------------------------------


def _other_settings(name: str, configured: Line, found: Line) -> Finding:
    if configured.baud != found.baud:
        return Finding("wrong_baud", name, {"configured": configured.baud, "found": found.baud})
    return Finding("wrong_parity", name, {"configured": framing_of(configured), "found": framing_of(found)})


def _swapped(driver: str, facts: LineFacts) -> bool:
    """Tell whether bytes come as over swapped wires, or turned around, or steadily without any sense."""
    if facts.found:
        return False
    if driver in PUSHED:
        known = set().union(*(pieces(one, facts.line) for one in KNOWN))
        return bool(recognise(inverted(facts.idle), facts.line)) or shows(facts.idle, known)
    senseless = [heard for unit, heard in facts.answers if heard and unit not in modbus.speakers(heard)]
    if len(senseless) < len([heard for _, heard in facts.answers if heard]):
        return False
    proven = sum(bool(modbus.speakers(inverted(heard))) for heard in senseless)
    for unit, heard in facts.answers:
        heads = (bytes((unit, 4, 4)), bytes((unit, 0x84)))
        proven += any(heard.startswith(start) for head in heads if len(start := through_swapped(head, facts.line)) > 1)
    same = len(senseless) - len(set(senseless))
    return proven > 1 or (len(senseless) >= STEADY and same >= STEADY - 1)


KNOWN = (
    b"\r\n1-0:1.8.1(0", b"\r\n1-0:1.8.0(0", b"\r\n1-0:2.8.1(0", b"\r\n1-0:32.7.0(2", b"\r\n1-0:1.7.0(0",
    b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01\x76",
)  # fmt: skip
"""What P1 telegrams and SML files always hold."""


def _ends(name: str, facts: LineFacts) -> list[Finding]:
    """Suspect a line's ends where answers come broken, or with rubbish around them, while others are whole."""
    heard = [(unit, answer) for unit, answer in facts.answers if answer]
    good = [answer for unit, answer in heard if unit in modbus.speakers(answer)]
    bad = sum(len(answer) not in _SIZES for answer in good) + len(heard) - len(good)
    if good and bad > max(1, SPOILT * len(heard)):
        return [Finding("no_termination", name, {"bad": bad, "asked": len(heard)})]
    return []


_SIZES = (5, 9)
"""Bytes of a refusal, and of the answer to a knock."""


def _addresses(name: str, facts: LineFacts) -> list[Finding]:
    """Name the one meter that answers elsewhere, where one is looked for in vain."""
    spoken = {one.address for one in facts.found if isinstance(one.address, int)}
    if len(facts.units) == 1 and len(spoken) == 1 and not spoken & set(facts.units):
        return [Finding("wrong_address", name, {"configured": facts.units[0], "found": spoken.pop()})]
    return []


def _numbers(name: str, facts: LineFacts) -> list[Finding]:
    """Name the one meter whose number is not configured, where one number is looked for in vain."""
    told = {one.serial for one in facts.found if one.serial}
    strangers = {one for one in told if not any(number.startswith(one) for number in facts.numbers)}
    missed = [number for number in facts.numbers if not any(number.startswith(one) for one in told)]
    if len(missed) == len(strangers) == 1:
        return [Finding("meter_swapped", name, {"expected": missed[0], "found": strangers.pop()})]
    return []


EXPLAIN = frozenset({"wrong_baud", "wrong_parity", "wires_swapped", "two_masters", "wrong_address", "meter_swapped"})
"""Findings of a line that say why its meters are silent."""
