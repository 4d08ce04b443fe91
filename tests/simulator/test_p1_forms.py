"""What the simulator writes in each national form is what the driver reads, and what it seals is what it opens."""

from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import Keys
from drivers.p1.codec import Decoder, Sealed, Telegram, crc16_arc, decode, encode, parse_timestamp
from drivers.p1.profile import read_telegram
from drivers.p1.sealed import Vault
from drivers.profiles import load
from simulator.habits import Home
from simulator.households import Household
from simulator.p1_forms import FORMS, Form, Seal, as_eight_bits, checksum, finish
from simulator.p1_server import Submeters, telegram

ZONE = ZoneInfo("Europe/Brussels")
NOON = 1_782_907_200.0


@pytest.fixture(scope="module")
def homes() -> tuple[Household, Household]:
    """Give two homes; what they took so far is summed up once."""
    return Household(Home(1, solar=4000)), Household(Home(2))


@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_read_as_what_the_home_takes(name: str, homes: tuple[Household, Household]) -> None:
    """Each code of the form as its quantity in base units; gas, water and a second meter at their own times."""
    form, (home, second) = FORMS[name], homes
    submeters: Submeters = {1: ("gas", home), 2: ("water", home), 4: ("electricity", second)}
    said = telegram(home, submeters, NOON + 100, ZONE, form)
    for bits in (said, as_eight_bits(said)):
        (read,) = Decoder().feed(bits)
        assert isinstance(read, Telegram)
        assert read.checked is (name != "dsmr3")
        assert not read.unreadable
        true = home.at("electricity", NOON + 100)
        values = read_telegram(load("dsmr-p1").layout, read).values
        assert len(values) == len(form.codes)
        for quantity in form.codes.values():
            (key,) = (key for key in values if key.rpartition("_")[0] == quantity)
            assert float(values[key]) == pytest.approx(true[quantity], abs=1.1)
        for model, volume in (
            ("gas", home.at("gas", NOON)["gas_volume"]),
            ("water", home.at("water", NOON)["water_volume"]),
            ("electricity", second.at("electricity", NOON)["energy_import"]),
        ):
            captured = read_telegram(load(f"dsmr-p1-{model}").layout, read)
            assert [float(value) for value in captured.values.values()] == [pytest.approx(volume, abs=1.1)]
            is_old = name == "dsmr3" and model == "gas"
            assert captured.captured == (None if is_old else NOON * 1000)


def test_sealed_telegrams_open_in_order_and_not_again(homes: tuple[Household, Household]) -> None:
    """The key, the authentication key and the counter are the meter's; the same frame twice is refused."""
    pytest.importorskip("cryptography")
    keys = Keys(bytes(range(16)), bytes(range(16, 32)))
    assert keys.encryption
    assert keys.authentication
    seal, vault = Seal(keys.encryption, keys.authentication), Vault()
    for second in range(3):
        text = telegram(homes[0], {}, NOON + second, ZONE, FORMS["austria"])
        for frame in (seal.seal(text), seal.again()):
            (sealed,) = Decoder().feed(frame)
            assert isinstance(sealed, Sealed)
            opened = vault.open(sealed.frame, keys)
            assert opened is None or opened == decode(text)
    assert vault.counters == {"repeated_frame": 3}


@given(st.binary(max_size=300))
def test_two_checksums_agree(text: bytes) -> None:
    """The simulator's own and the driver's, written apart."""
    assert checksum(text) == crc16_arc(text)


def random_lines(dice: Random) -> list[str]:
    """Make objects of random codes, numbers and units."""
    numbers = (f"{dice.randrange(10**9) / 1000:010.3f}" for _ in range(dice.randrange(1, 12)))
    return [f"1-0:{dice.randrange(100)}.{dice.randrange(100)}.0({number}*kWh)" for number in numbers]


def round_trips(count: int) -> None:
    """Let the simulator write and the driver read, and the driver write and itself read, `count` times."""
    dice = Random(7)
    form = Form("NBD5ROUND", {}, version="")
    for _ in range(count):
        lines = random_lines(dice)
        ours, theirs = encode(form.identification, lines), finish(form, lines)
        assert ours == theirs
        assert [f"{entry.id}({entry.values[0][0]}*kWh)" for entry in decode(theirs).objects] == lines


def test_the_two_encoders_write_the_same() -> None:
    """A sample of random telegrams (Z4)."""
    round_trips(200)


@pytest.mark.slow
def test_the_two_encoders_write_the_same_for_long() -> None:
    """A hundred thousand random telegrams (Z4)."""
    round_trips(100_000)


def test_times_of_forms_are_local(homes: tuple[Household, Household]) -> None:
    """The clock of a Belgian meter in summer."""
    said = telegram(homes[0], {}, NOON, ZONE, FORMS["fluvius"]).decode("ascii")
    stamp = said.partition("0-0:1.0.0(")[2].partition(")")[0]
    assert stamp == "260701140000S"
    assert parse_timestamp(stamp) == NOON * 1000
