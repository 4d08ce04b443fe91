"""From tables to what the parts take: a driver's bus and meter, the uplink's endpoint, the mirror's folder."""

from collections.abc import Mapping
from pathlib import Path

from drivers.contract import Bus, Meter
from gateway.config.models import BrokerTable, BusTable, JournalTable, MeterTable
from gateway.transport import Endpoint, Message

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  memory on every Linux; our files there are 0600


def wire_id(gateway: str, meter: MeterTable) -> str:
    """Name a meter to the world: its own id, else gateway and name joined."""
    return meter.id or f"{gateway}_{meter.name}"


def bus_of(bus: BusTable) -> Bus:
    """Make what a driver opens."""
    return Bus(bus.name, bus.device or bus.url or "", bus.baud, bus.framing)


def meter_of(gateway: str, meter: MeterTable) -> Meter:
    """Make what a driver reads."""
    return Meter(wire_id(gateway, meter), meter.profile, meter.address, meter.deadline)


def endpoint_of(
    mqtt: BrokerTable, client_id: str, *, user: str | None = None, session_expiry: int = 0, will: Message | None = None
) -> Endpoint:
    """Make what the transport connects to, reading the password; `user` stands in for a username not given.

    Raises ConfigError when a secret's file is gone since the configuration was loaded.
    """
    password = mqtt.password_file.read().reveal() if mqtt.password_file else None
    if mqtt.key_file:
        mqtt.key_file.read()
    return Endpoint(
        url=mqtt.url,
        client_id=client_id,
        username=mqtt.username or (user if password else None),
        password=password,
        ca_file=mqtt.ca_file,
        cert_file=mqtt.cert_file,
        key_file=mqtt.key_file.path if mqtt.key_file else None,
        session_expiry=session_expiry,
        keepalive=round(mqtt.keepalive),
        will=will,
    )


def mirror_of(journal: JournalTable, env: Mapping[str, str], mounts: str) -> Path | None:
    """Choose the folder that mirrors the open window: the given one, else the first that lies in memory, else none.

    `mounts` is the text of /proc/self/mounts.
    """
    if journal.mirror:
        return journal.mirror
    run = env.get("RUNTIME_DIRECTORY", "").split(":")[0]
    return next((path for path in (Path(run), SHARED_MEMORY) if path.is_absolute() and _in_memory(path, mounts)), None)


def _in_memory(path: Path, mounts: str) -> bool:
    rows = [row.split() for row in mounts.splitlines()]
    over = [(Path(row[1]), row[2]) for row in rows if len(row) > 2 and path.is_relative_to(row[1])]  # noqa: PLR2004
    # The deepest mount is the one a path lies on; of two on one place, the later.
    return bool(over) and max(enumerate(over), key=lambda m: (len(m[1][0].parts), m[0]))[1][1] in ("tmpfs", "ramfs")
