"""The InfluxDB store against a scripted server: each documented answer and its verdict."""

import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.store.contract import Row, Stored, StoreError, TryAgain
from gateway.store.influx import Bad, InfluxStore, judge
from tests.support.fake_influx import HANG, Answer, FakeInflux, Point

T0 = 1795219200000
ROWS = [Row("t", "gw-1", "m", T0 + n, 0, n, 0, {"power_w": n}, "electricity") for n in range(64)]


@pytest.fixture
async def server() -> AsyncIterator[FakeInflux]:
    """Give a running server that has seen no request outside the API."""
    async with FakeInflux() as running:
        yield running
        assert running.violations == []


@pytest.fixture
async def store(server: FakeInflux, tmp_path: Path) -> AsyncIterator[InfluxStore]:
    """Give an open store with a short timeout."""
    token = tmp_path / "token"
    token.write_text("secret\n", encoding="utf-8")
    opened = InfluxStore(server.url, server.org, server.bucket, token, timeout=0.3)
    await opened.open()
    yield opened
    await opened.close()


async def test_one_batch_is_one_compressed_request(server: FakeInflux, store: InfluxStore) -> None:
    """A thousand readings travel together, compressed, with the precision said."""
    assert await store.write(ROWS) == Stored()
    (request,) = server.requests
    assert request.headers["content-encoding"] == "gzip"
    assert request.headers["content-type"].startswith("text/plain")
    assert request.query == {"org": ["o"], "bucket": ["b"], "precision": ["ms"]}
    assert len(request.body.split(b"\n")) == 64


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ((429, "slow down", {"Retry-After": "30"}), TryAgain("InfluxDB answered 429: slow down", 30.0)),
        ((503, "busy", {"Retry-After": "7"}), TryAgain("InfluxDB answered 503: busy", 7.0)),
        ((503, "busy", {}), TryAgain("InfluxDB answered 503: busy", 1.0)),
        ((429, "for ever", {"Retry-After": "99999999"}), TryAgain("InfluxDB answered 429: for ever", 300.0)),
        ((500, "oops", {}), TryAgain("InfluxDB answered 500: oops", 1.0)),
        (HANG, TryAgain("InfluxDB cannot be reached: TimeoutError", 1.0)),
    ],
)
async def test_what_passes_is_tried_again(
    server: FakeInflux, store: InfluxStore, answer: Answer, verdict: TryAgain
) -> None:
    """Quotas, overload, faults and silence promise nothing and need nobody; one request is made, not more."""
    server.script = [answer]
    assert await store.write(ROWS) == verdict
    assert len(server.requests) == 1
    assert await store.write(ROWS) == Stored()


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ((401, "unauthorized access", {}), "token"),
        ((403, "forbidden", {}), "read and write"),
        ((404, 'bucket "b" not found', {}), "bucket"),
        ((400, "failed to decode request body: organization not found", {}), "organization"),
    ],
)
async def test_what_a_person_must_mend_is_loud(
    server: FakeInflux, store: InfluxStore, answer: Answer, hint: str
) -> None:
    """A wrong token or name rejects no reading: it waits, aloud."""
    server.script = [answer]
    verdict = await store.write(ROWS)
    assert isinstance(verdict, TryAgain)
    assert verdict.loud
    assert hint in verdict.why


async def test_a_server_that_is_away_is_tried_again(server: FakeInflux, store: InfluxStore) -> None:
    """No connection is no verdict on the readings."""
    await server.__aexit__()
    verdict = await store.write(ROWS)
    assert isinstance(verdict, TryAgain)
    assert not verdict.loud


async def test_bad_lines_are_found_and_good_ones_kept(server: FakeInflux, store: InfluxStore) -> None:
    """Of 64 readings two conflict: both are named, the others are stored, in few requests."""
    server.refuses = lambda point: "field type conflict" if dict(point.fields)["seq"] in {3, 40} else None
    assert await store.write(ROWS) == Stored(rejected=((3, "type_conflict"), (40, "type_conflict")))
    assert len(server.points) == 62
    assert len(server.requests) <= 2 + 2 * 2 * 6


async def test_a_batch_dropped_whole_needs_no_search(server: FakeInflux, store: InfluxStore) -> None:
    """When all points are too old the server's own count says so at once."""
    server.refuses = lambda _: "points beyond retention policy"
    assert await store.write(ROWS) == Stored(rejected=tuple((n, "beyond_retention") for n in range(64)))
    assert len(server.requests) == 1


async def test_an_unparsable_line_is_found(server: FakeInflux, store: InfluxStore) -> None:
    """A 400 for the whole batch, as a parse error is, still costs only the one reading."""

    def fussy(point: Point) -> None:
        if dict(point.fields)["seq"] == 9:
            raise ValueError("unable to parse: fussy")

    server.refuses = fussy
    original = server._write

    def write(body: str) -> Answer:
        try:
            return original(body)
        except ValueError as error:
            return 400, str(error), {}

    server._write = write  # type: ignore[method-assign]
    assert await store.write(ROWS) == Stored(rejected=((9, "unparsable"),))
    assert len(server.points) == 63


async def test_batches_too_large_are_halved(server: FakeInflux, store: InfluxStore) -> None:
    """A 413 is about the batch, not about a reading."""
    server.largest = 10
    assert await store.write(ROWS) == Stored()
    assert len(server.points) == 64
    server.largest = 0
    assert await store.write(ROWS[:2]) == Stored(rejected=((0, "too_large"), (1, "too_large")))


async def test_a_fault_during_the_search_promises_nothing(server: FakeInflux, store: InfluxStore) -> None:
    """Half a verdict is none."""
    server.script = [(400, "partial write: field type conflict dropped=1", {}), (503, "busy", {"Retry-After": "3"})]
    assert await store.write(ROWS) == TryAgain("InfluxDB answered 503: busy", 3.0)


async def test_what_cannot_be_a_line_is_rejected_alone(store: InfluxStore) -> None:
    """The encoder's refusal is a reading's, not the batch's; indexes are those of the batch."""
    bad = replace(ROWS[1], meter="line\nbreak")
    worse = replace(ROWS[2], v={"power_w": float("nan")})
    verdict = await store.write([ROWS[0], bad, worse, ROWS[3]])
    assert verdict == Stored(rejected=((1, "unencodable"), (2, "unencodable")))
    assert await store.count() == 2


async def test_ids_never_speak_flux(store: InfluxStore) -> None:
    """A meter's name that ends the string and goes on is no id."""
    with pytest.raises(ValueError, match="not an id"):
        await store.query("t", 'm" or true or r.meter == "', 0, T0)


async def test_a_failed_query_says_what_to_do(server: FakeInflux, store: InfluxStore) -> None:
    """Queries raise the contract's error with a hint."""
    await server.__aexit__()
    with pytest.raises(StoreError, match="runs"):
        await store.count()


async def test_a_missing_token_says_what_to_do(tmp_path: Path) -> None:
    """Opening without the token names the setting."""
    with pytest.raises(StoreError, match="token_file"):
        await InfluxStore("http://127.0.0.1:1", "o", "b", tmp_path / "none").open()


async def test_a_missing_client_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client is an extra; without it the error holds the command."""
    monkeypatch.setitem(sys.modules, "influxdb_client.client.influxdb_client_async", None)
    with pytest.raises(StoreError, match=r"nabd\[influx\]"):
        await InfluxStore("http://127.0.0.1:1", "o", "b", tmp_path / "none").open()


def test_only_words_about_lines_reject_lines() -> None:
    """The messages of the published API and of the real engine."""
    cloud = "partial write error (2 written): unable to parse 'air': schema: field type for field \"t\" not permitted"
    assert judge(400, cloud, None) == Bad("type_conflict")
    engine = "partial write: field type conflict: input field is type integer, already exists as type float dropped=1"
    assert judge(422, engine, None) == Bad("type_conflict", 1)
    assert isinstance(judge(400, "invalid org", None), TryAgain)


@pytest.mark.parametrize(
    ("retention", "said"),
    [
        (0, "bucket b keeps raw readings for ever, 30 days are meant (type: influx bucket update --id 0f00"),
        (90 * 86_400, "for 90 days, 30 days are meant"),
        (30 * 86_400, ""),
        (3600, ""),
        (None, "let the token read the bucket"),
    ],
)
async def test_a_bucket_that_keeps_readings_too_long_is_named(
    server: FakeInflux, store: InfluxStore, retention: int | None, said: str
) -> None:
    """Its own retention is asked for by its name; one that suits says nothing."""
    server.retention = retention
    answer = await store.outlast(30 * 86_400)
    assert said in answer
    assert bool(said) == bool(answer)
    assert server.requests[-1].query == {"org": ["o"], "name": ["b"]}


async def test_a_bucket_cannot_be_asked_for_while_the_server_is_away(tmp_path: Path) -> None:
    """That is an error with a hint, as with any question."""
    (tmp_path / "token").write_text("secret", encoding="utf-8")
    store = InfluxStore("http://127.0.0.1:9", "o", "b", tmp_path / "token")
    await store.open()
    with pytest.raises(StoreError, match="runs"):
        await store.outlast(1.0)
    await store.close()
