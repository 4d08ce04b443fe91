"""Checks: how many of the corpus' planted faults are found, rule by rule, and how often something sound is flagged.

1. Each meter's readings go, in the order they arrive, through the edge's check, and day by day, as a store gives them,
   through the hub's.
2. A fault is found when a remark with its word touches it. A quarter of an hour is flagged falsely when a remark
   touches it and no fault does; of a remark about a whole day all its quarters count.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from benchmarks.rig import Figure
from gateway.check import Checker, Limits, Remark
from gateway.check.day import Facts, judge_day
from gateway.check.day import Said as Stored
from gateway.check.identity import Identity
from gateway.check.slots import edges_of
from gateway.message import METER_FLAG
from simulator.corpus import PER_DAY, STEP, Label, Tape
from simulator.corpus_faults import corpus

if TYPE_CHECKING:
    from gateway.check.sheet import Sheet

HARD = ("dup", "gap", "late", "neg", "roll", "reset", "glitch", "imposs", "na", "idchg")
"""V1 to V7, V9, V14, V15: nobody needs to guess there."""
HARD_SHARE, SOFT_SHARE, FALSE_SHARE = 0.99, 0.90, 0.001
STEP_MS = 1000 * STEP
DAY_MS = 86_400_000
UTC = ZoneInfo("UTC")
WEEKS = (7, 14, 21)


@dataclass
class Score:
    """What was found: by kind planted and found, the places found falsely by word, and how many places were sound."""

    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    missed: list[Label] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)
    wrong_places: list[tuple[str, str, int, int]] = field(default_factory=list)
    flagged: int = 0
    clean: int = 0

    def recall(self, kind: str) -> float:
        """Give the share that was found of a kind."""
        return self.found[kind] / self.planted[kind]

    @property
    def false_share(self) -> float:
        """Give the share of sound quarters of an hour that were flagged."""
        return self.flagged / self.clean


def full() -> list[Figure]:
    """Check a month of two hundred meters with a thousand faults."""
    return figures(run(200, 30, 1000))


def quick() -> list[Figure]:
    """Check some days of some meters."""
    return figures(run(20, 3, 40))


def figures(score: Score) -> list[Figure]:
    """Set each rule's recall beside its target, and what was flagged falsely."""
    rows = []
    for kind in sorted(score.planted):
        target = HARD_SHARE if kind in HARD else SOFT_SHARE
        measured = f"{score.found[kind]} of {score.planted[kind]}"
        rows.append(Figure(f"found: {kind}", measured, f">= {target:.0%}", score.recall(kind) >= target))
    measured = f"{score.false_share:.4%} of {score.clean} sound quarters"
    rows.append(Figure("flagged falsely", measured, f"<= {FALSE_SHARE:.1%}", score.false_share <= FALSE_SHARE))
    return rows


def run(meters: int, days: int, faults: int, seed: int = 1) -> Score:
    """Record a corpus, check it, and compare."""
    tapes, labels = corpus(meters, days, faults, seed)
    score = Score()
    for meter in tapes:
        remarks = [*_at_edge(meter), *_at_hub(meter)]
        _compare(meter, [label for label in labels if label.meter == meter.meter], remarks, score)
    return score


def _limits(meter: Tape) -> Limits:
    return Limits(63.0, modulus={meter.main: meter.modulus} if meter.modulus else {})


def _at_edge(meter: Tape) -> list[tuple[str, int, int]]:
    told: list[Remark] = []
    checker, limits = Checker(tell=told.append), _limits(meter)
    found: list[tuple[str, int, int]] = []
    for said in meter.said():
        q, _ = checker.judge(meter.meter, said.ts, said.values, said.status, limits)
        if q & METER_FLAG:
            found.append(("status", said.ts, said.ts))
    return found + [(remark.flag, remark.start, remark.end) for remark in told]


def _at_hub(meter: Tape) -> list[tuple[str, int, int]]:
    readings = sorted({said.ts: Stored(said.ts, said.values) for said in meter.said()}.values())
    units = meter.units
    was, other = Identity("a model", units), Identity("another model", units)
    sheets: dict[int, Sheet] = {}
    before = None
    at = 0
    for midnight in range(meter.midnight(-meter.first), meter.midnight(meter.days), DAY_MS):
        day = (midnight - meter.midnight(0)) // DAY_MS
        edges = edges_of(midnight, UTC, STEP_MS)
        facts = Facts(meter.meter, STEP_MS, _limits(meter), was, other if day in meter.other_model else was)
        after = midnight + DAY_MS + 5 * STEP_MS
        part = [said for said in readings[at : at + 2 * PER_DAY] if said.ts < after]
        while at < len(readings) and readings[at].ts < midnight + DAY_MS:
            at += 1
        weeks = [sheets[midnight - n * DAY_MS] for n in WEEKS if midnight - n * DAY_MS in sheets]
        before = sheets[midnight] = judge_day(facts, edges, part, before, weeks)
    return [(remark.flag, remark.start, remark.end) for sheet in sheets.values() for remark in sheet.remarks]


def _compare(meter: Tape, labels: Sequence[Label], remarks: Iterable[tuple[str, int, int]], score: Score) -> None:
    begin = meter.midnight(0)
    places = meter.days * PER_DAY
    sound = [True] * places
    for label in labels:
        score.planted[label.kind] += 1
        if any(flag == label.kind and start <= label.end and end >= label.start for flag, start, end in remarks):
            score.found[label.kind] += 1
        else:
            score.missed.append(label)
        _mark(sound, begin, label.start - STEP_MS, label.end + STEP_MS)
    flagged = [False] * places
    for flag, start, end in remarks:
        touched = [False] * places
        _mark(touched, begin, start, max(start, end - 1), mark=True)
        if any(touched) and not any(hit and not clean for hit, clean in zip(touched, sound, strict=True)):
            score.wrong[flag] += 1
            score.wrong_places.append((meter.meter, flag, start, end))
            flagged = [a or b for a, b in zip(flagged, touched, strict=True)]
    score.clean += sum(sound)
    score.flagged += sum(a and b for a, b in zip(flagged, sound, strict=True))


def _mark(places: list[bool], begin: int, start: int, end: int, *, mark: bool = False) -> None:
    first, last = max(0, (start - begin) // STEP_MS), min(len(places) - 1, (end - begin) // STEP_MS)
    for place in range(first, last + 1):
        places[place] = mark
