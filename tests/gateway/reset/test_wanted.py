"""A reset is offered where the unit says that somebody will do it."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from gateway.reset import wanted


def test_it_is_offered_only_where_the_unit_names_a_place(tmp_path: Path) -> None:
    """Without one, a file would lie there for ever, and nothing be erased."""
    assert wanted.offered("home", {}) is None
    assert wanted.offered("home", {"NABD_RESET": ""}) is None
    assert wanted.offered("home", {"NABD_RESET": str(tmp_path / "f")}) == wanted.Reset("home", tmp_path / "f")


async def test_the_program_ends_once_the_page_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends as if systemd had told it to: what is open is kept, though it will not be needed."""
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    monkeypatch.setattr(wanted, "FAREWELL", 0.01)
    wanted.Reset("home", tmp_path / "factory-reset").ask()
    assert (tmp_path / "factory-reset").exists()
    assert not sent
    await asyncio.sleep(0.1)
    assert sent == [(os.getpid(), signal.SIGTERM)]
