"""From tables to what the parts take: a driver's bus and meter, the uplink's endpoint, the mirror's folder."""

import os
from collections.abc import Mapping
from pathlib import Path

from drivers.contract import Bus, Keys, Meter
from gateway.config.broker import BrokerTable
from gateway.config.errors import ConfigError, Problem
from gateway.config.models import BusTable, MeterTable, Wired
from gateway.config.secret import SecretFile
from gateway.transport import Endpoint, Message

KEY_LENGTHS = (16, 32)
"""Bytes of an AES-128 or AES-256 key."""

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  memory on every Linux; our files there are 0600


def meter_id(config: Wired, meter: MeterTable) -> str:
    """Name a meter to the world: its own id, else gateway and name joined."""
    return meter.id or f"{config.gateway.id}_{meter.name}"


def bus_of(bus: BusTable, state: Path | None = None) -> Bus:
    """Make what a driver opens; `state` is the folder where it may keep what it counts."""
    return Bus(bus.name, bus.device or bus.url or "", bus.baud, bus.framing, bus.in_flight, state)


def meter_of(config: Wired, meter: MeterTable) -> Meter:
    """Make what a driver reads, with the meter's secrets; raises ConfigError."""
    return Meter(meter_id(config, meter), meter.profile, meter.address, meter.deadline, keys_of(meter))


def keys_of(meter: MeterTable) -> Keys:
    """Read a meter's keys and password; raises ConfigError for a file that is gone or holds no key."""
    password = meter.password_file.read().reveal().encode() if meter.password_file else None
    return Keys(_key(meter.key_file), _key(meter.auth_key_file), password)


def _key(file: SecretFile | None) -> bytes | None:
    if file is None:
        return None
    text = file.read().reveal()
    try:
        key = bytes.fromhex(text.strip().removeprefix("0x"))
    except ValueError:
        key = b""
    if len(key) not in KEY_LENGTHS:
        what, hint = "holds no key", "32 hexadecimal digits, or 64 for AES-256, and nothing else"
        raise ConfigError(Problem(file.path or Path(file.source), None, "", "", what, hint))
    return key


def endpoint_of(
    mqtt: BrokerTable, client_id: str, *, user: str | None = None, session_expiry: int = 0, will: Message | None = None
) -> Endpoint:
    """Make what the transport connects to, reading the password; `user` stands in for a username not given.

    Raises ConfigError when a secret's file is gone since the configuration was loaded.
    """
    password = mqtt.password_file.read().reveal() if mqtt.password_file else None
    if mqtt.key_file:
        mqtt.key_file.read()
    pair = mqtt.identity / "pair.pem" if mqtt.identity else None
    return Endpoint(
        url=mqtt.url,
        client_id=client_id,
        username=mqtt.username or (user if password else None),
        password=password,
        ca_file=mqtt.ca_file or (mqtt.identity / "ca.pem" if mqtt.identity else None),
        cert_file=mqtt.cert_file or pair,
        key_file=mqtt.key_file.path if mqtt.key_file else pair,
        session_expiry=session_expiry,
        keepalive=round(mqtt.keepalive),
        will=will,
    )


def mirror_folder(config: Wired, env: Mapping[str, str] | None = None, mounts: str | None = None) -> Path | None:
    """Choose where the open window is mirrored: the given folder, else the first that lies in memory, else nowhere.

    `env` and `mounts` (the text of /proc/self/mounts) are this process's own unless given.
    """
    if config.journal.mirror:
        return config.journal.mirror
    run = (os.environ if env is None else env).get("RUNTIME_DIRECTORY", "").split(":")[0]
    text = _mounts() if mounts is None else mounts
    return next((path for path in (Path(run), SHARED_MEMORY) if path.is_absolute() and _in_memory(path, text)), None)


def in_memory(path: Path) -> bool:
    """Tell whether what is written to this path is gone after a power cut."""
    return _in_memory(path, _mounts())


def _mounts() -> str:
    try:
        return Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _in_memory(path: Path, mounts: str) -> bool:
    deepest, kind = -1, ""
    for row in mounts.splitlines():
        _, place, fstype, *_ = [*row.split(), "", "", ""]
        # Of two mounts on one place the later one counts.
        if place and path.is_relative_to(place) and len(Path(place).parts) >= deepest:
            deepest, kind = len(Path(place).parts), fstype
    return kind in ("tmpfs", "ramfs")
