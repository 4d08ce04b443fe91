"""The commands as people type them: read, status, check, home, demo, each a program of its own."""

import asyncio
import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.counting_meters import CountingMeters


async def nabd(*arguments: str, timeout: float = 60) -> tuple[int, str, str]:
    """Run one command; give exit code, standard output and standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli", *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    async with asyncio.timeout(timeout):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


_running: list[asyncio.subprocess.Process] = []
"""Programs that a test started; one that failed leaves none behind."""


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Path]:
    """A house's configuration with two counting meters that answer."""
    meters = CountingMeters(2)
    await meters.start()
    CountingMeters.write_profile(tmp_path)
    text = (
        '[clock]\ntrust = "system"\n[journal]\nfolder = "journal"\nwindow = "1s"\n[store]\npath = "readings.sqlite"\n'
        '[hub]\ndatabase = "hub.sqlite"\n[web]\nlisten = "127.0.0.1:0"\n'
    )
    for number, port in enumerate(meters.ports):
        text += f'[[bus]]\nname = "b{number}"\ndriver = "modbus"\nurl = "tcp://127.0.0.1:{port}"\n'
        text += f'[[meter]]\nname = "m{number}"\nbus = "b{number}"\nprofile = "counting"\nevery = "200ms"\n'
    (tmp_path / "home.toml").write_text(text, encoding="utf-8")
    yield tmp_path / "home.toml"
    for process in _running:
        if process.returncode is None:
            process.kill()
            await process.wait()
    _running.clear()
    await meters.close()


async def started(config: Path) -> "tuple[asyncio.subprocess.Process, dict[str, Any]]":
    """Start `nabd home` and wait until it answers with a reading."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "gateway.cli", "home", "-c", str(config))
    _running.append(process)
    for _ in range(100):
        code, out, _ = await nabd("status", "--json", "-c", str(config))
        if code == 0 and json.loads(out)["read"] > 2:
            return process, json.loads(out)
        assert process.returncode is None
        await asyncio.sleep(0.1)
    raise AssertionError("the house does not answer")


async def test_read_goes_to_the_meter_when_nothing_runs(house: Path) -> None:
    """A table with quantity, value, unit and OBIS code, and a word that one source is not proof."""
    code, out, err = await nabd("read", "m0", "-c", str(house))
    assert code == 0, err
    assert "energy_import" in out
    assert "1.8.0" in out
    assert "unconfirmed" in out


async def test_read_says_what_there_is_when_the_name_is_wrong(house: Path) -> None:
    """The names that exist are the hint."""
    code, _, err = await nabd("read", "m7", "-c", str(house))
    assert code == 2
    assert "m0, m1" in err


async def test_a_house_stores_serves_and_leaves_in_order(house: Path) -> None:
    """`nabd home` reads, answers status and read through its socket, serves a page, and keeps all on SIGTERM."""
    process, status = await started(house)
    code, out, _ = await nabd("read", "m0", "--json", "-c", str(house))
    assert code == 0
    assert json.loads(out)["meter"] == "home_m0"
    code, out, _ = await nabd("status", "-c", str(house))
    assert code == 0
    assert "bus b0" in out
    reader, writer = await asyncio.open_connection("127.0.0.1", int(status["pages"][0].split(":")[2].split("/")[0]))
    writer.write(b"GET /healthz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
    assert b"200" in (await reader.read())[:20]
    writer.close()
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(10):
        assert await process.wait() == 0
    with contextlib.closing(sqlite3.connect(house.parent / "readings.sqlite")) as database:
        stored, highest = database.execute("SELECT count(*), max(seq) FROM reading").fetchone()
    assert stored == highest > 2


async def test_a_second_instance_is_refused(house: Path) -> None:
    """Two programs on one journal would both be wrong; the second says so and the first goes on."""
    process, _ = await started(house)
    code, _, err = await nabd("home", "-c", str(house), timeout=10)
    assert code == 2
    assert "Traceback" not in err
    assert process.returncode is None
    process.terminate()
    await process.wait()


async def test_a_taken_port_is_said_with_what_to_do(house: Path) -> None:
    """The commonest mishap of a first start: one line, no traceback, exit code 2."""
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    house.write_text(house.read_text(encoding="utf-8").replace("127.0.0.1:0", f"127.0.0.1:{port}"), encoding="utf-8")
    code, _, err = await nabd("home", "-c", str(house), timeout=20)
    taken.close()
    assert code == 2
    assert "choose another port" in err
    assert "Traceback" not in err


async def test_status_without_a_running_program_says_so(house: Path) -> None:
    """No traceback, exit code 1."""
    code, _, err = await nabd("status", "-c", str(house))
    assert code == 1
    assert "nothing runs" in err


async def test_check_explains_and_touches_nothing(house: Path) -> None:
    """The plan for a good file, file and line for a bad one, and no new file for either."""
    before = sorted(house.parent.iterdir())
    code, out, _ = await nabd("check", str(house))
    assert code == 0
    assert "m0" in out
    bad = house.with_name("bad.toml")
    bad.write_text(house.read_text(encoding="utf-8").replace("profile =", "profle =", 1), encoding="utf-8")
    code, _, err = await nabd("check", str(bad))
    assert code == 2
    assert "bad.toml:" in err
    assert 'did you mean "profile"' in err
    bad.unlink()
    assert sorted(house.parent.iterdir()) == before


async def test_the_demo_ends_by_itself_with_everything_stored(tmp_path: Path) -> None:
    """Read equals stored, nothing lost, one JSON line last, exit code 0."""
    code, out, err = await nabd("demo", "--for", "12", "--folder", str(tmp_path), "--listen", "127.0.0.1:0", timeout=90)
    assert code == 0, out + err
    summary = json.loads(out.strip().splitlines()[-1])
    assert summary["seconds"] == 12
    assert summary["read"] == summary["published"] == summary["stored"] > 20
    assert summary["lost"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["home", "alerts"])
async def test_the_demo_tells_its_alert_on_every_channel(tmp_path: Path, scenario: str) -> None:
    """Within two minutes and a bit: raised, told three times, acknowledged by the link, and told to be over."""
    options = ("--for", "150", "--scenario", scenario, "--folder", str(tmp_path), "--listen", "127.0.0.1:0")
    code, out, err = await nabd("demo", *options, timeout=240)
    assert code == 0, out + err
    summary = json.loads(out.strip().splitlines()[-1])
    assert summary["alerts"] == 1
    assert summary["delivered"] == {"webhook": 1, "push": 1, "email": 1}
    assert "acknowledged by the link in the message (200)" in out
    assert out.count("over:") + out.count("stopped:") == 3
