"""Tests of drivers/iec62056/echo.py."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.iec62056.echo import Echo

SENT = b"/?!\r\n"


@given(st.binary(max_size=20), st.lists(st.integers(1, 5), max_size=25))
def test_an_echo_is_taken_out_and_nothing_else(answer: bytes, sizes: list[int]) -> None:
    """However it arrives, what follows a whole echo comes through as it is, once."""
    echo = Echo()
    echo.expect(SENT)
    stream, heard = SENT + answer, b""
    for size in [*sizes, len(stream)]:
        heard += echo.take_from(stream[:size])
        stream = stream[size:]
    assert heard == answer


@given(st.binary(min_size=1, max_size=20).filter(lambda data: not SENT.startswith(data) and not data.startswith(SENT)))
def test_without_an_echo_nothing_is_lost(answer: bytes) -> None:
    """A head that does not hear itself loses no byte, even where the answer begins like the echo."""
    echo = Echo()
    echo.expect(SENT)
    assert b"".join(echo.take_from(bytes((byte,))) for byte in answer) == answer
