"""A simulated DLMS meter for tests: one home, a moment that stands still, keys and password as the peers have them."""

from collections.abc import Callable
from random import Random
from zoneinfo import ZoneInfo

from drivers.contract import Keys
from simulator.dlms.household import objects
from simulator.dlms.meter import DlmsMeter
from simulator.habits import Home
from simulator.households import Household
from tests.support.dlms_peers import AUTH_KEY, KEY, PASSWORD

NOW = 1_768_478_520.0
"""2026-01-15 12:02 UTC."""
ZONE = ZoneInfo("Europe/Amsterdam")
HOME = Household(Home(1))
TITLE = b"NBD\0\0\0\0\1"
KEYS = Keys(bytes.fromhex(KEY), bytes.fromhex(AUTH_KEY), PASSWORD.encode())


def dlms_meter(now: Callable[[], float] = lambda: NOW) -> DlmsMeter:
    """Give a meter of the home."""
    things = tuple(objects(HOME, now, ZONE, "NBD0000000000001", "00000001"))
    return DlmsMeter(TITLE, things, KEYS, now, Random(7).randbytes)
