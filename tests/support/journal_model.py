"""A model of the journal: what must be true after any order of adding, committing, acknowledging and crashing."""

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gateway.message import decode_block

if TYPE_CHECKING:
    from collections.abc import Coroutine


def judge(make_bench: Any, names: Any, *, examples: int, steps: int) -> None:
    """Run the journal against the model; `make_bench` and `names` are the fixtures of the journal's tests."""
    run_state_machine_as_test(
        machine(make_bench, names),
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def machine(make_bench: Any, names: Any) -> type[RuleBasedStateMachine]:
    """Build the machine around the folder's bench."""

    class JournalMachine(RuleBasedStateMachine):
        """Knows every reading that was added, which of them are committed, and every block's bytes."""

        def __init__(self) -> None:
            super().__init__()
            self.loop = asyncio.new_event_loop()
            self.bench = make_bench(Path(tempfile.mkdtemp(prefix="nabd-model-")))
            self.values: dict[int, int] = {}
            self.open_seqs: set[int] = set()
            self.committed: set[int] = set()
            self.stored: set[int] = set()
            self.maybe_lost: set[int] = set()
            self.payloads: dict[int, bytes] = {}
            self.streams: set[str] = set()

        def do(self, work: "Coroutine[Any, Any, Any]") -> Any:
            return self.loop.run_until_complete(work)

        def teardown(self) -> None:
            self.do(self.journal.close())
            self.loop.close()
            shutil.rmtree(self.bench.root)

        @initialize(quota=strategies.sampled_from([40_000, 10**9]))
        def begin(self, quota: int) -> None:
            self.bench.options["quota"] = quota
            self.reopen()

        def reopen(self) -> None:
            self.journal = self.do(self.bench.open())
            self.streams.add(self.journal.stream)

        @rule(count=strategies.integers(1, 120), held=strategies.booleans(), step=strategies.integers(1, 60_000))
        def add(self, count: int, held: bool, step: int) -> None:
            for _ in range(count):
                self.bench.now += step
                token = len(self.values)
                at = None if held else self.bench.now
                seq = self.journal.add(f"m-{token % 3}", at, token, 0, {"n": token, "noise_w": token**7 % 99991})
                assert seq not in self.values, "a number was used twice"
                self.values[seq] = token
                self.open_seqs.add(seq)

        @rule()
        def add_event(self) -> None:
            self.journal.add_event(b'{"rule":"x"}')

        @rule()
        def flush(self) -> None:
            self.do(self.journal.flush())
            self.commit()

        def commit(self) -> None:
            self.committed |= self.open_seqs
            self.open_seqs.clear()

        @precondition(lambda self: self.journal.pending())
        @rule(data=strategies.data())
        def store(self, data: Any) -> None:
            block = data.draw(strategies.sampled_from(tuple(self.journal.pending())))
            payload = self.do(self.journal.load(block))
            assert payload is not None
            got = decode_block(payload)
            assert self.journal.stored(block)
            assert not self.journal.stored(block)
            self.stored |= {row.seq for row in got.readings} | {row.seq for row in got.untimed}

        @rule()
        def repair(self) -> None:
            if self.journal.stats().held:  # else it commits nothing either
                self.do(self.journal.repair(self.bench.boot, self.bench.now))
                self.commit()
            assert self.journal.stats().held == 0

        @rule()
        def release(self) -> None:
            self.do(self.journal.release())

        @rule()
        def restart(self) -> None:
            self.do(self.journal.close())
            self.commit()
            self.reopen()

        @rule()
        def kill(self) -> None:
            self.do(self.bench.crash(self.journal))
            self.commit()
            self.reopen()

        @rule()
        def cut_power(self) -> None:
            self.do(self.bench.crash(self.journal, power=True))
            self.maybe_lost |= self.open_seqs
            self.open_seqs.clear()
            self.reopen()

        @invariant()
        def nothing_is_lost_without_a_row(self) -> None:
            if not hasattr(self, "journal"):
                return
            pending = self.look()
            ledger = self.bench.ledger()
            waiting = [entry.loss for entry in self.journal._committer.ledger._waiting]
            told = names(ledger + waiting, "evicted")
            held = self.do(self.journal._committer.do(self.journal._committer._database.held))
            held_count = names_of_runs([seqs for _, seqs, _ in held])
            missing = self.committed - pending - self.stored - told - held_count
            assert not missing, f"committed, nowhere and not in the ledger: {sorted(missing)[:5]}"
            cut = names(ledger + waiting, "power_cut")
            assert self.maybe_lost <= cut | pending | self.stored | told | held_count

        def look(self) -> set[int]:
            found = set()
            for block in tuple(self.journal.pending()):
                self.journal._committer._cache.drop(block)
                payload = self.do(self.journal.load(block))
                assert payload is not None
                assert self.payloads.setdefault(block, payload) == payload, "a block's bytes changed"
                got = decode_block(payload)
                rows = [(row.seq, row.v) for row in got.readings] + [(row.seq, row.v) for row in got.untimed]
                for seq, values in rows:
                    assert values["n"] == self.values[seq]
                    found.add(seq)
            assert len(self.streams) == 1
            return found

    return JournalMachine


def names_of_runs(texts: list[str]) -> set[int]:
    """Give every seq that runs as text name."""
    from gateway.journal.runs import from_text

    return {seq for text in texts for first, last in from_text(text) for seq in range(first, last + 1)}
