"""What meters say, judged: silence, keys, other meters, energy that flows backwards."""

from typing import cast

import pytest

from drivers.contract import DecodeError, Driver, Keys, NoAnswer, Refused
from drivers.p1.sealed import SAID, unseal
from gateway.doctor.bus import (
    KEY_REASONS,
    BusSeen,
    MeterSeen,
    judge_counters,
    judge_meters,
    read_all,
    same_serial,
    told_of,
)  # fmt: skip

ROW = {"name": "b", "connected": True, "rejected": {}, "meters": []}


def codes(meter: MeterSeen, **rejected: int) -> list[str]:
    """Judge one meter."""
    return [one.code for one in judge_meters(BusSeen("b", rejected=rejected, meters=[meter]), {}, {"m": "1234567"})]


@pytest.mark.parametrize(
    ("meter", "code"),
    [
        (MeterSeen("m", error="m: silence", kind=NoAnswer), "meter_silent"),
        (MeterSeen("m", error="m: no such register", kind=Refused), "meter_refuses"),
        (MeterSeen("m", error="m: the answer came broken", kind=DecodeError), "meter_silent"),
        (MeterSeen("m", error=f"m: {SAID['bad_tag']}", kind=DecodeError), "key_wrong"),
        (MeterSeen("m", read=1, serial="7654321"), "meter_swapped"),
        (MeterSeen("m", read=1, other_model="another"), "other_model"),
        (MeterSeen("m", read=1, values={"power_w": -900.0}), "direction_reversed"),
        (MeterSeen("m", read=1, values={"energy_import_wh": 0, "energy_export_wh": 5000}), "direction_reversed"),
    ],
)
def test_each_fault_of_a_meter_is_named_alone(meter: MeterSeen, code: str) -> None:
    """One fault, one code."""
    assert codes(meter) == [code]


@pytest.mark.parametrize(
    "meter",
    [
        MeterSeen("m", read=5, error="m: silence"),
        MeterSeen("m", read=1, serial="EMH 0001 2345 67"),
        MeterSeen("m", read=1, values={"power_w": -900.0, "energy_export_wh": 5000, "energy_import_wh": 9000}),
        MeterSeen("m", read=1, values={"power_w": -3.0, "energy_import_wh": 0}),
    ],
)
def test_what_is_well_is_left_in_peace(meter: MeterSeen) -> None:
    """One answer missed, its own number, panels that feed in, a converter's few watts."""
    assert codes(meter) == []


@pytest.mark.parametrize("reason", KEY_REASONS)
def test_counters_of_keys_tell_of_keys(reason: str) -> None:
    """A meter that is only silent to its reader was heard, and could not be opened."""
    assert codes(MeterSeen("m", error="m: nothing of this meter within 25 s"), **{reason: 3}) == ["key_wrong"]


def test_the_words_of_keys_are_those_of_the_drivers() -> None:
    """The errors that drivers really raise for a key that does not fit are taken for that."""
    from drivers.dlms.association import _WRONG_KEYS
    from drivers.wmbus.security import WrongKey

    for reason, words in SAID.items():
        assert reason in KEY_REASONS
        assert codes(MeterSeen("m", error=words)) == ["key_wrong"]
    with pytest.raises(DecodeError, match="no_key") as raised:
        unseal(b"\xdb\x08" + bytes(30), Keys())
    assert raised.value.what in KEY_REASONS
    assert codes(MeterSeen("m", error=str(WrongKey("the key does not open the frame", "whose is it?")))) == [
        "key_wrong"
    ]
    assert codes(MeterSeen("m", error=f"it refuses ({_WRONG_KEYS})")) == ["key_wrong"]


@pytest.mark.parametrize(
    ("read", "rejected", "code"),
    [
        (300, {"bad_crc": 40}, ["no_termination"]),
        (300, {"bad_crc": 3}, []),
        (0, {"bad_crc": 40}, []),
        (10, {"bad_crc": 1}, []),
        (300, {"unasked_bytes": 4000}, ["foreign_talk"]),
        (300, {"unasked_bytes": 40}, []),
    ],
)
def test_counters_tell_of_the_line(read: int, rejected: dict[str, int], code: list[str]) -> None:
    """Many broken answers beside good ones, many bytes that nobody asked for; a few happen everywhere."""
    assert [one.code for one in judge_counters(BusSeen("b", rejected=rejected, meters=[MeterSeen("m", read)]))] == code


async def test_a_meter_that_sends_seldom_is_not_called_silent() -> None:
    """A radio meter may be silent for longer than anybody stands before it; one that is asked may not."""
    from drivers.contract import Meter
    from drivers.profiles import load

    class Radio:
        turns = "pushed"

        async def connect(self) -> None: ...

        async def read(self, _meter: Meter) -> None:
            raise TimeoutError

        async def close(self) -> None: ...

        def counters(self) -> dict[str, int]:
            return {}

    meter, driver = Meter("m", load("wmbus-water")), Radio()
    (seen,) = (await read_all("b", cast("Driver", driver), [meter])).meters
    assert (seen.waited, seen.error) == (True, "")
    driver.turns = "asked"
    (seen,) = (await read_all("b", cast("Driver", driver), [meter])).meters
    assert (seen.waited, seen.error) == (False, "silence")


def test_a_running_programs_words_are_taken_as_ours() -> None:
    """A bus it does not know is None; one that is not connected says why; a meter set aside is not read."""
    meters = [{"id": "m", "read": 9, "set_aside": True, "error": "m: silence"}]
    assert told_of({}, "b") is None
    assert told_of({"buses": [ROW]}, "other") is None
    told = told_of({"buses": [ROW | {"connected": False, "meters": meters}]}, "b")
    assert told is not None
    assert (told.connected, told.fault, told.meters[0].read) == (False, "m: silence", 0)


@pytest.mark.parametrize(
    ("one", "other"), [("00123456", "123456"), ("emh 12-34", "1234"), ("1 NBD00 0000 0001", "00000001")]
)
def test_serial_numbers_are_compared_as_people_write_them(one: str, other: str) -> None:
    """Zeros in front, spaces, case and a maker's letters do not make another meter."""
    assert same_serial(one, other)
    assert not same_serial(one, f"{other[:-1]}9")
