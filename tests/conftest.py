"""Fixtures that every folder of tests may use: ports, brokers, captures.

Helpers live in tests/support; import them as `from tests.support.fake_broker import FakeBroker`.
"""

import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

ROOT = Path(__file__).parent.parent
for place in (str(ROOT / "tests" / "support"), str(ROOT)):
    if place not in sys.path:
        sys.path.insert(0, place)

if TYPE_CHECKING:
    from tests.support.brokers import IotcoreBroker, Mosquitto
    from tests.support.fake_broker import FakeBroker


def pytest_configure(config: pytest.Config) -> None:
    """Let the quick suite ask the same of the same code: a red run is about the change. The slow one looks further."""
    hypothesis.settings.register_profile("again", derandomize=True, database=None)
    if config.option.markexpr == "not slow":
        hypothesis.settings.load_profile("again")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with whole stories: they mostly wait, and whoever comes last to them waits alone."""
    stories = ROOT / "tests" / "journeys"
    items.sort(key=lambda item: stories not in item.path.parents)


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Give a callable that names a TCP port free on 127.0.0.1 a moment ago."""

    def find() -> int:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port: int = sock.getsockname()[1]
            return port

    return find


@pytest.fixture
async def fake_broker() -> "AsyncIterator[FakeBroker]":
    """Give a started FakeBroker: our own MQTT 5 server that misbehaves on request."""
    from tests.support.fake_broker import FakeBroker

    async with FakeBroker() as broker:
        yield broker


@pytest.fixture
def mosquitto_with(tmp_path: Path, free_port: Callable[[], int]) -> "Iterator[Callable[..., Mosquitto]]":
    """Give a callable that starts a Mosquitto with more lines of configuration: `mosquitto_with("max_qos 1")`."""
    from tests.support.brokers import Mosquitto

    started: list[Mosquitto] = []

    def start(*lines: str) -> Mosquitto:
        if Mosquitto.program() is None:
            skip_or_fail("mosquitto is not installed (apt install mosquitto)")
        port = free_port()
        broker = Mosquitto(port, tmp_path / f"mosquitto-{port}", lines)
        started.append(broker)
        broker.start()
        return broker

    yield start
    for broker in started:
        broker.kill()


@pytest.fixture
def mosquitto(mosquitto_with: "Callable[..., Mosquitto]") -> "Mosquitto":
    """Give a real Mosquitto without persistence; `kill()` is SIGKILL, `start()` brings it back on the same port."""
    return mosquitto_with()


@pytest.fixture
def iotcore_broker(free_port: Callable[[], int]) -> "Iterator[IotcoreBroker]":
    """Give the embedded broker as a child process, with the same interface as `mosquitto`."""
    from tests.support.brokers import IotcoreBroker

    if not IotcoreBroker.available():
        skip_or_fail("the iotcore wheel is not installed (the `embedded` extra)")
    broker = IotcoreBroker(free_port())
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()


@pytest.fixture(scope="session")
def captures() -> Path:
    """Give the folder of captured telegrams, which live outside the project: NABD_CAPTURES."""
    folder = Path(os.environ.get("NABD_CAPTURES", ROOT.parent / "shared" / "captures"))
    if not folder.is_dir():
        pytest.skip(f"no captured telegrams: set NABD_CAPTURES to their folder, {folder} is none")
    return folder


def skip_or_fail(reason: str) -> None:
    """Skip aloud on a developer's machine; fail where a green run must mean that everything ran."""
    if os.environ.get("CI") == "true" or os.environ.get("NABD_TESTS_STRICT") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
