"""A configuration from afar on trial: kept when it works, gone when it does not, no way to what it may not touch."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gateway.commands.judge import Refused
from gateway.commands.kept import LIMIT, NAME, Kept
from gateway.commands.remote import Remote, Signs, Wanted, wanted
from gateway.config import ConfigError, EdgeConfig, load
from gateway.config.errors import Problem
from tests.support.small_edge import OWN, SENT
from tests.support.virtual_time import run_virtually


@dataclass
class Gateway:
    """What a trial sees of a gateway: when it was read, whether its broker answers; `ran` is what was taken over."""

    folder: Path
    answers: bool = True
    reads: bool = True
    broken: Exception | None = None
    breaks: str = "sent"
    ran: list[list[str]] = field(default_factory=list)

    def start(self) -> Remote:
        """Start with the gateway's own file."""
        file = self.folder / "edge.toml"
        if not file.exists():
            file.write_text(OWN, encoding="utf-8")
        kept = Kept(file, self.folder)
        return Remote(kept.choose(load(file, "edge", {})), self._apply, kept, Signs(self._read, self._reached))

    def play(self, story: Callable[[Remote], Coroutine[Any, Any, None]]) -> Remote:
        """Let a story happen, in no time."""

        async def run() -> Remote:
            remote = self.start()
            task = asyncio.create_task(remote.run())
            await story(remote)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return remote

        return run_virtually(run())

    async def _apply(self, config: EdgeConfig) -> Mapping[str, Any]:
        self.ran.append([row.name for row in config.meter])
        if self.broken and self.ran[-1] == [self.breaks]:
            raise self.broken
        return {"changed": 1}

    def _read(self) -> float | None:
        return asyncio.get_running_loop().time() if self.reads else None

    async def _reached(self) -> bool:
        if not self.answers:
            await asyncio.sleep(5)
        return self.answers


@pytest.fixture(autouse=True)
def _no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read and write where we are: virtual time does not wait for threads."""

    async def at_once(work: Callable[..., Any], *arguments: object) -> Any:
        return work(*arguments)

    async def named(_: str, work: Callable[..., Any], *arguments: object) -> Any:
        return work(*arguments)

    monkeypatch.setattr("asyncio.to_thread", at_once)
    monkeypatch.setattr("gateway.commands.remote.aside", named)


def test_what_works_is_kept(tmp_path: Path) -> None:
    """A meter was read and the broker answered: the next start runs it."""
    gateway = Gateway(tmp_path)

    async def story(remote: Remote) -> None:
        answer = await remote.stage(Wanted(config=SENT))
        assert answer == {"changed": 1, "state": "on trial", "confirm_s": 300}
        assert not (tmp_path / NAME).exists(), "killed now, the gateway starts with what ran before"
        await asyncio.sleep(2)

    remote = gateway.play(story)
    assert (remote.state, gateway.ran) == ("runs", [["sent"]])
    assert [row.name for row in gateway.start().config.meter] == ["sent"]


@pytest.mark.parametrize(
    ("reads", "answers", "why"),
    [(False, True, "no meter of it was read"), (True, False, "the broker was out of reach")],
)
def test_what_does_not_work_is_gone_in_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, *, reads: bool, answers: bool, why: str
) -> None:
    """Within the given time, not before; the log and the status say why; the next start knows nothing of it."""
    gateway = Gateway(tmp_path, answers=answers, reads=reads)

    async def story(remote: Remote) -> None:
        await remote.stage(Wanted(config=SENT, confirm_s=60))
        await asyncio.sleep(58)
        assert gateway.ran == [["sent"]]
        await asyncio.sleep(10)

    remote = gateway.play(story)
    assert gateway.ran == [["sent"], ["own"]]
    assert remote.status() == {"configuration": "rolled back", "why": f"within 60 s {why}", "intervals": {}}
    assert why in caplog.text
    assert not (tmp_path / NAME).exists()


def test_a_reload_that_fails_ends_no_trial(tmp_path: Path) -> None:
    """What is on trial runs on, is watched on, and goes in time."""
    gateway = Gateway(tmp_path, answers=False)

    async def story(remote: Remote) -> None:
        await remote.stage(Wanted(config=SENT, confirm_s=60))
        third = remote.config.model_copy(
            update={"meter": (remote.config.meter[0].model_copy(update={"name": "third"}),)}
        )
        gateway.broken, gateway.breaks = ConfigError(Problem(Path("key"), None, "", "", "is gone")), "third"
        with pytest.raises(ConfigError):
            await remote.take(third)
        assert gateway.ran == [["sent"], ["third"], ["sent"]]
        assert [row.name for row in remote.config.meter] == ["sent"]
        await asyncio.sleep(70)

    remote = gateway.play(story)
    assert (remote.state, gateway.ran[-1]) == ("rolled back", ["own"])


def test_a_reading_from_before_proves_nothing(tmp_path: Path) -> None:
    """It must come by the new configuration."""
    gateway = Gateway(tmp_path)
    gateway._read = lambda: 0.0  # type: ignore[method-assign]

    async def story(remote: Remote) -> None:
        await remote.stage(Wanted(config=SENT, confirm_s=10))
        await asyncio.sleep(20)

    assert gateway.play(story).state == "rolled back"


def test_a_reload_by_hand_ends_the_trial(tmp_path: Path) -> None:
    """Whoever stands before the box has the last word: nothing is rolled back, nothing kept."""
    gateway = Gateway(tmp_path, reads=False)

    async def story(remote: Remote) -> None:
        own = remote.config
        await remote.stage(Wanted(config=SENT, confirm_s=60))
        await remote.take(own)
        gateway.reads = True
        await asyncio.sleep(100)

    remote = gateway.play(story)
    assert (remote.state, gateway.ran) == ("", [["sent"], ["own"]])
    assert not (tmp_path / NAME).exists()


def test_intervals_last_until_a_reload_and_come_back_with_a_roll_back(tmp_path: Path) -> None:
    """What ran before includes them."""
    gateway = Gateway(tmp_path, reads=False)

    async def story(remote: Remote) -> None:
        own = remote.config
        answer = await remote.set_interval(b'{"meter": "own", "every_s": 60}')
        assert answer == {"meter": "gw_own", "every_s": 60.0, "until": "the next start or reload"}
        await remote.stage(Wanted(config=SENT, confirm_s=10))
        assert remote.status()["intervals"] == {}
        await asyncio.sleep(20)
        assert remote.status()["intervals"] == {"gw_own": 60.0}
        assert remote.config.meter[0].every == 60
        await remote.take(own)
        assert remote.status()["intervals"] == {}

    gateway.play(story)


def test_one_trial_at_a_time(tmp_path: Path) -> None:
    """What to come back to would be lost."""

    async def story(remote: Remote) -> None:
        await remote.stage(Wanted(config=SENT))
        with pytest.raises(Refused, match="on trial"):
            await remote.stage(Wanted(config=SENT))

    Gateway(tmp_path).play(story)


@pytest.mark.parametrize("error", [ConfigError(Problem(Path("key"), None, "", "", "is gone")), OSError("is gone")])
def test_one_that_fails_while_it_is_taken_over_leaves_what_ran(tmp_path: Path, error: Exception) -> None:
    """A key went since it was validated, or nobody knows why: what ran before runs, whole."""
    gateway = Gateway(tmp_path, broken=error)

    async def story(remote: Remote) -> None:
        with pytest.raises(Refused, match="is gone"):
            await remote.stage(Wanted(config=SENT))

    remote = gateway.play(story)
    assert gateway.ran == [["sent"], ["own"]]
    assert remote.config.meter[0].name == "own"


REFUSED = {
    "a bus that is not there": (OWN.replace('bus = "line"', 'bus = "lin"'), r"remote.toml:\d+: .*did you mean"),
    "another broker": (OWN.replace("127.0.0.1:1", "attacker.example:1"), r"\[mqtt\] url"),
    "another gateway": (OWN.replace('id = "gw"', 'id = "other"'), r"\[gateway\] id"),
    "another folder": (OWN + '[journal]\nfolder = "/tmp"\n', r"\[journal\] folder"),
    "a secret in it": (OWN + 'password = "hunter2"\n', "password_file"),
    "no TOML": ("[[", "is not TOML"),
    "nothing": ("", "gateway"),
    "too much": ("#" * (LIMIT + 1), f"at most {LIMIT} bytes"),
    "nested too deeply": ("a = " + "[" * 40_000, "nested|TOML"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_may_not_be_is_refused_and_nothing_touched(tmp_path: Path, what: str) -> None:
    """Wrong, or not to be changed from afar: named, with line and hint where it has one, and no value repeated."""
    text, why = REFUSED[what]
    gateway = Gateway(tmp_path)

    async def story(remote: Remote) -> None:
        with pytest.raises(Refused, match=why) as refused:
            await remote.stage(Wanted(config=text))
        assert "hunter2" not in refused.value.text

    assert gateway.play(story).state == ""
    assert gateway.ran == []


def test_a_secret_that_no_meter_here_has_is_refused(tmp_path: Path) -> None:
    """A meter's password goes over its wire: the broker's must not be named as one."""
    for name in ("broker", "meter"):
        (tmp_path / name).write_text("00112233445566778899aabbccddeeff", encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    own = OWN + 'password_file = "meter"\n'
    (tmp_path / "edge.toml").write_text(own, encoding="utf-8")
    gateway = Gateway(tmp_path)

    async def story(remote: Remote) -> None:
        with pytest.raises(Refused, match="no such secret for a meter"):
            await remote.stage(Wanted(config=own.replace('"meter"\n', '"broker"\n')))
        await remote.stage(Wanted(config=own.replace("address = 1", "address = 2")))

    gateway.play(story)
    assert gateway.ran == [["own"]]


@pytest.mark.parametrize("payload", [b'{"config": 3}', b'{"confirm_s": 9}', b'{"confirm_s": 3601}', b"[]"])
def test_a_payload_that_is_none_is_refused(payload: bytes) -> None:
    """With a word on what it should be."""
    with pytest.raises(Refused, match="payload"):
        wanted(payload)
