"""Lists the serial adapters of this machine by names that stay the same after a restart or in another socket."""

from dataclasses import dataclass
from pathlib import Path

NAMED = "serial/by-id"
UNNAMED = ("serial0", "ttyAMA[0-9]*", "ttyUSB[0-9]*", "ttyACM[0-9]*")
"""Ports that may have no other name: those of the board itself, and adapters without a serial number."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """One port: `name` is what a configuration should say, `stable` whether it stays the same."""

    name: str
    device: str
    stable: bool


def adapters(dev: Path = Path("/dev")) -> list[Adapter]:
    """List every port once."""
    found: dict[Path, Adapter] = {}
    folder = dev / NAMED
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        device = path.resolve()
        if device.exists():
            found.setdefault(device, Adapter(str(path), str(device), stable=True))
    for pattern in UNNAMED:
        for path in sorted(dev.glob(pattern)):
            device = path.resolve()
            if device.exists():
                found.setdefault(device, Adapter(str(path), str(device), stable="[" not in pattern))
    return list(found.values())


def stable_name(port: str, known: list[Adapter]) -> str:
    """Give the stable name of a device, its own where it has none."""
    if "://" in port:
        return port
    device = str(Path(port).resolve())
    return next((one.name for one in known if one.device == device and one.stable), port)
