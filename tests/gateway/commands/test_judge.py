"""What is a command to be carried out, and what is refused for which reason."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.commands.judge import FARTHEST, LIMIT, Command, Refused, judge
from gateway.commands.matrix import MATRIX, ROLES
from gateway.transport import Message

NOW = 1_795_219_200_000
TOPIC = "nabd/v1/t/gw/cmd/ping"


def message(
    payload: bytes = b"{}", *, retain: bool = False, expiry: int | None = 60, name: bytes | None = b"q"
) -> Message:
    """Make a message as a broker hands it over."""
    return Message(TOPIC, payload, qos=1, retain=retain, expiry=expiry, correlation=name)


def fields(**given: object) -> bytes:
    """Make a payload with an id of its own."""
    return orjson.dumps({"id": "abcd-1234", **given})


def reason(name: str, what: Message, now: int | None = NOW) -> str:
    """Give why it is refused, or "" if it is not."""
    try:
        judge(name, what, now)
    except Refused as refused:
        return refused.reason if refused.text else "without a word"
    return ""


def test_the_payload_of_the_contract_is_enough() -> None:
    """A meter, Correlation Data and an expiry: no field of ours is needed to read a meter."""
    command = judge("read_now", message(b'{"meter": "gw_main"}'), NOW)
    assert command == Command("read_now", "read_now:71", NOW + 60_000, 60.0, b'{"meter": "gw_main"}', b"q")


def test_an_empty_payload_is_a_command_without_fields() -> None:
    """A ping has nothing to say."""
    assert judge("ping", message(b""), NOW).payload == b"{}"


def test_its_own_id_counts_before_the_correlation() -> None:
    """So a hub may send the same command over two brokers."""
    assert judge("ping", message(fields()), NOW).id == "abcd-1234"


def test_long_correlation_data_makes_a_short_id() -> None:
    """MQTT allows 64 KB of it, and what is remembered is bounded; two of them stay two."""
    one, two = (judge("ping", message(name=bytes([n]) * 60_000), NOW).id for n in (1, 2))
    assert one != two
    assert len(one) < 150


def test_until_alone_is_enough() -> None:
    """It needs no broker that counts."""
    command = judge("ping", message(fields(until=NOW + 5000), expiry=None), NOW)
    assert (command.until, command.left) == (NOW + 5000, 5.0)


def test_without_a_clock_the_broker_counts() -> None:
    """Its expiry needs no clock of ours; what `until` says cannot be judged, and is left out."""
    command = judge("ping", message(fields(until=1), expiry=30), None)
    assert (command.until, command.left) == (0, 30.0)
    assert reason("ping", message(fields(until=NOW + 5000), expiry=None), None) == "clock"


REFUSED = {
    "retained": message(fields(), retain=True),
    "too_large": message(b"{" + b" " * LIMIT + b"}"),
    "no_id": message(b'{"until": 1}', name=None),
    "no_expiry": message(fields(), expiry=None),
    "expired": message(fields(until=NOW)),
    "too_far_ahead": message(fields(until=NOW + FARTHEST * 1000 + 1)),
    "malformed": message(b"["),
}


@pytest.mark.parametrize("why", REFUSED)
def test_each_reason_has_its_name(why: str) -> None:
    """They are counted apart, for each has another cause."""
    assert reason("ping", REFUSED[why]) == why


@pytest.mark.parametrize(
    ("why", "what"),
    [
        ("no_id", message(fields(id="short"))),
        ("no_id", message(fields(id="spaces are none"))),
        ("no_id", message(fields(id=12345678))),
        ("no_id", message(fields(id="a" * 65))),
        ("no_id", message(b"{}", name=b"")),
        ("expired", message(fields(), expiry=0)),
        ("expired", message(fields(until=-(2**63)))),
        ("too_far_ahead", message(fields(), expiry=FARTHEST + 1)),
        ("too_far_ahead", message(fields(until=2**63 - 1))),
        ("malformed", message(fields(until="soon"))),
        ("malformed", message(fields(until=True))),
        ("malformed", message(fields(until=1e30))),
        ("malformed", message(b"[]")),
        ("malformed", message(b"\xff\xfe")),
        ("malformed", message(b"[" * 60_000)),
        ("malformed", message(b'{"a":' * 10_000)),
    ],
)
def test_edges_of_each_reason(why: str, what: Message) -> None:
    """What is just not allowed, and what no honest hub sends."""
    assert reason("ping", what) == why


@pytest.mark.parametrize("name", ["", "write", "PING", "ping/now", "read_now ", "__class__"])
def test_other_names_are_unknown(name: str) -> None:
    """Nothing but the table's names is a command."""
    assert reason(name, message(fields())) == "unknown"


ALLOWED = {
    ("ping", "customer"), ("ping", "installer"), ("ping", "operator"),
    ("read_now", "customer"), ("read_now", "installer"), ("read_now", "operator"),
    ("set_interval", "installer"), ("set_interval", "operator"),
    ("reload", "installer"), ("reload", "operator"),
    ("replay", "operator"),
}  # fmt: skip
NOBODY = ["", "nobody", "Operator", "operator ", "root", None, 1, True, ["operator"], {"operator": 1}]


@pytest.mark.parametrize("name", MATRIX)
def test_the_matrix_holds_without_a_deviation(name: str) -> None:
    """Every command with every role, and with everything that is none; whoever says nothing is a customer."""
    found = {(name, role) for role in sorted(ROLES) if not reason(name, message(fields(role=role)))}
    assert found == {pair for pair in ALLOWED if pair[0] == name}
    assert {reason(name, message(fields(role=role))) for role in NOBODY} == {"wrong_role"}
    assert (not reason(name, message(fields()))) == ((name, "customer") in ALLOWED)


@given(st.sampled_from(["ping", "replay", "x"]), st.binary(max_size=300), st.booleans(), st.sampled_from([None, NOW]))
def test_no_bytes_do_anything_but_be_judged(name: str, payload: bytes, retain: bool, now: int | None) -> None:
    """Every payload is a command or has a reason."""
    assert reason(name, message(payload, retain=retain), now) in {"", "retained", "malformed", "unknown", "wrong_role"}
