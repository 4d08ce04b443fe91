"""Running for years, at speed: faults in a circle on the real stack, and what of the processes grows.

1. Ten TCP meters are read ten times a second, a hundred times as often as usual, so that 864 s are a day of readings;
   a serial line with three meters, one of them dead all along, is read beside them.
2. In turn the link to the broker goes silent (F1), the serial adapter is pulled and comes back as another node under
   its old name (F8). The dead meter (F11) is asked all the while.
3. Open files, threads and memory of edge and hub are taken when all is well again, before the next fault. What grows
   is told as a slope over the second half, for the first one fills caches.
4. At the end everything is drained and reckoned: each number in the store, once.

`python -m benchmarks.soak --for 2h` or `./run soak`.
"""

import argparse
import asyncio
import tempfile
import time
from asyncio.subprocess import DEVNULL
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.rig import Figure, broker_command, free_port, wait_for_port
from simulator.scenario import Scenario
from simulator.serve import running
from tests.support.proxy import TcpProxy
from tests.support.stack import Stack

DAY = 864.0
"""Seconds in which as many readings are taken as in a day at ten-second intervals."""
CALM = 12.0
"""Seconds from a fault's end to the sample: the keepalive and the longest reconnect lie within."""
UNITS = {"s1": 1, "s2": 2, "dead": 3}
_UNITS_OF_TIME = {"s": 1.0, "m": 60.0, "h": 3600.0}


class LongStack(Stack):
    """The stack, with a serial line of three meters beside the TCP meters; `pids` names its processes."""

    def pids(self) -> dict[str, int]:
        """Give the process of each program."""
        return {name: process.pid for name, process in self._processes.items()}

    def _edge_toml(self) -> str:
        device = self.folder / "wires" / "line"
        text = f'[[bus]]\nname = "line"\ndriver = "modbus"\ndevice = "{device}"\nbaud = 19200\n'
        for name, unit in UNITS.items():
            text += f'[[meter]]\nname = "{name}"\nbus = "line"\nprofile = "eastron-sdm120"\naddress = {unit}\n'
            text += 'every = "500ms"\n'
        return super()._edge_toml() + text


@dataclass
class Adapter:
    """A serial adapter that can be pulled: each time it comes back it is another node, under the same name."""

    folder: Path
    _held: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def plug(self) -> None:
        """Serve the meters that live."""
        meters = [
            {"name": name, "line": "line", "profile": "eastron-sdm120", "address": unit}
            for name, unit in UNITS.items()
            if name != "dead"
        ]
        line = {"name": "line", "kind": "pty", "baud": 19200, "turnaround": 0.002}
        await self._held.enter_async_context(
            running(Scenario.model_validate({"line": [line], "meter": meters}), self.folder)
        )

    async def pull(self) -> None:
        """Take it away, in the middle of whatever it says."""
        await self._held.aclose()


@dataclass(frozen=True)
class Sample:
    """What one process held at one moment; memory in MB."""

    at: float
    files: int
    threads: int
    memory: float

    @classmethod
    def of(cls, pid: int) -> "Sample":
        """Look into /proc."""
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        fields = dict(line.split(":", 1) for line in status.splitlines())
        files = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
        return cls(time.monotonic(), files, int(fields["Threads"]), int(fields["VmRSS"].split()[0]) / 1024)


async def soak(seconds: float) -> list[Figure]:
    """Run the circle of faults for so long and give the figures."""
    with tempfile.TemporaryDirectory(prefix="nabd-soak-") as name:
        folder, port = Path(name), free_port()
        broker = await asyncio.create_subprocess_exec(*broker_command(folder, port), stderr=DEVNULL)
        try:
            wait_for_port(port)
            async with TcpProxy("127.0.0.1", port) as proxy:
                return await _soak(LongStack(folder, proxy.port, port), proxy, Adapter(folder / "wires"), seconds)
        finally:
            broker.terminate()
            await broker.wait()


async def _soak(stack: LongStack, proxy: TcpProxy, adapter: Adapter, seconds: float) -> list[Figure]:
    samples: dict[str, list[Sample]] = {}
    faults = 0
    await adapter.plug()
    try:
        await stack.start()
        await asyncio.sleep(CALM)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for program, pid in stack.pids().items():
                samples.setdefault(program, []).append(Sample.of(pid))
            faults += 1
            if faults % 2:
                proxy.swallow()
                await asyncio.sleep(8)
                proxy.resume()
            else:
                await adapter.pull()
                await asyncio.sleep(2)
                await adapter.plug()
            await asyncio.sleep(CALM)
        line = next(bus for bus in (await stack.status("edge"))["buses"] if bus["name"] == "line")
        await stack.drain(120)
        return [*_delivery(stack, faults, line["meters"]), *_growth(samples)]
    finally:
        await stack.stop()
        await adapter.pull()


def _delivery(stack: Stack, faults: int, line: Sequence[dict[str, object]]) -> list[Figure]:
    seqs = Counter(seq for _, _, seq, _ in stack.rows())
    missing = max(seqs) - len(seqs)
    doubled = sum(times > 1 for times in seqs.values())
    alive = [meter for meter in line if not str(meter["id"]).endswith("dead")]
    unread = [meter["id"] for meter in alive if meter["error"]]
    return [
        Figure(
            f"readings missing at the store after {faults} faults", f"{missing} of {max(seqs):,}", "0", missing == 0
        ),
        Figure("  doubled", f"{doubled}", "0", doubled == 0),
        Figure("  serial meters not read again after the last pull", f"{len(unread)}", "0", not unread),
    ]


def _growth(samples: dict[str, list[Sample]]) -> list[Figure]:
    figures = []
    for program, all_of_them in samples.items():
        late = all_of_them[len(all_of_them) // 2 :]
        early = all_of_them[: len(all_of_them) - len(late)] or late
        for what, of in (("open files", _files), ("threads", _threads)):
            before, after = max(map(of, early)), max(map(of, late))
            figures.append(Figure(f"{program}: {what}", f"{before} then {after}", "no more", after <= before))
        slope = _slope(late) * DAY
        memory = f"{late[-1].memory:.1f} MB, {slope:+.2f} MB"
        figures.append(Figure(f"{program}: memory, a simulated day", memory, "< 1 MB a day", slope < 1))
    return figures


def _files(sample: Sample) -> int:
    return sample.files


def _threads(sample: Sample) -> int:
    return sample.threads


def _slope(samples: Sequence[Sample]) -> float:
    """Give MB a second, by least squares."""
    if len(samples) < 2:
        return 0.0
    at = sum(sample.at for sample in samples) / len(samples)
    mean = sum(sample.memory for sample in samples) / len(samples)
    spread = sum((sample.at - at) ** 2 for sample in samples)
    return sum((sample.at - at) * (sample.memory - mean) for sample in samples) / spread


def _seconds(text: str) -> float:
    number, unit = (text[:-1], text[-1:]) if text[-1:] in _UNITS_OF_TIME else (text, "s")
    return float(number) * _UNITS_OF_TIME[unit]


def main(report: Callable[[str], None] = print) -> int:
    """Soak as long as asked; 1 when a figure misses its target."""
    parser = argparse.ArgumentParser(prog="./run soak")
    parser.add_argument("--for", dest="seconds", type=_seconds, default=7200.0, help="90s, 10m, 2h (2h)")
    figures = asyncio.run(soak(parser.parse_args().seconds))
    for figure in figures:
        report(str(figure))
    return 0 if all(figure.reached for figure in figures) else 1


if __name__ == "__main__":
    raise SystemExit(main())
