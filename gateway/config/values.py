"""What a single option may be: each type turns a TOML value into what the parts use, or says what to write instead.

Every validator raises `wrong(what, hint)` and never repeats a value that could be a secret. Durations become seconds,
sizes bytes, paths absolute ones, and the name of a meter model the loaded profile.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import InstanceOf, PlainValidator, ValidationInfo
from pydantic_core import PydanticCustomError

from drivers import PROTOCOLS
from drivers.profiles import Profile, ProfileError, available, load
from gateway.config.near import meant, printable, shown
from gateway.config.secret import SecretFile, fault_of, locate
from gateway.message import ID

STATE = "/var/lib/nabd"
SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600), "d": Decimal(86400)}
BYTES = {"kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
# Twelve digits: more than the milliseconds of thirty years, far below what a float counts exactly.
_AMOUNT = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)([A-Za-z]+)")
_TEXT = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,255}")
_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_CREDENTIAL = re.compile(r"credential:[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class Context:
    """Where the file lies and what the service manager said, handed to every validator; `profiles` are loaded once."""

    folder: Path
    env: Mapping[str, str]
    profiles: dict[str, Profile] = field(default_factory=dict)


def given(info: ValidationInfo[Context]) -> Context:
    """Take the context out of pydantic's hands; the loader always gives one."""
    if info.context is None:
        raise TypeError("configuration is validated with a Context")
    return info.context


def wrong(what: str, hint: str = "") -> PydanticCustomError:
    """Make the error of a validator; `what` continues a sentence that began with the key."""
    return PydanticCustomError("nabd", "{what}", {"what": what, "hint": hint})


def text(value: Any) -> str:
    """Take a text of 1 to 255 printable characters."""
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "must be text in quotes")
    if not _TEXT.fullmatch(value):
        raise wrong("must be 1 to 255 characters, none of them a control character")
    return value


def identifier(value: Any) -> str:
    """Take an id: it becomes part of topics, so the wildcards + and # and the separator / have no place in it."""
    if not re.fullmatch(ID, text(value)):
        raise wrong(f"is {shown(value)}", "an id is 1 to 64 letters A-Z a-z, digits, _ and -")
    return str(value)


def duration(value: Any) -> float:
    """Turn "10s" into seconds."""
    match = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[2] not in SECONDS:
        raise wrong(
            f"is {shown(value)}",
            'write a number and ms, s, m, h or d, in quotes: "500ms", "10s", "15m", "2h", "7d"',
        )
    return float(Decimal(match[1]) * SECONDS[match[2]])


def lasting(shortest: str, longest: str) -> PlainValidator:
    """Make the validator of a duration between two others."""
    low, high = duration(shortest), duration(longest)

    def check(value: Any) -> float:
        seconds = duration(value)
        if not low <= seconds <= high:
            raise wrong(f"is {shown(value)}", f"from {shortest} to {longest}")
        return seconds

    return PlainValidator(check)


def size(value: Any) -> int:
    """Turn "2GB" into bytes; at least 1 MB, for below that a journal holds nothing."""
    match = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[2] not in BYTES:
        raise wrong(f"is {shown(value)}", 'write a number and kB, MB, GB, KiB, MiB or GiB, in quotes: "500MB", "2GB"')
    amount = int(Decimal(match[1]) * BYTES[match[2]])
    if amount < BYTES["MB"]:
        raise wrong(f"is {shown(value)}", "at least 1MB")
    return amount


def path(value: Any, info: ValidationInfo[Context]) -> Path:
    """Make a path absolute: from the file's own folder, or, after `state:`, from the service's state directory."""
    scheme, colon, rest = text(value).partition(":")
    if colon and scheme == "state":
        # systemd names several directories with colons between; the first one is ours.
        return Path(given(info).env.get("STATE_DIRECTORY", STATE).split(":")[0]) / rest
    return given(info).folder / str(value)


def readable(value: Any, info: ValidationInfo[Context]) -> Path:
    """Take the path of a file that is there."""
    found = path(value, info)
    if not os.path.isfile(found):  # noqa: PTH113  Path.is_file raises for a folder we may not enter
        raise wrong(f"names a file that is not there, {shown(value)}", "paths start at this file's folder")
    return found


def secret(value: Any, info: ValidationInfo[Context]) -> SecretFile:
    """Take where a secret lies and see that only its owner may read it."""
    if text(value).startswith("credential:") and not _CREDENTIAL.fullmatch(value):
        raise wrong("does not name a systemd credential", "credential:NAME, where NAME has letters, digits, _ . and -")
    found = locate(value, given(info).folder, given(info).env)
    if found.path and (fault := fault_of(found.path)):
        raise wrong(*fault)
    return found


def zone(value: Any) -> str:
    """Take the name of a time zone that this machine knows."""
    if text(value) == "UTC":
        return "UTC"
    try:
        return ZoneInfo(value).key
    except (KeyError, ValueError, OSError):
        known = available_timezones()
    hint = meant(value, known, "a name such as Asia/Riyadh")
    raise wrong(f"is {shown(value)}, which is no time zone", hint if known else "install the package tzdata")


def currency(value: Any) -> str:
    """Take a currency's three letters."""
    if not re.fullmatch("[A-Z]{3}", text(value)):
        raise wrong(f"is {shown(value)}", "the three capital letters of ISO 4217, such as SAR")
    return str(value)


def quiet(value: Any) -> tuple[time, time] | None:
    """Take hours of quiet, "22:00-07:00", over midnight or not; "" is none."""
    if value == "":
        return None
    clock = "([01][0-9]|2[0-3]):([0-5][0-9])"
    match = re.fullmatch(f"{clock}-{clock}", text(value))
    if match is None or match[0][:5] == match[0][6:]:
        raise wrong(f"is {shown(value)}", 'from when to when, such as "22:00-07:00", or "" for none')
    return time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4]))


def mail(value: Any) -> str:
    """Take a mail address; what its server thinks of it is told when it is used."""
    if not _MAIL.fullmatch(text(value)):
        raise wrong(f"is {shown(value)}", "a mail address without a name, such as someone@mail.example")
    return str(value)


def phone_number(value: Any) -> str:
    """Take a telephone number as it is dialled from anywhere."""
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", text(value)):
        raise wrong(f"is {shown(value)}", 'a telephone number with its country, such as "+966500000000"')
    return str(value)


def emergency_number(value: Any) -> str:
    """Take a telephone number as it is dialled here in an emergency."""
    if not re.fullmatch(r"\+?[0-9]{2,15}", text(value)):
        raise wrong(f"is {shown(value)}", 'a number as it is dialled here, such as "998"')
    return str(value)


def topic_name(value: Any) -> str:
    """Take an MQTT topic to publish to: wildcards have no place in it."""
    if re.search(r"[+#$]", text(value)) or value.startswith("/"):
        raise wrong(f"is {shown(value)}", 'levels with / between them, without + and #, such as "home/alerts"')
    return str(value)


def protocol(value: Any) -> str:
    """Take the name of a protocol there is a driver for."""
    if text(value) not in PROTOCOLS:
        raise wrong(f"is {shown(value)}", meant(value, PROTOCOLS, f"one of {', '.join(PROTOCOLS)}"))
    return str(value)


def device(value: Any) -> str:
    """Take the path of a serial device."""
    if not text(value).startswith("/"):
        raise wrong(f"is {shown(value)}", "the whole path, such as /dev/ttyUSB0 or one of /dev/serial/by-id/")
    return str(value)


def framing(value: Any) -> str:
    """Take data bits, parity and stop bits."""
    if not re.fullmatch("[78][NEO][12]", text(value)):
        raise wrong(f"is {shown(value)}", 'data bits, parity and stop bits, such as "8N1" or "8E1"')
    return str(value)


def address(value: Any) -> int | str:
    """Take a meter's address on its bus, a number or a text."""
    if isinstance(value, str):
        return text(value)
    # 2^63: the longest address a protocol has, wireless M-Bus' eight bytes, fits.
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise wrong("must be a whole number, or text in quotes")
    return value


def listen(value: Any) -> str:
    """Take `address:port`; the address is a number, for a name could come to mean another; port 0 is any free one."""
    host, _, port = text(value).rpartition(":")
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        raise wrong(f"is {shown(value)}", 'an IP address and a port, such as "127.0.0.1:8080"') from None
    if not re.fullmatch("[0-9]{1,5}", port) or not int(port) < 2**16:
        raise wrong(f"is {shown(value)}", "the port is a number from 0 (any free one) to 65535")
    return str(value)


def profile(value: Any, info: ValidationInfo[Context]) -> Profile:
    """Load a meter model: from meters/ beside the file, else the shipped one."""
    folders = (given(info).folder / "meters",)
    if not re.fullmatch("[a-z0-9][a-z0-9_-]{0,63}", text(value)):
        raise wrong(f"is {shown(value)}", "a meter model's name: a-z, 0-9, _ and -")
    profiles = given(info).profiles
    if value not in profiles:
        try:
            profiles[value] = load(value, folders)
        except ProfileError as error:
            if error.path is None:
                hint = meant(value, available(folders), "`nabd profiles` lists those there are")
                raise wrong(f"is {shown(value)}, and there is no such meter model", hint) from None
            raise wrong(f"cannot be used: {error}") from None
        except (OSError, ValueError, RecursionError) as error:
            raise wrong(f"is {shown(value)}, whose file cannot be read: {printable(str(error))}") from None
    return profiles[value]


Text = Annotated[str, PlainValidator(text)]
Id = Annotated[str, PlainValidator(identifier)]
Size = Annotated[int, PlainValidator(size)]
Place = Annotated[Path, PlainValidator(path)]
Readable = Annotated[Path, PlainValidator(readable)]
Hidden = Annotated[SecretFile, PlainValidator(secret)]
Zone = Annotated[str, PlainValidator(zone)]
Currency = Annotated[str, PlainValidator(currency)]
Quiet = Annotated[tuple[time, time] | None, PlainValidator(quiet)]
Mail = Annotated[str, PlainValidator(mail)]
PhoneNumber = Annotated[str, PlainValidator(phone_number)]
EmergencyNumber = Annotated[str, PlainValidator(emergency_number)]
TopicName = Annotated[str, PlainValidator(topic_name)]
Protocol = Annotated[str, PlainValidator(protocol)]
Device = Annotated[str, PlainValidator(device)]
Framing = Annotated[str, PlainValidator(framing)]
Address = Annotated[int | str, PlainValidator(address)]
Listen = Annotated[str, PlainValidator(listen)]
Model = Annotated[InstanceOf[Profile], PlainValidator(profile)]
