"""A meter's sheet: what is known of one of its days. Judging again gives a new version; the old one stays (E2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.check.slots import RANK, Slot
from gateway.check.words import Remark


@dataclass(frozen=True, slots=True)
class Track:
    """One main register's day: its slots, and for how long (ms, up to the day's end) a state has lasted."""

    slots: tuple[Slot, ...]
    zero_ms: int = 0
    flowing_ms: int = 0
    estimated_ms: int = 0


@dataclass(frozen=True, slots=True)
class Sheet:
    """One meter on the local day from `start` to `end` (UTC ms).

    `totals` holds every register's use, None where unknown. `state` is what the next day's check goes on from.
    """

    meter: str
    start: int
    end: int
    tracks: Mapping[str, Track] = field(default_factory=dict)
    totals: Mapping[str, float | None] = field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()
    state: Mapping[str, Any] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every slot was measured, so that no late reading can tell more."""
        return bool(self.tracks) and all(
            RANK[slot.grade] > RANK["estimated"] for track in self.tracks.values() for slot in track.slots
        )

    @property
    def usual(self) -> bool:
        """Whether the day may stand for others: the same meter all day (V15), and nothing out of the way (V10).

        A home whose habits change is not flagged for ever: with two days of three left out, nobody compares.
        """
        return all(remark.flag not in ("idchg", "hilo") for remark in self.remarks)


def newer(old: Sheet, new: Sheet) -> Sheet:
    """Join two versions of a day: a slot takes the newer amount unless that is known less well (E2)."""
    tracks = {
        key: replace(track, slots=_newer(old.tracks[key].slots, track.slots)) if key in old.tracks else track
        for key, track in new.tracks.items()
    }
    return replace(new, tracks=tracks)


def _newer(old: Sequence[Slot], new: Sequence[Slot]) -> tuple[Slot, ...]:
    if [slot.start for slot in old] != [slot.start for slot in new]:
        return tuple(new)
    return tuple(b if RANK[b.grade] >= RANK[a.grade] else a for a, b in zip(old, new, strict=True))


def plain(sheet: Sheet) -> dict[str, Any]:
    """Give a sheet as JSON can hold it; `from_plain` takes it back."""
    tracks = {
        key: {"slots": [list(slot) for slot in track.slots],
              "runs": [track.zero_ms, track.flowing_ms, track.estimated_ms]}
        for key, track in sheet.tracks.items()
    }  # fmt: skip
    remarks = [list(remark[1:]) for remark in sheet.remarks]
    return {"v": 1, "end": sheet.end, "tracks": tracks, "totals": dict(sheet.totals), "remarks": remarks,
            "state": sheet.state}  # fmt: skip


def from_plain(meter: str, start: int, body: Mapping[str, Any]) -> Sheet:
    """Read a sheet of our own database."""
    tracks = {
        key: Track(tuple(Slot(*slot) for slot in track["slots"]), *track["runs"])
        for key, track in body["tracks"].items()
    }
    remarks = tuple(Remark(meter, *remark) for remark in body["remarks"])
    return Sheet(meter, start, body["end"], tracks, body["totals"], remarks, body["state"])
