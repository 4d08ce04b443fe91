"""Decoders and hostile bytes: random ones always, by coverage with `--all`; what once crashed, again at every run."""

import importlib.util
import subprocess
import sys
import time
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.contract import DecodeError, Refused
from drivers.mbus.frames import Decoder as MbusDecoder
from drivers.modbus.codec import RtuSearch, TcpFrames
from drivers.p1.codec import Decoder
from tests.fuzz.targets import HEAD, READ, TARGETS, chunked, chunks

ROOT = Path(__file__).parents[2]
CRASHES = Path(__file__).parent / "crashes"
SECONDS = 30


def mutated(seed: bytes, cuts: list[tuple[int, int, bytes]]) -> bytes:
    """Replace pieces of a seed."""
    data = bytearray(seed)
    for at, size, piece in cuts:
        place = at % (len(data) + 1)
        data[place : place + size] = piece
    return bytes(data)


CUTS = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 8), st.binary(max_size=8)), max_size=6)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_only_known_errors_come_out(name: str, data: st.DataObject) -> None:
    """Rubbish, and right inputs with pieces replaced."""
    target = TARGETS[name]
    seed = data.draw(st.sampled_from(target.seeds))
    target.run(data.draw(st.one_of(st.binary(max_size=2000), CUTS.map(lambda cuts: mutated(seed, cuts)))))


def test_past_crashes_stay_mended() -> None:
    """Whatever once came out of the fuzzer is tried again."""
    for path in CRASHES.glob("*/*"):
        TARGETS[path.parent.name].run(path.read_bytes())


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_by_coverage(name: str, tmp_path: Path) -> None:
    """Half a minute of atheris finds nothing, and did reach into the decoder."""
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not installed: pip install atheris")
    fuzz = [sys.executable, "-m", "tests.fuzz.atheris_run", name, str(SECONDS), str(tmp_path)]
    done = subprocess.run(
        # A program begins with the peak of memory of whoever started it, which the fuzzer watches: a shell has little.
        ["sh", "-c", '"$@"; exit $?', "sh", *fuzz],
        cwd=ROOT, capture_output=True, text=True, timeout=SECONDS + 90, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stderr.split("stat::number_of_executed_units:")[1].split()[0]) > 1000


def test_an_input_says_how_it_arrives() -> None:
    """The seeds arrive as they are meant."""
    whole = bytes(range(256))
    assert b"".join(chunks(chunked(whole))) == whole


HOSTILE = {
    "zeros": b"\0",
    "our head": b"\x11\x03\x06",
    "our unit": b"\x11",
    "refusals": b"\x11\x83\x02\x00\x00",
    "telegram starts": b"/NBD",
    "telegram ends": b"!\r\n",
    "telegram without an end": b"1-0:1.8.0(1*kWh)\r\n",
    "brackets": b"((((",
    "M-Bus starts": b"\x68\xff\xff\x68",
    "M-Bus starts with ends": b"\x68\xff\xff\x68\x16",
    "short M-Bus frames": b"\x10\x5b\x05\x60\x16",
    "long M-Bus frames": b"\x68\x03\x03\x68\x08\x05\x72\x7f\x16",
    "frames of no use": b"\x07\x16\x00\x00\x00\x03\x11\x83\x02",
}


def rtu(data: bytes) -> None:
    """Give a serial line's search all at once."""
    try:
        RtuSearch(0x11, READ, Counter()).feed(data)
    except (DecodeError, Refused):
        return


def mbap(data: bytes) -> None:
    """Give a TCP stream all at once."""
    try:
        TcpFrames().feed(data)
    except DecodeError:
        return
    assert HEAD


def p1(data: bytes) -> None:
    """Give a P1 port all at once."""
    Decoder().feed(data)


def mbus(data: bytes) -> None:
    """Give an M-Bus line all at once."""
    MbusDecoder().feed(data)


def cost(decode: object, data: bytes) -> float:
    """Give the least of three times, in seconds of CPU."""
    assert callable(decode)
    times = []
    for _ in range(3):
        start = time.process_time()
        decode(data)
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.parametrize("decode", [rtu, mbap, p1, mbus])
@pytest.mark.parametrize("name", HOSTILE)
def test_cost_is_bounded(decode: object, name: str) -> None:
    """64 KB of the worst take at most 50 ms of CPU, twice as much as 32 KB, and little memory (Z2)."""
    piece = HOSTILE[name]
    data = (b"/NBD\r\n" if name.startswith("telegram w") else b"") + piece * (65_536 // len(piece))
    whole = half = 1.0
    for _ in range(6):  # turn about, for a busy machine slows one of them down; the least of each counts
        whole, half = min(whole, cost(decode, data)), min(half, cost(decode, data[:32_768]))
        if whole <= 2.5 * half + 0.002 and whole <= 0.05:
            break
    assert whole <= 0.05
    assert whole <= 2.5 * half + 0.002
    tracemalloc.start()
    assert callable(decode)
    decode(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak <= 20 * len(data) + 1_000_000
