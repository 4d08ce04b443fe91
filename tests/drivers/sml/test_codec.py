"""Tests of drivers/sml: captured streams, files of an encoder of its own, damage of every kind, bytes of no kind."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.analysis import Keys
from drivers.crc import kermit, x25
from drivers.profiles import load
from drivers.sml.analyze import analyze
from drivers.sml.codec import ESCAPE, LIMIT, MARK, START, Decoder
from drivers.sml.message import Entry, Moment, Telegram
from drivers.sml.profile import read_telegram
from simulator.sml_server import (
    LEFT_OUT,
    LIST,
    W,
    crc_kermit,
    crc_x25,
    entry,
    file_of,
    listed,
    message,
    octets,
    push,
    signed,
    unsigned,
)

SERVER = bytes.fromhex("0A014E42440000BC614E")


def simple(number: int, crc: Callable[[bytes], int] = crc_x25) -> bytes:
    """Make a file that lists one power."""
    return push(SERVER, [entry("1-0:16.7.0*255", signed(number, 4), W, -1)], number, 5, crc)


def decode(data: bytes) -> list[Telegram]:
    """Feed all at once."""
    return Decoder().feed(data)


def numbers(telegrams: list[Telegram]) -> list[int]:
    """Give the first value of each telegram."""
    return [telegram.entries[0].value for telegram in telegrams]


@pytest.fixture(scope="session")
def streams(captures: Path) -> list[tuple[str, bytes, dict[str, Any]]]:
    """Give each captured stream: name, bytes, what it is expected to hold."""
    folder = captures / "sml"
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    return [(e["file"], (folder / e["file"]).read_bytes(), e["expected"]) for e in index["entries"]]


def test_every_captured_value(streams: list[tuple[str, bytes, Any]]) -> None:
    """Each value of each telegram with its unit, as an independent decoder has it; nothing needs an excuse."""
    assert len(streams) >= 19
    values = 0
    for name, data, expected in streams:
        found = [frame for frame in analyze(data, Keys()) if frame.ok]
        assert len(found) == expected["frame_count"], name
        if "frames_listed" in expected:  # the first five and the last two
            found = found[:5] + found[-2:]
        for frame, wanted in zip(found, expected["frames"], strict=True):
            # The other decoder writes the unit number 0 as it stands; it means that there is none.
            want = [(code, value, unit or None) for code, value, unit in wanted]
            assert [(value.id, value.value, value.unit) for value in frame.values] == want, name
            values += len(want)
    assert values > 800


def test_every_captured_stream_in_any_pieces(streams: list[tuple[str, bytes, Any]]) -> None:
    """Whole, byte by byte, and after another stream's end: the same telegrams."""
    for name, data, expected in streams:
        whole = decode(data)
        assert len(whole) == expected["frame_count"], name
        assert decode(streams[1][1] + data) == whole, name
        decoder = Decoder()
        assert [one for at in range(len(data)) for one in decoder.feed(data[at : at + 1])] == whole, name


def flips(data: bytes) -> Iterator[bytes]:
    """Give a copy for each bit, with that bit flipped."""
    for bit in range(len(data) * 8):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        yield bytes(damaged)


def frames_of(streams: list[tuple[str, bytes, Any]]) -> list[bytes]:
    """Give one whole file of each stream, and made ones with escapes and with the other checksum."""
    made = [simple(7), simple(7, crc_kermit), push(SERVER, [entry("1-0:1.8.0*255", octets(ESCAPE * 3))], 1, 1)]
    found = [next((f for f in analyze(data, Keys()) if f.ok), None) for _, data, _ in streams]
    cut = [data[f.start : f.end] for f, (_, data, _) in zip(found, streams, strict=True) if f]
    return made + cut


def test_every_single_flipped_bit_is_noticed(streams: list[tuple[str, bytes, Any]]) -> None:
    """All bits of a file of every meter, and of fifty made ones: none is taken (Z6)."""
    files = [*frames_of(streams), *(simple(number * 977) for number in range(50))]
    assert len(files) >= 70
    for data in files:
        for damaged in flips(data):
            assert decode(damaged) == []


def test_a_flipped_bit_costs_its_own_file_only() -> None:
    """Whichever bit it is, the next file is read."""
    for damaged in flips(simple(1)):
        assert numbers(decode(damaged + simple(99))) == [99]


@given(st.data())
@settings(max_examples=60)
def test_noise_and_pieces_do_not_matter(data: st.DataObject) -> None:
    """Files between noise, in any pieces, are all found."""
    noise = st.binary(max_size=20).filter(lambda noise: ESCAPE[:1] not in noise)
    stream = b"".join(data.draw(noise) + simple(number) for number in range(4)) + data.draw(noise)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    decoder = Decoder()
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += decoder.feed(stream[start:end])
    assert numbers(found) == [0, 1, 2, 3]


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([ESCAPE, START, ESCAPE + b"\x1a\0ab", simple(1)]))))
def test_rubbish_never_raises_and_reads_the_same_in_pieces(pieces: list[bytes]) -> None:
    """Whatever comes: telegrams or nothing, the same by piece and in one, and analysis covers each byte it claims."""
    decoder, whole = Decoder(), Decoder()
    found = [telegram for piece in pieces for telegram in decoder.feed(piece)]
    assert found == whole.feed(b"".join(pieces))
    assert {**decoder.counters, "noise_bytes": 0} == {**whole.counters, "noise_bytes": 0}
    for frame in analyze(b"".join(pieces), Keys()):
        assert frame.spans[0].start == frame.start
        assert frame.spans[-1].end == frame.end


def test_a_cut_file_costs_itself_only() -> None:
    """Wherever a file is cut, the next one is read: a start mark in the damage is found."""
    for length in range(MARK, len(simple(1))):
        decoder = Decoder()
        assert numbers(decoder.feed(simple(1)[:length] + simple(2) + simple(3))) == [2, 3]
        lost = decoder.counters["cut"] + decoder.counters["bad_crc"] + decoder.counters["bad_escape"]
        assert lost == 1, length
        assert numbers(decode(simple(1)[length:] + simple(2))) == [2]


def test_a_start_mark_that_damage_hid_is_found() -> None:
    """A file cut between the two halves of an escape looks as if it went on."""
    value = octets(b"abcd" + ESCAPE + b"efgh")
    data = push(SERVER, [entry("1-0:1.8.0*255", value)], 1, 1)
    half = data[: data.index(2 * ESCAPE) + len(ESCAPE)]
    assert numbers(decode(half + simple(5) + simple(6))) == [5, 6]


def test_an_endless_file_is_dropped_and_memory_stays_small() -> None:
    """A start without an end costs the bound at most, and the next file is read."""
    decoder = Decoder()
    decoder.feed(START)
    for _ in range(100):
        assert decoder.feed(b"\x76" * 500) == []
        assert len(decoder._framer._buffer) <= LIMIT
    assert decoder.counters["too_long"] == 1
    assert numbers(decoder.feed(simple(4))) == [4]


@pytest.mark.parametrize(("extra", "count"), [(0, 1), (4, 0)])
def test_the_bound_is_the_same_in_any_pieces(extra: int, count: int) -> None:
    """A file of exactly the bound is read; a longer one is not, whichever way it comes."""
    room = LIMIT - len(push(SERVER, [entry("1-0:1.8.0*255", octets(bytes(4096)))], 1, 1)) + 4096 + extra
    data = push(SERVER, [entry("1-0:1.8.0*255", octets(bytes(room)))], 1, 1)
    assert len(data) == LIMIT + extra
    decoder = Decoder()
    assert len(decode(data)) == sum(len(decoder.feed(data[at : at + 1])) for at in range(len(data))) == count


def test_the_kermit_checksum_is_taken_where_messages_prove_it() -> None:
    """A file with Kermit throughout is read, one whose messages mix both kinds is not."""
    assert numbers(decode(simple(3, crc_kermit))) == [3]
    one = message(1, LIST, listed(LEFT_OUT), crc_x25)
    other = message(2, LIST, listed(LEFT_OUT), crc_kermit)
    decoder = Decoder()
    assert decoder.feed(file_of([one, other], crc_kermit)) == []
    assert decoder.counters == {"bad_message_crc": 1}


def test_a_wrong_message_checksum_is_refused_though_the_files_is_right() -> None:
    """Both must be right."""
    decoder = Decoder()
    broken = message(1, LIST, listed(LEFT_OUT), lambda data: crc_x25(data) ^ 1)
    assert decoder.feed(file_of([broken])) == []
    assert decoder.counters == {"bad_message_crc": 1}
    assert [frame.error for frame in analyze(file_of([broken]), Keys())] == ["damaged: a message's checksum is wrong"]


@given(st.binary(max_size=300))
def test_checksums_are_those_of_a_loop_over_bits(data: bytes) -> None:
    """The look-up by reversed bits is the plain division; check values of 123456789 are 906E and 2189."""
    assert (x25(data), kermit(data)) == (crc_x25(data), crc_kermit(data))
    assert (x25(b"123456789"), kermit(b"123456789")) == (0x906E, 0x2189)


INTEGERS = st.integers(1, 8).flatmap(
    lambda width: st.one_of(
        st.integers(0, 256**width - 1).map(lambda number: (number, unsigned(number, width))),
        st.integers(-(256**width) // 2, 256**width // 2 - 1).map(lambda number: (number, signed(number, width))),
    )
)
OCTETS = st.one_of(st.binary(min_size=1, max_size=40), st.sampled_from([b"x" * 300, ESCAPE * 4 + b"\x1b", START]))
VALUES = st.one_of(INTEGERS, OCTETS.map(lambda data: (data, octets(data))))
ENTRIES = st.tuples(
    st.binary(min_size=6, max_size=6),
    st.one_of(st.none(), st.integers(0, 2**32 - 1)),
    st.one_of(st.none(), st.integers(0, 255)),
    st.integers(-128, 127),
    VALUES,
)


@given(st.lists(ENTRIES, min_size=1, max_size=20), st.integers(1_200_000_000, 2**32 - 1))
def test_what_another_encoder_writes_is_read(rows: list[Any], time: int) -> None:
    """Every integer of one to eight bytes, long and escaped bytes, fields left out: all come back (Z4)."""
    listing, want = [], []
    for code, status, unit, scaler, (value, written) in rows:
        name = "{}-{}:{}.{}.{}*{}".format(*code)
        listing.append(entry(name, written, unit, scaler, status))
        want.append(Entry(code, status, None, unit, scaler, value))
    clock = listed(unsigned(2, 1), unsigned(time, 4))
    body = listed(LEFT_OUT, octets(SERVER), LEFT_OUT, clock, listed(*listing), LEFT_OUT, LEFT_OUT)
    (telegram,) = decode(file_of([message(1, LIST, body)]))
    assert telegram == Telegram(SERVER, Moment(time), tuple(want))


def test_lists_of_several_messages_are_one_telegram() -> None:
    """A file may list values twice, and the first says who and what; other messages say nothing of them."""
    lists = []
    for number in (1, 2):
        rows = listed(entry("1-0:1.8.0*255", unsigned(number, 1)))
        lists.append(
            listed(LEFT_OUT, octets(SERVER if number == 1 else b"other"), LEFT_OUT, LEFT_OUT, rows, LEFT_OUT, LEFT_OUT)
        )
    other = message(5, 0x0501, listed(octets(b"profile")))
    (telegram,) = decode(file_of([message(1, LIST, lists[0]), other, message(2, LIST, lists[1])]))
    assert [e.value for e in telegram.entries] == [1, 2]
    assert telegram.server == SERVER
    assert read_telegram(load("sml").layout, telegram).values == {"energy_import_wh": 1000}


def test_an_odd_entry_costs_itself_and_is_counted() -> None:
    """Too few fields, a code of five bytes, no value, an absurd scaler: left out; the others are read."""
    odd = [
        listed(octets(b"123456")),
        listed(octets(b"12345"), *[LEFT_OUT] * 4, unsigned(1, 1), LEFT_OUT),
        listed(octets(b"123456"), *[LEFT_OUT] * 6),
        listed(octets(b"123456"), *[LEFT_OUT] * 3, signed(1000, 2), unsigned(1, 1), LEFT_OUT),
        unsigned(1, 1),
    ]
    decoder = Decoder()
    (telegram,) = decoder.feed(push(SERVER, [*odd, entry("1-0:1.8.0*255", unsigned(9, 1))], 1, 1))
    assert [e.value for e in telegram.entries] == [9]
    assert decoder.counters == {"unreadable_entry": 5}


def nested(depth: int) -> bytes:
    """Give lists in lists."""
    return LEFT_OUT if depth == 0 else listed(nested(depth - 1))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (nested(9), "no_values"), (nested(10), "malformed"), (b"\x50", "malformed"), (b"\x5a" + bytes(9), "malformed"),
        (b"\x43\0\0", "malformed"), (b"\x22\0", "malformed"), (b"\x81\x80\x80\x80\x80", "malformed"),
        (b"\x81\x72\0", "malformed"), (b"\x7f\1", "malformed"), (b"\x80\x00", "malformed"),
    ],
)  # fmt: skip
def test_what_is_no_sml_is_refused_in_spite_of_its_checksum(body: bytes, reason: str) -> None:
    """Lists too deep, lengths that are none, unknown types, an integer of nine bytes: one count, no telegram."""
    decoder = Decoder()
    assert decoder.feed(file_of([message(1, LIST, body)])) == []
    assert decoder.counters == {reason: 1}


@pytest.mark.parametrize(
    ("clock", "moment"),
    [
        (listed(unsigned(1, 1), unsigned(1_790_000_000, 4)), None),
        (listed(unsigned(2, 1), unsigned(1_790_000_000, 4)), Moment(1_790_000_000)),
        (listed(unsigned(2, 1), unsigned(1234, 4)), None),
        (listed(unsigned(3, 1), listed(unsigned(1_790_000_000, 4), signed(60, 2), signed(60, 2))),
         Moment(1_790_000_000, 120)),
        (listed(unsigned(3, 1), listed(unsigned(1_790_000_000, 4), signed(30_000, 2), signed(60, 2))), None),
        (unsigned(1234, 4), None), (LEFT_OUT, None), (octets(b"now"), None),
    ],
)  # fmt: skip
def test_clocks(clock: bytes, moment: Moment | None) -> None:
    """A timestamp is a time; seconds since whenever, unset clocks and what is none are not."""
    body = listed(
        LEFT_OUT, octets(SERVER), LEFT_OUT, clock, listed(entry("1-0:1.8.0*255", unsigned(1, 1))), LEFT_OUT, LEFT_OUT
    )
    data = file_of([message(1, LIST, body)])
    assert decode(data)[0].at == moment
    assert all(span.known for span in analyze(data, Keys())[0].spans)


HOSTILE = {
    "starts": START, "escapes": ESCAPE, "escaped starts": ESCAPE + START, "ends": ESCAPE + b"\x1a\0\0\0",
    "starts and ends": START + ESCAPE + b"\x1a\0\0\0", "lists": b"\x76\x77", "zeros": b"\0",
    "bad escapes": START + ESCAPE + b"\2\2\2\2",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_are_walked_a_few_times_only(name: str) -> None:
    """64 KB of marks cost as many steps a byte as 8 KB: nothing is looked at again and again (Z2)."""
    data = START + HOSTILE[name] * (65_536 // len(HOSTILE[name]))
    steps = []
    for part in (data[:8_192], data):
        decoder = Decoder()
        walked = 0
        walk = decoder._framer._walk

        def counted() -> Any:
            nonlocal walked
            walked += 1
            return walk()  # noqa: B023  called within this turn

        decoder._framer._walk = counted  # type: ignore[method-assign]
        assert decoder.feed(part) == []
        steps.append(walked)
    assert steps[1] <= 9 * steps[0] + 9
