"""Z4: a hundred thousand values that the simulator's own encoder writes come back exactly; a sample without --all."""

from random import Random

import pytest

from drivers.sml.codec import Decoder
from simulator.sml_server import crc_kermit, crc_x25, entry, push, signed, unsigned

SERVER = bytes.fromhex("0A014E42440000BC614E")


def check(dice: Random, values: int) -> None:
    """Write values in lists, with either checksum, and read them from one stream cut anywhere."""
    decoder = Decoder()
    while values > 0:
        numbers = [draw(dice) for _ in range(min(values, dice.randint(1, 20)))]
        entries = [
            entry(f"1-0:{place}.7.0*255", written, 27, scaler) for place, (written, _, scaler) in enumerate(numbers, 1)
        ]
        data = push(SERVER, entries, dice.getrandbits(16), 5, dice.choice((crc_x25, crc_kermit)))
        cut = dice.randrange(len(data))
        (telegram,) = decoder.feed(data[:cut]) + decoder.feed(data[cut:])
        exact = [(number, scaler) for _, number, scaler in numbers]
        assert [(each.value, each.scaler) for each in telegram.entries] == exact
        values -= len(numbers)
    assert not decoder.counters


def draw(dice: Random) -> tuple[bytes, int, int]:
    """Make up an integer of one to eight bytes, signed or not, and a power of ten."""
    size, scaler = dice.randint(1, 8), dice.randint(-6, 6)
    if dice.random() < 0.5:
        number = dice.randint(-(2 ** (8 * size - 1)), 2 ** (8 * size - 1) - 1)
        return signed(number, size), number, scaler
    number = dice.getrandbits(8 * size)
    return unsigned(number, size), number, scaler


def test_values_come_back() -> None:
    """A sample of them."""
    check(Random(8), 2_000)


@pytest.mark.slow
def test_a_hundred_thousand_values_come_back() -> None:
    """All of them, with other dice."""
    check(Random(9), 100_000)
