"""What options must be to each other, where the mistakes of edge.toml do not reach."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from drivers.profiles import load as load_profile
from gateway.config import EdgeConfig, load

HUB = '[mqtt]\nurl = "mqtts://broker.example"\n'


def test_a_hub_has_no_user_by_default(complain: Callable[..., str]) -> None:
    """Only a gateway's user follows from its name."""
    told = complain(HUB + 'password_file = "mqtt.password"\n', "hub")
    assert told == (
        "FILE:3: [mqtt], password_file: needs username beside it (only a fleet's gateway has a user by default)"
    )


def test_a_user_alone_in_the_url_is_refused_too(good: str, complain: Callable[[str], str]) -> None:
    """It has an option of its own."""
    told = complain(good.replace("mqtts://", "mqtts://me@"))
    assert told.startswith("FILE:9: [mqtt], url: must hold no user and no password")


def test_rtu_over_tcp_is_for_modbus(
    good: str, edge: Callable[[str], EdgeConfig], complain: Callable[[str], str]
) -> None:
    """It is Modbus RTU's framing."""
    told = complain(good.replace('device = "/dev/ttyUSB1"', 'url = "rtu+tcp://10.0.0.7:502"'))
    assert told == "FILE:21: [[bus]] p1, url: is for Modbus only (write tcp://)"
    config = edge(good.replace('device = "/dev/ttyUSB0"\nframing = "8N1"', 'url = "rtu+tcp://10.0.0.7:502"'))
    assert config.bus[0].url == "rtu+tcp://10.0.0.7:502"


def test_a_battery_is_spared(good: str, complain: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A model may say how rarely its meters want to be read."""
    gas = load_profile("dsmr-p1-gas")
    spared = replace(gas, layout=SimpleNamespace(rest=900))
    monkeypatch.setattr(
        "gateway.config.values.load", lambda name, _: spared if name == gas.name else load_profile(name)
    )
    told = complain(good)
    assert told == (
        "FILE:38: [[meter]] gas, every: is more often than its battery was made for, once in 900 s (lengthen it)"
    )


@pytest.mark.parametrize("unit", [0, 255])
def test_modbus_tcp_has_more_units(unit: int, good: str, edge: Callable[[str], EdgeConfig]) -> None:
    """Devices of one unit answer to 0 or 255 over TCP."""
    text = good.replace('device = "/dev/ttyUSB0"\nframing = "8N1"', 'url = "tcp://10.0.0.7:502"')
    assert edge(text.replace("address = 1", f"address = {unit}")).meter[0].address == unit


def test_a_device_by_another_name_is_the_same(good: str, complain: Callable[[str], str], tmp_path: Path) -> None:
    """Links such as those of /dev/serial/by-id are followed."""
    link = tmp_path / "by-id"
    link.symlink_to("/dev/ttyUSB0")
    told = complain(good.replace("/dev/ttyUSB1", str(link)))
    assert told == "FILE:21: [[bus]] p1, device: is that of bus rs485-1 too (put all meters of a wire on one bus)"


def test_one_host_is_one_bus(good: str, complain: Callable[[str], str]) -> None:
    """However its name is written."""
    text = good.replace('device = "/dev/ttyUSB0"\nframing = "8N1"', 'url = "tcp://meter.example:502"')
    told = complain(text.replace('device = "/dev/ttyUSB1"', 'url = "tcp://Meter.example:502"'))
    assert told == "FILE:20: [[bus]] p1, url: is that of bus rs485-1 too (put all meters of a wire on one bus)"


def test_two_gas_meters_behind_one_port_have_two_channels(
    good: str, edge: Callable[[str], EdgeConfig], complain: Callable[[str], str]
) -> None:
    """Of one model on one bus, the address tells which."""
    again = '\n[[meter]]\nname = "gas-2"\nbus = "p1"\nprofile = "dsmr-p1-gas"\n'
    assert len(edge(good + again + "address = 2\n").meter) == 4
    assert complain(good + again).startswith("FILE:40: [[meter]] gas-2: has no address, like meter gas on bus p1")


def test_a_model_is_loaded_once_however_many_meters_have_it(
    good: str, write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proving its examples takes time at start, and a house has thirty meters of one model."""
    loaded: list[str] = []

    def count(name: str, folders: tuple[Path, ...]) -> object:
        loaded.append(name)
        return load_profile(name, folders)

    monkeypatch.setattr("gateway.config.values.load", count)
    row = '\n[[meter]]\nname = "flat-{0}"\nbus = "rs485-1"\nprofile = "eastron-sdm120"\naddress = {0}\n'
    config = load(write(good + "".join(row.format(number) for number in range(10, 40))), "edge", {})
    assert len(config.meter) == 33
    assert sorted(loaded) == ["dsmr-p1", "dsmr-p1-gas", "eastron-sdm120"]
