"""A meter gets another address: on a pty, with a simulated meter whose address really changes."""

import asyncio
import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drivers.contract import Refused
from gateway import control, meter_cmd
from gateway.config.load import load
from gateway.meter_cmd import CannotSet, Task, plan, set_address
from gateway.station import open_driver
from tests.support.simulated import simulated_line

NOBODY = Path("nobody.sock")


def never(question: str) -> str:
    """Answer no question."""
    pytest.fail(f"asked {question!r}")


def task_of(path: Path, old: int, new: int, profile: str | None = None, bus: str = "line") -> Task:
    """Plan from a configuration's file."""
    return plan(load(path, "home"), bus, old, new, profile, [])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less for meters that are not there."""
    monkeypatch.setattr(meter_cmd, "DEADLINE", 0.2)
    monkeypatch.setattr(meter_cmd, "SETTLE", 2)


@pytest.fixture
def said() -> list[str]:
    """Keep what is said."""
    return []


async def test_a_meter_moves_to_its_new_address(tmp_path: Path, said: list[str]) -> None:
    """It is shown, asked, written, and found under the new address with the same register."""
    asked: list[str] = []

    def yes(question: str) -> str:
        asked.append(question)
        return "yes\n"

    async with simulated_line(tmp_path, {1: "eastron-sdm630"}) as path:
        task = task_of(path, 1, 17)
        assert await set_address(task, NOBODY, yes=False, tell=said.append, ask=yes) == 0
        text = "\n".join(said)
        assert asked == ["Type yes to write: "]
        assert "17 as f32 to holding register 0x0014, 2 of 16 bits" in text
        assert "Written; the meter confirmed." in text
        assert "It answers at 17: energy_import_wh" in text
        # and back again: the meter is really there
        assert await set_address(task_of(path, 17, 1), NOBODY, yes=True, tell=said.append, ask=never) == 0


async def test_without_a_yes_nothing_is_written(tmp_path: Path, said: list[str], monkeypatch: Any) -> None:
    """Any other word ends it before the line is touched."""
    monkeypatch.setattr(meter_cmd, "write_address", lambda *_: pytest.fail("written"))
    async with simulated_line(tmp_path, {1: "eastron-sdm120"}) as path:
        task = task_of(path, 1, 2)
        assert await set_address(task, NOBODY, yes=False, tell=said.append, ask=lambda _: "y") == 1
    assert said[-1] == "Nothing was written."
    assert any("hold the meter's button" in line for line in said)


async def test_a_taken_address_is_refused(tmp_path: Path, said: list[str]) -> None:
    """Two meters with one address would both be lost to the line, whatever model the other is."""
    async with simulated_line(tmp_path, {1: "eastron-sdm120", 2: "abb-b23"}) as path:
        with pytest.raises(CannotSet, match="a meter answers at 2 already"):
            await set_address(task_of(path, 1, 2), NOBODY, yes=True, tell=said.append, ask=never)
    assert said == []


async def test_a_silent_old_address_is_refused(tmp_path: Path, said: list[str]) -> None:
    """Where nobody answers, nobody can be told to move."""
    async with simulated_line(tmp_path, {1: "eastron-sdm120"}) as path:
        with pytest.raises(CannotSet, match="nobody answers at 3"):
            await set_address(task_of(path, 3, 1), NOBODY, yes=True, tell=said.append, ask=never)


async def test_a_busy_port_is_refused(tmp_path: Path, said: list[str]) -> None:
    """A program that has the port open keeps it."""
    async with simulated_line(tmp_path, {1: "eastron-sdm120"}) as path:
        task = task_of(path, 1, 2)
        driver = open_driver(task.table, lambda: 0)
        await driver.connect()
        with pytest.raises(CannotSet, match="another program"):
            await set_address(task, NOBODY, yes=True, tell=said.append, ask=never)
        await driver.close()


async def test_a_running_program_is_refused(tmp_path: Path, said: list[str]) -> None:
    """An edge with this configuration would read while we write."""

    async def status(_question: Any) -> dict[str, Any]:
        return {"read": 1}

    running = tmp_path / "edge.sock"
    async with simulated_line(tmp_path, {1: "eastron-sdm120"}) as path, control.listening(running, {"status": status}):
        with pytest.raises(CannotSet, match="a program runs"):
            await set_address(task_of(path, 1, 2), running, yes=True, tell=said.append, ask=never)


async def test_a_meter_that_keeps_its_address_is_told(tmp_path: Path, said: list[str], monkeypatch: Any) -> None:
    """A write that is heard but not obeyed is an exit code 1 with the way into the set-up mode."""

    async def unheard(*_: Any) -> bool:
        return False

    monkeypatch.setattr(meter_cmd, "write_address", unheard)
    async with simulated_line(tmp_path, {1: "eastron-sdm120"}) as path:
        assert await set_address(task_of(path, 1, 2), NOBODY, yes=True, tell=said.append, ask=never) == 1
    assert "still answers at 1" in said[-1]
    assert "hold the meter's button" in said[-1]


async def test_a_refusal_is_told_with_the_set_up_mode(tmp_path: Path, said: list[str], monkeypatch: Any) -> None:
    """What the meter says is passed on."""

    async def refuse(*_: Any) -> bool:
        raise Refused("the meter refused", code=3)

    monkeypatch.setattr(meter_cmd, "write_address", refuse)
    async with simulated_line(tmp_path, {1: "eastron-sdm120"}) as path:
        with pytest.raises(CannotSet, match=r"did not take it: the meter refused.*hold the meter's button"):
            await set_address(task_of(path, 1, 2), NOBODY, yes=True, tell=said.append, ask=never)


async def test_a_wrong_register_is_refused_by_the_meter_itself(tmp_path: Path, said: list[str]) -> None:
    """The simulated meter takes its address only where its profile says; anything else is refused, not stored."""
    async with simulated_line(tmp_path, {1: "eastron-sdm72"}) as path:
        task = task_of(path, 1, 2)
        wrong = dataclasses.replace(task, allowed=task.allowed.model_copy(update={"at": 0x0016}))
        with pytest.raises(CannotSet, match="did not take it"):
            await set_address(wrong, NOBODY, yes=True, tell=said.append, ask=never)
        assert await set_address(task, NOBODY, yes=True, tell=said.append, ask=never) == 0


async def test_another_meter_at_the_old_address_is_told(tmp_path: Path, said: list[str], monkeypatch: Any) -> None:
    """Two meters had one address and answered as one: moving both would not part them."""
    looks = iter([False, True])  # nobody at the new address before, somebody at the old one after

    async def somebody(*_: Any) -> bool:
        return next(looks)

    monkeypatch.setattr(meter_cmd, "_somebody", somebody)
    async with simulated_line(tmp_path, {1: "eastron-sdm120"}) as path:
        assert await set_address(task_of(path, 1, 2), NOBODY, yes=True, tell=said.append, ask=never) == 1
    assert "something still answers at 1" in said[-1]


async def test_another_model_at_the_new_address_is_told(tmp_path: Path, said: list[str], monkeypatch: Any) -> None:
    """The code of the model is read back too."""
    codes = iter([71, 72])

    async def code(*_: Any) -> int:
        return next(codes)

    monkeypatch.setattr(meter_cmd, "model_code", code)
    async with simulated_line(tmp_path, {1: "eastron-sdm120"}) as path:
        assert await set_address(task_of(path, 1, 2), NOBODY, yes=True, tell=said.append, ask=never) == 1
    assert "is this the same meter?" in said[-1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: task_of(p, 1, 1), "is the old one"),
        (lambda p: task_of(p, 0, 5), "addresses are 1 to 247"),
        (lambda p: task_of(p, 1, 248), "addresses are 1 to 247"),
        (lambda p: task_of(p, 1, 2, bus="other"), r"there is no bus 'other' \(configured: line\)"),
        (lambda p: task_of(p, 5, 6), "name its model with --profile"),
        (lambda p: task_of(p, 1, 2, "abb-b23"), "no source says how its address is set"),
        (lambda p: task_of(p, 1, 2, "no-such-model"), "no such meter profile"),
    ],
)
async def test_what_cannot_be_is_said_before_anything_is_opened(
    tmp_path: Path, change: Callable[[Path], Task], words: str
) -> None:
    """Each mistake has its own sentence."""
    async with simulated_line(tmp_path, {1: "eastron-sdm120"}) as path:
        with pytest.raises(CannotSet, match=words):
            change(path)


async def test_only_serial_modbus_buses_have_addresses_to_set(tmp_path: Path) -> None:
    """A P1 port has none; behind Modbus TCP the gateway may belong to somebody else."""
    (tmp_path / "home.toml").write_text(
        '[[bus]]\nname = "p1"\ndriver = "p1"\ndevice = "/dev/null"\n'
        '[[bus]]\nname = "lan"\ndriver = "modbus"\nurl = "tcp://127.0.0.1:1502"\n'
    )
    with pytest.raises(CannotSet, match="speaks p1"):
        task_of(tmp_path / "home.toml", 1, 2, "eastron-sdm120", "p1")
    with pytest.raises(CannotSet, match="serial line only"):
        task_of(tmp_path / "home.toml", 1, 2, "eastron-sdm120", "lan")


async def test_the_command_line_does_it(tmp_path: Path) -> None:
    """`nabd meter set-address` as people type it."""
    async with simulated_line(tmp_path, {1: "eastron-sdm120"}) as path:
        arguments = ("meter", "set-address", "line", "1", "9", "-c", str(path), "--yes")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway.cli", *arguments, stdout=-1, stderr=-1
        )
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        assert "Put address = 9 into the configuration." in out.decode()
