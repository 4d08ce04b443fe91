"""Tests of drivers/iec62056/codec.py: captures, hostile bytes, flipped bits, and the simulator's own encoder."""

import json
import time
import tracemalloc
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.iec62056.codec import LIMIT, Decoder, Reader, by_address
from drivers.iec62056.messages import (
    Bcc,
    Block,
    Command,
    Damaged,
    DataSet,
    Identification,
    Message,
    ReadOut,
    Signal,
    check_character,
    command,
)  # fmt: skip
from drivers.iec62056.parity import with_parity, without_parity
from simulator.iec62056_server import Model, bcc, list_of

CAPTURES = (
    "scs_siemens_td3511", "smartmeter-obis_SerialRequestResponseD0-20", "smartmeter-obis_SerialRequestResponseD0End",
    "smartmeter-obis_SerialRequestResponseD0ModeE", "smartmeter-obis_SerialRequestResponseD0WithAck",
    "smartmeter-obis_SerialResponseD0DSMR", "smartmeter-obis_SerialResponseD0ModeD", "vzlogger_ACE3000_basic",
    "vzlogger_HagerEHZ_waitsync", "vzlogger_basic_dump_fd_autoack",
)  # fmt: skip
BCC_OF: dict[bool | None, Bcc] = {True: "required", False: "ignored", None: "absent"}

LISTS = ({"1.8.0": "012345.678*kWh", "F.F": "00000000"}, {"1-0:16.7.0*255": "-000.250*kW", "0.9.1": "21:10:29"})
MODELS = (Model(), Model(speed="A", maker="Nbd", type="\\2TYPE-1"))


def telegram(values: dict[str, str], model: Model = MODELS[0]) -> bytes:
    """Have the simulator's own encoder write a list."""
    return (model.identification + "\r\n" + list_of(model, values)).encode("latin-1")


def sets_of(read_out: ReadOut) -> list[list[str | None]]:
    """Write data sets as index.json does."""
    return [[entry.address, entry.value, entry.unit] for entry in read_out.block.sets]


@pytest.fixture(params=CAPTURES)
def capture(request: pytest.FixtureRequest, captures: Path) -> tuple[bytes, dict[str, object]]:
    """Give a captured stream and what it means."""
    folder = captures / "iec62056-21"
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))["entries"]
    assert {Path(entry["file"]).stem for entry in index} == set(CAPTURES)
    name = f"{request.param}.bin"
    return (folder / name).read_bytes(), next(entry["expected"] for entry in index if entry["file"] == name)


def test_captures_give_every_value_and_unit(capture: tuple[bytes, dict[str, object]]) -> None:
    """Each captured list decodes to each expected data set, under the check that it carries."""
    data, expected = capture
    right = expected["bcc_ok"]
    assert right in (True, False, None)
    found = Decoder(BCC_OF[right]).feed(data)
    said = found[-1].identification
    assert [said.maker, said.speed, said.type] == [expected[k] for k in ("manufacturer", "baud_char", "identification")]
    assert sets_of(found[-1]) == expected["data_sets"]
    assert {True: "right", False: "wrong", None: "absent"}[right] == found[-1].block.check


def test_captures_without_a_right_check_are_refused(capture: tuple[bytes, dict[str, object]]) -> None:
    """Unless told otherwise, only the list with a right check character is taken."""
    data, expected = capture
    assert bool(Decoder().feed(data)) is (expected["bcc_ok"] is True)


def test_captures_byte_by_byte(capture: tuple[bytes, dict[str, object]]) -> None:
    """However a stream is cut, it says the same."""
    data, expected = capture
    mode = BCC_OF[expected["bcc_ok"]]  # type: ignore[index]
    decoder = Decoder(mode)
    single = [found for byte in data for found in decoder.feed(bytes((byte,)))]
    assert single == Decoder(mode).feed(data)


@pytest.mark.parametrize("parity", [False, True])
def test_every_flipped_bit_is_refused(captures: Path, *, parity: bool) -> None:
    """No value differs after any single bit of a checked list has turned, with or without parity (Z6)."""
    real = (captures / "iec62056-21" / "scs_siemens_td3511.bin").read_bytes()
    for data in (real, *(telegram(values, model) for values in LISTS for model in MODELS)):
        sent = with_parity(data) if parity else data
        (right,) = Decoder().feed(data)
        for place in range(len(sent)):
            for bit in range(8):
                wire = sent[:place] + bytes((sent[place] ^ 1 << bit,)) + sent[place + 1 :]
                for found in Decoder().feed(without_parity(wire) if parity else wire):
                    assert found.block == right.block


# --- by hypothesis ---------------------------------------------------------------------------------------------------

CODES = st.sampled_from(["1.8.0", "F.F", "1-0:16.7.0*255", "1.8.1*01", "0.9.1", "C.1.0", "6.26", "P.01"])
TEXT = st.text("0123456789.-kWh: &", max_size=12)
VALUES = st.dictionaries(
    CODES, st.builds("{}{}".format, TEXT, st.sampled_from(["", "*kWh", "*V", "*m3/h"])), min_size=1
)
NOISE = st.binary(max_size=40)


@settings(max_examples=100, deadline=None)
@given(VALUES, st.sampled_from(MODELS))
def test_what_the_simulator_writes_comes_back(values: dict[str, str], model: Model) -> None:
    """Reading the simulator's own encoder's list gives its values, and writing them again its bytes (Z4)."""
    (found,) = Decoder().feed(telegram(values, model))
    again = {entry.address: entry.value + (f"*{entry.unit}" if entry.unit else "") for entry in found.block.sets}
    assert again == values
    assert found.identification == Identification(model.maker, model.speed, model.type)
    assert telegram(again, model) == telegram(values, model)


@pytest.mark.slow
def test_a_hundred_thousand_lists_come_back() -> None:
    """The same with dice instead of Hypothesis, which would take minutes for so many (Z4)."""
    dice = Random("iec62056-21")
    for _ in range(100_000):
        values = {
            f"{dice.randrange(100)}.{dice.randrange(10)}.{dice.randrange(10)}": f"{dice.random() * 10**6:010.3f}*kWh"
            for _ in range(dice.randrange(1, 6))
        }
        (found,) = Decoder().feed(telegram(values))
        assert {entry.address: f"{entry.value}*{entry.unit}" for entry in found.block.sets} == values


@settings(max_examples=100, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=3), NOISE, NOISE, st.data())
def test_any_split_and_noise_between(
    lists: list[dict[str, str]], before: bytes, between: bytes, data: st.DataObject
) -> None:
    """Every list is found behind any noise, in chunks of any size (Z3)."""
    # A noise of several printable words may itself name a meter; the lists behind it must be found all the same.
    stream = before + between.join(telegram(values) for values in lists)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    decoder = Decoder()
    found = [
        read_out
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for read_out in decoder.feed(stream[start:end])
    ]
    assert found == Decoder().feed(stream)
    assert [len(read_out.block.sets) for read_out in found] == [len(values) for values in lists]


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from(list(BCC_OF.values())),
    st.sampled_from(["identification", "data", "answers"]),
)
def test_no_bytes_raise(data: bytes, mode: Bcc, awaits: str) -> None:
    """Whatever comes, it is messages or counters."""
    reader = Reader(mode)
    reader.awaits = awaits  # type: ignore[assignment]
    reader.feed(data)


# --- single things ---------------------------------------------------------------------------------------------------


def test_modes_and_speeds() -> None:
    """The speed's character tells mode and speed, the third letter how fast it reacts."""
    assert [(said.mode, said.baud) for said in (Identification("NBD", char, "") for char in "05AF ")] == [
        ("C", 300), ("C", 9600), ("B", 600), ("B", 19200), ("A", None),
    ]  # fmt: skip
    assert Identification("Isk", "5", "").is_fast
    assert not Identification("ISK", "5", "").is_fast


def test_programming_mode() -> None:
    """Commands, blocks in parts and single characters are told apart."""
    reader = Reader()
    reader.awaits = "answers"
    part = "P.01(2403210000)(00)\x04"
    stream = command("P0", b"(1234)") + b"\x06" + b"\x15" + f"\x02{part}{bcc(part)}".encode()
    messages: list[Message] = reader.feed(stream[:-1]) + reader.feed(stream[-1:])
    assert messages == [
        Command("P0", (DataSet("", "1234"),)),
        Signal(right=True),
        Block((DataSet("P.01", "2403210000"), DataSet("", "00")), "right", partial=True),
    ]


def test_continued_addresses() -> None:
    """Values without an address belong to the one before; of two equal addresses the first counts."""
    sets = (DataSet("", "lost"), DataSet("P.01", "a"), DataSet("", "b"), DataSet("C", "c"), DataSet("P.01", "d"))
    assert {name: [entry.value for entry in group] for name, group in by_address(sets).items()} == {
        "P.01": ["a", "b"], "C": ["c"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("data", "mode", "reason"),
    [
        (telegram(LISTS[0])[:-1] + b"\x00", "required", "bad_bcc"),
        (telegram(LISTS[0]).replace(b"12345", b"12\xff45"), "ignored", "bad_parity"),
        (telegram(LISTS[0]).replace(b"!\r\n", b"\r\n\r"), "ignored", "cut"),
        (b"/NBD5X\r\n1.8.0(1*kWh)\r\njunk\r\n!\r\n", "absent", "malformed"),
        (b"/NBD5X\r\n1.8.0(1*kWh)\r\n" + telegram(LISTS[0]), "absent", "cut"),
        (b"/NBD5X\r\n\x02" + b"1" * 2 * LIMIT, "required", "too_long"),
    ],
    ids=["bcc", "parity", "no end", "junk", "newer start", "too long"],
)
def test_every_refusal_is_counted(data: bytes, mode: Bcc, reason: str) -> None:
    """A list that cannot be trusted is a damaged message with a reason, and a counter."""
    reader = Reader(mode)
    assert Damaged(reason) in reader.feed(data)
    assert reader.counters[reason] == 1


def test_noise_is_counted() -> None:
    """Bytes between lists are counted; line ends and wake-up characters are none."""
    reader = Reader()
    reader.feed(b"\r\n\0\0\x7f" + b"rubbish" + telegram(LISTS[0]))
    assert reader.counters == {"noise_bytes": 7}


def test_check_character_is_the_simulators() -> None:
    """Both sides reckon alike, each by itself."""
    assert chr(check_character(b"1.8.0(1)!\r\n\x03")) == bcc("1.8.0(1)!\r\n\x03")


HOSTILE = {
    "zeros": b"\0", "starts": b"/NBD", "slashes": b"/", "blocks": b"\x02", "brackets": b"((((", "sets": b"1.8.0(1)",
    "ends": b"!\r\n", "acks": b"\x06\x15", "empty blocks": b"\x02\x03X",
}  # fmt: skip


@pytest.mark.parametrize("mode", list(BCC_OF.values()))
@pytest.mark.parametrize("name", HOSTILE)
def test_cost_is_bounded(name: str, mode: Bcc) -> None:
    """64 KB of the worst take at most 50 ms of CPU, twice as much as 32 KB, and little memory (Z2)."""
    data = b"/NBD5X\r\n" + HOSTILE[name] * (65_536 // len(HOSTILE[name]))

    def cost(data: bytes) -> float:
        times = []
        for _ in range(5):
            start = time.process_time()
            Reader(mode).feed(data)
            times.append(time.process_time() - start)
        return min(times)

    whole, half = cost(data), cost(data[:32_768])
    assert whole <= 0.05
    assert whole <= 2.5 * half + 0.002
    tracemalloc.start()
    Reader(mode).feed(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak <= 20 * len(data) + 1_000_000
