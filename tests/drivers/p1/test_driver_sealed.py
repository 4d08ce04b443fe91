"""Tests of drivers/p1/driver.py with meters that cipher: keys, repeats, captures."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drivers.contract import Bus, DecodeError, Keys, Meter, NoAnswer
from drivers.p1.driver import P1Driver, open_bus
from tests.support.p1_bus import GAS, MAIN, Virtual, soon, telegram, ticks

Seal = Callable[..., bytes]

KEYS = Keys(bytes(range(16)))
SEALED_MAIN = Meter("main", MAIN.profile, keys=KEYS)


def test_ciphered_telegrams_are_opened_once_for_all_meters(virtual: Virtual, seal: Seal) -> None:
    """The gas meter needs no key of its own; a repeat is refused, also after another connect; the next is read."""

    async def story(driver: P1Driver, port: asyncio.Protocol) -> None:
        main, gas = asyncio.create_task(driver.read(SEALED_MAIN)), asyncio.create_task(driver.read(GAS))
        await asyncio.sleep(0)
        port.data_received(seal(telegram(1), 7, KEYS))
        assert (await main).values == {"energy_import_t1_wh": 1_001_001}
        assert (await gas).values == {"gas_volume_l": 246_138}
        assert driver.counters() == {}
        again = asyncio.create_task(driver.read(SEALED_MAIN))
        for counter in (7, 6):
            await asyncio.sleep(1)
            port.data_received(seal(telegram(2), counter, KEYS))
        await asyncio.sleep(1)
        port.data_received(seal(telegram(3), 8, KEYS))
        assert (await again).values == {"energy_import_t1_wh": 1_003_001}
        await driver.connect()
        port.data_received(seal(telegram(4), 8, KEYS))
        with pytest.raises(NoAnswer):
            await driver.read(SEALED_MAIN)
        assert driver.counters()["repeated_frame"] == 2

    virtual(story)


def test_wrong_key_is_named_at_once(virtual: Virtual, seal: Seal) -> None:
    """No key, or another meter's, is an error with a hint for each telegram; the right one reads the next."""

    async def story(driver: P1Driver, port: asyncio.Protocol) -> None:
        for second, (keys, said) in enumerate(
            [(Keys(), "main: the telegrams are ciphered .*key_file"), (Keys(bytes(16)), "does not open.*auth_key_file")]
        ):
            port.data_received(seal(telegram(second), second, KEYS))
            with pytest.raises(DecodeError, match=said):
                await driver.read(Meter("main", MAIN.profile, keys=keys))
        assert driver.counters() == {"no_key": 1, "bad_tag": 1}
        port.data_received(seal(telegram(3), 3, KEYS))
        assert (await driver.read(SEALED_MAIN)).values == {"energy_import_t1_wh": 1_003_001}

    virtual(story)


def test_repeats_without_end_are_named(virtual: Virtual, seal: Seal) -> None:
    """A meter whose counter began anew is silent, and the hint says why."""

    async def story(driver: P1Driver, port: asyncio.Protocol) -> None:
        port.data_received(seal(telegram(1), 900, KEYS))
        await driver.read(SEALED_MAIN)
        port.data_received(seal(telegram(2), 1, KEYS))
        with pytest.raises(NoAnswer, match="repeat a counter"):
            await driver.read(SEALED_MAIN)

    virtual(story)


async def test_every_ciphered_capture_is_read_as_a_bus(p1_captures: list[Any], captures: Path) -> None:
    """Luxembourg and Austria, from the file to values in base units."""
    read = {}
    for capture in p1_captures:
        if capture.is_ciphered:
            driver = open_bus(Bus("p1", f"capture:{captures / 'p1' / capture.name}"), ticks())
            await driver.connect()
            meter = Meter("main", MAIN.profile, keys=capture.keys)
            read[capture.name] = (await soon(asyncio.ensure_future(driver.read(meter)))).values
            await driver.close()
    lux, austria = read["encrypted_lu_smarty_2.bin"], read["encrypted_at_t210_2.bin"]
    assert (lux["energy_import_wh"], lux["reactive_energy_export_varh"], lux["current_l1_a"]) == (6702, 2745, 0)
    assert (austria["energy_import_wh"], austria["power_import_w"]) == (6_545_766, 286)
    assert (austria["energy_import_t1_wh"], austria["energy_import_t2_wh"]) == (5_017_120, 1_528_646)
