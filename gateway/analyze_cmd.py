"""`nabd analyze`: what recorded bytes say, as one JSON object for programs or line by line for people.

1. The bytes come from a file, from standard input (`-`) or as hexadecimal digits on the command line; a file that holds
   nothing but hexadecimal digits is taken as such.
2. Without a protocol every one is tried, and the one that understands the most bytes is taken.
3. Keys are given as 32 hexadecimal digits or as `@FILE`, so that they stay out of the shell's history.
"""

import json
import re
import string
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from drivers import PROTOCOLS
from drivers.analysis import Frame, Keys
from drivers.profiles import Profile, ProfileError, load

LIMIT = 16 * 2**20
"""Bytes read at most: a day of the busiest meter, a telegram of 1 kB each 5 s."""

_HEX = re.compile(rb"[0-9A-Fa-f\s:]+")
_KEY_DIGITS = (32, 64)


class CannotAnalyze(Exception):  # noqa: N818  says what it means
    """The command line cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Findings:
    """What was found in `data`, by which protocol, and what a meter model makes of it."""

    protocol: str
    data: bytes
    frames: tuple[Frame, ...]
    profile: Profile | None = None
    readings: tuple[Mapping[str, Any], ...] = ()


def run(options: Any, tell: Callable[[str], None], complain: Callable[[str], None]) -> int:
    """Analyze what the command line names; 0 when a frame is whole, 1 when none is, 2 for a wrong command line."""
    try:
        keys = Keys(key_of(options.key, "--key"), key_of(options.auth_key, "--auth-key"))
        findings = look(bytes_of(options.what), options.protocol, keys, options.profile)
    except CannotAnalyze as error:
        complain(f"nabd analyze: {error}")
        return 2
    if options.json:
        tell(json.dumps(as_json(findings.frames), ensure_ascii=False))
    else:
        from gateway.analyze_view import lines  # noqa: PLC0415

        for line in lines(findings, colour=options.colour):
            tell(line)
    return 0 if any(frame.ok for frame in findings.frames) else 1


def look(data: bytes, protocol: str | None, keys: Keys, model: str | None = None) -> Findings:
    """Analyze bytes by one protocol, or by the one that understands most of them; raises CannotAnalyze."""
    profile = _profile(model) if model else None
    protocol = protocol or (profile.driver if profile else None)
    if profile and protocol != profile.driver:
        raise CannotAnalyze(f"{model} is a {profile.driver} meter: leave --protocol out, or name another model")
    tried = [protocol] if protocol else list(PROTOCOLS)
    found = [Findings(name, data, _module(name).analyze(data, keys), profile) for name in tried]
    # Where nothing is whole, whoever found damaged frames knows more than who found none.
    best = max(found, key=lambda findings: (understood(findings.frames), len(findings.frames)))
    if profile is None:
        return best
    readings = _module(best.protocol).readings(data, profile, keys)
    return Findings(best.protocol, data, best.frames, profile, readings)


def understood(frames: Iterable[Frame]) -> int:
    """Count the bytes of whole frames."""
    return sum(frame.end - frame.start for frame in frames if frame.ok)


def as_json(frames: Iterable[Frame]) -> dict[str, Any]:
    """Give the object that programs parse."""
    return {
        "frames": [
            {
                "ok": frame.ok,
                "error": frame.error,
                "meter": asdict(frame.meter),
                "values": [
                    {"id": v.id, "quantity": v.quantity, "value": v.value, "unit": v.unit, "at": v.at}
                    for v in frame.values
                ],
            }
            for frame in frames
        ]
    }


def bytes_of(what: str) -> bytes:
    """Take the bytes that the command line means; raises CannotAnalyze."""
    if what == "-":
        data = sys.stdin.buffer.read(LIMIT + 1)
    elif _is_file(what):
        with Path(what).open("rb") as file:
            data = file.read(LIMIT + 1)
    elif set(what) <= set(string.hexdigits + string.whitespace + ":"):
        data = what.encode()
    else:
        raise CannotAnalyze(f"there is no file {what!r}, and it is no row of hexadecimal digits")
    if len(data) > LIMIT:
        raise CannotAnalyze(f"more than {LIMIT // 2**20} MB: cut a piece out, such as with `head -c 1M`")
    if _HEX.fullmatch(data):
        digits = b"".join(data.replace(b":", b"").split())
        if len(digits) % 2:
            raise CannotAnalyze("an odd number of hexadecimal digits: one is missing, or one too many")
        data = bytes.fromhex(digits.decode())
    if not data:
        raise CannotAnalyze("there are no bytes to look at")
    return data


def key_of(text: str | None, option: str) -> bytes | None:
    """Take a key from the command line or the file it names; raises CannotAnalyze, which never shows it."""
    if text is None:
        return None
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="ascii")
        except (OSError, ValueError) as error:
            raise CannotAnalyze(f"{option}: the file {text[1:]!r} cannot be read as a key") from error
    digits = text.strip()
    if len(digits) not in _KEY_DIGITS or not set(digits) <= set(string.hexdigits):
        raise CannotAnalyze(f"{option}: a key is 32 hexadecimal digits (64 for AES-256), or @FILE that holds them")
    return bytes.fromhex(digits)


def _is_file(what: str) -> bool:
    try:
        return Path(what).is_file()
    except (OSError, ValueError):  # too long for a name: digits
        return False


def _profile(name: str) -> Profile:
    try:
        return load(name)
    except ProfileError as error:
        raise CannotAnalyze(str(error)) from error


def _module(protocol: str) -> Any:
    return import_module(f"{PROTOCOLS[protocol]}.analyze")
