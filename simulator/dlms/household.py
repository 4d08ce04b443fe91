"""What a home's DLMS meter shows: registers with scaler and unit, clock, load profile, and who it is.

Energies are whole watt-hours, cut, as a register shows what has gone through; the gas meter on its M-Bus hands over its
register once an hour.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from drivers.dlms.axdr import Data, Tag
from drivers.dlms.objects import Descriptor
from drivers.quantities import QUANTITIES
from simulator.dlms.cosem import (
    CLOCK,
    DATA,
    DEMAND_REGISTER,
    EXTENDED_REGISTER,
    REGISTER,
    Attributes,
    Cosem,
    always,
    enum,
    int8,
    octets,
    six,
    structure,
    uint8,
    uint16,
    uint32,
    when_asked,
)
from simulator.dlms.load_profile import LoadProfile
from simulator.dlms.moments import date_time
from simulator.households import Household

W, VAR, WH, VARH, A, V, HZ, M3, NONE = 27, 29, 30, 32, 33, 35, 44, 13, 255
"""Units by their DLMS numbers."""

QUARTER, HOUR = 900, 3_600

REGISTERS: Mapping[str, tuple[str, Tag, int, int]] = {
    "1-0:1.8.0": ("energy_import", Tag.UINT32, 0, WH),
    "1-0:1.8.1": ("energy_import_t1", Tag.UINT32, 0, WH),
    "1-0:1.8.2": ("energy_import_t2", Tag.UINT32, 0, WH),
    "1-0:2.8.0": ("energy_export", Tag.UINT32, 0, WH),
    "1-0:3.8.0": ("reactive_energy_import", Tag.UINT32, 0, VARH),
    "1-0:4.8.0": ("reactive_energy_export", Tag.UINT32, 0, VARH),
    "1-0:1.7.0": ("power_import", Tag.UINT32, 0, W),
    "1-0:2.7.0": ("power_export", Tag.UINT32, 0, W),
    "1-0:3.7.0": ("reactive_power", Tag.UINT32, 0, VAR),
    "1-0:16.7.0": ("power", Tag.INT32, 0, W),
    "1-0:32.7.0": ("voltage_l1", Tag.UINT16, -1, V),
    "1-0:52.7.0": ("voltage_l2", Tag.UINT16, -1, V),
    "1-0:72.7.0": ("voltage_l3", Tag.UINT16, -1, V),
    "1-0:31.7.0": ("current_l1", Tag.UINT16, -2, A),
    "1-0:51.7.0": ("current_l2", Tag.UINT16, -2, A),
    "1-0:71.7.0": ("current_l3", Tag.UINT16, -2, A),
    "1-0:14.7.0": ("frequency", Tag.UINT16, -2, HZ),
    "1-0:13.7.0": ("power_factor", Tag.INT16, -3, NONE),
}
"""By OBIS code: the quantity in base units, the type on the wire, the scaler (a power of ten) and the unit."""

PROFILE_OF_QUARTERS = six("1-0:99.1.0")
_STATUS = six("0-0:96.10.1")
_PROFILED = ("1-0:1.8.0", "1-0:2.8.0", "1-0:3.8.0", "1-0:4.8.0")
_KEPT_ROWS = 2_048
"""Rows remembered between two reads of a profile: twice what it holds."""


def objects(home: Household, now: Callable[[], float], zone: ZoneInfo, name: str, serial: str) -> Iterator[Cosem]:
    """Give a meter's objects; `name` is its logical device name, `serial` what is printed on it."""
    yield Cosem(DATA, six("0-0:42.0.0"), {2: always(octets(name.encode()))})
    yield Cosem(DATA, six("0-0:96.1.0"), {2: always(octets(serial.encode()))})
    yield Cosem(DATA, _STATUS, {2: always(uint8(0))})
    yield Cosem(CLOCK, six("0-0:1.0.0"), _clock(now, zone))
    for code, (quantity, tag, scaler, unit) in REGISTERS.items():
        yield Cosem(REGISTER, six(code), _register(home, now, quantity, tag, scaler, unit))
    yield Cosem(EXTENDED_REGISTER, six("0-1:24.2.1"), _gas(home, now, zone))
    yield Cosem(DEMAND_REGISTER, six("1-0:1.4.0"), _demand(home, now, zone))
    yield load_profile(home, now, zone).object()


def load_profile(home: Household, now: Callable[[], float], zone: ZoneInfo) -> LoadProfile:
    """Give the quarter hours of the last ten days: time, status and four energies."""
    clock, status = Descriptor(CLOCK, six("0-0:1.0.0"), 2), Descriptor(DATA, _STATUS, 2)
    columns = [clock, status, *(Descriptor(REGISTER, six(code), 2) for code in _PROFILED)]

    @lru_cache(maxsize=_KEPT_ROWS)
    def row(moment: float) -> tuple[Data, ...]:
        values = home.at("electricity", moment)
        energies = [number(values[REGISTERS[code][0]], *REGISTERS[code][:3]) for code in _PROFILED]
        return octets(date_time(moment, zone)), uint8(0), *energies

    return LoadProfile(PROFILE_OF_QUARTERS, columns, row, now, zone, QUARTER)


def number(value: float, quantity: str, tag: Tag, scaler: int) -> Data:
    """Write a value in base units as a register of this type and scaler shows it."""
    steps = value / 10.0**scaler
    if QUANTITIES[quantity].kind == "counter":
        return Data(tag, int(steps + 1e-6) & 0xFFFF_FFFF)
    return Data(tag, round(steps))


def _register(home: Household, now: Callable[[], float], quantity: str, tag: Tag, scaler: int, unit: int) -> Attributes:
    return {
        2: when_asked(lambda: number(home.at("electricity", now())[quantity], quantity, tag, scaler)),
        3: always(scaler_and_unit(scaler, unit)),
    }


def scaler_and_unit(scaler: int, unit: int) -> Data:
    """Write what stands beside a register's value."""
    return structure(int8(scaler), enum(unit))


def _clock(now: Callable[[], float], zone: ZoneInfo) -> Attributes:
    winter = datetime(2026, 1, 1, tzinfo=zone).utcoffset() or timedelta()
    return {
        2: when_asked(lambda: octets(date_time(now(), zone))),
        3: always(Data(Tag.INT16, -int(winter.total_seconds()) // 60)),
        4: always(uint8(0)),
    }


def _gas(home: Household, now: Callable[[], float], zone: ZoneInfo) -> Attributes:
    """Make an extended register: litres as thousandths of a cubic metre, their status, and when they were read."""
    return {
        2: when_asked(lambda: number(home.at("gas", _floor(now(), HOUR))["gas_volume"], "gas_volume", Tag.UINT32, 0)),
        3: always(scaler_and_unit(-3, M3)),
        4: always(uint8(0)),
        5: when_asked(lambda: octets(date_time(_floor(now(), HOUR), zone))),
    }


def _demand(home: Household, now: Callable[[], float], zone: ZoneInfo) -> Attributes:
    """Make a demand register: mean power of the quarter hour that runs and of the last, and their times."""

    def mean(start: float, end: float) -> Data:
        taken = home.at("electricity", end)["energy_import"] - home.at("electricity", start)["energy_import"]
        return uint32(round(taken * HOUR / max(end - start, 1.0)))

    return {
        2: when_asked(lambda: mean(_floor(now(), QUARTER), now())),
        3: when_asked(lambda: mean(_floor(now(), QUARTER) - QUARTER, _floor(now(), QUARTER))),
        4: always(scaler_and_unit(0, W)),
        5: always(uint8(0)),
        6: when_asked(lambda: octets(date_time(_floor(now(), QUARTER), zone))),
        7: when_asked(lambda: octets(date_time(_floor(now(), QUARTER), zone))),
        8: always(uint32(QUARTER)),
        9: always(uint16(1)),
    }


def _floor(time: float, step: int) -> float:
    return time // step * step
