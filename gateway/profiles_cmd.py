"""What `nabd profiles` says: the list of meter models, one of them, the proof of a file, or the draft of a new one."""

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from drivers.contract import Keys
from drivers.profiles import Profile, ProfileError, available, load, load_file
from drivers.quantities import QUANTITIES

Say = Callable[[str], None]

EVIDENCE = {"two-sources": "two sources", "one-source": "one source: unconfirmed"}


def list_all(folders: Iterable[Path], tell: Say, complain: Say, *, as_json: bool) -> int:
    """List every model; 1 when one cannot be used."""
    good, bad = [], []
    for name, path in available(folders).items():
        try:
            good.append(load_file(path))
        except ProfileError as error:
            bad.append(f"{name}: {error}")
    if as_json:
        tell(json.dumps([_about(profile) for profile in good]))
    else:
        for line in _table(good):
            tell(line)
    for line in bad:
        complain(f"nabd: {line}")
    return 1 if bad else 0


def show(name: str, folders: Iterable[Path], tell: Say, complain: Say) -> int:
    """Show one model: where it comes from, and each of its rows."""
    try:
        profile = load(name, folders)
    except ProfileError as error:
        complain(f"nabd: {error}")
        return 1
    table = _toml(profile)
    tell(f"{profile.title} ({profile.name})")
    tell(f"  protocol  {profile.driver}")
    tell(f"  evidence  {EVIDENCE[profile.evidence]}")
    tell(f"  source    {table['source']}")
    tell(f"  file      {profile.path}")
    if "address" in table:
        tell("  address   can be set with `nabd meter set-address`")
    tell("")
    rows = _rows(table)
    wide = max(12, *(len(_place(row)) for row in rows))
    for row in rows:
        tell(f"  {_place(row):{wide}} {row['quantity']:26} {_unit(row) or '-':6} {row.get('type', '')}")
    return 0


def prove(path: Path, tell: Say, complain: Say) -> int:
    """Prove a file's examples and say what each decodes to; 1, with file, place and reason, when it does not hold."""
    try:
        profile = load_file(path)
    except ProfileError as error:
        complain(f"nabd: {error}")
        return 1
    table = _toml(profile)
    units = {row["quantity"]: _unit(row) for row in reversed(_rows(table))}
    for number, example in enumerate(table["examples"]):
        tell(f"example {number}")
        for quantity, value in example["readings"].items():
            tell(f"  {quantity:26} {value!s:>16} {units[quantity]}")
    proven = {quantity for example in table["examples"] for quantity in example["readings"]}
    for quantity in units.keys() - proven:
        tell(f"no example shows {quantity}: give the bytes of its row to be sure of it")
    tell(f"{path}: holds, {len(profile.quantities)} quantities, {EVIDENCE[profile.evidence]}")
    return 0


def new(options: Any, tell: Say, complain: Say) -> int:
    """Draft a model's file from a telegram; 1 when these bytes make none, 2 for a wrong command line."""
    from gateway.analyze_cmd import CannotAnalyze, bytes_of, key_of  # noqa: PLC0415  every protocol
    from gateway.profiles_new import CannotDraft, draft, protocol_of  # noqa: PLC0415

    try:
        keys = Keys(key_of(options.key, "--key"), key_of(options.auth_key, "--auth-key"))
        data = bytes_of(options.bytes)
        protocol = options.protocol or protocol_of(data, keys)
        tell(draft(data, protocol, keys, options.name, options.meter).rstrip("\n"))
    except CannotAnalyze as error:
        complain(f"nabd profiles new: {error}")
        return 2
    except CannotDraft as error:
        complain(f"nabd profiles new: {error}")
        return 1
    return 0


def _about(profile: Profile) -> dict[str, Any]:
    return {
        "name": profile.name,
        "title": profile.title,
        "protocol": profile.driver,
        "commodity": profile.commodity,
        "evidence": profile.evidence,
        "quantities": [QUANTITIES[name].key for name in profile.quantities],
        "source": _toml(profile)["source"],
        "file": str(profile.path),
    }


def _table(profiles: Iterable[Profile]) -> Iterable[str]:
    for profile in profiles:
        doubt = "" if profile.evidence == "two-sources" else "  (unconfirmed: one source)"
        count = len(profile.quantities)
        yield (
            f"{profile.name:28} {profile.driver:8} {profile.commodity:12} {count:3} quantities  {profile.title}{doubt}"
        )


def _toml(profile: Profile) -> Mapping[str, Any]:
    """Read the file again for what only people need; it was loaded, so it is sound."""
    assert profile.path is not None  # noqa: S101  loaded from it
    return tomllib.loads(profile.path.read_text(encoding="utf-8"))


def _rows(table: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = table.get("registers") or table.get("rows") or []
    return rows


def _unit(row: Mapping[str, Any]) -> str:
    """Give a row's unit; ours, where the wire names it with each value."""
    return str(row.get("unit", QUANTITIES[row["quantity"]].unit))


def _place(row: Mapping[str, Any]) -> str:
    """Say where a row finds its value, in its protocol's own words."""
    if "at" in row:
        return f"0x{row['at']:04X}"
    if "obis" in row:
        return str(row["obis"])
    marks = [f"{key} {row[key]}" for key in ("function", "storage", "tariff", "subunit") if key in row]
    return " ".join([str(row.get("record", "")), *row.get("modifiers", ()), *marks])
