"""Who may say what at a broker, once, and the same written down for Mosquitto and EMQX: `nabd access-lists`.

A gateway's user is `tenant/gateway`, so its name is its place in the tree. Both brokers put a name into a topic as it
is, slash and all. Two things follow. A name with a wildcard would open other gateways' topics: Mosquitto refuses all to
such a user by itself, EMQX is told to take only names that are two ids. And a name of one word would take a kind of
topic for a gateway, as in `nabd/v1/home/live/x`: so no user but the hub has one, and `nabd ca` signs none.
"""

from collections.abc import Callable, Iterable

from gateway.message import ID

GATEWAY_WRITES = ("status", "info", "data", "live/+", "event", "health", "reply")
GATEWAY_READS = ("ack", "cmd/+", "settings")
"""What a gateway reads only the hub writes."""

_ID = ID.strip("^$")


def access_list(broker: str, root: str = "nabd", hub: str = "hub") -> str:
    """Write the access list for "mosquitto" or "emqx"; `root` begins every topic, `hub` is the hub's user."""
    write: dict[str, Callable[[str, str], str]] = {"mosquitto": _mosquitto, "emqx": _emqx}
    return write[broker](root, hub)


def _mosquitto(root: str, hub: str) -> str:
    lines = [
        "# Who may say what. Copy to /etc/mosquitto/nabd.acl; `nabd access-lists mosquitto` writes it.",
        "#",
        "# A gateway's user is tenant/gateway, so that %u is its place in the tree. It writes what it measures and",
        "# reads what is meant for it; it can neither acknowledge blocks nor command others. Give no user but the hub",
        "# a name of one word: it would take a kind of topic for a gateway.",
        *(f"pattern write {root}/v1/%u/{kind}" for kind in GATEWAY_WRITES),
        *(f"pattern read {root}/v1/%u/{kind}" for kind in GATEWAY_READS),
        "",
        "# The hub reads everything and writes what gateways wait for.",
        f"user {hub}",
        f"topic read {root}/v1/#",
        *(f"topic write {root}/v1/+/+/{kind}" for kind in GATEWAY_READS),
    ]
    return "\n".join([*lines, ""])


def _emqx(root: str, hub: str) -> str:
    gateway = f'{{username, {{re, "^{_ID}/{_ID}$"}}}}'
    own = f"{root}/v1/${{username}}"
    rules = [
        _rule(gateway, "publish", (f"{own}/{kind}" for kind in GATEWAY_WRITES)),
        _rule(gateway, "subscribe", (f"{own}/{kind}" for kind in GATEWAY_READS)),
        _rule(f'{{username, "{hub}"}}', "subscribe", [f"{root}/v1/#"]),
        _rule(f'{{username, "{hub}"}}', "publish", (f"{root}/v1/+/+/{kind}" for kind in GATEWAY_READS)),
    ]
    head = [
        "%% Who may say what, for EMQX 5. Copy to etc/acl.conf; `nabd access-lists emqx` writes it.",
        "%%",
        "%% A gateway's user is tenant/gateway: its place in the tree. Names that are not two ids get nothing.",
    ]
    return "\n".join([*head, *rules, "{deny, all}.", ""])


def _rule(who: str, action: str, topics: Iterable[str]) -> str:
    listed = ",\n  ".join(f'"{topic}"' for topic in topics)
    return f"{{allow, {who}, {action}, [\n  {listed}\n]}}."
