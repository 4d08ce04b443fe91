"""Asks a meter which model it is, where its profile says how, so that two models of one name are told apart.

The code is read by a reading of its own: many meters serve that register only alone.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from drivers.contract import Driver, DriverError, Meter
from drivers.modbus.layout import Row
from drivers.modbus.model import Identify, SetAddress
from drivers.modbus.profile import File
from drivers.modbus.table import Table
from drivers.profiles import Profile, available

_FUNCTIONS = {"holding": 3, "input": 4}
_KEY = "model_code"


def allowed_write(profile: Profile) -> SetAddress | None:
    """Give what a profile allows to be written, or None."""
    return _file(profile.path).address if profile.path and profile.driver == "modbus" else None


async def model_code(driver: Driver, meter: Meter) -> int | None:
    """Read the code of the meter's model; None where its profile does not say how, or the meter does not say it."""
    profile = meter.profile
    identify = _file(profile.path).identify if profile.path and profile.driver == "modbus" else None
    if identify is None:
        return None
    row = Row(identify.at, identify.type, _KEY, Fraction(1), table=_FUNCTIONS[identify.table])
    try:
        reading = await driver.read(replace(meter, profile=replace(profile, layout=Table((row,)))))
    except DriverError:
        return None
    code = reading.values.get(_KEY)
    return None if code is None else int(code)


async def other_model(driver: Driver, meter: Meter) -> str | None:
    """Ask the meter, and name the model its code stands for when another profile claims it; None is no proof."""
    code = await model_code(driver, meter)
    if code is None or meter.profile.path is None:
        return None
    return stranger(meter.profile, code, available((meter.profile.path.parent,)).values())


def stranger(profile: Profile, code: int, others: Iterable[Path]) -> str | None:
    """Name the other model whose profile claims `code`, or None when the profile itself does or nobody does."""
    own = _file(profile.path).identify if profile.path else None
    if own is None or code in own.values:
        return None
    return next((title for title, other in _identities(others) if other.same_place(own) and code in other.values), None)


def _identities(paths: Iterable[Path]) -> Iterable[tuple[str, Identify]]:
    for path in paths:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        if table.get("driver") == "modbus" and "identify" in table:
            yield f"{table['title']} ({table['name']})", Identify.model_validate(table["identify"])


def _file(path: Path) -> File:
    return File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
