"""Homes from a seed: the same again, each by itself, and true to what their labels say."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from simulator.year import Home, Label, YearError, homes

Few = Callable[..., list[Home]]


def readings(home: Home, meter: object, key: str | None = None) -> dict[int, int]:
    """Give what a meter's first register showed, by unix second."""
    register = next(r for r in home.registers if r.meter == meter and key in (None, r.key))
    return dict(zip(register.times, register.values, strict=True))


def labelled(all_homes: list[Home], kind: str) -> Iterator[tuple[Home, Label]]:
    """Give every label of a kind, with its home; there must be one."""
    found = [(home, label) for home in all_homes for label in home.labels if label.kind == kind]
    assert found, f"no {kind} among these homes"
    yield from found


@pytest.fixture(scope="module")
def many(few: Few) -> list[Home]:
    """Give homes in which everything happens at least once."""
    return few(12, 80)


def test_the_same_seed_gives_the_same_homes(few: Few) -> None:
    """All of a home is equal, and another seed gives another home."""
    assert list(homes(7, 2, 14)) == few()
    assert next(homes(8, 1, 14)) != few()[0]


def test_a_home_does_not_depend_on_how_many_there_are(few: Few) -> None:
    """The first of two is the only one of one."""
    assert list(homes(7, 1, 14)) == few()[:1]


def test_reading_more_often_changes_no_register(few: Few) -> None:
    """At each full hour a meter that is read every quarter-hour shows what one read every hour shows."""
    quarters, hours = few(4), few(4, step=3600)
    calm = [(a, b) for a, b in zip(quarters, hours, strict=True) if a.name == "h0004"]
    for often, seldom in calm:
        for few_values, many_values in zip(seldom.registers, often.registers, strict=True):
            seen = dict(zip(many_values.times, many_values.values, strict=True))
            assert [seen[moment] for moment in few_values.times] == few_values.values


def test_every_fourth_home_is_calm(few: Few) -> None:
    """Its registers only rise, at every step, and its labels ask for no alert."""
    home = few(4)[3]
    assert {label.kind for label in home.labels} <= {"vacation", "guests", "irrigation", "ramadan"}
    for register in home.registers:
        assert {after - before for before, after in pairwise(register.times)} == {900}
        assert all(before <= after for before, after in pairwise(register.values))
    assert home.panel == []


def test_every_kind_of_mishap_happens(many: list[Home]) -> None:
    """A dozen homes in eighty days see all there is."""
    assert {label.kind for home in many for label in home.labels} == {
        "leak", "running_toilet", "burst", "left_on", "gas_leak", "high_use", "base_up", "overload", "bypass", "sag",
        "swell", "outage", "stuck", "offline", "catch_up", "register_reset", "replacement", "reverse", "duplicates",
        "clock_drift", "vacation", "guests", "irrigation", "ramadan",
    }  # fmt: skip


def test_gaps_are_where_the_labels_say_and_nowhere_else(many: list[Home]) -> None:
    """More than two steps without a reading are an offline meter, an outage or a replacement."""
    for home in many:
        for register in home.registers:
            spans = [
                (label.start, label.end)
                for label in home.labels
                if label.kind in {"offline", "outage", "replacement"} and label.params["meter"] == register.meter
            ]
            for before, after in pairwise(register.times):
                if after - before > 1_800:
                    assert any(before <= start and end <= after for start, end in spans), register.meter


def test_registers_fall_only_where_a_label_says_so(many: list[Home]) -> None:
    """A reset, another meter; a register run backwards, but never that of export."""
    for home in many:
        for register in home.registers:
            falls = [
                after
                for (before, one), (after, other) in pairwise(zip(register.times, register.values, strict=True))
                if other < one and after > before
            ]
            kinds = {"register_reset", "replacement"} | ({"reverse"} if register.key != "energy_export_wh" else set())
            spans = [label for label in home.labels if label.kind in kinds and label.params["meter"] == register.meter]
            assert all(any(-1 <= fall - label.end <= 900 for label in spans) for fall in falls), register.meter


def test_a_leak_never_lets_the_register_stand(many: list[Home]) -> None:
    """Within a leak as much as its rate goes through at least, in every six hours."""
    for home, label in labelled(many, "leak"):
        values = readings(home, label.params["meter"])
        inside = [moment for moment in values if label.start <= moment <= label.end]
        for begin, end in pairwise(inside[::24]):
            hours = (end - begin) / 3600
            assert values[end] - values[begin] >= int(float(str(label.params["lph"])) * hours), label


def test_nothing_flows_while_a_family_is_away_but_the_garden_and_leaks(many: list[Home]) -> None:
    """On a vacation a register of water stands, where neither sprinklers nor a leak are."""
    dry = 0
    for home, label in labelled(many, "vacation"):
        values = readings(home, f"{home.name}-water")
        inside = [value for moment, value in values.items() if label.start <= moment <= label.end]
        leaks = any(
            other.kind == "leak" and other.start < label.end and label.start < other.end for other in home.labels
        )
        if home.family.sprinklers is None and not leaks:
            assert len(set(inside)) == 1
            dry += 1
    assert dry


def test_away_marks_follow_the_vacations_that_were_told(many: list[Home]) -> None:
    """One away_on for each meter where the label says away=1, none elsewhere."""
    for home in many:
        told = [label for label in home.labels if label.kind == "vacation" and label.params["away"]]
        assert {mark.time for mark in home.marks if mark.word == "away_on"} == {label.start for label in told}
        assert sum(mark.word == "away_on" for mark in home.marks) == 3 * len(told)


def test_the_panel_shows_overload_sag_and_swell_and_else_a_healthy_grid(many: list[Home]) -> None:
    """Currents above the fuse and voltages out of the band are within their labels, and each label shows one."""
    for home in (home for home in many if home.panel):
        rating = home.family.rating
        odd = {"overload": [], "sag": [], "swell": []}  # type: dict[str, list[int]]
        for row in home.panel:
            if row.key == "current_l1_a" and row.value > rating:
                odd["overload"].append(row.ts // 1000)
            if row.key == "voltage_l1_v" and not 0.9 * 230 <= row.value <= 1.1 * 230:
                odd["sag" if row.value < 230 else "swell"].append(row.ts // 1000)
        for kind, moments in odd.items():
            label = next(label for label in home.labels if label.kind == kind)
            assert label.params["meter"] == f"{home.name}-panel"
            assert moments == list(range(label.start + 60, label.end + 1, 60)), kind


def test_a_bypass_leaves_a_flag(many: list[Home]) -> None:
    """The meter says that it was opened, when it was."""
    for home, label in labelled(many, "bypass"):
        assert (label.start, label.params["meter"], "tamper") in home.flags


def test_only_roofs_with_panels_give_energy(many: list[Home]) -> None:
    """A register of export for those, of which something came, and none for others."""
    for home in many:
        exports = [register for register in home.registers if register.key == "energy_export_wh"]
        assert bool(exports) == (home.family.solar > 0)
        assert all(max(register.values) > min(register.values) for register in exports)


def test_rows_are_in_order_and_hold_every_reading(few: Few) -> None:
    """As a replay takes them: UTC ms, key and value."""
    for home in few():
        rows = home.rows()
        assert [row.ts for row in rows] == sorted(row.ts for row in rows)
        assert len(rows) == sum(len(register.times) for register in home.registers)


@pytest.mark.parametrize(
    ("count", "days", "step", "zone"),
    [(0, 14, 900, "UTC"), (1, 0, 900, "UTC"), (1, 14, 7 * 60, "UTC"), (1, 14, 30, "UTC"), (1, 14, 900, "Mars/Base")],
)
def test_what_cannot_be_simulated_is_refused(count: int, days: int, step: int, zone: str) -> None:
    """Before the first home, with a reason."""
    with pytest.raises(YearError):
        homes(7, count, days, step, zone=zone)
