"""Writes what a search found as TOML to paste, or adds it to a configuration without touching the rest of it.

1. Meters that are sure or likely become tables; something is written as a comment, for whoever stands before the meter.
2. A file is added to at its end, proven as a whole beside itself, and only then takes the place of the old one.
"""

import json
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from drivers.scan import Found, framing_of
from gateway.config.customers import HubConfig
from gateway.config.errors import ConfigError, Problem
from gateway.config.load import kind_of, load
from gateway.config.near import printable
from gateway.config.read import read

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]+")
LONGEST_NAME = 60
"""Characters of a name, so that one that is there already has room for a number."""

KEYED = {
    "p1": "where its telegrams are ciphered",
    "wmbus": "where its frames are ciphered",
    "dlms": "what it asks of its clients",
}


@dataclass(frozen=True, slots=True)
class Bus:
    """One port and its meters."""

    where: str
    meters: Sequence[Found]


def text_of(buses: Iterable[Bus], taken: Iterable[str] = ()) -> str:
    """Write buses and meters; names in `taken` are not used again."""
    names = set(taken)
    parts = [part for bus in buses if bus.meters for part in _bus(bus, names)]
    return "\n".join(parts)


def add_to(path: Path, buses: Sequence[Bus]) -> str:
    """Add what is not there yet, and give what was added; raises ConfigError, and then the file is as it was."""
    path = path.resolve()
    old, kind = read(path), kind_of(path)
    config = load(path, kind)
    if isinstance(config, HubConfig):
        raise ConfigError(
            Problem(path, None, "", "", "is a hub's, which has no meters", "name an edge.toml or home.toml")
        )
    there = {_same(bus.device or bus.url or "") for bus in config.bus}
    fresh = [bus for bus in buses if _same(bus.where) not in there]
    added = text_of(fresh, [*(bus.name for bus in config.bus), *(meter.name for meter in config.meter)])
    if added:
        replace_proven(path, f"{old}{'' if old.endswith(chr(10)) else chr(10)}\n{added}")
    return added


def replace_proven(path: Path, text: str) -> None:
    """Write a configuration anew once it is proven to load, with the mode and owner it had; raises ConfigError."""
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=".toml", dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        load(fresh, kind_of(path))
        was = path.stat()
        fresh.chmod(was.st_mode & 0o777)
        with suppress(PermissionError):  # only root may give files away; then whoever runs this owns both
            os.chown(fresh, was.st_uid, was.st_gid)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def _same(where: str) -> str:
    return where if "://" in where else str(Path(where).resolve())


def _bus(bus: Bus, names: set[str]) -> Iterable[str]:
    first = bus.meters[0]
    name = _free(f"{first.driver.replace('iec62056-21', 'head')}-1", names)
    rows = [f"name   = {_quoted(name)}", f"driver = {_quoted(first.driver)}"]
    rows.append(f"{'url   ' if '://' in bus.where else 'device'} = {_quoted(bus.where)}")
    if first.line is not None and "://" not in bus.where:
        rows += [f"baud   = {first.line.baud}", f"framing = {_quoted(framing_of(first.line))}"]
    yield "\n".join(["[[bus]]", *rows, ""])
    for meter in bus.meters:
        yield _meter(meter, name, names)


def _meter(meter: Found, bus: str, names: set[str]) -> str:
    about = [f"# {printable(meter.model)}: {meter.confidence}; {printable('; '.join(meter.evidence))}"]
    if meter.profile is None:
        return "\n".join([*about, f"# address {meter.address}: `nabd profiles` lists the models there are", ""])
    if meter.others:
        about.append(f"# {', '.join(meter.others)} would fit as well")
    name = _free(f"{meter.profile}-{meter.address if meter.address is not None else 1}", names)
    rows = [
        "[[meter]]",
        f"name    = {_quoted(name)}",
        f"bus     = {_quoted(bus)}",
        f"profile = {_quoted(meter.profile)}",
    ]
    if meter.address is not None:
        shown = str(meter.address) if isinstance(meter.address, int) else _quoted(meter.address)
        rows.append(f"address = {shown}")
    if meter.driver in KEYED:
        rows.append(f'# key_file = "/etc/nabd/{name}.key"    # {KEYED[meter.driver]}')
    if meter.confidence == "something":
        about.append("# Compare with the meter's own label, then take the signs away.")
        rows = [f"# {row}" for row in rows]
    return "\n".join([*about, *rows, ""])


def _free(wish: str, names: set[str]) -> str:
    stem = _NOT_IN_A_NAME.sub("-", wish)[:LONGEST_NAME].strip("-")
    name, number = stem, 1
    while name in names:
        number += 1
        name = f"{stem.removesuffix('-1')}-{number}"
    names.add(name)
    return name


def _quoted(text: str) -> str:
    return json.dumps(printable(text), ensure_ascii=False)
