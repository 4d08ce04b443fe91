"""docs/how-to/home-server.md, followed to the letter with podman, and what its containers may do and may lose.

Two things differ from a home server: base images are made here by debootstrap under the names that our files ask for,
and while the image is built pip finds the packages of our lock in a folder, since there is no network at all.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import VERSION
from gateway.config.load import load
from gateway.setup.questions import QUESTIONS
from tests.support.container_engine import BROKER_IMAGE, LAN, PYTHON_IMAGE, Engine, base, meter_on_the_lan

ROOT = Path(__file__).parents[2]
HOME = "/etc/nabd/home.toml"
HERE = ROOT / "systemd/container"
PAGE = (ROOT / "docs/how-to/home-server.md").read_text()
MOSQUITTO = """usermod -u 1883 mosquitto; groupmod -g 1883 mosquitto
mkdir -p /mosquitto/config /mosquitto/data; chown 1883:1883 /mosquitto/data"""
OPENS = """import sys, urllib.request as r, http.cookiejar as c
browser = r.build_opener(r.HTTPCookieProcessor(c.CookieJar()))
site = sys.argv[1].partition("/enter/")[0]
browser.open(r.Request(sys.argv[1], data=b"", headers={"Origin": site}), timeout=10)  # the button
print(browser.open(site, timeout=10).read().decode())"""


STORED = """import sqlite3
store = sqlite3.connect("file:/var/lib/nabd/readings.sqlite?mode=ro", uri=True)
print(*(row[0] for row in store.execute("SELECT ts FROM point")))"""


def _blocks(heading: str, kind: str = "sh") -> list[str]:
    """Take the blocks of one kind from a chapter of the page."""
    (chapter,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return re.findall(rf"^```{kind}\n(.*?)^```$", chapter, re.MULTILINE | re.DOTALL)


def _answers() -> str:
    """Take from the page what a reader types: what stands behind a question's words and its usual answer."""
    (transcript,) = _blocks("2. Say what only you know", "console")
    typed = []
    for line in transcript.splitlines():
        question = next(question for question in QUESTIONS if line.startswith(question.words))
        typed.append(re.sub(r"^\s*(\[.*?\])?\s*", "", line.removeprefix(question.words)))
    return "\n".join(typed) + "\n"


def _until(told: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while True:
        try:
            if told():
                return
        except AssertionError:  # a program that has just been started answers nobody yet
            if time.monotonic() > end:
                raise
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.5)


class Server:
    """A home server: the page's commands typed in its folder, or in the checkout where they name files of it."""

    def __init__(self, engine: Engine, folder: str) -> None:
        self.engine, self.folder = engine, folder

    def follow(self, heading: str, told: str = "") -> list[str]:
        """Type every block of a chapter, and give what each printed."""
        return [self.type(block, told) for block in _blocks(heading)]

    def type(self, lines: str, told: str = "") -> str:
        """Type some lines."""
        place = ROOT if "systemd/container" in lines else f"~/{self.folder}"
        return self.engine.sh(f"cd {place}\n{lines}", told=told, timeout=200)

    def status(self, container: str, config: str) -> dict[str, Any]:
        """Ask a container how it fares."""
        found: dict[str, Any] = json.loads(self.type(f"podman exec {container} nabd status --json -c {config}"))
        return found

    def page(self, link: str) -> str:
        """Open a one-time link by the server's address in numbers, as a phone does."""
        address = re.sub("//[^/]+", f"//{LAN}:8080", link.strip())
        command = self.engine.enter(sys.executable, "-c", OPENS, address)
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Give an engine that has the image, made by the page's own command, and a meter on the local network."""
    place = tmp_path_factory.mktemp("engine")
    with Engine(place) as engine:
        engine.image(base("container-python", "trixie", "python3,python3-venv,ca-certificates"), PYTHON_IMAGE)
        engine.image(base("container-mosquitto", "bookworm", "mosquitto,mosquitto-clients", MOSQUITTO), BROKER_IMAGE)
        options = engine.fetch_wheels()
        (build,) = _blocks("1. Make the image")
        engine.sh(f"cd {ROOT}\n{build.replace('podman build', f'podman build --quiet {options}')}", timeout=500)
        with meter_on_the_lan(engine, place):
            yield engine


@pytest.fixture
def server(engine: Engine) -> Iterator[Callable[[str], Server]]:
    """Give a callable that begins a folder of the server's; its containers and readings go with the test."""
    yield lambda folder: Server(engine, folder)
    engine.sh("podman rm --all --force --time 5\npodman volume prune --force")


def test_the_page_shows_the_questions_as_they_are_asked() -> None:
    """Every line of the page's dialogue begins with a question that setup asks of a house."""
    assert _answers().splitlines() == ["", "", "Asia/Riyadh", "", "", "network", "", "", LAN]


def test_the_files_say_what_the_program_says() -> None:
    """The image bears our version, and the fleet's two configurations are right but for the passwords to come."""
    assert f'image.version="{VERSION}"' in (HERE / "Containerfile").read_text()
    load(HERE / "fleet/edge.toml", "edge")
    load(HERE / "fleet/hub.toml", "hub")
    for name, secret in (("edge", "mqtt-gw-1"), ("hub", "mqtt-hub")):
        assert f"{secret}: {{file: ./secrets/{secret}}}" in (HERE / "fleet.yaml").read_text()
        assert f"credential:{secret}" in (HERE / f"fleet/{name}.toml").read_text()


def _readings(server: Server) -> list[int]:
    """Give the numbers of all readings in the house's journal."""
    exported = server.type("podman exec nabd nabd journal export")
    return [json.loads(line)["seq"] for line in exported.splitlines()]


def _moments(server: Server) -> set[int]:
    """Give the times of all readings in the store and the journal; a journal that was brought back begins anew."""
    exported = server.type("podman exec nabd nabd journal export")
    stored = server.type(f"podman exec nabd python3 -c '{STORED}'")
    return {json.loads(line)["ts"] for line in exported.splitlines()} | {int(ts) for ts in stored.split()}


def _next(server: Server) -> int:
    """Give the number that the house's next reading will have; those before it are kept, on disk or in memory."""
    number: int = server.status("nabd", HOME)["journal"]["next_seq"]
    return number


def _bounds(server: Server) -> None:
    """See that the house is nobody in particular, can nothing, and writes only its own folder."""
    said = server.type("podman exec nabd grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/1/status")
    found = {line.split(":")[0]: line.split()[1:] for line in said.splitlines()}
    assert found["Uid"] == ["8080"] * 4
    assert int(found["CapEff"][0], 16) == int(found["CapBnd"][0], 16) == 0
    assert (found["NoNewPrivs"], found["Seccomp"]) == (["1"], ["2"])
    for folder in ("/", "/etc/nabd", "/opt/nabd", "/usr/local/bin"):
        with pytest.raises(AssertionError, match=r"Read-only file system|Permission denied"):
            server.type(f"podman exec nabd touch {folder}/x")
    with pytest.raises(AssertionError, match="Read-only file system"):
        server.type("podman exec --user root nabd touch /x")


@pytest.mark.slow
def test_the_page_leads_from_nothing_to_a_live_page(server: Callable[[str], Server]) -> None:
    """Each command of the page ends well; the page shows the meter; stop, kill -9 and a backup lose no reading."""
    house = server("nabd")
    house.follow("2. Say what only you know", _answers())
    up, asked = _blocks("3. Start")
    house.type(up)
    _until(lambda: house.status("nabd", HOME)["read"] > 0)
    assert "energy_import" in house.type(asked)
    assert "abb-b23-1" in house.page(house.follow("4. Open the page")[0])
    _bounds(house)
    house.type("podman healthcheck run nabd")

    house.type("sed -i 's/^address = 1$/address = 1\\nevery = \"1s\"/' etc/home.toml")
    assert "every 1s" in house.follow("Change something")[0]
    _until(lambda: _next(house) - 1 - len(_readings(house)) >= 3)
    was = _next(house)
    house.type("podman kill --signal KILL nabd\npodman start nabd")
    _until(lambda: house.status("nabd", HOME)["read"] > 0)
    after = house.status("nabd", HOME)
    assert after["journal"]["next_seq"] >= was + after["read"], "the open window was lost"
    house.type("podman stop nabd")
    assert house.type("podman inspect nabd --format '{{.State.ExitCode}}'").strip() == "0"
    house.type("podman start nabd")
    _until(lambda: "lost" in house.type("podman exec nabd nabd journal ls"))
    assert "lost: nothing" in house.type("podman exec nabd nabd journal ls")
    numbers = _readings(house)
    assert numbers == list(range(1, len(numbers) + 1))
    kept = _moments(house)

    saved, restored = _blocks("Back up")
    house.type(saved)
    _until(lambda: kept <= _moments(house))
    house.type(restored)
    _until(lambda: house.status("nabd", HOME)["read"] > 0)
    _until(lambda: kept <= _moments(house))
    house.follow("Upgrade")
    _until(lambda: house.status("nabd", HOME)["read"] > 0)
    _until(lambda: kept <= _moments(house))
    assert house.type("podman logs nabd") == ""
    house.follow("Remove")
    assert "nabd_readings" not in house.type("podman volume ls --quiet")


@pytest.mark.slow
def test_broker_hub_and_gateway_come_up_together(server: Callable[[str], Server]) -> None:
    """The chapter's commands bring readings by the broker into the hub's store, no one else, and all stop in order."""
    fleet = server("nabd-fleet")
    files, start = _blocks("Broker, hub and gateway on one server")[:2]
    fleet.type(files)
    fleet.type(start)
    hub, edge, broker = (f"nabd-fleet_{name}_1" for name in ("hub", "edge", "mosquitto"))
    _until(lambda: fleet.status(hub, "/etc/nabd/hub.toml")["stored"] > 2)
    _until(lambda: fleet.status(edge, "/etc/nabd/edge.toml")["uplink"]["stored"] > 2)
    said = fleet.type(_blocks("Broker, hub and gateway on one server")[2])
    assert "flat" in fleet.page(said.splitlines()[-1])
    for name in (hub, edge):
        fleet.type(f"podman healthcheck run {name}")
    with pytest.raises(AssertionError, match=r"not authori[sz]ed"):
        fleet.type(f"podman exec {broker} mosquitto_sub -h 127.0.0.1 -t '#' -C 1 -W 5")
    fleet.type("podman-compose stop")
    for name in (hub, edge, broker):
        assert fleet.type(f"podman inspect {name} --format '{{{{.State.ExitCode}}}}'").strip() == "0", name
    fleet.type("podman-compose down --volumes")


@pytest.mark.slow
def test_the_image_is_small_and_has_no_tools(engine: Engine) -> None:
    """What we add to the base is below 100 MB, and neither pip nor a build tool of ours is left in it."""
    sizes = engine.sh(f"podman image inspect --format '{{{{.Size}}}}' {PYTHON_IMAGE} localhost/nabd")
    below, whole = (int(size) for size in sizes.split())
    assert 0 < whole - below < 100_000_000
    listed = engine.sh("podman run --rm --entrypoint ls localhost/nabd /opt/nabd/bin /")
    assert "nabd" in listed
    assert not {"pip", "tools", "src", "wheel"} & set(listed.split())
