"""VictoriaMetrics: what it would drop in silence is refused aloud."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from gateway.config.customers import StoreTable
from gateway.store.contract import Row, Stored, StoreError, TryAgain
from gateway.store.victoria import VictoriaStore, from_config, objection_to, retention_ms
from tests.conftest import skip_or_fail
from tests.support.servers import Victoria

DAY = 86_400_000
T0 = 1700000000000
ROW = Row("t", "gw-1", "m", T0, 0, 1, 0, {"power_w": 1.0}, "electricity")


@contextmanager
def victoria(*flags: str) -> Iterator[Victoria]:
    """Start one with these flags."""
    if Victoria.program() is None:
        skip_or_fail("victoria-metrics is not installed (apt install victoria-metrics)")
    with Victoria(*flags) as server:
        yield server


async def test_it_says_when_a_reading_is_safe(bench: Callable[[str], Any]) -> None:
    """Taken is not durable: the verdict names the seconds; an empty batch owes none."""
    async with bench("victoria") as on:
        assert await on.store.write([ROW]) == Stored(30.0)
        assert await on.store.write([]) == Stored()


async def test_a_server_that_keeps_repeats_gets_nothing() -> None:
    """Without the dedup flag a block sent twice would be stored twice, so a person is told first."""
    with victoria("-retentionPeriod=1y") as server:
        store = VictoriaStore(server.url)
        await store.open()
        verdict = await store.write([ROW])
        await store.close()
        assert isinstance(verdict, TryAgain)
        assert verdict.loud
        assert "-dedup.minScrapeInterval=1ms" in verdict.why


async def test_what_its_retention_would_drop_is_rejected() -> None:
    """The server answers 204 to readings it throws away; the store judges them by its retention, with a margin."""
    with victoria("-retentionPeriod=30d", "-dedup.minScrapeInterval=1ms") as server:
        store = VictoriaStore(server.url)
        now = store._clock()
        await store.open()
        rows = [replace(ROW, ts=now + offset) for offset in (-31 * DAY, -29 * DAY, 0, DAY, 3 * DAY)]
        verdict = await store.write(rows)
        server.flush()
        kept = await store.count()
        future = await store.query("t", "m", now - 30 * DAY, now + 2 * DAY)
        assert await store.outlast(30 * 86_400) == ""
        assert "for 30 days, 29 days are meant" in await store.outlast(29 * 86_400)
        await store.close()
        assert verdict == Stored(30.0, ((0, "beyond_retention"), (4, "too_new")))
        assert [row.ts for row in future] == [now - 29 * DAY, now, now + DAY]
        assert kept == 2  # those not ahead of now, up to which it counts


async def test_a_server_that_is_away_is_tried_again() -> None:
    """No connection is no verdict on the readings, and a query says what to look at."""
    store = VictoriaStore("http://127.0.0.1:9")
    await store.open()
    verdict = await store.write([ROW])
    assert isinstance(verdict, TryAgain)
    assert not verdict.loud
    with pytest.raises(StoreError, match="runs"):
        await store.count()
    await store.close()


async def test_ids_never_speak_metricsql(bench: Callable[[str], Any]) -> None:
    """A meter's name that ends the string and goes on is no id."""
    async with bench("victoria") as on:
        with pytest.raises(ValueError, match="not an id"):
            await on.store.query("t", 'm"} or {x="', 0, T0)


@pytest.mark.parametrize(
    ("text", "days"), [("1", 31), ("12", 372), ("30d", 30), ("2w", 14), ("36h", 1.5), ("100y", 36500)]
)
def test_retention_is_read_as_the_server_means_it(text: str, days: float) -> None:
    """A bare number is months."""
    assert retention_ms(text) == days * DAY


@pytest.mark.parametrize("text", ["", "y", "-1d", "1m2"])
def test_a_retention_nobody_knows_is_no_guess(text: str) -> None:
    """What is not understood is an error, not a default."""
    with pytest.raises(ValueError):  # noqa: PT011  its message is the text itself
        retention_ms(text)


def test_a_proxy_or_cluster_that_hides_its_flags_is_refused() -> None:
    """What cannot be verified is not trusted."""
    assert "flags" in str(objection_to({}))
    assert objection_to({"retentionPeriod": "1y", "dedup.minScrapeInterval": "1ms"}) is None


def test_a_store_without_a_url_says_so() -> None:
    """The configuration's checks come first; the store does not rely on them."""
    with pytest.raises(StoreError, match="url"):
        from_config(StoreTable.model_construct(url=None))
