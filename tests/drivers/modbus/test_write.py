"""The one write, byte for byte: frames worked out by hand, and answers in every disguise a line gives them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import Refused
from drivers.modbus.codec import crc16
from drivers.modbus.model import SetAddress
from drivers.modbus.write import confirmed, write_frame

FLOAT = SetAddress(at=0x0014, type="f32", function=16, source="a test")
WORD = SetAddress(at=0x0002, type="u16", function=6, source="a test")
SEVERAL = SetAddress(at=0x0002, type="u16", function=16, source="a test")


def framed(hexadecimal: str) -> bytes:
    """Add the CRC."""
    data = bytes.fromhex(hexadecimal)
    return data + crc16(data)


def test_a_float_is_written_as_two_registers() -> None:
    """The very bytes an Eastron meter takes for address 5: 5.0 is 40A0 0000."""
    assert write_frame(1, FLOAT, 5) == framed("01 10 0014 0002 04 40A0 0000")


def test_a_known_crc() -> None:
    """The CRC of the published frame that sets an SDM120 to 9600 baud: E7 36."""
    assert framed("01 10 001C 0002 04 4000 0000")[-2:] == bytes.fromhex("E736")


def test_one_register_by_either_function() -> None:
    """Function 6 carries the value, function 16 its count and length too."""
    assert write_frame(1, WORD, 7) == framed("01 06 0002 0007")
    assert write_frame(1, SEVERAL, 7) == framed("01 10 0002 0001 02 0007")


@pytest.mark.parametrize(("unit", "new"), [(0, 5), (248, 5), (1, 0), (1, 248), (-1, 5), (1, 300)])
def test_addresses_off_the_line_make_no_frame(unit: int, new: int) -> None:
    """Address 0 would change every meter at once; beyond 247 there is none."""
    with pytest.raises(ValueError, match="1 to 247"):
        write_frame(unit, FLOAT, new)


@pytest.mark.parametrize("unit", ["01", "05"])
def test_an_answer_under_either_address_confirms(unit: str) -> None:
    """Some meters answer under their old address, some under the new one."""
    assert confirmed(framed(f"{unit} 10 0014 0002"), write_frame(1, FLOAT, 5), 5)


@given(noise=st.binary(max_size=40), behind=st.binary(max_size=40))
def test_noise_and_echo_around_the_answer(noise: bytes, behind: bytes) -> None:
    """Rubbish and our own frame coming back are stepped over."""
    frame = write_frame(1, FLOAT, 5)
    assert confirmed(noise + frame + framed("01 10 0014 0002") + behind, frame, 5)


@given(data=st.binary(max_size=256))
def test_rubbish_confirms_nothing(data: bytes) -> None:
    """Nothing but the answer's own head and CRC is an answer."""
    frame = write_frame(1, FLOAT, 5)
    if not any(data[at : at + 8] in (framed("01 10 0014 0002"), framed("05 10 0014 0002")) for at in range(len(data))):
        try:
            assert not confirmed(data, frame, 5)
        except Refused:
            assert any(data[at : at + 2] in (b"\x01\x90", b"\x05\x90") for at in range(len(data)))


@pytest.mark.parametrize("answer", ["01 10 0014 0001", "01 10 0016 0002", "02 10 0014 0002", "01 03 0014 0002"])
def test_another_answer_is_no_confirmation(answer: str) -> None:
    """Another count, register, unit or function is not our answer."""
    assert not confirmed(framed(answer), write_frame(1, FLOAT, 5), 5)


def test_an_echo_alone_does_not_confirm_several_registers() -> None:
    """A half-duplex adapter repeats our frame; that is not the meter."""
    frame = write_frame(1, FLOAT, 5)
    assert not confirmed(frame, frame, 5)


def test_every_flipped_bit_of_the_answer_is_seen() -> None:
    """A damaged answer confirms nothing."""
    answer = framed("01 10 0014 0002")
    for bit in range(8 * len(answer)):
        damaged = bytearray(answer)
        damaged[bit // 8] ^= 1 << bit % 8
        assert not confirmed(bytes(damaged), write_frame(1, FLOAT, 5), 5)


def test_a_refusal_is_raised_with_its_code() -> None:
    """The meter says that the register or value is not allowed."""
    with pytest.raises(Refused) as caught:
        confirmed(framed("01 90 03"), write_frame(1, FLOAT, 5), 5)
    assert caught.value.code == 3
