"""The list for EMQX, judged by its documented grammar and order: each gateway in its own place (S17).

No EMQX is here; what a real one does with the file has to be tried on one.
"""

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.access_lists import GATEWAY_READS, GATEWAY_WRITES, access_list
from tests.support.emqx_list import Client, allows, read
from tests.support.trespass import OWN, READS, WRITES

ROOT = Path(__file__).parents[2]
SHIPPED = (ROOT / "config/emqx/acl.conf").read_text(encoding="utf-8")
RULES = read(SHIPPED)
GATEWAY, HUB = Client("home/gw-1"), Client("hub")


@pytest.mark.parametrize("topic", WRITES)
def test_a_gateway_cannot_write_elsewhere(topic: str) -> None:
    """Neither for a neighbour, nor for another tenant, nor what only the hub says."""
    assert not allows(RULES, GATEWAY, "publish", topic)


@pytest.mark.parametrize("topic", READS)
def test_a_gateway_cannot_listen_elsewhere(topic: str) -> None:
    """No filter that reaches beyond its own place is taken, shared or not."""
    assert not allows(RULES, GATEWAY, "subscribe", topic)


def test_the_own_place_is_open() -> None:
    """What contracts allow a gateway is allowed, and no more: it neither reads what it writes nor the reverse."""
    for kind in GATEWAY_WRITES:
        topic = f"{OWN}/{kind.replace('+', 'm')}"
        assert allows(RULES, GATEWAY, "publish", topic)
        assert not allows(RULES, GATEWAY, "subscribe", topic)
    for kind in GATEWAY_READS:
        assert allows(RULES, GATEWAY, "subscribe", f"{OWN}/{kind}")
        assert not allows(RULES, GATEWAY, "publish", f"{OWN}/{kind.replace('+', 'ping')}")


def test_the_hub_hears_all_and_says_what_gateways_wait_for() -> None:
    """It reads the whole tree, shared too, and writes acknowledgements, commands and settings, nothing else."""
    for topic in ("nabd/v1/#", "$share/store/nabd/v1/+/+/data", f"{OWN}/status"):
        assert allows(RULES, HUB, "subscribe", topic)
    for kind in ("ack", "cmd/ping", "settings"):
        assert allows(RULES, HUB, "publish", f"{OWN}/{kind}")
    for topic in (f"{OWN}/data", f"{OWN}/status", "$SYS/brokers", "other/ack"):
        assert not allows(RULES, HUB, "publish", topic)
    assert not allows(RULES, HUB, "subscribe", "#")


@given(
    st.text(max_size=70), st.sampled_from(["publish", "subscribe"]), st.sampled_from([*WRITES, *READS, f"{OWN}/data"])
)
@example("home/+", "subscribe", "nabd/v1/home/gw-1/ack")
@example("+/+", "publish", "nabd/v1/home/gw-1/data")
@example("#", "subscribe", "nabd/v1/other/#")
@example("home/#", "subscribe", "nabd/v1/home/gw-2/ack")
@example("home", "publish", "nabd/v1/home/live/m")
@example("", "publish", "nabd/v1//data")
@example("${clientid}", "publish", "nabd/v1/home/gw-1/data")
@example("home/gw-1\n", "publish", "nabd/v1/home/gw-1/data")
@example("home/gw-1/live", "publish", "nabd/v1/home/gw-1/live/data")
def test_no_made_up_name_gets_anywhere(name: str, action: str, topic: str) -> None:
    """A name that is not two ids, or hub, is given nothing: wildcards, placeholders and slashes in it open no topic."""
    if name != "hub":
        assert not allows(RULES, Client(name), "publish" if action == "publish" else "subscribe", topic)


def test_the_judge_knows_the_documented_forms() -> None:
    """Order, eq, users by client id and text that only looks like a comment, so that the tests above mean something."""
    rules = read(
        '%% about\n{deny, {user, "a"}, all, ["x/#"]}.\n{allow, all, subscribe, [{eq, "x/#"}, "y/${clientid}", "%z"]}.\n'
        '{allow, {clientid, {re, "^c"}}, publish, ["+/t"]}.\n{deny, all}.'
    )
    assert not allows(rules, Client("a"), "subscribe", "x/#")
    assert allows(rules, Client("b"), "subscribe", "x/#")
    assert not allows(rules, Client("b"), "subscribe", "x/1")
    assert allows(rules, Client("b", "me"), "subscribe", "y/me")
    assert allows(rules, Client("b"), "subscribe", "%z")
    assert allows(rules, Client("b", "c1"), "publish", "x/t")
    assert not allows(rules, Client("b", "c1"), "publish", "$x/t")
    assert not allows(rules, Client("b", "d"), "publish", "x/t")


@pytest.mark.parametrize("text", ["{allow, all}", "{allow, all.", "{allow, all]}.", "{Allow, all}.", '{allow, "all}.'])
def test_what_is_no_erlang_is_no_list(text: str) -> None:
    """The reader does not guess, so a list that EMQX could not load fails here too."""
    with pytest.raises(ValueError, match=r"(no |close|full stop)"):
        allows(read(text), GATEWAY, "publish", OWN)


def test_other_names_are_other_rules() -> None:
    """A root and a hub of one's own have the same rules."""
    rules = read(access_list("emqx", "meters", "centre"))
    assert allows(rules, GATEWAY, "publish", "meters/v1/home/gw-1/data")
    assert not allows(rules, GATEWAY, "publish", f"{OWN}/data")
    assert allows(rules, Client("centre"), "publish", "meters/v1/home/gw-1/ack")
    assert not allows(rules, HUB, "publish", "meters/v1/home/gw-1/ack")


def test_the_page_closes_what_lets_everybody_in() -> None:
    """The list goes by names, so every listener that is left takes the name from a certificate, and asks for one."""
    (told,) = re.findall(r"```hocon\n(.*?)```", (ROOT / "docs/how-to/enrol.md").read_text(encoding="utf-8"), re.DOTALL)
    for listener in ("tcp", "ssl", "ws", "wss"):
        assert re.search(rf"^  {listener}\.default\.enable\s*= false$", told, re.MULTILINE)
    opened = set(re.findall(r"zone = (\w+)", told))
    assert opened == {"gateways", "hubs"}
    assert opened == set(re.findall(r"^zones\.(\w+)\.mqtt.*peer_cert_as_username = cn", told, re.MULTILINE))
    for line in ("verify     = verify_peer", "fail_if_no_peer_cert = true", "no_match = deny", 'path = "etc/acl.conf"'):
        assert line in told
