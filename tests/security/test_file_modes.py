"""S11: whatever a program writes is for its own user, also where no unit sets a mask and the shell's lets all read."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

FILE = """
[gateway]
id = "box"
[clock]
trust = "system"
[journal]
folder = "{folder}/state/journal"
mirror = "{folder}/memory"
window = "1s"
"""
HOUSE = """
[store]
path = "{folder}/state/store/readings.sqlite"
[web]
listen = "127.0.0.1:{port}"
"""
METER = """
[[bus]]
name = "lan"
driver = "modbus"
url = "tcp://127.0.0.1:{port}"
[[meter]]
name = "m"
bus = "lan"
profile = "abb-b23"
address = 1
every = "1s"
"""
BROKER = '[mqtt]\nurl = "mqtt://127.0.0.1:{port}"\n'
FILES = {
    "home": FILE + HOUSE + METER,
    "edge": FILE + BROKER + METER,
    "hub": '[hub]\ndatabase = "{folder}/state/hub.sqlite"\n' + HOUSE + BROKER,
}


@pytest.mark.parametrize(
    "program", [pytest.param(name, marks=pytest.mark.slow if name != "home" else ()) for name in FILES]
)
def test_what_a_program_writes_is_for_its_user_alone(
    tmp_path: Path, free_port: Callable[[], int], program: str
) -> None:
    """Folders are 0700, files 0600, sockets too, though the shell's mask would have let everybody write."""
    file = tmp_path / f"{program}.toml"
    file.write_text(FILES[program].format(folder=tmp_path, port=free_port()), encoding="utf-8")
    (tmp_path / "state").mkdir()
    (tmp_path / "memory").mkdir()
    command = ["sh", "-c", 'umask 0 && exec "$@"', "sh", sys.executable, "-m", "gateway.cli", program, "-c", str(file)]
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
    try:
        _wait_until_it_answers(tmp_path, process)
    finally:
        process.terminate()
        process.wait(20)
    written = [path for place in ("state", "memory") for path in (tmp_path / place).rglob("*")]
    assert len(written) > 3
    open_ones = {
        str(path.relative_to(tmp_path)): oct(path.stat().st_mode) for path in written if path.stat().st_mode & 0o077
    }
    assert open_ones == {}


def _wait_until_it_answers(folder: Path, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 30
    while not any((folder / "state").rglob("*.sock")):
        assert process.poll() is None, (folder / "said").read_text()
        assert time.monotonic() < until, (folder / "said").read_text()
        time.sleep(0.05)
