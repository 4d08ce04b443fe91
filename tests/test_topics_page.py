"""docs/reference/topics.md says what the code says: its examples decode, its lists are whole."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import message
from gateway.access_lists import GATEWAY_READS, GATEWAY_WRITES
from gateway.alerts import event, settings
from gateway.message import Topics, decode_ack, decode_block, decode_info, decode_live

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/reference/topics.md").read_text(encoding="utf-8")
ASYNCAPI = json.loads((ROOT / "docs/reference/asyncapi.json").read_text(encoding="utf-8"))
EXAMPLES = dict(re.findall(r"```json (\w+)\n(.*?)\n```", PAGE, re.DOTALL))
DECODERS: dict[str, Callable[[bytes], object]] = {
    "block": decode_block,
    "ack": decode_ack,
    "live": decode_live,
    "info": decode_info,
    "settings": settings.decode,
    "event": lambda payload: event.parse(json.loads(payload)["data"]),
}


@pytest.mark.parametrize("name", DECODERS)
def test_an_example_is_what_the_code_takes(name: str) -> None:
    """Whoever copies it has a valid document, and no field of it is one that the code ignores."""
    document = json.loads(EXAMPLES[name])
    DECODERS[name](EXAMPLES[name].encode())
    if name == "event":
        own = event.parse(document["data"])
        assert event.cloud_event(own, "flats", "gw-1") == document
    elif name == "block":
        assert set(document) <= set(message.Block.model_fields)
    elif name == "settings":
        assert set(document["meters"]["gw-1_main"]) <= set(settings.MeterSettings.model_fields)


def test_every_topic_is_told() -> None:
    """The table has each topic that the access lists know, and no other."""
    told = set(re.findall(r"^\| `([a-z]+)(?:/\{\w+\})?` \| (gateway|hub) \|", PAGE, re.MULTILINE))
    names = [(kind.removesuffix("/+"), "gateway") for kind in GATEWAY_WRITES]
    assert told == {*names, *((kind.removesuffix("/+"), "hub") for kind in GATEWAY_READS)}
    addresses = {channel["address"] for channel in ASYNCAPI["channels"].values()}
    assert {Topics.parse(address.replace("{tenant}", "t").replace("{gateway}", "g"))[1] for address in addresses} == {
        name for name, _ in told
    }


def test_every_bit_of_q_is_told() -> None:
    """Eight bits, each with its meaning."""
    bits = {int(bit) for bit in re.findall(r"^\| (\d+) \| ", PAGE, re.MULTILINE)}
    first = {message.SUSPECT, message.ESTIMATED, message.HOLDOVER, message.TIME_REPAIRED}
    assert bits == first | {message.LOAD_PROFILE, message.ROLLOVER, message.RESET, message.METER_FLAG}


def test_every_reason_of_a_loss_is_told() -> None:
    """What the journal writes into its ledger stands in the table."""
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "gateway/journal").glob("*.py"))
    written = set(re.findall(r'(?:loss_row|losses_of)\(\s*"(\w+)"', sources)) | {"crash", "power_cut"}
    table = PAGE[PAGE.index("| Reason | What happened |") :].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == written


def test_every_reference_of_the_document_leads_somewhere() -> None:
    """A code generator finds each schema that a channel, an operation or another schema names."""
    for found in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(ASYNCAPI)):
        place = ASYNCAPI
        for part in found.split("/"):
            place = place[part]
        assert place
