"""From tables to what drivers and transport take."""

from collections.abc import Callable
from pathlib import Path

import pytest

from drivers.contract import Bus
from gateway.config import ConfigError, EdgeConfig, load
from gateway.config.build import bus_of, endpoint_of, meter_id, meter_of, mirror_folder
from gateway.transport import Message

MOUNTS = """\
/dev/root / ext4 rw 0 0
tmpfs /run tmpfs rw 0 0
/dev/sda1 /run/disk ext4 rw 0 0
tmpfs /dev/shm tmpfs rw 0 0
"""


def test_buses_and_meters_are_what_the_file_says(good: str, edge: Callable[[str], EdgeConfig]) -> None:
    """Names, places, framing, addresses and models arrive at the driver's side."""
    config = edge(good)
    assert bus_of(config.bus[0]) == Bus("rs485-1", "/dev/ttyUSB0", None, "8N1")
    flat, _, gas = config.meter
    meter = meter_of(config, flat)
    assert (meter.id, meter.address, meter.deadline) == ("gw-1_flat-7", 1, 1.0)
    assert (meter.profile.name, gas.every) == ("eastron-sdm120", 300.0)


def test_a_meter_may_have_an_id_of_its_own(good: str, edge: Callable[[str], EdgeConfig]) -> None:
    """An id given stands alone, without the gateway's."""
    config = edge(good.replace('every = "5m"', 'id = "NBD123"'))
    assert meter_id(config, config.meter[2]) == "NBD123"


def test_a_host_is_where_the_url_says(good: str, edge: Callable[[str], EdgeConfig], tmp_path: Path) -> None:
    """A url takes the device's place, and a recording's path starts at the file's folder."""
    for url, where in (("tcp://10.0.0.7:502", "tcp://10.0.0.7:502"), ("capture:p1.bin", f"capture:{tmp_path}/p1.bin")):
        config = edge(good.replace('device = "/dev/ttyUSB1"', f'url = "{url}"'))
        assert bus_of(config.bus[1]).where == where


def test_the_endpoint_has_all_that_mqtt_asks(good: str, canary: str, edge: Callable[[str], EdgeConfig]) -> None:
    """Who, where, password, will and session; the gateway's user stands in where none is given."""
    will = Message("nabd/v1/home/gw-1/status", b"{}", qos=1, retain=True)
    mqtt = edge(good).mqtt
    endpoint = endpoint_of(mqtt, "gw-1", user="home/gw-1", session_expiry=86400, will=will)
    assert (endpoint.url, endpoint.client_id, endpoint.username) == (mqtt.url, "gw-1", "home/gw-1")
    assert (endpoint.password, endpoint.keepalive, endpoint.session_expiry) == (canary, 30, 86400)
    assert endpoint.will == will


def test_without_a_password_there_is_no_user(good: str, edge: Callable[[str], EdgeConfig]) -> None:
    """A broker that lets everybody in, or looks at certificates, is given no name unless one is configured."""
    config = edge(good.replace('password_file = "mqtt.password"', ""))
    assert endpoint_of(config.mqtt, "gw-1", user="home/gw-1").username is None
    config = edge(good.replace('password_file = "mqtt.password"', 'username = "me"'))
    assert endpoint_of(config.mqtt, "gw-1", user="home/gw-1").username == "me"


def test_a_certificate_and_its_key_reach_the_endpoint(
    good: str, canary: str, edge: Callable[[str], EdgeConfig], tmp_path: Path
) -> None:
    """Paths are handed on, for TLS reads those files itself."""
    assert canary
    (tmp_path / "gw.pem").write_text("certificate")
    files = 'ca_file = "gw.pem"\ncert_file = "gw.pem"\nkey_file = "mqtt.password"'
    endpoint = endpoint_of(edge(good.replace('password_file = "mqtt.password"', files)).mqtt, "gw-1")
    assert (endpoint.ca_file, endpoint.cert_file) == (tmp_path / "gw.pem", tmp_path / "gw.pem")
    assert endpoint.key_file == tmp_path / "mqtt.password"


@pytest.mark.parametrize(
    ("env", "mounts", "folder"),
    [
        ({"RUNTIME_DIRECTORY": "/run/nabd"}, MOUNTS, Path("/run/nabd")),
        ({"RUNTIME_DIRECTORY": "/run/nabd:/run/other"}, MOUNTS, Path("/run/nabd")),
        ({"RUNTIME_DIRECTORY": "/run/disk/nabd"}, MOUNTS, Path("/dev/shm")),
        ({}, MOUNTS, Path("/dev/shm")),
        ({}, "/dev/root / ext4 rw 0 0\n", None),
        ({"RUNTIME_DIRECTORY": "run"}, "", None),
        ({}, "tmpfs /dev/shm tmpfs rw 0 0\n/dev/sda1 /dev/shm ext4 rw 0 0\n", None),
        ({}, "odd line\n\n", None),
    ],
)
def test_the_mirror_lies_in_memory_or_nowhere(
    env: dict[str, str], mounts: str, folder: Path | None, good: str, edge: Callable[[str], EdgeConfig]
) -> None:
    """The run folder when that is tmpfs, else shared memory, else none; the deepest and last mount decides."""
    assert mirror_folder(edge(good), env, mounts) == folder


def test_a_mirror_that_is_given_is_taken(good: str, edge: Callable[[str], EdgeConfig], tmp_path: Path) -> None:
    """Whoever names a folder knows where memory is."""
    config = edge(good.replace('window = "10s"', 'mirror = "m"'))
    assert mirror_folder(config, {}, "") == tmp_path / "m"


def test_state_is_where_systemd_says(good: str, write: Callable[[str], Path]) -> None:
    """`state:` is the first of $STATE_DIRECTORY, else /var/lib/nabd; other paths start at the file's folder."""
    path = write(good)
    assert load(path, "edge", {}).journal.folder == Path("/var/lib/nabd/journal")
    assert load(path, "edge", {"STATE_DIRECTORY": "/s/a:/s/b"}).journal.folder == Path("/s/a/journal")
    path = write(good.replace('window = "10s"', 'folder = "j"'))
    assert load(path, "edge", {"STATE_DIRECTORY": "/s"}).journal.folder == path.parent / "j"


def test_a_relative_name_of_the_file_gives_whole_paths(
    good: str, write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that changes its folder later still finds its journal."""
    path = write(good.replace('window = "10s"', 'folder = "j"'))
    monkeypatch.chdir(path.parent)
    assert load(Path(path.name), "edge", {}).journal.folder == path.parent / "j"


def test_a_meters_keys_come_from_files(good: str, edge: Callable[[str], EdgeConfig], tmp_path: Path) -> None:
    """Keys are read as hexadecimal and the password as it stands; none of them is ever shown."""
    for name, text in (("a.key", "00" * 16 + "\n"), ("b.key", "FF" * 16), ("c.password", "00000000\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    files = 'key_file = "a.key"\nauth_key_file = "b.key"\npassword_file = "c.password"\n'
    meter = meter_of(config := edge(good.replace('every = "5m"', files)), config.meter[2])
    keys = meter.keys
    assert (keys.encryption, keys.authentication, keys.password) == (bytes(16), b"\xff" * 16, b"00000000")
    assert "00000000" not in repr(meter)


def test_a_file_without_a_key_is_named(good: str, edge: Callable[[str], EdgeConfig], tmp_path: Path) -> None:
    """A key of another length, or no hexadecimal at all, is told with the file's name."""
    (tmp_path / "a.key").write_text("00" * 15)
    (tmp_path / "a.key").chmod(0o600)
    config = edge(good.replace('every = "5m"', 'key_file = "a.key"'))
    with pytest.raises(ConfigError, match=r"a\.key"):
        meter_of(config, config.meter[2])
