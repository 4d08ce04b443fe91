"""The simulated M-Bus line: addresses, telegrams in turn, answers that collide."""

import pytest

from drivers.contract import DecodeError
from drivers.mbus.frames import FCB, REQ_UD2, SELECTED, SND_NKE, SND_UD, Frame, decode, long, short
from drivers.mbus.records import Records
from drivers.mbus.search import Probe
from drivers.mbus.telegram import Identity, decode_telegram
from simulator.mbus_server import MbusMeter, MbusServer


def meter(primary: int, number: str, split: int = 12) -> MbusMeter:
    """Make a water meter that shows 12 m3."""
    return MbusMeter(primary, number, 7, lambda: {"water_volume": 12_000.0, "water_flow": 30.0}, split=split)


def records(answer: bytes) -> Records:
    """Read an answer by the codec."""
    frame = decode(answer)
    return decode_telegram(frame.ci, frame.data).records


def test_a_meter_answers_to_its_address() -> None:
    """Its values come as the codec reads them, and nobody else answers."""
    server = MbusServer([meter(1, "21050001"), meter(2, "21050002")])
    assert server.answer(short(SND_NKE, 2)) == b"\xe5"
    answer = server.answer(short(REQ_UD2 | FCB, 2))
    assert isinstance(decode(answer), Frame)
    assert [record.value for record in records(answer).records] == [12, pytest.approx(0.03)]
    assert server.answer(short(REQ_UD2 | FCB, 3)) == b""


def test_a_repeated_request_repeats_the_telegram() -> None:
    """The same frame count bit gives the same bytes, another the next part."""
    server = MbusServer([meter(1, "21050001", split=1)])
    server.answer(short(SND_NKE, 1))
    first = server.answer(short(REQ_UD2 | FCB, 1))
    assert server.answer(short(REQ_UD2 | FCB, 1)) == first
    second = server.answer(short(REQ_UD2, 1))
    assert records(first).more
    assert not records(second).more
    assert records(second).records[0].quantity == "volume_flow"


def test_a_clear_bit_after_a_new_beginning_is_a_repetition() -> None:
    """A reader that begins with a clear bit gets the first telegram twice, as from strict meters."""
    server = MbusServer([meter(1, "21050001", split=1)])
    server.answer(short(SND_NKE, 1))
    first = records(server.answer(short(REQ_UD2, 1))).records
    assert records(server.answer(short(REQ_UD2 | FCB, 1))).records == first
    assert records(server.answer(short(REQ_UD2, 1))).records != first


def test_what_a_meter_is_told_is_kept() -> None:
    """It confirms, and only who is called."""
    server = MbusServer([meter(1, "21050001"), meter(2, "21050002")])
    assert server.answer(long(SND_UD, 2, 0x50, b"\x10")) == b"\xe5"
    assert [slave.told for slave in server.meters] == [[], [b"\x50\x10"]]


def test_a_selected_meter_is_called_253() -> None:
    """Its number selects it; starting anew lets it go."""
    server = MbusServer([meter(1, "21050001"), meter(2, "21050002")])
    probe = Probe.of(Identity("21050002", "NBD", 1, 7))
    assert server.answer(long(SND_UD, SELECTED, 0x52, bytes(probe))) == b"\xe5"
    assert decode(server.answer(short(REQ_UD2 | FCB, SELECTED))).address == 2
    server.answer(short(SND_NKE, SELECTED))
    assert server.answer(short(REQ_UD2 | FCB, SELECTED)) == b""


def test_several_answers_are_garbled() -> None:
    """Two meters that an open address fits acknowledge as one, and cannot be read."""
    server = MbusServer([meter(1, "21050001"), meter(2, "21050002")])
    assert server.answer(long(SND_UD, SELECTED, 0x52, bytes(Probe()))) == b"\xe5"
    garbled = server.answer(short(REQ_UD2 | FCB, SELECTED))
    with pytest.raises(DecodeError):
        decode(garbled)


def test_another_readers_words_deafen_nobody() -> None:
    """Modbus requests on the same wire are stepped over."""
    said: list[bytes] = []
    session = MbusServer([meter(1, "21050001")]).open(said.append)
    session.feed(bytes.fromhex("01040000000271cb"))
    session.feed(short(SND_NKE, 1))
    assert said == [b"\xe5"]
