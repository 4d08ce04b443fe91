"""A program of Nabd with short patience that SIGUSR1 sabotages: `python program_child.py KIND FILE [SABOTAGE]`."""

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import gateway.alerts.alerting
import gateway.poll
import gateway.station
from drivers.modbus.driver import ModbusDriver
from gateway.config import load
from gateway.journal.database import Database
from gateway.journal.errors import Full
from gateway.program import set_up_logging
from gateway.uplink import Uplink


async def _never(*_: object) -> None:
    await asyncio.get_running_loop().create_future()


def _full(*_: object) -> None:
    raise Full("no space left", "free some")


def _stuck(*_: object) -> None:
    time.sleep(3600)


def _freeze(owner: Any, name: str, instead: Any) -> None:
    setattr(owner, name, instead)


SABOTAGE: dict[str, Callable[[], object]] = {
    "hang": lambda: time.sleep(60),
    "deadlock": partial(_freeze, ModbusDriver, "read", _never),
    "disk": partial(_freeze, Database, "commit", _stuck),
    "full": partial(_freeze, Database, "commit", _full),
    "publisher": partial(_freeze, Uplink, "_publish", _never),
}


async def main(kind: Any, path: Path, sabotage: str) -> None:
    """Run it; a turn may take seconds, not minutes, and a lost link is then opened again more often."""
    gateway.poll.PATIENCE, gateway.poll.ANSWERS, gateway.poll.LONGEST_SLEEP = 3.0, 0, 0.5
    gateway.poll.LAST_RECONNECT = 1.0
    _freeze(gateway.station, "PATIENCE", 4.0)
    gateway.station.PAUSE, gateway.alerts.alerting.TICK = 3.0, 0.5
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, SABOTAGE[sabotage])
    await import_module(f"gateway.{kind}").run(load(path, kind), partial(load, path, kind))


if __name__ == "__main__":
    set_up_logging()
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), (sys.argv[3:] or ["hang"])[0]))
