"""What the journal costs a card: device bytes a day at the reference load, on an ext4 of our own.

The reference load is a P1 meter with 30 values each second, eight Modbus meters of 15 registers each ten seconds, and
four M-Bus meters each quarter-hour: 42 values a second. All of it is acknowledged and kept for replay until its time is
over, as beside a working hub. The loop device counts what reaches it, ext4's own journal included.

Its blocks are of 4 KB, as those of every card are; a small disk has blocks of 1 KB and shows half of what a card sees.

1. `day` lets the windows of many hours follow one another without pause: log, checkpoints and expiry are all in it.
2. `minutes` lets a few windows pass without pause, then as many in real time, where ext4 also writes on its own
   account: each window changes a file, and seconds later three blocks say so. Mounted with a longer `commit`, several
   windows share these. What real time costs more, the day without pause is charged with. It also asks the program
   what it thinks it wrote.

Only root can mount disks; without it there is no figure.
"""

import asyncio
import contextlib
import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rig import Figure
from gateway.flash import DAY, FlashMeter
from gateway.journal import Journal
from tests.power.disk import Disk, made, missing

TARGETS = {10.0: 150, 60.0: 40}
BLOCK = 4096
DISKS = (
    (10.0, 1024, ""),
    (10.0, BLOCK, ""),
    (10.0, BLOCK, "commit=60"),
    (60.0, 1024, ""),
    (60.0, BLOCK, ""),
    (60.0, BLOCK, "commit=300"),
)
"""Window, size of ext4's blocks, and how it is mounted; by default it writes changes of files down each 5 s."""
KEEP = 2 * 3600.0
"""Seconds stored blocks are kept here: shorter than the product's week, so that a run reaches its everyday state."""
PHASES = [f"{name}_l{phase}" for name in ("voltage", "current", "power_import", "power_export") for phase in (1, 2, 3)]
P1 = ["energy_import_t1", "energy_import_t2", "energy_export_t1", "energy_export_t2", "power_import", "power_export"]
P1 += [*PHASES, *(f"power_{number}" for number in range(12))]
MODBUS = [*PHASES[:9], "power", "reactive_power", "power_factor", "frequency", "energy_import", "energy_export"]
DIGITS = {"voltage": 1, "frequency": 2, "power_factor": 3}
"""Digits after the point, by how a quantity begins: P1 counts watts and whole amperes, Modbus rows say little more."""


class Load:
    """The reference load as readings; values wander as those of a house do, so that they compress as those do."""

    def __init__(self, journal: Journal) -> None:
        """Begin with every meter due."""
        self._journal, self._dice = journal, random.Random(1)
        self._p1 = {key: 1000.0 * number for number, key in enumerate(P1, 1)}
        self._modbus = [{key: 100.0 * number for number, key in enumerate(MODBUS, 1)} for _ in range(8)]
        self.values = 0

    def second(self, now: int) -> None:
        """Add what is read in the second that begins at `now` (s)."""
        self._add("p1", now, self._wander(self._p1))
        if now % 10 < len(self._modbus):
            self._add(f"modbus-{now % 10}", now, self._wander(self._modbus[now % 10]))
        if now % 900 < 4:
            self._add(f"mbus-{now % 900}", now, {"heat_energy_wh": now * 10.0, "flow_temperature_c": 55.5})

    def _wander(self, values: dict[str, float]) -> dict[str, float]:
        """Let counters grow by a watt-hour or two, and every second other value move."""
        for key, value in values.items():
            if key.startswith("energy"):
                step = float(self._dice.random() < 0.3)
            else:
                step = self._dice.gauss(0, 5) * (self._dice.random() < 0.5)
            values[key] = round(value + step, DIGITS.get(key.rpartition("_l")[0] or key, 0))
        return values

    def _add(self, meter: str, now: int, values: dict[str, float]) -> None:
        self._journal.add(meter, now * 1000 + self._dice.randrange(400), now, 0, values)
        self.values += len(values)


@contextlib.contextmanager
def disk(options: str = "", block: int = BLOCK) -> Iterator[Disk]:
    """Have an ext4 of 256 MB, as large as its own journal needs to be of the usual kind."""
    with (
        tempfile.TemporaryDirectory(prefix="nabd-wear-") as folder,
        made(Path(folder) / "disk.img", Path(folder) / "disk", 256, options=options, block=block) as ours,
    ):
        yield ours


async def _opened(folder: Path, window: float, now: list[int]) -> Journal:
    return await Journal.open(
        folder, gw="gw-1", mirror=None, window=window, keep=KEEP, wall=lambda: now[0] * 1000,
        clock_state=lambda: "synced", boot="boot-1",
    )  # fmt: skip


async def _windows(journal: Journal, load: Load, now: list[int], window: float, count: int) -> None:
    """Let so many windows pass; the store answers each block at once."""
    for _ in range(count):
        for _ in range(int(window)):
            load.second(now[0])
            now[0] += 1
        await journal.flush()
        for block in tuple(journal.pending()):
            journal.stored(block)


async def day(window: float, hours: float, block: int = BLOCK) -> tuple[float, float]:
    """Give device bytes a day and bytes a value, from so many hours without pause after the expiry has begun."""
    now = [1_795_219_200]
    with disk(block=block) as ours:
        journal = await _opened(ours.path / "journal", window, now)
        load = Load(journal)
        await _windows(journal, load, now, window, int(KEEP / window))
        os.sync()
        before, values = ours.written(), load.values
        await _windows(journal, load, now, window, int(hours * 3600 / window))
        os.sync()
        device, values = ours.written() - before, load.values - values
        await journal.close()
    return device / hours * 24, device / values


async def _rewind(journal: Journal) -> None:
    """Bring the log into the file, so that it will not be brought in for a while."""
    committer = journal._committer  # noqa: SLF001  no caller of the product has to do this
    await committer.do(committer._database.rewind)  # noqa: SLF001
    os.sync()


async def minutes(window: float, block: int, options: str, seconds: float) -> tuple[float, float, float]:
    """Give what real time costs more, device bytes a day; and what device and program count in that time, bytes."""
    now, count = [1_795_219_200], max(1, int(seconds / window))
    with disk(options, block) as ours:
        journal = await _opened(ours.path / "journal", window, now)
        load = Load(journal)
        await _windows(journal, load, now, window, int(KEEP / window))  # log and file are of their usual size then
        await _rewind(journal)
        before = ours.written()
        await _windows(journal, load, now, window, count)
        os.sync()
        at_once = ours.written() - before
        await _rewind(journal)
        meter = FlashMeter(0.0, lambda: journal.stats().commits, block, lambda: journal.stats().written)
        before, started = ours.written(), time.monotonic()
        for number in range(1, count + 1):
            await _windows(journal, load, now, window, 1)
            await asyncio.sleep(max(0.0, started + number * window - time.monotonic()))
        os.sync()
        device, own = ours.written() - before, (meter.a_day(count * window) or 0) * count * window / DAY
        await journal.close()
    return (device - at_once) * DAY / (count * window), device, own


async def idle(seconds: float) -> float:
    """Give device bytes a day of a journal to which nothing comes."""
    now = [1_795_219_200]
    with disk() as ours:
        journal = await _opened(ours.path / "journal", 10.0, now)
        await _windows(journal, Load(journal), now, 10.0, 1)
        await journal.flush()
        running = asyncio.create_task(journal.run())
        os.sync()
        device = ours.written()
        await asyncio.sleep(seconds)
        os.sync()
        device = ours.written() - device
        running.cancel()
        await journal.close()
    return device * DAY / seconds


async def _real_time(seconds: float, days: dict[tuple[float, int], float]) -> list[Figure]:
    """Let all of it run at once, each on a disk of its own, since they mostly wait; `days` are those without pause."""
    at_rest = asyncio.create_task(idle(seconds))
    counts = await asyncio.gather(*(minutes(*way, seconds) for way in DISKS))
    figures = []
    for (window, block, options), (more, device, own) in zip(DISKS, counts, strict=True):
        a_day, target = (days[window, block] + more) / 1e6, TARGETS[window]
        about = f"{window:.0f} s windows in real time, {block // 1024} KB blocks, {options or 'mounted as by default'}"
        figures.append(Figure(about, f"{a_day:.0f} MB", f"<= {target} MB", a_day <= target))
        if not options:
            counted, true = f"{own / device:.0%}", 0.7 <= own / device <= 1.3
            figures.append(Figure("the program's own count of that", counted, "70 to 130 %", true))
    device = await at_rest
    return [*figures, Figure("without meters, in real time", f"{device / 1e6:.1f} MB", "<= 5 MB", device <= 5e6)]


def wear(hours: float, seconds: float) -> list[Figure]:
    """Measure both windows of the promise on both kinds of blocks, and the program's own count beside the device's."""
    if reason := missing():
        return [Figure("device bytes a day", f"not measured: {reason}", "<= 150 MB", reached=True)]
    figures, days = [], {}
    for window, block in dict.fromkeys((window, block) for window, block, _ in DISKS):
        days[window, block], a_value = asyncio.run(day(window, hours, block))
        a_day, target = days[window, block] / 1e6, TARGETS[window]
        about = f"{window:.0f} s windows, {hours:g} h without pause, {block // 1024} KB blocks"
        figures.append(
            Figure(about, f"{a_day:.0f} MB a day, {a_value:.0f} a value", f"<= {target} MB", a_day <= target)
        )
    return figures + asyncio.run(_real_time(seconds, days))
