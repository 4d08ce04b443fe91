"""A day of alerts through the real journal and engine, with restarts and outages: each once, none from flags (M13)."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from gateway.alerts.alerting import Alerting
from gateway.alerts.engine import Engine
from gateway.alerts.event import AlertEvent, parse
from gateway.alerts.rules.overload import Overload
from gateway.alerts.rules.silence import Silence
from gateway.check import Limits
from gateway.journal import Journal
from gateway.message import SUSPECT, decode_block

START = 1_795_219_200_000
POLL = 10_000
POLLS = 24 * 360
LIMITS = Limits(63.0)
NO_VALUE = 4_294_967_295.0
DWELL_MS, COOLDOWN_MS = 60_000, 3_600_000


@dataclass(frozen=True)
class Episode:
    """Some polls with more current than the fuse carries; of a doubtful one the register shows no value meanwhile."""

    first: int
    polls: int
    doubtful: bool

    def holds(self, poll: int) -> bool:
        """Whether a poll is within."""
        return self.first <= poll < self.first + self.polls


def script(dice: Random) -> list[Episode]:
    """Plan an episode each 90 minutes, longer than the dwell, every third one doubtful."""
    return [Episode(540 * n + dice.randrange(60, 120), dice.randrange(12, 40), n % 3 == 2) for n in range(16)]


def readings(episodes: list[Episode], dice: Random) -> Iterator[dict[str, float]]:
    """Give a day of readings."""
    energy = 5000.0
    for poll in range(POLLS):
        now = next((one for one in episodes if one.holds(poll)), None)
        amps = dice.uniform(66, 75) if now else dice.uniform(2, 40)
        energy += amps * 230 * POLL / 3_600_000
        shown = NO_VALUE if now and now.doubtful else round(energy, 1)
        yield {"current_l1_a": round(amps, 2), "energy_import_wh": shown}


class Site:
    """A gateway that is switched off and on, and whoever takes its blocks when the line is there."""

    def __init__(self, folder: Path) -> None:
        """Begin at the first poll."""
        self.folder, self.now, self.taken = folder, START, -1
        self.arrived: list[AlertEvent] = []
        self.flagged: set[int] = set()

    async def start(self) -> None:
        """Open journal and alerting."""
        self.journal = await Journal.open(
            self.folder, gw="gw-1", mirror=None, wall=lambda: self.now, clock_state=lambda: "synced", boot="b"
        )
        engine = Engine({"m": [Silence(), Overload(63.0)]})
        self.alerting = await Alerting.open(engine, self.journal, lambda: self.now, {"m": LIMITS})

    async def stop(self, *, orderly: bool) -> None:
        """Close; a disorderly end leaves states as they were last written, so the next start hears blocks again."""
        if orderly:
            self.alerting.keep()
        await self.journal.close()

    def poll(self, values: dict[str, float]) -> None:
        """Take one reading the way the intake does."""
        self.now += POLL
        q, intervals = self.alerting.checker.judge("m", self.now, values, (), LIMITS)
        if q & SUSPECT:
            self.flagged.add(self.now)
        self.journal.add("m", self.now, 0, q, values)
        self.alerting.hear("m", self.now, q, values, intervals)
        self.alerting.look()

    async def online(self) -> None:
        """Let the other end take what is new."""
        await self.journal.flush()
        async for number, payload in self.journal.after(self.taken):
            self.taken = number
            self.arrived += [parse(event) for event in decode_block(payload).events]


async def a_day(folder: Path, seed: int) -> tuple[Site, list[Episode]]:
    """Live through 24 hours with twenty restarts and five outages of the line."""
    dice = Random(seed)
    episodes = script(dice)
    restarts = set(dice.sample(range(1, POLLS), 16)) | {one.first + 3 for one in episodes[:4]}
    outages = [range(at, at + dice.randrange(60, 400)) for at in dice.sample(range(0, POLLS, 800), 5)]
    site = Site(folder)
    await site.start()
    for poll, values in enumerate(readings(episodes, dice)):
        if poll in restarts:
            await site.stop(orderly=poll % 2 == 0)
            await site.start()
        site.poll(values)
        if poll % 60 == 0 and not any(poll in outage for outage in outages):
            await site.online()
        if poll % 90 == 89:
            site.alerting.keep()
    await site.online()
    await site.stop(orderly=True)
    assert len(restarts) == 20
    return site, episodes


def test_m13_each_alert_once_and_none_from_flagged_readings(tmp_path: Path) -> None:
    """Every sound overload is raised once, within two polls of its dwell, and cleared once; doubtful ones never."""
    site, episodes = asyncio.run(a_day(tmp_path, 13))
    assert len({event.key for event in site.arrived}) == len(site.arrived)
    raised = [event for event in site.arrived if event.state == "raised"]
    sound = [one for one in episodes if not one.doubtful]
    assert {event.rule for event in raised} == {"overload"}
    assert len(raised) == len(sound) == 11
    for event, one in zip(raised, sound, strict=True):
        fulfilled = START + (one.first + 1) * POLL + DWELL_MS
        assert 0 <= event.at - fulfilled <= 2 * POLL
        assert event.at not in site.flagged
    ends = [event.id for event in site.arrived if event.state == "cleared"]
    assert sorted(ends) == sorted(event.id for event in raised)
    assert len(site.flagged) == sum(one.polls for one in episodes if one.doubtful)
