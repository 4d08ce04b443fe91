"""The DLMS driver on simulated meters, on virtual time: every association and transport, and all that goes wrong."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import pytest

from drivers import profiles
from drivers.contract import NO_KEYS, Bus, Keys, Meter, NoAnswer, Refused
from drivers.dlms import line
from drivers.dlms.acse import Mechanism
from drivers.dlms.association import OFFERED, CounterTooLow, Manner, NotAdmitted
from drivers.dlms.driver import BARRED, DlmsDriver, open_bus
from drivers.dlms.hdlc import Address, Frame, Kind
from drivers.dlms.initiate import Conformance
from drivers.dlms.security import Unproven
from drivers.profiles import Profile
from simulator.dlms.hdlc_server import HdlcServer, Offer, Pranks
from simulator.dlms.meter import Trick
from simulator.dlms.wrapper_server import WrapperServer
from simulator.serving import Send, Server, Session
from tests.support.dlms_meters import KEYS, dlms_meter
from tests.support.memory_link import MemoryLink, in_memory
from tests.support.virtual_time import run_virtually

T = TypeVar("T")

ASSOCIATIONS = {
    "none": (16, Mechanism.NONE, NO_KEYS),
    "lls": (2, Mechanism.LOW, Keys(password=KEYS.password)),
    "lls-ciphered": (3, Mechanism.LOW, KEYS),
    "gmac": (1, Mechanism.HIGH_GMAC, KEYS),
}


def profile_for(link: str, client: int = 16, mechanism: Mechanism | None = None, **changes: Any) -> Profile:
    """Fit the generic profile to a transport and an association."""
    profile = profiles.load("dlms")
    asking = replace(profile.layout.asking, link=link, client=client, mechanism=mechanism, **changes)
    return replace(profile, layout=replace(profile.layout, asking=asking))


def reader(association: str = "none", link: str = "wrapper", keys: Keys | None = None, **changes: Any) -> Meter:
    """Make the meter as it is configured."""
    client, mechanism, own = ASSOCIATIONS[association]
    return Meter("m", profile_for(link, client, mechanism, **changes), keys=own if keys is None else keys)


class Bench:
    """A driver on a simulated meter; `clock` is the boot clock in ms."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, server: Server, state: Path | None) -> None:
        in_memory(monkeypatch, server)
        self.clock = 1000
        self._state = state
        self.driver = self.restarted()

    def restarted(self) -> DlmsDriver:
        """Give a driver that begins anew with what is kept."""
        bus = Bus("b", "tcp://meter:4059", state=self._state)
        self.driver = open_bus(bus, lambda: self.clock, Random(3).randbytes)
        return self.driver

    async def read(self, meter: Meter) -> dict[str, Any]:
        """Read once, on an open bus."""
        return dict((await self.driver.read(meter)).values)


def virtually(story: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run on virtual time."""
    return run_virtually(story())


@pytest.mark.parametrize("link", ["wrapper", "hdlc"])
@pytest.mark.parametrize("association", ASSOCIATIONS)
def test_registers_nameplate_and_history_are_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, association: str, link: str
) -> None:
    """Over every association and both transports; each link is left as it was found."""
    simulated = dlms_meter()
    server: Server = HdlcServer(simulated) if link == "hdlc" else WrapperServer(simulated)
    bench, meter = Bench(monkeypatch, server, tmp_path), reader(association, link)

    async def story() -> None:
        await bench.driver.connect()
        reading = await bench.driver.read(meter)
        assert reading.meter_time == round(simulated.now()) * 1000
        assert {"energy_import_wh", "power_import_w", "voltage_l1_v"} <= set(reading.values)
        assert await bench.read(meter) == dict(reading.values)
        assert "serial" in await bench.driver.nameplate(meter)
        until = round(simulated.now()) * 1000
        rows = await bench.driver.history(meter, until - 6 * 3_600_000, until)
        assert len(rows) in (24, 25)
        times = [row.captured or 0 for row in rows]
        assert all(later - earlier == 900_000 for earlier, later in pairwise(times))
        assert all("energy_import_wh" in row.values for row in rows)
        await bench.driver.close()

    virtually(story)
    assert not simulated.rejected


def test_a_meter_with_wrong_secrets_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One try an hour, so that the meter does not lock itself; another configuration is tried at once."""
    simulated = dlms_meter()
    bench = Bench(monkeypatch, WrapperServer(simulated), tmp_path)
    wrong, right = reader("lls", keys=Keys(password=b"wrong")), reader("lls")

    async def story() -> None:
        await bench.driver.connect()
        for _ in range(5):
            with pytest.raises(NotAdmitted, match="asked again in an hour"):
                await bench.read(wrong)
        assert simulated._wrong_proofs == 1
        bench.clock += BARRED
        with pytest.raises(NotAdmitted):
            await bench.read(wrong)
        assert simulated._wrong_proofs == 2
        assert await bench.read(right)

    virtually(story)


def test_wrong_keys_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A key that is not the meter's lets nothing be read."""
    bench = Bench(monkeypatch, WrapperServer(dlms_meter()), tmp_path)

    async def story() -> None:
        await bench.driver.connect()
        for keys in (Keys(bytes(16), KEYS.authentication), Keys(KEYS.encryption, bytes(16))):
            with pytest.raises(NotAdmitted):
                await bench.read(reader("gmac", keys=keys))

    virtually(story)


@pytest.mark.parametrize("trick", [trick for trick in Trick if trick is not Trick.EXCEPTION])
def test_a_message_that_proves_nothing_moves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, trick: Trick
) -> None:
    """An old message, a used or lower counter, another's title, a forged jump: refused, and moves nothing."""
    simulated = dlms_meter()
    bench, meter = Bench(monkeypatch, WrapperServer(simulated), tmp_path), reader("lls-ciphered")

    async def story() -> None:
        await bench.driver.connect()
        assert await bench.read(meter)
        simulated.tricks.append(trick)
        with pytest.raises((Unproven, Refused)):
            await bench.read(meter)
        bench.clock += BARRED
        assert await bench.read(meter)

    virtually(story)


def test_counters_and_what_was_heard_outlive_a_restart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A new process goes on above all that was sent, and takes nothing that was heard before."""
    simulated = dlms_meter()
    bench, meter = Bench(monkeypatch, WrapperServer(simulated), tmp_path), reader("lls-ciphered")

    async def story() -> None:
        for _ in range(3):
            await bench.restarted().connect()
            assert await bench.read(meter)
            await bench.driver.close()
        simulated.counter = 1  # a meter of which old messages are played again
        await bench.restarted().connect()
        with pytest.raises(Unproven, match="does not rise"):
            await bench.read(meter)

    virtually(story)
    assert not simulated.rejected


def test_a_counter_that_the_meter_has_passed_is_caught_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another reader used the key before us: the meter says so, and the next reading goes on above."""
    simulated = dlms_meter()
    bench = Bench(monkeypatch, WrapperServer(simulated), tmp_path)
    meter = reader("gmac", title=b"CLIENT01")

    async def story() -> None:
        await bench.driver.connect()
        simulated.heard.highest[b"CLIENT01"] = 50_000
        with pytest.raises((CounterTooLow, Refused)):
            await bench.read(meter)
        learning = reader("gmac", title=b"CLIENT01", counter=bytes((0, 0, 43, 1, 0, 255)))
        bench.clock += BARRED
        assert await bench.read(learning)

    virtually(story)


def test_a_ciphered_meter_is_not_asked_without_a_place_for_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    """A counter that is forgotten is a counter used twice."""
    bench = Bench(monkeypatch, WrapperServer(dlms_meter()), None)

    async def story() -> None:
        await bench.driver.connect()
        with pytest.raises(Refused, match="no place for invocation counters"):
            await bench.read(reader("gmac"))

    virtually(story)


@pytest.mark.parametrize("pranks", [Pranks(lost=2), Pranks(damaged=2), Pranks(not_ready=2)])
def test_a_bad_line_costs_time_and_no_reading(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pranks: Pranks) -> None:
    """Lost and damaged frames are asked for again, a busy meter is given time."""
    server = HdlcServer(dlms_meter())
    bench, meter = Bench(monkeypatch, server, tmp_path), reader("gmac", "hdlc")

    async def story() -> None:
        await bench.driver.connect()
        server.pranks = pranks
        assert await bench.read(meter)

    virtually(story)


class Recorder:
    """A server that notes the frames both sides send, and falls silent when told to."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.heard: list[bytes] = []
        self.silent = False

    def open(self, send: Send) -> Session:
        """Begin a conversation."""
        self._send, self._said = send, bytearray()
        self._inner = self.server.open(self._said.extend)
        return self

    def feed(self, data: bytes) -> None:
        """Note and hand on."""
        self.heard.append(data)
        self._inner.feed(data)
        # In one piece, for a memory link may let two pieces of one instant overtake each other.
        said = bytes(self._said)
        self._said.clear()
        if said and not self.silent:
            self._send(said)

    def close(self) -> None:
        """End the conversation."""
        self._inner.close()


def test_the_link_is_closed_on_every_way_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Read, refused, silent or cancelled: the last frame is DISC."""
    recorder = Recorder(HdlcServer(dlms_meter()))
    bench = Bench(monkeypatch, recorder, tmp_path)
    disc = bytes(Frame(Address(1), Address(16), Kind.DISC))
    other = bytes(Frame(Address(1), Address(2), Kind.DISC))

    async def story() -> None:
        await bench.driver.connect()
        await bench.read(reader("none", "hdlc"))
        assert recorder.heard[-1] == disc
        with pytest.raises(NotAdmitted):
            await bench.read(reader("lls", "hdlc", keys=Keys(password=b"wrong")))
        assert recorder.heard[-1] == other
        recorder.silent = True
        with pytest.raises(NoAnswer):
            await bench.read(reader("none", "hdlc"))
        assert recorder.heard[-1] == disc
        task = asyncio.create_task(bench.read(reader("none", "hdlc")))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert recorder.heard[-1] == disc

    virtually(story)


def test_a_day_of_six_values_takes_the_fewest_frames(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """96 rows of 6 columns: as many frames of the meter as its bytes need, and one word of ours a window."""
    for offer in (Offer(128, 1), Offer(512, 3), Offer(1024, 7)):
        simulated = dlms_meter()
        simulated.longest = 65_535
        recorder = Recorder(HdlcServer(simulated, offer=offer))
        bench, meter = Bench(monkeypatch, recorder, tmp_path), reader("none", "hdlc")

        async def story(bench: Bench = bench, meter: Meter = meter, recorder: Recorder = recorder) -> None:
            await bench.driver.connect()
            until = round(simulated.now()) // 900 * 900_000  # noqa: B023
            await bench.driver.history(meter, until - 3_600_000, until)
            recorder.heard.clear()
            rows = await bench.driver.history(meter, until - 95 * 900_000, until)
            assert len(rows) == 96

        virtually(story)
        size = 96 * (2 + 14 + 2 + 4 * 5) + 12
        frames = -(-size // offer.length)
        turns = -(-frames // offer.window)
        # SNRM, AARQ, GET, an RR for each further window, RLRQ, DISC.
        assert len(recorder.heard) <= 5 + turns - 1


@pytest.mark.parametrize("address", ["1-1", "16/99999", "a/b"])
def test_an_address_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str) -> None:
    """Before anything is sent."""
    bench = Bench(monkeypatch, HdlcServer(dlms_meter()), tmp_path)

    async def story() -> None:
        await bench.driver.connect()
        with pytest.raises(Refused, match="address"):
            await bench.read(replace(reader("none", "hdlc"), address=address))

    virtually(story)


def test_a_host_that_let_the_connection_go_costs_no_turn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """TCP is opened again at once; a bus that was never opened is told."""
    bench, meter = Bench(monkeypatch, WrapperServer(dlms_meter()), tmp_path), reader()

    async def story() -> None:
        await bench.driver.connect()
        await bench.read(meter)
        transport = bench.driver._line._transport
        assert transport is not None
        transport.close()
        await asyncio.sleep(1)
        assert await bench.read(meter)

    virtually(story)


def test_a_meter_behind_an_optical_head_is_signed_on_to_each_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """After DISC the head is back at its sign-on; the line is opened anew for every conversation."""
    server = HdlcServer(dlms_meter())
    bench, signed_on = Bench(monkeypatch, server, tmp_path), list[MemoryLink]()

    async def open_hdlc(_bus: Bus, protocol: Callable[[], Any], _now: Any) -> tuple[Any, Any, None]:
        made = protocol()
        signed_on.append(MemoryLink(server, made))
        return signed_on[-1], made, None

    monkeypatch.setattr(line, "open_hdlc", open_hdlc)

    async def story() -> None:
        await bench.driver.connect()
        for _ in range(2):
            assert await bench.read(reader("none", "mode-e"))
        assert [link.is_closing() for link in signed_on] == [True, False]
        assert await bench.read(reader("none", "hdlc")), "the line is opened at its own speed again"

    virtually(story)


@pytest.mark.parametrize("link", ["wrapper", "hdlc"])
def test_long_answers_come_in_general_blocks_where_both_offer_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, link: str
) -> None:
    """A day of rows through messages of 200 bytes, open and ciphered."""
    simulated = dlms_meter()
    simulated.longest = 200
    server: Server = HdlcServer(simulated) if link == "hdlc" else WrapperServer(simulated)
    bench = Bench(monkeypatch, server, tmp_path)
    manner = replace(Manner(), offered=OFFERED | Conformance.GENERAL_BLOCK_TRANSFER, longest=200)

    async def story() -> None:
        await bench.driver.connect()
        until = round(simulated.now()) // 900 * 900_000
        for association, protection in (("none", 0), ("gmac", 0x30)):
            meter = reader(association, link, manner=replace(manner, protection=protection))
            assert len(await bench.driver.history(meter, until - 95 * 900_000, until)) == 96

    virtually(story)
