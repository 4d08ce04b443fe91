"""Faults seeded on real parts, each named; a healthy set-up is left in peace."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drivers.modbus.codec import Read, rtu_request
from gateway.commission.serials import remember
from gateway.config.customers import HomeConfig
from gateway.config.models import EdgeConfig
from gateway.doctor.finding import Report
from gateway.doctor.visit import World, serials, visit
from simulator.scenario import Scenario
from simulator.serve import running
from tests.support.sick_lines import Answer, modbus, sick_line

if TYPE_CHECKING:
    from tests.support.brokers import Mosquitto

Home = Callable[..., HomeConfig]
Edge = Callable[..., EdgeConfig]

SDM: dict[str, Any] = {"profile": "eastron-sdm120", "address": 3}
HASTY = SDM | {"deadline": "100ms"}
KEY = "00112233445566778899aabbccddeeff"


async def codes(config: HomeConfig | EdgeConfig, world: World) -> list[str]:
    """Give the codes of what is found."""
    return [finding.code for finding in (await report_of(config, world)).findings]


async def report_of(config: HomeConfig | EdgeConfig, world: World) -> Report:
    """Look at everything, silently."""
    return await visit(config, world, lambda _what, _where: None)


@asynccontextmanager
async def meter(tmp_path: Path, profile: str, **more: Any) -> AsyncIterator[str]:
    """Serve one simulated meter on a pty, and give its path."""
    plan = {
        "line": [{"name": "wire", "kind": "pty"}],
        "meter": [{"name": "m", "line": "wire", "profile": profile, **more}],
    }
    async with running(Scenario.model_validate(plan), tmp_path / "wires") as lines:
        yield lines["wire"].where


# --- healthy ---------------------------------------------------------------------------------------------------------


async def test_a_healthy_house_has_nothing(tmp_path: Path, home: Home, world: World) -> None:
    """A Modbus meter that answers, of the right model: no finding, and what was looked at is said."""
    async with meter(tmp_path, **SDM) as device:
        report = await report_of(home({"driver": "modbus", "device": device}, SDM), world)
    assert report.findings == []
    assert {one.what for one in report.checked if not one.skipped} == {"box", "disk", "port", "bus"}


async def test_a_meter_with_its_own_serial_number_is_healthy(tmp_path: Path, home: Home, world: World) -> None:
    """An SML meter whose id ends with the number it tells."""
    async with meter(tmp_path, "sml") as device:
        config = home({"driver": "sml", "device": device}, {"profile": "sml", "id": "NBD00000001"})
        assert await codes(config, world) == []


async def test_a_broker_that_lets_us_in_is_healthy(mosquitto: "Mosquitto", edge: Edge, world: World) -> None:
    """A real broker: nothing is found, and it was looked at."""
    report = await report_of(edge(mosquitto.url), world)
    assert report.findings == []
    assert "broker" in {one.what for one in report.checked}


# --- ports -----------------------------------------------------------------------------------------------------------


async def test_port_missing(tmp_path: Path, home: Home, world: World) -> None:
    """No such device: those there are are named."""
    config = home({"driver": "modbus", "device": tmp_path / "ttyUSB9"}, SDM)
    (found,) = (await report_of(config, replace(world, ports=lambda: ["/dev/x"]))).findings
    assert (found.code, found.evidence["ports"]) == ("port_missing", "/dev/x")


async def test_port_busy(home: Home, world: World) -> None:
    """Another program has it open: its name and number are said, and the port is left alone."""
    async with sick_line(modbus(3)) as device:
        port = os.open(device, os.O_RDWR | os.O_NOCTTY)
        holder = await asyncio.create_subprocess_exec("sleep", "60", stdin=port)
        os.close(port)
        (found,) = (await report_of(home({"driver": "modbus", "device": device}, SDM), world)).findings
        holder.kill()
        await holder.wait()
    assert (found.code, found.evidence["holder"]) == ("port_busy", f"sleep (process {holder.pid})")


async def test_port_forbidden(home: Home, world: World) -> None:
    """The mode shuts us out: the group that would help is said."""
    nobody = 65534
    async with sick_line(modbus(3)) as device:
        config = home({"driver": "modbus", "device": device}, SDM, folder=Path(device).parent)
        Path(device).chmod(0o600)
        if os.geteuid() == 0:
            os.seteuid(nobody)
        else:
            Path(device).chmod(0)
        try:
            found = [
                one
                for one in (await report_of(config, replace(world, root=Path("/")))).findings
                if one.code.startswith("port")
            ]
        finally:
            if os.getuid() == 0:
                os.seteuid(0)
    assert [one.code for one in found] == ["port_forbidden"]
    assert found[0].evidence["group"]


async def test_who_may_not_ask_the_program_keeps_off_its_ports(tmp_path: Path, home: Home, world: World) -> None:
    """The folder of the service is shut to us, so nobody knows whether it runs: its lines are not touched."""
    if os.geteuid() != 0:
        pytest.skip("only root can be somebody else for a moment")
    folder = tmp_path / "shut"
    folder.mkdir(mode=0o700)
    config = home({"driver": "modbus", "device": "/dev/ttyUSB9"}, SDM, folder=folder)
    os.seteuid(65534)
    try:
        report = await report_of(config, world)
    finally:
        os.seteuid(0)
    assert report.findings == []
    assert {(one.what, one.skipped) for one in report.checked if one.skipped} == {
        ("disk", "not_ours"), ("bus", "not_ours"),
    }  # fmt: skip


async def test_port_broken(tmp_path: Path, home: Home, world: World) -> None:
    """A file that is no serial port is not taken for a silent meter."""
    (tmp_path / "ttyUSB0").write_bytes(b"")
    assert await codes(home({"driver": "modbus", "device": tmp_path / "ttyUSB0"}, SDM), world) == ["port_broken"]


async def test_host_unreachable(home: Home, world: World, free_port: Callable[[], int]) -> None:
    """Nobody listens at a Modbus TCP host."""
    config = home({"driver": "modbus", "url": f"tcp://127.0.0.1:{free_port()}"}, SDM)
    assert await codes(config, world) == ["host_unreachable"]


# --- lines -----------------------------------------------------------------------------------------------------------


def only_at(baud: int, answer: Answer) -> Answer:
    """Let a meter hear what is said at its own speed."""
    return lambda request, spoken: answer(request, spoken) if spoken == baud else b""


async def test_wrong_baud(home: Home, world: World) -> None:
    """The meter hears 19200 alone: that speed is named."""
    async with sick_line(only_at(19_200, modbus(3))) as device:
        (found,) = (await report_of(home({"driver": "modbus", "device": device}, HASTY), world)).findings
    assert (found.code, found.evidence) == ("wrong_baud", {"configured": 9600, "found": 19_200})


async def test_two_masters(home: Home, world: World) -> None:
    """Requests for another unit come again and again, and nobody answers ours."""
    async with sick_line(lambda _request, _baud: b"", says=rtu_request(9, Read(3, 0, 10))) as device:
        assert await codes(home({"driver": "modbus", "device": device}, HASTY), world) == ["two_masters"]


async def test_no_termination(home: Home, world: World) -> None:
    """Each third answer has its bits spoilt: the ends of the line are suspected."""
    asked = [0]

    def answer(request: bytes, baud: int) -> bytes:
        asked[0] += 1
        whole = modbus(3)(request, baud)
        return whole[:4] + bytes((whole[4] ^ 0x5A,)) + whole[5:] if whole and asked[0] % 3 == 0 else whole

    async with sick_line(answer) as device:
        found = await codes(home({"driver": "modbus", "device": device}, SDM | {"profile": "eastron-sdm120"}), world)
    assert "no_termination" in found
    assert "meter_silent" not in found


# --- meters ----------------------------------------------------------------------------------------------------------


async def test_key_wrong(tmp_path: Path, home: Home, world: World) -> None:
    """A ciphered P1 port is heard, and the key is another meter's."""
    (tmp_path / "key").write_text("ff" * 16)
    (tmp_path / "key").chmod(0o600)
    async with meter(tmp_path, "dsmr-p1", key=KEY) as device:
        config = home({"driver": "p1", "device": device}, {"profile": "dsmr-p1", "key_file": tmp_path / "key"})
        assert await codes(config, world) == ["key_wrong"]


async def test_meter_swapped(tmp_path: Path, home: Home, world: World) -> None:
    """The meter tells another number than the configuration's id ends with."""
    async with meter(tmp_path, "sml") as device:
        config = home({"driver": "sml", "device": device}, {"profile": "sml", "id": "EMH00999999"})
        (found,) = (await report_of(config, world)).findings
    assert (found.code, found.evidence["expected"]) == ("meter_swapped", "00999999")


# --- broker ----------------------------------------------------------------------------------------------------------


async def test_broker_unreachable(edge: Edge, world: World, free_port: Callable[[], int]) -> None:
    """Nobody listens there."""
    assert await codes(edge(f"mqtt://127.0.0.1:{free_port()}"), world) == ["broker_unreachable"]


async def test_broker_refuses(mosquitto_with: "Callable[..., Mosquitto]", edge: Edge, world: World) -> None:
    """A real broker that lets nobody in without a name."""
    broker = mosquitto_with("allow_anonymous false")
    assert await codes(edge(broker.url), world) == ["broker_refuses"]


async def test_dns_fails(edge: Edge, world: World) -> None:
    """A name that never has an address."""
    (found,) = (await report_of(edge("mqtt://broker.invalid"), world)).findings
    assert (found.code, found.evidence["host"]) == ("dns_fails", "broker.invalid")


# --- this box --------------------------------------------------------------------------------------------------------


async def test_undervoltage_and_a_worn_card(tmp_path: Path, edge: Edge, mosquitto: "Mosquitto", world: World) -> None:
    """The kernel's own files, as a small board has them."""
    throttled = tmp_path / "sys/devices/platform/soc/soc:firmware/get_throttled"
    life = tmp_path / "sys/block/mmcblk0/device/life_time"
    for file, text in ((throttled, "50005\n"), (life, "0x02 0x0a\n")):
        file.parent.mkdir(parents=True)
        file.write_text(text)
    found = await codes(edge(mosquitto.url), world)
    assert found == ["undervoltage", "card_worn"]
    throttled.write_text("50000\n")
    assert await codes(edge(mosquitto.url), world) == ["undervoltage_past", "card_worn"]


async def test_clock_unsynced_and_wrong(edge: Edge, mosquitto: "Mosquitto", world: World) -> None:
    """Nobody sets the clock; and one that stands before our own files is wrong whoever sets it."""
    config = edge(mosquitto.url)
    assert await codes(config, replace(world, clock=lambda: "unsynced")) == ["clock_unsynced"]
    assert await codes(config, replace(world, now=lambda: 1_000_000_000.0)) == ["clock_wrong"]


# --- beside a running program ----------------------------------------------------------------------------------------


async def test_a_running_program_is_asked_and_its_port_left_alone(home: Home, world: World, tmp_path: Path) -> None:
    """What its socket says is judged; the port is not opened, so the device need not even be there."""
    from gateway import control

    rejected = {"bad_crc": 40, "unasked_bytes": 9}
    meters = [
        {"id": "home_m", "read": 300, "set_aside": False, "error": ""},
        {"id": "home_n", "read": 5, "set_aside": True, "error": "home_n: silence (check the meter's address)"},
    ]
    bus: dict[str, Any] = {"name": "bus-1", "connected": True, "rejected": rejected, "meters": meters}
    told = {"clock": "synced", "buses": [bus]}

    async def status(_question: object) -> dict[str, Any]:
        return told

    async with control.listening(tmp_path / "edge.sock", {"status": status}):
        report = await report_of(home({"driver": "modbus", "device": tmp_path / "none"}, SDM), world)
        bus |= {"connected": False, "meters": [{"id": "home_m", "error": "x: No such file or directory"}]}
        gone = await codes(home({"driver": "modbus", "device": tmp_path / "none"}, SDM), world)
    assert [(one.code, one.where) for one in report.findings] == [
        ("meter_silent", "home_n"),
        ("no_termination", "bus-1"),
    ]
    assert ("serial", "beside_running") in {(one.what, one.skipped) for one in report.checked}
    assert gone == ["port_missing"]


async def test_a_running_program_is_asked_for_serial_numbers(home: Home, world: World, tmp_path: Path) -> None:
    """Where the configuration names one, another meter behind the same address is found beside the program."""
    from gateway import control

    meters = [{"id": "ABB-12345678", "read": 300, "set_aside": False, "error": ""}]
    told = {"buses": [{"name": "bus-1", "connected": True, "rejected": {}, "meters": meters}]}

    async def status(_question: object) -> dict[str, Any]:
        return told

    async def plates(question: Any) -> dict[str, Any]:
        return {"nameplates": {"ABB-12345678": {"serial": "87654321"}}} if question["bus"] == "bus-1" else {}

    config = home({"driver": "modbus", "device": tmp_path / "none"}, SDM | {"id": "ABB-12345678"})
    async with control.listening(tmp_path / "edge.sock", {"status": status, "nameplates": plates}):
        report = await report_of(config, world)
    assert [(one.code, one.evidence["found"]) for one in report.findings] == [("meter_swapped", "87654321")]
    assert "serial" not in {one.what for one in report.checked}


async def test_a_bus_that_is_lent_is_neither_well_nor_ill(home: Home, world: World, tmp_path: Path) -> None:
    """Its port is closed on purpose, and its meters are asked by somebody else: nothing can be said of it now."""
    from gateway import control

    meters = [{"id": "home_m", "read": 300, "set_aside": False, "error": "its bus is lent to another program"}]
    bus = {"name": "bus-1", "connected": False, "lent": True, "rejected": {}, "meters": meters}

    async def status(_question: object) -> dict[str, Any]:
        return {"buses": [bus]}

    async with control.listening(tmp_path / "edge.sock", {"status": status}):
        report = await report_of(home({"driver": "modbus", "device": tmp_path / "none"}, SDM), world)
    assert report.findings == []
    assert [one.skipped for one in report.checked if one.what == "bus"] == ["lent"]


async def test_a_meter_that_was_swapped_after_its_commissioning_is_found(home: Home, tmp_path: Path) -> None:
    """Without a number in its id, the one it had when it was commissioned is compared."""
    config = home({"driver": "modbus", "device": tmp_path / "none"}, SDM)
    remember(tmp_path, {"home_m": "12345678"})
    assert serials(config, list(config.meter)) == {"home_m": "12345678"}
