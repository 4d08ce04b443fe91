"""`nabd dead-letters`: list the messages nobody could use, and take them in once their cause is mended.

1. `ls` reads the hub's database; the hub may run meanwhile.
2. `redrive` treats each letter as if it had just arrived: a block goes to the series store and the hub's database, a
   birth document enrols its meters. What still cannot be used stays, with its present reason.
3. A letter goes only when the store has made its readings durable. Done twice it changes nothing.
"""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import orjson

from gateway import hubdb_sql as sql
from gateway.config.customers import StoreTable
from gateway.flatten import Flat, Poison, birth, flatten
from gateway.hubdb import DeadLetter, HubDatabase
from gateway.message import MessageError, Topics
from gateway.store import open_store
from gateway.store.contract import Store, TryAgain
from gateway.transport import Message

Say = Callable[[str], None]


@dataclass
class Outcome:
    """What a redrive did: letters taken in, and those that stay by reason; `error` says why it ended early."""

    taken: int = 0
    staying: Counter[str] = field(default_factory=Counter)
    error: str = ""


async def run(path: Path, table: StoreTable, what: str, say: Say, *, as_json: bool) -> int:
    """Do `ls` or `redrive` on the hub's database at `path`; raises StoreError."""
    database = HubDatabase(path)
    await database.open()
    try:
        if what == "ls":
            return await list_all(database, say, as_json=as_json)
        store = open_store(table)
        await store.open()
        try:
            return await redrive(database, store, say)
        finally:
            await store.close()
    finally:
        await database.close()


async def list_all(database: HubDatabase, say: Say, *, as_json: bool) -> int:
    """Say which letters there are, oldest first."""
    letters = await database.dead_letters()
    if as_json:
        say(orjson.dumps([_plain(letter) for letter in letters], option=orjson.OPT_INDENT_2).decode())
        return 0
    for letter in letters:
        when = datetime.fromtimestamp(letter.at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        name = (letter.correlation or b"-").decode("ascii", "backslashreplace")
        # Topics come from strangers: nothing of them may steer the terminal.
        topic = letter.topic.encode("unicode_escape").decode("ascii")
        say(f"{when}  {letter.reason:22} {letter.count:5} x  {len(letter.payload):6} bytes  {topic}  {name}")
    dropped = await database.dropped_letters()
    say(f"{len(letters)} dead letters" + (f", {dropped} older ones made room for them" if dropped else ""))
    return 0


async def redrive(
    database: HubDatabase, store: Store, say: Say, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> int:
    """Take in what can be used by now; 1 when letters stay."""
    outcome = Outcome()
    durable_after = 0.0
    flats: list[tuple[int, Flat]] = []
    done: list[int] = []
    for id_, letter in await _numbered(database):
        try:
            flat = await _take(letter, database)
        except (Poison, MessageError) as error:
            outcome.staying[error.reason if isinstance(error, Poison) else "bad_topic"] += 1
            continue
        if flat is None:
            done.append(id_)
            continue
        verdict = await store.write(flat.rows)
        if isinstance(verdict, TryAgain):
            outcome.error = verdict.why
            break
        durable_after = max(durable_after, verdict.durable_after)
        flat.rejected.extend((flat.rows[index].seq, reason) for index, reason in verdict.rejected)
        flats.append((id_, flat))
    if durable_after:
        say(f"waiting {durable_after:.0f} s until the store has it on disk")
        await sleep(durable_after)
    recorded = await database.write([flat.record() for _, flat in flats])
    if isinstance(recorded, TryAgain):
        outcome.error = recorded.why
    else:
        for id_, flat in flats:
            if any(reason == "meter_conflict" for _, reason in flat.rejected):
                outcome.staying["meter_conflict"] += 1
            else:
                done.append(id_)
    outcome.taken = len(done)
    await _forget(database, done)
    return _report(outcome, say)


async def _take(letter: DeadLetter, database: HubDatabase) -> Flat | None:
    """Decode a letter; a birth document is enrolled at once, which leaves nothing. Raises Poison, MessageError."""
    topics, kind, _ = Topics.parse(letter.topic)
    message = Message(letter.topic, letter.payload, qos=1, correlation=letter.correlation)
    if kind != "info":
        return flatten(topics, message, database.owner)
    if isinstance(answer := await database.enrol(topics.tenant, topics.gw, birth(message)), TryAgain):
        raise Poison("not_now", answer.why)
    return None


async def _numbered(database: HubDatabase) -> list[tuple[int, DeadLetter]]:
    return await database.file.read(lambda c: [(row[0], DeadLetter(*row[1:])) for row in c.execute(sql.NUMBERED)])


async def _forget(database: HubDatabase, ids: Sequence[int]) -> None:
    def work(connection: sqlite3.Connection) -> None:
        connection.executemany(sql.FORGET_LETTER, [(id_,) for id_ in ids])

    await database.file.write(work)  # what a lock keeps from being forgotten is taken in once more: nothing changes


def _report(outcome: Outcome, say: Say) -> int:
    say(f"{outcome.taken} dead letters taken in")
    for reason, count in sorted(outcome.staying.items()):
        say(f"{count} stay: {reason}")
    if outcome.error:
        say(f"ended early: {outcome.error}")
    return 1 if outcome.staying or outcome.error else 0


def _plain(letter: DeadLetter) -> dict[str, object]:
    """Make a letter plain JSON: payload and correlation as hexadecimal."""
    return asdict(letter) | {
        "correlation": None if letter.correlation is None else letter.correlation.hex(),
        "payload": letter.payload.hex(),
    }
