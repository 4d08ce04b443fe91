"""Whole ports, searched in memory: what lives there is found, named, and never named wrongly with certainty."""

import itertools
import tomllib
from dataclasses import dataclass
from random import Random

import pytest

from drivers.link import Line
from drivers.mbus.scan import LINES as MBUS_LINES
from drivers.modbus.codec import Read, rtu_request
from drivers.modbus.scan import LINES, UNITS
from drivers.profiles import SHIPPED
from drivers.scan import Ask
from gateway.scan import plan
from gateway.scan.book import load_book
from simulator.mbus_server import MbusServer
from tests.support.scan_bus import (
    MEDIA,
    Bus,
    MbusBus,
    ModbusBus,
    Silence,
    Talker,
    drive,
    mbus_meter,
    modbus_profiles,
    served,
    stranger,
)

MODELS = modbus_profiles()
CODES = [((3, 0x8960), b"B23 "), ((4, 0x000B), b"\x00\x47\x00\x00"), ((4, 0x7000), b"none")]
"""Codes of models that we know, in a device that is none of them."""


@pytest.fixture(scope="module")
def book() -> plan.Book:
    """Give the models that are shipped."""
    return load_book()


@dataclass
class Town:
    """One simulated bus and what truly hangs on it: address to profile, None for what we cannot know."""

    bus: Bus
    truth: dict[int | str, str | None]


def modbus_town(dice: Random, line: Line | None = None, size: int | None = None) -> Town:
    """Make a line with meters of mixed models, sometimes with strangers, slow ones and noise."""
    units = dice.sample(UNITS, size or dice.randint(1, 12))
    truth: dict[int | str, str | None] = {
        unit: None if size is None and dice.random() < 0.15 else dice.choice(MODELS) for unit in units
    }
    meters = {
        unit: served(name, dice, unit) if name else stranger(dice, dict([dice.choice(CODES)]))
        for unit, name in truth.items()
        if isinstance(unit, int)
    }
    late = frozenset(unit for unit in meters if dice.random() < 0.1)
    noise = dice.choice((0.0, 0.0, 0.02, 0.1))
    return Town(ModbusBus(line or dice.choice(LINES[:4]), meters, late, noise, dice), truth)


def mbus_town(dice: Random) -> Town:
    """Make an M-Bus line with meters of any maker and number."""
    media = [dice.choice(list(MEDIA)) for _ in range(dice.randint(1, 8))]
    meters = [mbus_meter(dice, number, medium) for number, medium in enumerate(media)]
    truth: dict[int | str, str | None] = {f"{one.number}.{one.maker}": MEDIA[one.medium][0] for one in meters}
    return Town(MbusBus(dice.choice(MBUS_LINES), MbusServer(meters)), truth)


def check(seed: int, book: plan.Book) -> None:
    """Search the bus of a seed: no certain name is wrong, and what a quiet bus holds is found."""
    dice = Random(seed)
    town = mbus_town(dice) if seed % 5 == 4 else modbus_town(dice)
    result, _ = drive(plan.serial(book), town.bus)
    for found in result.found:
        assert found.address in town.truth
        if found.confidence == "sure":
            assert found.profile == town.truth[found.address], found
    if not isinstance(town.bus, ModbusBus) or (not town.bus.noise and not town.bus.late):
        assert {found.address for found in result.found} == set(town.truth)


@pytest.mark.parametrize("seed", range(12))
def test_no_certain_name_is_wrong(seed: int, book: plan.Book) -> None:
    """A dozen buses of mixed models, with strangers that show another model's code, slow meters and noise."""
    check(seed, book)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12, 200))
def test_no_certain_name_is_wrong_on_any_bus(seed: int, book: plan.Book) -> None:
    """The rest of two hundred."""
    check(seed, book)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_among_those_named(name: str, book: plan.Book) -> None:
    """Whatever a meter is, its model is the one named or among those that fit alike."""
    bus = ModbusBus(LINES[0], {7: served(name, Random(name), 7)})
    (found,) = drive(plan.serial(book), bus)[0].found
    assert name in (found.profile, *found.others)


def test_twelve_meters_are_found_within_a_minute(book: plan.Book) -> None:
    """A 9600 baud line with twelve models takes less than sixty seconds of line time."""
    dice = Random(1)
    bus = ModbusBus(LINES[0], {3 + 7 * n: served(name, dice, 3 + 7 * n) for n, name in enumerate(MODELS[::3][:12])})
    result, seconds = drive(plan.serial(book), bus)
    assert len(result.found) == 12
    assert seconds < 60


def test_only_reading_requests_are_sent_to_modbus_meters(book: plan.Book) -> None:
    """Functions 3 and 4, to one unit, nothing else."""
    town = modbus_town(Random(5), LINES[0], 6)
    assert isinstance(town.bus, ModbusBus)
    drive(plan.serial(book), town.bus)
    assert {request[1] for request in town.bus.asked if len(request) == 8} <= {3, 4}
    assert all(request[0] in UNITS for request in town.bus.asked)


def test_only_selecting_and_asking_reaches_mbus_meters(book: plan.Book) -> None:
    """No meter is told anything: resets of the link, selects by address, requests for data."""
    server = MbusServer([mbus_meter(Random(2), 1, 7), mbus_meter(Random(3), 2, 2)])
    drive(plan.serial(book), MbusBus(MBUS_LINES[0], server))
    assert server.heard
    assert [meter.told for meter in server.meters] == [[], []]
    assert {_kind(request) for request in server.heard} <= {"ping", "ask", "select"}


def _kind(request: bytes) -> str:
    if request[0] == 0x10:
        return {0x40: "ping", 0x5B: "ask"}.get(request[1] & ~0x20, "other")
    return "select" if (request[5], request[6]) == (253, 0x52) else "other"


def test_a_pushing_meter_is_recognised_and_never_asked(book: plan.Book) -> None:
    """An SML meter is found by listening; not one byte is sent to it."""
    table = tomllib.loads((SHIPPED / "sml.toml").read_text())
    telegram = bytes.fromhex(table["examples"][0]["telegram"])
    asked: list[bytes] = []

    class Meter(Talker):
        def answer(self, ask: Ask) -> bytes:
            asked.append(ask.request)
            return super().answer(ask)

    result, seconds = drive(plan.serial(book), Meter(Line(9600, 8, "N", 1), telegram))
    assert [(found.profile, found.confidence) for found in result.found] == [("sml", "sure")]
    assert set(asked) == {b""}
    assert seconds < 4


def test_a_fast_talker_is_found_at_its_speed(book: plan.Book) -> None:
    """What is rubbish at 9600 baud is a P1 telegram at 115200."""
    table = tomllib.loads((SHIPPED / "dsmr-p1.toml").read_text())
    telegram = table["examples"][0]["telegram"].replace("\r\n", "\n").replace("\n", "\r\n").encode()
    result, _ = drive(plan.serial(book), Talker(Line(115_200, 8, "N", 1), telegram))
    assert [(found.driver, found.line) for found in result.found] == [("p1", Line(115_200, 8, "N", 1))]


def test_another_reader_on_the_line_is_told(book: plan.Book) -> None:
    """Where somebody else asks, nothing is asked by us."""
    result, _ = drive(plan.serial(book), Talker(Line(9600, 8, "N", 1), rtu_request(3, Read(4, 0, 40)) * 4))
    assert not result.found
    assert "another reader" in result.notes[0]


def test_an_unknown_talker_is_left_alone(book: plan.Book) -> None:
    """Something that talks in no known way is told, and not asked."""
    result, _ = drive(plan.serial(book), Talker(Line(1200, 8, "N", 1), Random(4).randbytes(60)))
    assert not result.found
    assert "not asked" in result.notes[0]


def test_an_empty_port_is_searched_to_its_end(book: plan.Book) -> None:
    """Nobody there: nothing found, in less than two minutes; less than 40 s when it shall be quick."""
    result, seconds = drive(plan.serial(book), Silence())
    assert (result.found, result.notes) == ([], [])
    assert seconds < 120
    assert drive(plan.serial(book, thorough=False), Silence())[1] < 40


def test_an_odd_address_at_another_speed_is_found_in_the_end(book: plan.Book) -> None:
    """A single meter at 187, where nobody knocks, at 19200 8N1."""
    bus = ModbusBus(LINES[3], {187: served("abb-b23", Random(6), 187)})
    (found,) = drive(plan.serial(book), bus)[0].found
    assert (found.address, found.profile, found.confidence, found.line) == (187, "abb-b23", "sure", LINES[3])


def test_time_left_shrinks_to_nothing(book: plan.Book) -> None:
    """What is said of the time left falls, but for what is found on the way."""
    lefts: list[float] = []

    class Watch(Silence):
        def answer(self, ask: Ask) -> bytes:
            lefts.append(ask.left)
            return super().answer(ask)

    drive(plan.serial(book), Watch())
    assert 60 < lefts[0] < 130
    assert lefts[-1] <= 12
    assert all(after <= before + 12 for before, after in itertools.pairwise(lefts))
