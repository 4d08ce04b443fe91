"""Our DLMS driver, as tests use it: on a meter of the test's, behind a port of 127.0.0.1."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from drivers import profiles
from drivers.contract import NO_KEYS, Bus, Keys, Meter
from drivers.dlms.acse import Mechanism
from drivers.dlms.driver import DlmsDriver, open_bus
from tests.support.dlms_peers import ASSOCIATIONS, AUTH_KEY, KEY, PASSWORD


@asynccontextmanager
async def driver_for(port: int, state: Path) -> AsyncIterator[DlmsDriver]:
    """Connect our driver; `state` keeps its counters."""
    driver = open_bus(Bus("net", f"tcp://127.0.0.1:{port}", state=state), lambda: time.monotonic_ns() // 1_000_000)
    await driver.connect()
    try:
        yield driver
    finally:
        await driver.close()


def meter_behind(association: str, *, hdlc: bool, wrong: bool = False, deadline: float = 5) -> Meter:
    """Give a meter to be read over one of the associations, with its own secrets or wrong ones."""
    profile = profiles.load("dlms")
    client, mechanism, ciphered = ASSOCIATIONS[association]
    asking = replace(
        profile.layout.asking, link="hdlc" if hdlc else "wrapper", client=client, mechanism=Mechanism(mechanism)
    )
    profile = replace(profile, layout=replace(profile.layout, asking=asking))
    return Meter("m", profile, keys=_keys(mechanism, ciphered=ciphered, wrong=wrong), deadline=deadline)


def _keys(mechanism: int, *, ciphered: bool, wrong: bool) -> Keys:
    if mechanism == 0:
        return NO_KEYS
    password = None if mechanism != 1 else b"87654321" if wrong else PASSWORD.encode()
    if not ciphered:
        return Keys(password=password)
    key = bytes(16) if wrong else bytes.fromhex(KEY)
    return Keys(key, bytes.fromhex(AUTH_KEY), password)
