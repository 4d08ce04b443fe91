"""The driver: meters in the air, over a pty, TCP and a recording, and by `nabd read`."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from drivers.contract import Bus, DecodeError, HasBudget, HasNameplate, Keys, Meter, NoAnswer, NotConnected, Refused
from drivers.profiles import load
from drivers.wmbus.driver import MISSED, SILENCE, WmbusDriver, open_bus, wanted_of
from gateway import show
from gateway.config import load as load_config
from simulator.pushing import PushingServer
from simulator.serving import Server
from simulator.wire import pty_line, tcp_line
from simulator.wmbus_stick import FORMS, WirelessMeter, im871a
from tests.support.virtual_time import run_virtually

KEY = bytes(range(16))
WATER = load("wmbus-water")
MINE = Meter("mine", WATER, "21050003", keys=Keys(KEY))
OPEN = Meter("open", WATER, "NBD 21050004")
Story = Callable[[WmbusDriver, "Feed"], Coroutine[Any, Any, None]]
Feed = Callable[..., None]


def talker(number: str = "21050003", key: bytes | None = KEY, mode: int = 5) -> WirelessMeter:
    """Make a water meter that shows a litre more in each frame."""
    shown = iter(range(1000, 9999))
    return WirelessMeter(number, 7, lambda: {"water_volume": float(next(shown))}, key, 7 if mode == 7 else 5)


class Silent(asyncio.Transport):
    """A link that carries what a test feeds into its protocol."""

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def virtual(monkeypatch: pytest.MonkeyPatch) -> Callable[[Story], None]:
    """Give a callable that runs a story on virtual time, with a connected driver and a way to feed it frames."""

    async def run(story: Story) -> None:
        loop, ports = asyncio.get_running_loop(), []

        async def connect(_: Bus, protocol: Callable[[], asyncio.Protocol], **line: object) -> object:
            assert (line["baud"], line["framing"]) == (57_600, "8N1")
            ports.append(protocol())
            return Silent(), ports[-1]

        def feed(*frames: bytes) -> None:
            ports[-1].data_received(b"".join(map(im871a, frames)))

        monkeypatch.setattr("drivers.pushed.connect", connect)
        driver = open_bus(Bus("air", "/dev/none"), lambda: round(loop.time() * 1000))
        await driver.connect()
        await story(driver, feed)
        await driver.close()

    return lambda story: run_virtually(run(story))


def test_frames_in_one_piece_reach_their_meters(virtual: Callable[[Story], None]) -> None:
    """Two meters' frames in one chunk are kept for both readers, in order; strangers are left alone."""
    mine, other, stranger = talker(), talker("21050004", None), talker("99999999", None)

    async def story(driver: WmbusDriver, feed: Feed) -> None:
        feed(mine.frame(), other.frame(), stranger.frame(), mine.frame())
        assert (await driver.read(MINE)).values == {"water_volume_l": 1000}
        assert (await driver.read(MINE)).values == {"water_volume_l": 1001}
        assert (await driver.read(OPEN)).values == {"water_volume_l": 1000}
        assert driver.counters() == {}

    virtual(story)


def test_repeaters_and_replays(virtual: Callable[[Story], None]) -> None:
    """The same bytes within seconds are left out; later, a signed counter that does not rise is."""
    mine = talker(mode=7)

    async def story(driver: WmbusDriver, feed: Feed) -> None:
        first = mine.frame()
        feed(first, first)
        assert (await driver.read(MINE)).values == {"water_volume_l": 1000}
        await asyncio.sleep(60)
        feed(first)
        waiting = asyncio.ensure_future(driver.read(MINE))
        await asyncio.sleep(1)
        feed(mine.frame())
        assert (await waiting).values == {"water_volume_l": 1001}
        assert driver.counters() == {"repeated": 1, "replayed": 1}

    virtual(story)


def test_a_meter_with_a_key_is_believed_ciphered_only(virtual: Callable[[Story], None]) -> None:
    """A wrong key is told at once; forged frames, in the clear or with another key, are counted once the key fitted."""
    mine, forged, wrong = talker(), talker(key=None), talker(key=bytes(16))

    async def story(driver: WmbusDriver, feed: Feed) -> None:
        feed(wrong.frame())
        with pytest.raises(DecodeError, match="mine: the key does not fit"):
            await driver.read(MINE)
        feed(forged.frame())
        with pytest.raises(DecodeError, match="not ciphered, though the meter has a key"):
            await driver.read(MINE)
        feed(mine.frame(), forged.frame(), wrong.frame(), mine.frame())
        assert (await driver.read(MINE)).values == {"water_volume_l": 1000}
        assert (await driver.read(MINE)).values == {"water_volume_l": 1001}
        assert driver.counters() == {"wrong_key": 4}

    virtual(story)


def test_silence_is_judged_by_the_learnt_interval(virtual: Callable[[Story], None]) -> None:
    """Nothing at all, nothing of this meter, and nothing of use have hints of their own, in time."""
    mine, stranger = talker(), talker("99999999", None)

    async def story(driver: WmbusDriver, feed: Feed) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        with pytest.raises(NoAnswer, match="set to the meters' mode"):
            await driver.read(MINE)
        assert loop.time() - started == pytest.approx(SILENCE)
        feed(stranger.frame())
        with pytest.raises(NoAnswer, match="Others are heard"):
            await driver.read(MINE)
        for _ in range(4):
            feed(mine.frame())
            await driver.read(MINE)
            await asyncio.sleep(60)
        plate = await driver.nameplate(MINE)
        assert plate == {
            "maker": "NBD", "serial": "21050003", "version": "1", "signal": "-73 dBm", "interval": "60 s",
            "heard": "60 s ago",
        }  # fmt: skip
        started = loop.time()
        with pytest.raises(NoAnswer, match="does the profile fit"):
            await driver.read(MINE)
        assert loop.time() - started == pytest.approx(MISSED * 60)

    virtual(story)


def test_compact_frames_are_learnt(virtual: Callable[[Story], None]) -> None:
    """One of an unknown format is left out, and read after the first full one."""
    full = bytes.fromhex("78 02FF20 0000 0413 E8030000 523B 0000")
    compact = bytes.fromhex("79") + bytes.fromhex("FFFF 0000") + bytes(8)

    def frame(payload: bytes, access: int) -> bytes:
        layer = bytes((0x8C, 0x20, access))
        return bytes((9 + 3 + len(payload), 0x44)) + bytes.fromhex("4438 04000521 01 07") + layer + payload

    async def story(driver: WmbusDriver, feed: Feed) -> None:
        feed(frame(compact, 1), frame(full, 2), frame(bytes.fromhex("79 0E7C"), 3))
        assert (await driver.read(OPEN)).values == {"water_volume_l": 1000}
        waiting = asyncio.ensure_future(driver.read(OPEN))
        await asyncio.sleep(1)
        waiting.cancel()
        assert driver.counters() == {"unknown_format": 1, "bad_frame": 1}

    virtual(story)


@pytest.mark.parametrize(
    ("address", "wanted"),
    [(21050003, "21050003"), (7, "00000007"), (" kam-21050003", "KAM21050003"), ("004444dd", "004444DD")],
)
def test_addresses(address: int | str, wanted: str) -> None:
    """A number, with its zeros or not, in any case, with the maker's letters before it."""
    assert wanted_of(Meter("m", WATER, address)) == wanted


@pytest.mark.parametrize("address", [None, "", "1234", "KAMSTRUP 12345678", 123456789])
def test_no_address(address: int | str | None) -> None:
    """What is no meter's number is refused with the way to write it."""
    with pytest.raises(Refused, match="printed on it"):
        wanted_of(Meter("m", WATER, address))


async def test_a_lost_link_is_told_and_opened_again(tmp_path: Path) -> None:
    """A recording ends as a pulled stick does; connecting again reads it anew."""
    other = talker("21050004", None)
    (tmp_path / "air.bin").write_bytes(b"".join(im871a(other.frame()) for _ in range(2)))
    driver = open_bus(Bus("air", f"capture:{tmp_path / 'air.bin'}"), lambda: 1)
    assert isinstance(driver, HasNameplate)
    assert isinstance(driver, HasBudget)
    assert driver.budget(OPEN) > 60
    with pytest.raises(NotConnected, match="connect first"):
        await driver.read(OPEN)
    for _ in range(2):
        await driver.connect()
        assert [(await driver.read(OPEN)).values["water_volume_l"] for _ in range(2)] == [1000, 1001]
        with pytest.raises(NotConnected):
            await driver.read(OPEN)
    await driver.close()
    with pytest.raises(NotConnected):
        await open_bus(Bus("air", "capture:/none"), lambda: 1).connect()


@asynccontextmanager
async def on_a_wire(kind: str, folder: Path, server: Server) -> AsyncIterator[str]:
    """Serve on a pty or TCP; give the `where` of the bus."""
    if kind == "pty":
        async with pty_line(server, folder / "stick"):
            yield str(folder / "stick")
    else:
        async with tcp_line(server, "127.0.0.1") as port:
            yield f"tcp://127.0.0.1:{port}"


def saying(form: str, *meters: WirelessMeter) -> PushingServer:
    """Make a stick that hears these meters in turn, quickly."""

    def frames() -> Iterator[bytes]:
        while True:
            yield from (FORMS[form](meter.frame()) for meter in meters)

    told = frames()
    return PushingServer(lambda: next(told), 0.05)


@pytest.mark.parametrize(("kind", "form"), [("pty", "im871a"), ("tcp", "cul"), ("tcp", "rc1180"), ("pty", "iu891a")])
async def test_nabd_read(kind: str, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command reads a ciphered meter that a simulated stick hears among others, over a serial port and TCP."""
    (tmp_path / "key").write_text(KEY.hex())
    (tmp_path / "key").chmod(0o600)
    async with on_a_wire(kind, tmp_path, saying(form, talker("99999999", None), talker())) as where:
        (tmp_path / "edge.toml").write_text(
            '[gateway]\nid = "gw"\n[journal]\nfolder = "journal"\n[mqtt]\nurl = "mqtts://b"\n'
            f'[[bus]]\nname = "air"\ndriver = "wmbus"\n{"url" if kind == "tcp" else "device"} = "{where}"\n'
            '[[meter]]\nname = "m"\nbus = "air"\nprofile = "wmbus-water"\nevery = "60s"\naddress = "21050003"\n'
            'key_file = "key"\n'
        )
        async with asyncio.timeout(10):
            assert await show.read(load_config(tmp_path / "edge.toml", "edge"), "m", as_json=False) == 0
    said = capsys.readouterr().out
    assert "water_volume" in said
    assert "serial 21050003" in said
