"""Alerts: what judging costs a reading, and how long it is from a reading to its alert in the journal.

1. `cost`: the engine alone, with all rules, over readings of twenty values in calm and in overload, and over a leaking
   water meter; the fastest of several runs, so that a busy machine does not count.
2. `delay`: from the intake's first step to the event on disk, through a real journal, for each of many overloads.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.rig import Figure
from drivers.contract import Reading
from gateway.alerts.alerting import Alerting
from gateway.alerts.calendar import Calendar
from gateway.alerts.catalogue import rules_of
from gateway.alerts.engine import Engine
from gateway.alerts.settings import MeterSettings
from gateway.check import Checker, Interval, Limits
from gateway.clock import wall_ms
from gateway.config.alerts import AlertsTable
from gateway.config.rules.electricity import OverloadTable
from gateway.intake import Intake, Known
from gateway.journal import Journal
from gateway.live import LiveBook

START = 1_795_219_200_000
TARGET_US = 10.0
TARGET_MS = 100.0
KEYS = [
    *(f"{name}_l{n}_{unit}" for name, unit in (("voltage", "v"), ("current", "a"), ("power", "w")) for n in (1, 2, 3)),
    "power_w", "apparent_power_va", "reactive_power_var", "power_factor", "frequency_hz", "energy_import_wh",
    "energy_export_wh", "energy_import_l1_wh", "energy_import_l2_wh", "energy_import_l3_wh", "current_n_a",
]  # fmt: skip

Judged = list[tuple[int, dict[str, float], Sequence[Interval]]]


def values(n: int, amps: float) -> dict[str, float]:
    """Make the twenty values of the n-th reading."""
    return {key: amps if key.startswith("current_l") else n * 0.1 if key.endswith("wh") else 230.0 for key in KEYS}


def cost(readings: int = 20_000) -> list[Figure]:
    """Time the engine a reading."""
    calm = [(START + n * 1000, values(n, 10.0)) for n in range(readings)]
    over = [(START + n * 1000, values(n, 70.0)) for n in range(readings)]
    leak: list[tuple[int, dict[str, float]]] = [
        (START + n * 10_000, {"water_volume_l": 1000 + n // 6}) for n in range(readings)
    ]
    cases = {"20 values, calm": calm, "20 values, overload": over, "leaking water meter": leak}
    return [_cost(f"engine, a reading of {name}", rows) for name, rows in cases.items()]


def _cost(name: str, rows: list[tuple[int, dict[str, float]]]) -> Figure:
    checker, limits = Checker(), Limits(63.0)
    judged: Judged = [(ts, row, checker.judge("m", ts, row, (), limits)[1]) for ts, row in rows]
    took = min(_once(judged) for _ in range(9)) / len(judged) * 1e6
    return Figure(name, f"{took:.1f} µs", f"<= {TARGET_US:.0f} µs", took <= TARGET_US)


def _once(judged: Judged) -> float:
    engine = Engine({"m": rules_of(AlertsTable(), Calendar(), MeterSettings(rating_a=63.0))})
    began = time.process_time()
    for ts, row, intervals in judged:
        engine.hear("m", ts, 0, row, intervals)
    return time.process_time() - began


class _Clock:
    state = "synced"

    def stamp(self, at_boot_ms: int) -> int:
        return START + at_boot_ms


def delay(alerts: int = 200) -> list[Figure]:
    """Time each alert from its reading to the disk."""
    with tempfile.TemporaryDirectory() as folder:
        taken = asyncio.run(_delays(Path(folder), alerts))
    middle, slow = statistics.median(taken) * 1e3, statistics.quantiles(taken, n=100)[98] * 1e3
    measured = f"{middle:.1f} ms, p99 {slow:.1f} ms"
    return [Figure("reading to alert event on disk", measured, f"p99 <= {TARGET_MS:.0f} ms", slow <= TARGET_MS)]


async def _delays(folder: Path, alerts: int) -> list[float]:
    table = AlertsTable.model_construct(
        **dict(AlertsTable()) | {"overload": OverloadTable(dwell="1s", cooldown="0s")}  # type: ignore[arg-type]
    )
    journal = await Journal.open(
        folder, gw="gw-1", mirror=None, wall=wall_ms, clock_state=lambda: "synced", boot="bench"
    )
    now = [0]
    engine = Engine({"m": rules_of(table, Calendar(), MeterSettings(rating_a=63.0))})
    alerting = await Alerting.open(engine, journal, lambda: START + now[0], {"m": Limits()})
    intake = Intake(_Clock(), alerting.checker, journal, LiveBook(), None, alerting.hear)
    intake.meters["m"] = Known(1.0, Limits())
    running = asyncio.create_task(journal.run())
    taken: list[float] = []
    while len(taken) < alerts:
        for amps in (10, 70, 70, 10, *[10] * 10):
            now[0] += 1000
            told, began = alerting.told, time.perf_counter()
            intake.take(Reading("m", now[0], values(now[0], amps)))
            if alerting.told > told and amps > 63:
                block = journal.next_block - 1
                while block not in journal.pending():
                    await journal.wait()
                taken.append(time.perf_counter() - began)
    running.cancel()
    await journal.close()
    return taken
