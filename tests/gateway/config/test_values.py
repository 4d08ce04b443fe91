"""Single options: what is accepted, and as what."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from gateway.config import EdgeConfig
from gateway.config.near import LONGEST, meant, printable, shown
from gateway.config.spell import spell_seconds
from gateway.config.values import duration, emergency_number, size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("10s", 10), ("0.1s", 0.1), ("15m", 900), ("2h", 7200), ("7d", 604800), ("1.5h", 5400)],
)
def test_durations(text: str, seconds: float) -> None:
    """A number and a unit, to seconds, exact where a float can be."""
    assert duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10",
        "s",
        "10 s",
        "10S",
        "-1s",
        "+1s",
        "1e3s",
        "1h30m",
        "10sec",
        "10s\n",
        "\u0661\u0660s",
        "1_0s",
        "9" * 13 + "s",
    ],
)
def test_what_is_no_duration(text: str) -> None:
    """Nothing is guessed: neither signs nor spaces nor other digits."""
    with pytest.raises(PydanticCustomError):
        duration(text)


@settings(deadline=None)
@given(st.integers(0, 10**9))
def test_a_duration_spelt_is_read_back(milliseconds: int) -> None:
    """What the report writes can be pasted into the file."""
    assert duration(spell_seconds(milliseconds / 1000)) == milliseconds / 1000


@pytest.mark.parametrize(
    ("text", "count"),
    [("1MB", 10**6), ("2GB", 2 * 10**9), ("1.5GB", 15 * 10**8), ("1MiB", 2**20), ("5000kB", 5 * 10**6)],
)
def test_sizes(text: str, count: int) -> None:
    """Units of ten and of two are told apart."""
    assert size(text) == count


@pytest.mark.parametrize("listen", ["127.0.0.1:8080", "0.0.0.0:80", "[::1]:8080", "[::]:8443"])
def test_addresses_to_listen_on(listen: str, good: str, edge: Callable[[str], EdgeConfig]) -> None:
    """Both families."""
    assert edge(f'{good}[web]\nlisten = "{listen}"\n').web.listen == listen


@pytest.mark.parametrize(
    "url", ["mqtt://localhost", "mqtts://b.example", "mqtt://10.0.0.1:1884/", "mqtts://[fe80::1]:8883"]
)
def test_broker_urls(url: str, good: str, edge: Callable[[str], EdgeConfig]) -> None:
    """With and without port, by name and by number."""
    assert edge(good.replace("mqtts://broker.example:8883", url)).mqtt.url == url


def test_a_wrong_value_is_shown_short_and_harmless() -> None:
    """Long ones are cut, tables named, and nothing in them moves a cursor or turns a line."""
    assert shown("a\x1b[2J\n\u202e") == '"a\\u001b[2J\\n\N{REPLACEMENT CHARACTER}"'
    assert len(shown("x" * 1000)) == LONGEST + 1
    assert [shown({}), shown([1]), shown(1.5), shown("عدّاد")] == ["a table", "a list", "1.5", '"عدّاد"']
    assert printable("ok\x9b") == "ok\N{REPLACEMENT CHARACTER}"


def test_the_nearest_word_is_offered_whatever_its_case() -> None:
    """A word far from all gets the other hint."""
    assert meant("Profle", ["profile", "bus"]) == 'did you mean "profile"?'
    assert meant("RS485", ["rs485-1"], "none") == 'did you mean "rs485-1"?'
    assert meant("zzz", ["profile"], "none") == "none"


@pytest.mark.parametrize("number", ["998", "112", "+966500000000"])
def test_emergency_numbers(number: str) -> None:
    """As they are dialled here, short or long."""
    assert emergency_number(number) == number


@pytest.mark.parametrize("number", ["", "9", "9 9 8", "call 998", "998\n", "٩٩٨"])
def test_what_is_no_emergency_number(number: str) -> None:
    """It stands in a message that must not be read twice."""
    with pytest.raises(PydanticCustomError):
        emergency_number(number)
