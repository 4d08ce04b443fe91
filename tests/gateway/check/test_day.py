"""A day judged whole: what the corpus does not plant, and what a sheet keeps."""

import copy
import json
from zoneinfo import ZoneInfo

from gateway.check import Limits
from gateway.check.day import Facts, Said, judge_day
from gateway.check.identity import Identity, identity_of
from gateway.check.sheet import Sheet, from_plain, newer, plain
from gateway.check.slots import days_before, edges_of
from gateway.message import MeterInfo

UTC = ZoneInfo("UTC")
DAY = 1_767_225_600_000
QUARTER = 900_000
KEY = "energy_import_wh"
FACTS = Facts("m", QUARTER, Limits(63.0))


def readings(day: int = DAY, first: float = 1000.0, rise: float = 100.0, count: int = 101) -> list[Said]:
    """Read a register each quarter of an hour, past midnight."""
    return [Said(day + n * QUARTER, {KEY: first + n * rise}) for n in range(count)]


def flags(sheet: Sheet) -> set[str]:
    """Give the words of a sheet."""
    return {remark.flag for remark in sheet.remarks}


def weeks_of(rise: float) -> list[Sheet]:
    """Judge the same weekday of three weeks."""
    days = [days_before(DAY, UTC, n) for n in (7, 14, 21)]
    return [judge_day(FACTS, edges_of(day, UTC), readings(day, rise=rise)) for day in days]


def test_a_sound_day_says_nothing() -> None:
    """Ninety-six slots, the register's own sum, no remark."""
    sheet = judge_day(FACTS, edges_of(DAY, UTC), readings())
    assert sheet.remarks == ()
    assert sheet.totals == {KEY: 9600}
    assert {slot.amount for slot in sheet.tracks[KEY].slots} == {100}
    assert sheet.complete


def test_m8_judging_changes_no_reading() -> None:
    """A glitch, a gap and a reset later the readings are what they were."""
    said = readings()
    said[20] = Said(said[20].ts, {KEY: 0.0})
    del said[40:44]
    said[60:] = [Said(one.ts, {KEY: float(one.values[KEY]) - 6000}) for one in said[60:]]
    before = copy.deepcopy(said)
    assert flags(judge_day(FACTS, edges_of(DAY, UTC), said)) >= {"neg", "glitch", "gap", "reset"}
    assert said == before


def test_e2_late_readings_make_a_new_version() -> None:
    """What was estimated becomes actual, and never the other way round."""
    late = readings()
    early = late[:40] + late[43:]
    edges = edges_of(DAY, UTC)
    first, second = judge_day(FACTS, edges, early), judge_day(FACTS, edges, late)
    assert not first.complete
    assert {slot.grade for slot in first.tracks[KEY].slots[39:43]} == {"estimated"}
    assert newer(first, second) == second
    assert newer(second, first).tracks[KEY].slots == second.tracks[KEY].slots


def test_e1_a_gap_is_filled_like_other_weeks_and_adds_up() -> None:
    """Five hours without a reading, and still the sum of the slots is the register's."""
    said = readings()
    sheet = judge_day(FACTS, edges_of(DAY, UTC), said[:40] + said[60:], None, weeks_of(120))
    slots = sheet.tracks[KEY].slots
    assert flags(sheet) == {"gap"}
    assert {slot.grade for slot in slots[39:59]} == {"estimated"}
    assert round(sum(slot.amount or 0 for slot in slots), 3) == 9600


def test_a_day_goes_on_from_the_one_before() -> None:
    """The interval over midnight, a glitch that began yesterday, and the count of hours without use."""
    first = judge_day(FACTS, edges_of(DAY, UTC), readings())
    kept = from_plain("m", DAY, json.loads(json.dumps(plain(first))))
    assert kept == first
    tomorrow = days_before(DAY, UTC, -1)
    said = readings(tomorrow + 60_000, 10_600 + 100 / 15)
    assert judge_day(FACTS, edges_of(tomorrow, UTC), said, kept).totals[KEY] == 9600


def test_v12_a_day_without_use_where_there_used_to_be_some() -> None:
    """Only then: an empty flat has always been at zero."""
    edges, still = edges_of(DAY, UTC), readings(rise=0)
    assert flags(judge_day(FACTS, edges, still, None, weeks_of(100))) == {"zero", "hilo"}
    assert flags(judge_day(FACTS, edges, still, None, weeks_of(0))) == set()


def test_v10_days_out_of_the_way_are_no_measure() -> None:
    """A week flagged itself is left out; with two of three left out nobody compares."""
    weeks = weeks_of(100)
    odd = judge_day(FACTS, edges_of(weeks[0].start, UTC), readings(weeks[0].start, rise=400), None, weeks_of(100))
    assert flags(odd) == {"hilo"}
    judged = [judge_day(FACTS, edges_of(DAY, UTC), readings(rise=45), None, [*weeks[:left], *[odd] * (3 - left)])
              for left in (2, 1)]  # fmt: skip
    assert [flags(sheet) for sheet in judged] == [{"hilo"}, set()]


def test_v15_another_meter_is_told() -> None:
    """Another model, another unit, another serial number, or values nobody announced."""
    was = Identity("a", {KEY: "Wh"}, "1")
    others = [Identity("b", {KEY: "Wh"}, "1"), Identity("a", {KEY: "kWh"}, "1"), Identity("a", {KEY: "Wh"}, "2")]
    for now in others:
        sheet = judge_day(Facts("m", QUARTER, Limits(63), was, now), edges_of(DAY, UTC), readings())
        assert flags(sheet) == {"idchg"}
        assert not sheet.usual
    assert flags(judge_day(Facts("m", QUARTER, Limits(63), was, was), edges_of(DAY, UTC), readings())) == set()
    more = [Said(one.ts, {**one.values, "power_w": 300 + n}) for n, one in enumerate(readings())]
    assert flags(judge_day(Facts("m", QUARTER, Limits(63), was, was), edges_of(DAY, UTC), more)) == {"idchg"}


def test_v15_identity_is_read_from_the_birth_document() -> None:
    """Model and units, as the gateway announces them."""
    info = MeterInfo(id="m", name="m", commodity="electricity", model="a", every=10, quantities={KEY: {"unit": "Wh"}})
    assert identity_of(info) == Identity("a", {KEY: "Wh"})


def test_v16_export_where_nothing_can_feed_in() -> None:
    """Only where the site is said to have no source of its own."""
    said = [Said(one.ts, {**one.values, "energy_export_wh": n}) for n, one in enumerate(readings())]
    for load_only, words in ((False, set[str]()), (True, {"relat"})):
        facts = Facts("m", QUARTER, Limits(63), load_only=load_only)
        assert flags(judge_day(facts, edges_of(DAY, UTC), said)) == words


def test_values_that_are_no_numbers_are_left_out() -> None:
    """A store keeps long decimals as strings; what is none is flagged and the rest judged."""
    said = [Said(one.ts, {KEY: str(one.values[KEY])}) for one in readings()]
    said[10] = Said(said[10].ts, {KEY: "NaN"})
    sheet = judge_day(FACTS, edges_of(DAY, UTC), said)
    assert flags(sheet) == {"na", "gap"}
    assert sheet.totals[KEY] == 9600
