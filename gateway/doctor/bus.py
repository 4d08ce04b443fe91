"""The meters of a bus: what a running program says of them, or what they say when we read them ourselves.

Both give the same facts, so a fault has the same name either way.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from drivers.contract import (
    DecodeError,
    Driver,
    DriverError,
    HasBudget,
    HasNameplate,
    Meter,
    NoAnswer,
    NotConnected,
    Number,
)
from gateway.doctor.finding import Finding

KEY_REASONS = ("no_key", "bad_key", "bad_tag", "wrong_key", "unsigned_frame")
"""Counters of drivers that say: it was heard, and could not be opened."""
KEY_WORDS = ("cipher", " key ", "keys ", "key_file", "does not open")
"""Words of drivers' errors that say so; a meter's error is one sentence of our own."""
LEAST, MOST, PUSHED = 10.0, 120.0, 35.0
"""Seconds one meter is waited for: by its own budget, but pushing ones a little longer than P1's slowest."""
MANY = 64
"""Bytes nobody asked for that are no chance."""
ROUNDS = {"modbus": 5}
"""How often each meter is read, where that costs little: a bad line spoils one answer in a few."""
SPOILT = 0.02
"""Part of the answers that may be broken on a good line."""
FEW = 3
"""Broken answers that are no single glitch."""
BACKWARDS_W, BACKWARDS_WH = -50, 1000


@dataclass
class MeterSeen:
    """One meter: how often it was read, the last error, what it says of itself.

    `waited` says that it was waited for in vain, though it may yet send.
    """

    id: str
    read: int = 0
    error: str = ""
    kind: type[DriverError] | None = None
    serial: str = ""
    other_model: str = ""
    waited: bool = False
    values: Mapping[str, Number] = field(default_factory=dict)


@dataclass
class BusSeen:
    """One bus and its meters; `rejected` counts by reason, `fault` says why it could not be opened.

    A running program may have `lent` it to a search or a visit like ours: then its port is closed on purpose.
    """

    name: str
    connected: bool = True
    fault: str = ""
    rejected: Mapping[str, int] = field(default_factory=dict)
    meters: list[MeterSeen] = field(default_factory=list)
    lent: bool = False

    @property
    def suffers(self) -> bool:
        """Whether some meter was not read, for another reason than its key: the line is worth a look."""
        return any(meter.error and not is_sealed(meter, self.rejected) for meter in self.meters) or spoilt(self) > 0


def judge_meters(bus: BusSeen, titles: Mapping[str, str], serials: Mapping[str, str]) -> list[Finding]:
    """Say what is wrong with the meters; `titles` are their models, `serials` their numbers as far as configured."""
    found = []
    for meter in bus.meters:
        expected = serials.get(meter.id, "")
        if meter.error and not meter.read:
            found.append(_silent_or_closed(meter, bus.rejected))
        if meter.serial and expected and not same_serial(meter.serial, expected):
            found.append(Finding("meter_swapped", meter.id, {"found": meter.serial, "expected": expected}))
        if meter.other_model:
            evidence = {"found": meter.other_model, "configured": titles.get(meter.id, "")}
            found.append(Finding("other_model", meter.id, evidence))
        found += _backwards(meter)
    return found


def judge_counters(bus: BusSeen) -> list[Finding]:
    """Say what a bus's counters tell of its line."""
    found = []
    read = sum(meter.read for meter in bus.meters)
    bad = spoilt(bus)
    if bad and read:
        found.append(Finding("no_termination", bus.name, {"bad": bad, "asked": bad + read}))
    stray = bus.rejected.get("unasked_bytes", 0)
    if stray >= MANY and stray > read:
        found.append(Finding("foreign_talk", bus.name, {"bytes": stray}))
    return found


def spoilt(bus: BusSeen) -> int:
    """Give how many answers were broken, 0 where that is within what happens."""
    bad = bus.rejected.get("bad_crc", 0) + bus.rejected.get("bad_checksum", 0)
    read = sum(meter.read for meter in bus.meters)
    return bad if bad >= FEW and bad > SPOILT * (bad + read) else 0


def is_sealed(meter: MeterSeen, rejected: Mapping[str, int]) -> bool:
    """Tell whether a meter is heard, but its key does not fit."""
    if meter.read or not meter.error:
        return False
    return any(word in meter.error for word in KEY_WORDS) or any(rejected.get(reason) for reason in KEY_REASONS)


def same_serial(one: str, other: str) -> bool:
    """Compare two serial numbers as people write them: spaces, case, zeros and letters in front do not matter."""
    first, second = ("".join(c for c in text.upper() if c.isalnum()) for text in (one, other))
    return first.endswith(second) or second.endswith(first) or first.lstrip("0") == second.lstrip("0")


def _silent_or_closed(meter: MeterSeen, rejected: Mapping[str, int]) -> Finding:
    reason = {"reason": meter.error.removeprefix(f"{meter.id}: ")}
    if is_sealed(meter, rejected):
        return Finding("key_wrong", meter.id, reason)
    refuses = meter.kind is not None and not issubclass(meter.kind, NoAnswer | DecodeError | NotConnected)
    return Finding("meter_refuses" if refuses else "meter_silent", meter.id, reason)


def _backwards(meter: MeterSeen) -> list[Finding]:
    """Suspect a turned transformer: a meter of a home without panels gives energy away."""
    values = meter.values
    power, export = values.get("power_w"), values.get("energy_export_wh")
    if power is not None and power < BACKWARDS_W and not export:
        return [Finding("direction_reversed", meter.id, {"key": "power_w", "value": float(power)})]
    if export is not None and export > BACKWARDS_WH and values.get("energy_import_wh") == 0:
        return [Finding("direction_reversed", meter.id, {"key": "energy_export_wh", "value": float(export)})]
    return []


# --- looking ---------------------------------------------------------------------------------------------------------


def told_of(status: Mapping[str, Any], name: str) -> BusSeen | None:
    """Take what a running program says of a bus; None when it knows no such bus."""
    row = next((row for row in status.get("buses", ()) if row.get("name") == name), None)
    if row is None:
        return None
    meters = [
        MeterSeen(meter["id"], 0 if meter.get("set_aside") else meter.get("read", 0), meter.get("error", ""))
        for meter in row.get("meters", ())
    ]
    connected, lent = bool(row.get("connected")), bool(row.get("lent"))
    fault = "" if connected or lent else next((meter.error for meter in meters if meter.error), "")
    return BusSeen(name, connected, fault, row.get("rejected", {}), meters, lent=lent)


async def read_all(name: str, driver: Driver, meters: Sequence[Meter]) -> BusSeen:
    """Read every meter of a bus that nobody else reads."""
    bus = BusSeen(name)
    try:
        await driver.connect()
        if driver.turns == "pushed":
            bus.meters += await asyncio.gather(*(_read(driver, meter, 1) for meter in meters))
        else:
            for meter in meters:
                bus.meters.append(await _read(driver, meter, ROUNDS.get(meter.profile.driver, 1)))
    except NotConnected as error:
        bus.connected, bus.fault = False, str(error)
    finally:
        bus.rejected = dict(driver.counters())
        await driver.close()
    return bus


async def _read(driver: Driver, meter: Meter, rounds: int) -> MeterSeen:
    seen = MeterSeen(meter.id)
    for _ in range(rounds):
        try:
            async with asyncio.timeout(_patience(driver, meter)):
                reading = await driver.read(meter)
                seen.read += 1
                seen.values = reading.values
        except NotConnected:
            raise
        except DriverError as error:
            seen.error, seen.kind = str(error), type(error)
        except TimeoutError:
            if driver.turns == "pushed":  # its own silence may last longer than anybody waits for
                seen.waited = True
                return seen
            seen.error, seen.kind = "silence", NoAnswer
        if not seen.read:
            return seen
    await _ask_who(driver, meter, seen)
    return seen


async def _ask_who(driver: Driver, meter: Meter, seen: MeterSeen) -> None:
    """Ask a meter that was read what it is; one that does not say is no fault."""
    try:
        async with asyncio.timeout(_patience(driver, meter)):
            if isinstance(driver, HasNameplate):
                seen.serial = (await driver.nameplate(meter)).get("serial", "")
            if meter.profile.driver == "modbus":
                from drivers.modbus.model_code import other_model  # noqa: PLC0415  a house with P1 only needs none

                seen.other_model = await other_model(driver, meter) or ""
    except (DriverError, TimeoutError):
        pass


def _patience(driver: Driver, meter: Meter) -> float:
    budget = driver.budget(meter) if isinstance(driver, HasBudget) else 0.0
    least = PUSHED if driver.turns == "pushed" else LEAST
    return min(MOST, max(least, 3 * meter.deadline, budget))
