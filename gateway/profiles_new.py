"""`nabd profiles new`: the draft of a meter model's file, made from one of its telegrams.

1. The telegram is analyzed, and every shipped model of the protocol reads it. The one that finds the most in it is the
   draft's pattern: its manner of talking is taken over, and those of its rows whose value is there.
2. Values that every meter of the protocol names alike become rows too. What is left is a comment, ready to become a
   row: its name on the wire, its value and its unit.
3. The telegram becomes the example, in the clear where it was ciphered, so that no key stands in the file.
4. A draft is proven as any file is before anybody sees it: it decodes its telegram to the values that it shows.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from drivers import PROTOCOLS
from drivers.analysis import Frame, Keys, Value
from drivers.contract import Number
from drivers.decimals import exact
from drivers.mbus.telegram import MEDIA
from drivers.profiles import Profile, ProfileError, ProfileFile, available, load_file
from drivers.quantities import BY_KEY, QUANTITIES, UNITS, scale_of
from gateway.analyze_cmd import look
from gateway.profiles_new_names import code_of, names, row_of
from gateway.profiles_new_sample import flags_of, sample_of
from gateway.profiles_new_text import text_of

NOT_FROM_BYTES = {
    "modbus": "registers do not say what they mean: write the file from the maker's sheet, beside one of a like meter",
    "pulse": "a pulse says nothing but that it came: choose a profile by what one pulse is worth",
}
_TAKEN_OVER_NOT = {
    "name", "title", "driver", "source", "evidence", "rows", "block", "examples", "media", "lists", "identify",
}  # fmt: skip
MANY = 5
"""Values named in a complaint: enough to see what kind of telegram it is."""
_ANY_MEDIUM = (None, "other", "bus")
"""What a telegram calls its medium when it does not say; the records then say it by their units."""
_OWN_UNITS = ("p1", "sml", "iec62056-21", "dlms")
"""Protocols whose rows name a unit; their examples are in it, those of others in base units."""


class CannotDraft(Exception):  # noqa: N818  says what it means
    """These bytes make no draft; the message says why and what to do."""


@dataclass(frozen=True)
class Draft:
    """What the file will say. `manner` are the pattern's own keys, `unknown` values that no row names."""

    table: Mapping[str, Any]
    manner: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]
    block: Sequence[Mapping[str, Any]]
    lists: Sequence[Mapping[str, Any]]
    unknown: Sequence[Value]
    sample: Mapping[str, str]
    readings: Mapping[str, float]
    flags: Sequence[str]
    pattern: str | None


@dataclass(frozen=True)
class _Pattern:
    """A shipped model, its file's tables, and what it reads."""

    profile: Profile
    table: Mapping[str, Any]
    values: Mapping[str, Number]


def draft(data: bytes, protocol: str, keys: Keys, name: str | None = None, meter: str | None = None) -> str:
    """Give the text of a profile for the meter that sent `data`; raises CannotDraft.

    `name` is the profile's, made from what the meter says of itself unless given; `meter` is the meter's number, where
    the bytes hold telegrams of several.
    """
    if protocol in NOT_FROM_BYTES:
        raise CannotDraft(f"{protocol}: {NOT_FROM_BYTES[protocol]}")
    if name is not None and code_of(name) != name.replace("_", "-"):
        raise CannotDraft(f"{name!r} is no name of a profile: small letters, digits, - and _")
    frames: Sequence[Frame] = _module(protocol).analyze(data, keys)
    chosen = _choose(frames, meter)
    frame, end = frames[chosen], frames[chosen].end
    pattern = _pattern(data[:end], protocol, keys, frame)
    made = _draft(frame, protocol, pattern, sample_of(protocol, data, frames, chosen, keys), name)
    made = _with_readings(made, data[:end], keys)
    text = text_of(made)
    _prove(text)
    return text


def protocol_of(data: bytes, keys: Keys) -> str:
    """Name the protocol that understands most of the bytes, of those that make drafts; raises CannotDraft."""
    found = look(data, None, keys)
    if found.protocol in NOT_FROM_BYTES or not any(frame.ok for frame in found.frames):
        raise CannotDraft("no telegram in these bytes is whole; `nabd analyze --protocol P` shows why")
    return found.protocol


def _choose(frames: Sequence[Frame], meter: str | None) -> int:
    """Give the place of the frame that says most; raises CannotDraft."""
    said = [
        (sum(isinstance(value.value, int | float) for value in frame.values), -place)
        for place, frame in enumerate(frames)
        if frame.ok and (meter is None or frame.meter.id == meter)
    ]
    if said:
        return -max(said)[1]
    ids = sorted({str(frame.meter.id) for frame in frames if frame.ok})
    if meter is not None and ids:
        raise CannotDraft(f"no telegram is of meter {meter}; there are {', '.join(ids)}")
    if not frames:
        raise CannotDraft("no telegram is in these bytes; name another --protocol, if you know it")
    why = next((f": {frame.error}" for frame in frames if frame.error), "")
    raise CannotDraft(f"no whole telegram is in these bytes{why}; `nabd analyze` shows what is")


@cache
def _shipped(protocol: str) -> tuple[tuple[Profile, Mapping[str, Any]], ...]:
    """Load the shipped models of a protocol, with their files' tables."""
    tables = [(path, tomllib.loads(path.read_text(encoding="utf-8"))) for path in available().values()]
    return tuple((load_file(path), table) for path, table in tables if table["driver"] == protocol)


def _pattern(data: bytes, protocol: str, keys: Keys, frame: Frame) -> _Pattern | None:
    """Find the shipped model that makes most of the telegram; one of another medium only where none of its own can."""
    found = []
    for profile, table in _shipped(protocol):
        if not _may_be(table, frame.meter.medium):
            continue
        said = _module(protocol).readings(data, profile, keys)
        if said and said[-1]:
            found.append(_Pattern(profile, table, said[-1]))
    medium = _commodity(frame.meter.medium)

    def rank(each: _Pattern) -> tuple[bool, int, bool]:
        return each.profile.commodity == medium, len(each.values), each.profile.evidence == "two-sources"

    return max(found, key=rank, default=None)


def _may_be(table: Mapping[str, Any], medium: str | None) -> bool:
    """Tell whether a model of some media fits; a maker's own block means nothing in another medium's telegram."""
    media = [
        code if isinstance(code, str) else MEDIA.get(code, f"medium {code:02X}") for code in table.get("media", ())
    ]
    return not media or medium in media or (medium in _ANY_MEDIUM and "block" not in table)


def _commodity(medium: str | None) -> str | None:
    words = (medium or "").lower()
    return next((name for name in ("water", "gas", "electricity", "heat") if name in words), None)


def _draft(frame: Frame, protocol: str, pattern: _Pattern | None, sample: Mapping[str, str], name: str | None) -> Draft:
    base: Mapping[str, Any] = pattern.table if pattern else {}
    read = set(pattern.values) if pattern else set[str]()
    listed = any(value.id.startswith("#") for value in frame.values)
    rows = [
        row
        for row in base.get("rows", ())
        if QUANTITIES[row["quantity"]].key in read and (listed or any(names(row, v.id) for v in frame.values))
    ]
    taken = {row["quantity"] for row in rows}
    rows += [row for row in _common(frame.values, protocol) if row["quantity"] not in taken]
    block = [rule for rule in base.get("block", ()) if QUANTITIES[rule["quantity"]].key in read]
    if not rows and not block:
        raise CannotDraft(f"none of its values has a name of ours: {_listed(frame.values)}")
    who = frame.meter
    about = " ".join(part for part in (who.manufacturer, who.model or who.medium) if part) or protocol
    table = {
        "name": name or code_of(about) or "new-meter",
        "title": about[:100],
        "driver": protocol,
        "source": "one telegram, as `nabd profiles new` found it",
        "evidence": "one-source",
    }
    unknown = [v for v in frame.values if v.value is not None and not any(names(row, v.id) for row in rows)]
    manner = {key: value for key, value in base.items() if key not in _TAKEN_OVER_NOT}
    lists = base.get("lists", ()) if listed else ()
    return Draft(
        table, manner, rows, block, lists, unknown, sample, {}, (), pattern.profile.name if pattern else None
    )  # fmt: skip


def _listed(values: Sequence[Value]) -> str:
    told = [f"{value.id} {value.value} {value.unit}" for value in values if value.unit]
    return ", ".join(told[:MANY]) or "it has none that a standard explains"


def _common(values: Iterable[Value], protocol: str) -> Iterator[Mapping[str, Any]]:
    """Make rows of what the analysis has a name for; only where the wire says the unit."""
    seen: set[str] = set()
    for value in values:
        row = QUANTITIES.get(value.quantity or "")
        if row is None or row.name in seen or protocol not in _OWN_UNITS or not isinstance(value.value, int | float):
            continue
        unit = next((unit for unit in UNITS[row.unit] if unit.lower() == (value.unit or "").lower()), None)
        if unit is not None:
            seen.add(row.name)
            yield row_of(value.id, row.name, unit)


def _with_readings(made: Draft, data: bytes, keys: Keys) -> Draft:
    """Let the draft read its telegram; raises CannotDraft when it reads nothing."""
    file = _file(tomllib.loads(text_of(made)))
    profile = Profile(file.name, file.title, file.driver, file.evidence, file.quantities(), file.compile())
    said = _module(file.driver).readings(data, profile, keys)
    if not said:
        raise CannotDraft("its rows find no value in this telegram")
    units = {row["quantity"]: row["unit"] for row in reversed(made.rows) if "unit" in row}
    readings = {}
    for key, value in said[-1].items():
        row = BY_KEY[key]
        scale = scale_of(row.name, units[row.name]) if file.driver in _OWN_UNITS else Fraction(1)
        readings[row.name] = float(exact(value) / scale)
    return replace(made, readings=readings, flags=flags_of(file.driver, made.sample, profile))


def _file(table: Mapping[str, Any]) -> ProfileFile:
    model: type[ProfileFile] = import_module(f"{PROTOCOLS[table['driver']]}.profile").File
    return model.model_validate(dict(table))


def _prove(text: str) -> None:
    """Hold the draft to what every file is held to; raises CannotDraft."""
    try:
        file = _file(tomllib.loads(text))
        file.prove(
            Profile(file.name, file.title, file.driver, file.evidence, file.quantities(), file.compile(), Path("draft"))
        )
    except ProfileError as error:
        raise CannotDraft(f"this telegram cannot be an example: {error}") from error


def _module(protocol: str) -> Any:
    return import_module(f"{PROTOCOLS[protocol]}.analyze")
