"""What `nabd check` says: the plan, whose profile won, and what to think twice about."""

from collections.abc import Callable
from pathlib import Path

import pytest

from drivers.profiles import SHIPPED
from gateway.config import ConfigError, Kind, kind_of
from gateway.config.report import check
from gateway.config.spell import spell_bytes, spell_seconds

ENV = {"RUNTIME_DIRECTORY": "/nowhere"}

EDGE = """\
nabd edge would run this from FILE:

gateway  gw-1, tenant home, time zone Asia/Riyadh, language en, currency SAR
clock    readings wait up to 15m for true time
journal  /var/lib/nabd/journal, a block every 10s, at most 2GB, kept 7d once stored
mirror   DIR/memory
mqtt     mqtts://broker.example:8883, topics nabd/v1/…, password from DIR/mqtt.password, acknowledged by the store
pages    http://127.0.0.1:8080

bus      rs485-1: modbus on /dev/ttyUSB0, usual baud, 8N1 framing
  flat-7: Eastron SDM120 Modbus, address 1, every 10s, N quantities, as gw-1_flat-7, profile eastron-sdm120 as shipped
    2 requests, 32 + 10 registers, 0.16 s at 9600 baud

bus      p1: p1 on /dev/ttyUSB1, usual baud, usual framing
  main: MAIN, every 10s, N quantities, as gw-1_main, profile dsmr-p1 as shipped
  gas: GAS, every 5m, 1 quantities, as gw-1_gas, profile dsmr-p1-gas as shipped
"""


@pytest.fixture(autouse=True)
def _a_disk_that_needs_no_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what depends on how this machine's disk is mounted."""
    monkeypatch.setattr("gateway.config.report.advice", lambda _folder, _window: "")


def test_a_disk_that_wears_is_told(monkeypatch: pytest.MonkeyPatch, report: Callable[..., str], good: str) -> None:
    """How a mount would spare flash is one of the notes."""
    monkeypatch.setattr("gateway.config.report.advice", lambda folder, window: f"{folder} wears in {window:g} s")
    assert "/var/lib/nabd/journal wears in 10 s" in report(good)


@pytest.fixture
def report(write: Callable[[str], Path], tmp_path: Path) -> Callable[..., str]:
    """Give a callable that reports on a text, with FILE and DIR for its places."""

    def make(text: str, kind: Kind = "edge") -> str:
        path = write(text)
        return check(path, kind, {}).replace(str(path), "FILE").replace(str(tmp_path), "DIR")

    return make


def test_the_plan_is_whole(
    good: str, report: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every part that would run stands in the report, in the order of the file."""
    import re

    monkeypatch.setattr("gateway.config.build._mounts", lambda: f"tmpfs {tmp_path} tmpfs rw 0 0\n")
    text = report(good.replace('window = "10s"', 'mirror = "memory"'))
    text = re.sub(r"main: .*?, every", "main: MAIN, every", text)
    text = re.sub(r"gas: .*?, every", "gas: GAS, every", text)
    text = re.sub(r"[0-9]{2} quantities", "N quantities", text)
    assert text == EDGE


@pytest.mark.parametrize(
    ("old", "new", "note"),
    [
        (
            "mqtts://broker.example:8883",
            "mqtt://broker.example",
            "[mqtt] url is without TLS: everybody on the way reads along, the password too; write mqtts://",
        ),
        (
            'password_file = "mqtt.password"',
            'ack_mode = "puback"',
            '[mqtt] ack_mode "puback" trusts the broker\'s disk: what it forgets in a crash is lost',
        ),
        (
            "[[meter]]",
            '[[bus]]\nname = "spare"\ndriver = "modbus"\ndevice = "/dev/ttyUSB2"\n[[meter]]',
            "bus spare has no meter",
        ),
    ],
)
def test_doubts_are_told(old: str, new: str, note: str, good: str, report: Callable[[str], str]) -> None:
    """What works but may lose or show data is said, and only then."""
    assert f"  - {note}\n" not in report(good)
    assert f"\nThink twice about:\n  - {note}\n" in report(good.replace(old, new, 1))


def test_a_local_broker_needs_no_tls(good: str, report: Callable[[str], str]) -> None:
    """Nobody stands between us and ourselves."""
    assert "Think twice" not in report(good.replace("mqtts://broker.example:8883", "mqtt://127.0.0.1"))


@pytest.mark.parametrize(
    ("web", "told"),
    [
        ('listen = "0.0.0.0:8080"', True),
        ('listen = "[::]:8080"', True),
        ('listen = "0.0.0.0:8080"\ntls = true', False),
        ('listen = "192.0.2.7:8080"\nurl = "https://meters.example"', False),
        ('listen = "[::1]:8080"', False),
    ],
)
def test_pages_that_are_open_to_a_network_without_tls_are_told(
    web: str, told: bool, report: Callable[..., str]
) -> None:
    """Whoever serves them by plain HTTP beyond this machine hears what that means."""
    note = "[web] is without TLS: everybody on its network can read the pages along; write tls = true"
    assert (note in report(f"[web]\n{web}\n", "home")) is told


def test_without_a_mirror_a_crash_costs_the_window(
    good: str, report: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing lies in memory, the report says what that means."""
    monkeypatch.setattr("gateway.config.build._mounts", lambda: "/dev/root / ext4 rw 0 0\n")
    text = report(good)
    assert "\nmirror   none\n" in text
    assert "there is no mirror in memory: a crash of the process loses up to 10s, as a power cut does" in text


@pytest.mark.parametrize(("kind", "told"), [("ext4", True), ("tmpfs", False)])
def test_a_mirror_on_a_disk_is_told(
    kind: str, told: bool, good: str, report: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What outlives a power cut there would be taken for what outlived a crash."""
    monkeypatch.setattr("gateway.config.build._mounts", lambda: f"/dev/x / {kind} rw 0 0\n")
    text = report(good.replace('window = "10s"', 'mirror = "m"'))
    assert ("[journal] mirror DIR/m is on a disk" in text) is told


@pytest.mark.parametrize(("every", "told"), [("150ms", True), ("200ms", False), ("0s", False)])
def test_a_line_that_cannot_carry_its_meters(every: str, told: bool, good: str, report: Callable[[str], str]) -> None:
    """A schedule that needs more time than the line has is told; reading without pause takes what there is."""
    text = report(good.replace("address = 1", f'address = 1\nevery = "{every}"', 1))
    assert ("bus rs485-1 is asked for 1.1 times what its speed allows" in text) == told


def test_a_host_has_no_speed(good: str, report: Callable[[str], str]) -> None:
    """Over TCP the requests are told, their time is not."""
    text = report(good.replace('device = "/dev/ttyUSB0"\nframing = "8N1"', 'url = "tcp://10.0.0.7:502"', 1))
    assert "\n    2 requests, 32 + 10 registers\n" in text


def test_a_profile_beside_the_file_wins(good: str, report: Callable[[str], str], tmp_path: Path) -> None:
    """An installer's own copy is used and named, and an unconfirmed one is called that."""
    own = tmp_path / "meters" / "eastron-sdm120.toml"
    own.parent.mkdir()
    shipped = (SHIPPED / own.name).read_text(encoding="utf-8")
    own.write_text(shipped.replace('"two-sources"', '"one-source"'), encoding="utf-8")
    text = report(good)
    assert "flat-7: Eastron SDM120 Modbus (unconfirmed), address 1" in text
    assert "profile eastron-sdm120 beside this file" in text
    assert "profile eastron-sdm120 is unconfirmed: compare the first values with the meter's display" in text


def test_a_broken_profile_beside_the_file_is_told(good: str, complain: Callable[[str], str], tmp_path: Path) -> None:
    """It is not passed over for the shipped one: who wrote it means it."""
    own = tmp_path / "meters" / "eastron-sdm120.toml"
    own.parent.mkdir()
    own.write_text("name = ")
    assert complain(good).startswith("FILE:26: [[meter]] flat-7, profile: cannot be used: DIR/meters/eastron-sdm120")
    own.write_text("name = " + "[" * 100_000)
    assert complain(good).startswith("FILE:26: [[meter]] flat-7, profile: ")


def test_what_a_terminal_would_obey_is_replaced(good: str, report: Callable[[str], str], tmp_path: Path) -> None:
    """A profile from a stranger cannot paint the installer's screen."""
    own = tmp_path / "meters" / "eastron-sdm120.toml"
    own.parent.mkdir()
    shipped = (SHIPPED / own.name).read_text(encoding="utf-8")
    own.write_text(shipped.replace("Eastron SDM120 Modbus", r"a\u001b[2Jb\u202ec"), encoding="utf-8")
    assert "flat-7: a\N{REPLACEMENT CHARACTER}[2Jb\N{REPLACEMENT CHARACTER}c" in report(good)


def test_hub_and_home_have_their_plans(report: Callable[..., str]) -> None:
    """Both halves of a house in one, and the hub alone."""
    hub = report('[mqtt]\nurl = "mqtts://b"\n[store]\nkind = "influx"\nurl = "https://i:8086"\nkeep_raw = false', "hub")
    assert "\nstore    influx, https://i:8086, bucket nabd, quarter-hours only\n" in hub
    assert "journal" not in hub
    home = report("[gateway]\n", "home")
    assert "\nmqtt     none\n" in home
    assert "\nstore    sqlite, /var/lib/nabd/readings.sqlite, every reading\n" in home
    assert "  - there is no bus and no meter yet\n" in home


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[gateway]\n[mqtt]\n", "edge"),
        ("[[bus]]\n", "edge"),
        ("[gateway]\n[store]\n", "home"),
        ("[[bus]]\n[store]\n", "home"),
        ("[mqtt]\n[store]\n", "hub"),
        ("[hub]\n", "hub"),
    ],
)
def test_the_kind_is_found(text: str, kind: Kind, tmp_path: Path) -> None:
    """By its name, else by the tables that only one of them has."""
    path = tmp_path / "box.toml"
    path.write_text(text)
    assert kind_of(path) == kind
    named = path.rename(tmp_path / "home.toml")
    assert kind_of(named) == "home"


def test_a_report_on_nonsense_is_an_error_in_words(tmp_path: Path) -> None:
    """`check` raises what `load` raises, the search for the kind included."""
    path = tmp_path / "box.toml"
    path.write_text("= 3")
    with pytest.raises(ConfigError, match=r"box\.toml:1: is not TOML"):
        check(path)


def test_durations_and_sizes_are_written_as_people_do() -> None:
    """The largest unit without a fraction."""
    seconds = [0, 0.5, 1, 75, 90, 900, 3600, 5400, 604800]
    assert [spell_seconds(s) for s in seconds] == ["0s", "500ms", "1s", "75s", "90s", "15m", "1h", "90m", "7d"]
    assert [spell_bytes(b) for b in (2 * 10**9, 1500 * 10**6, 1048576)] == ["2GB", "1500MB", "1048576B"]


def test_channels_are_told_without_what_keeps_others_out(report: Callable[..., str]) -> None:
    """Each with its kind, host and quiet; a topic or a webhook's path is as good as a password."""
    text = report(
        """\
[mqtt]
url = "mqtts://broker.example:8883"
[[channel]]
name = "phone"
kind = "ntfy"
url = "https://ntfy.example/canary"
[[channel]]
name = "program"
kind = "webhook"
url = "https://hook.example/canary"
""",
        "hub",
    )
    assert "channel  phone: ntfy to ntfy.example, from warning on, quiet 22:00-07:00\n" in text
    assert "channel  program: webhook at hook.example, everything at once\n" in text
    assert "messages link to http://127.0.0.1:8080" in text
    assert "canary" not in text


def test_a_house_without_a_number_to_call_is_told(report: Callable[..., str]) -> None:
    """Gas that never stops is told to nobody then, which somebody must know."""
    channel = '[[channel]]\nname = "x"\nkind = "ntfy"\nurl = "https://ntfy.example/topic"\n'
    said = "no person is told of gas that never stops: give [gateway] emergency"
    assert said in report(channel, "home")
    assert said not in report('[gateway]\nemergency = "998"\n' + channel, "home")
