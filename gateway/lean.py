"""Keeps out of a small board's memory what packages import for features that no gateway has.

1. pydantic asks which of its plugins are installed, and for that brings the standard library's e-mail, zip files and
   CSV. A gateway lets no plugin near its data, so the answer is that there are none.
2. paho can go through a proxy where the package `socks` is installed, and for that brings the library's HTTP client.
   Here it is not, and the client is never asked.
3. Both packages are imported once while modest stand-ins take those places. Then these are gone: whoever imports the
   real modules gets them.
4. `zoneinfo`, which pydantic brings, looks up where time zones lie among all that Python was built with. Linux has them
   in one place.

It saves 2.5 MB of 50, and a tenth of a start (`./run bench idle`, `./run bench start`).
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

PLUGINS, PROXIES = "importlib.metadata", "urllib.request"
ZONES = "/usr/share/zoneinfo"


def import_lean() -> None:
    """Import pydantic and paho without those companions; does nothing for what is imported already."""
    absent = [name for name in (PLUGINS, PROXIES) if name not in sys.modules and not _wanted(name)]
    for name in absent:
        sys.modules[name] = ModuleType(name)
    if PLUGINS in absent:
        sys.modules[PLUGINS].entry_points = lambda **_: ()  # type: ignore[attr-defined]
    if Path(ZONES).is_dir():
        os.environ.setdefault("PYTHONTZPATH", ZONES)
    try:
        import paho.mqtt.client  # noqa: F401, PLC0415
        from pydantic import TypeAdapter  # noqa: PLC0415

        TypeAdapter(int)  # the first schema is what makes pydantic look for plugins
    finally:
        for name in absent:
            del sys.modules[name]


def _wanted(name: str) -> bool:
    return name == PROXIES and find_spec("socks") is not None
