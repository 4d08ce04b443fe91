"""The command, on real ptys and sockets: what it prints, what it writes, and when it keeps its hands off."""

import json
from argparse import Namespace
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway import control
from gateway.config.load import load
from gateway.scan_cmd import scan
from simulator.scenario import Scenario
from simulator.serve import running

EDGE = '[gateway]\nid = "gw-1"\n[mqtt]\nurl = "mqtts://broker.example"\n'
SML = Scenario.model_validate(
    {"line": [{"name": "optical", "kind": "pty"}], "meter": [{"name": "m", "line": "optical", "profile": "sml"}]}
)


def options(*ports: str, **given: Any) -> Namespace:
    """Make what the command line would."""
    usual = {"list": False, "quick": True, "write": None, "json": False, "config": None, "dev": Path("/dev")}
    return Namespace(ports=list(ports), **(usual | given))


async def say(given: Namespace) -> tuple[int, str, str]:
    """Run the command; give its code, what it told and what it complained of."""
    told: list[str] = []
    complaints: list[str] = []
    code = await scan(given, told.append, complaints.append)
    return code, "\n".join(told), "\n".join(complaints)


async def test_a_meter_is_found_shown_and_written(tmp_path: Path) -> None:
    """A pushing meter on a pty: one JSON object, and a bus and a meter in the file."""
    edge = tmp_path / "edge.toml"
    edge.write_text(EDGE)
    async with running(SML, tmp_path / "wires") as lines:
        where = lines["optical"].where
        code, told, complaints = await say(options(where, json=True, write=edge, config=edge))
    (port,) = json.loads(told)["ports"]
    assert code == 0
    assert [(meter["profile"], meter["confidence"], meter["baud"]) for meter in port["meters"]] == [
        ("sml", "sure", 9600)
    ]
    assert [(meter.profile.name, meter.bus) for meter in load(edge, "edge").meter] == [("sml", "sml-1")]
    assert "s left" in complaints


async def test_a_port_that_a_running_program_reads_is_borrowed(tmp_path: Path) -> None:
    """The program is asked for it, with the device and a lease, and has it back when the search is over."""
    edge = tmp_path / "edge.toml"
    edge.write_text(f'{EDGE}[journal]\nfolder = "{tmp_path}"\n')
    asked: list[Mapping[str, Any]] = []

    async def lend(question: Mapping[str, Any]) -> Mapping[str, Any]:
        asked.append(question)
        return {"lent": ["optical"], "seconds": 60}

    @asynccontextmanager
    async def talk() -> AsyncIterator[control.Answer]:
        try:
            yield lend
        finally:
            asked.append({})

    async with running(SML, tmp_path / "wires") as lines:
        where = lines["optical"].where
        async with control.listening(tmp_path / "edge.sock", {}, {"lend": talk}):
            code, _, complaints = await say(options(where, config=edge))
    assert code == 0
    assert asked == [{"do": "lend", "where": where, "seconds": 60.0}, {}]
    assert "does not read optical meanwhile" in complaints


async def test_a_port_that_is_not_lent_is_left_alone(tmp_path: Path) -> None:
    """A program of before that cannot lend, or that has lent it already: the port is not opened, the reason is said."""
    edge = tmp_path / "edge.toml"
    edge.write_text(f'{EDGE}[journal]\nfolder = "{tmp_path}"\n')
    async with control.listening(tmp_path / "edge.sock", {}):
        code, told, _ = await say(options(str(tmp_path / "ttyUSB0"), config=edge))
    assert code == 2
    assert "a running program reads it (unknown question)" in told


async def test_a_port_that_is_not_there_is_said(tmp_path: Path) -> None:
    """No such device: its own line with what to do, exit 2."""
    code, told, _ = await say(options(str(tmp_path / "ttyUSB9")))
    assert code == 2
    assert "is the adapter plugged in?" in told


async def test_no_adapter_at_all_is_said(tmp_path: Path) -> None:
    """Without a port and without an adapter there is nothing to search."""
    code, _, complaints = await say(options(dev=tmp_path))
    assert code == 2
    assert "no serial adapter" in complaints


async def test_adapters_are_looked_for_where_one_says(tmp_path: Path) -> None:
    """A container may have the devices of its host elsewhere."""
    named = tmp_path / "serial" / "by-id" / "usb-Maker_1"
    named.parent.mkdir(parents=True)
    named.symlink_to("/dev/null")
    code, told, _ = await say(options(dev=tmp_path, list=True))
    assert (code, told) == (0, f"{named} -> /dev/null")


async def test_two_lines_are_named_for_people(tmp_path: Path) -> None:
    """What people read: the meter, how sure, why, and tables to paste."""
    async with running(SML, tmp_path / "wires") as lines:
        code, told, _ = await say(options(lines["optical"].where))
    assert code == 0
    assert "(sure)" in told
    assert "right checksum" in told
    assert '[[bus]]\nname   = "sml-1"' in told


@pytest.mark.slow
async def test_a_modbus_host_is_searched_by_its_units(tmp_path: Path) -> None:
    """Two meters behind one address of the network, named by their units."""
    plan = Scenario.model_validate(
        {
            "line": [{"name": "host", "kind": "tcp"}],
            "meter": [
                {"name": "a", "line": "host", "profile": "abb-b23", "address": 1},
                {"name": "b", "line": "host", "profile": "eastron-sdm630", "address": 2},
            ],
        }
    )
    async with running(plan, tmp_path / "wires") as lines:
        code, told, _ = await say(options(lines["host"].where, json=True))
    (port,) = json.loads(told)["ports"]
    assert code == 0
    assert [(meter["address"], meter["profile"], meter["confidence"]) for meter in port["meters"]] == [
        (1, "abb-b23", "sure"), (2, "eastron-sdm630", "likely"),
    ]  # fmt: skip


async def test_a_half_written_configuration_keeps_nobody_from_searching(tmp_path: Path) -> None:
    """The search goes on; that nobody knows who uses which port is said."""
    edge = tmp_path / "edge.toml"
    edge.write_text("[gateway\n")
    async with running(SML, tmp_path / "wires") as lines:
        code, _, complaints = await say(options(lines["optical"].where, config=edge))
    assert code == 0
    assert "is not known" in complaints
