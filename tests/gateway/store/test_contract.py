"""What every series store must do; one suite, run on each."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from gateway.store.contract import Expires, Row, Store, Stored, Thins

T0 = 1700000000000
ROW = Row("t", "gw-1", "gw-1_main", T0, 0, 1000, 0, {"energy_import_wh": 607447.1, "power_w": -12.5}, "electricity")


async def taken(store: Store, rows: Sequence[Row]) -> Stored:
    """Write rows that the store must take."""
    verdict = await store.write(rows)
    assert isinstance(verdict, Stored)
    return verdict


async def test_what_is_written_is_read(on: Any, store: Store) -> None:
    """A reading comes back with all it had."""
    assert await store.write([ROW]) == Stored(on.durable_after)
    assert await store.query("t", "gw-1_main", T0, T0 + 1) == [ROW]
    assert await store.count() == 1


async def test_the_same_reading_again_changes_nothing(store: Store) -> None:
    """Sending twice stores once, within a batch and across batches."""
    await store.write([ROW, ROW])
    await store.write([ROW])
    assert await store.count() == 1
    assert await store.query("t", "gw-1_main", 0, T0 * 2) == [ROW]


async def test_order_of_arrival_does_not_matter(store: Store) -> None:
    """Live readings and backlog mix; queries go by time."""
    rows = [replace(ROW, ts=T0 + n, seq=n) for n in (5, 1, 9, 3)]
    for row in rows:
        await store.write([row])
    found = await store.query("t", "gw-1_main", T0, T0 + 10)
    assert [row.ts - T0 for row in found] == [1, 3, 5, 9]


async def test_a_thousand_at_once(store: Store) -> None:
    """A whole batch is one write."""
    rows = [replace(ROW, meter=f"m-{n % 10}", ts=T0 + n // 10, seq=n) for n in range(1000)]
    assert (await taken(store, rows)).rejected == ()
    assert await store.count() == 1000
    assert len(await store.query("t", "m-3", 0, T0 * 2)) == 100


async def test_a_range_has_its_start_and_not_its_end(store: Store) -> None:
    """A range is start <= ts < end, so neighbouring ranges share nothing."""
    await store.write([replace(ROW, ts=T0 + n) for n in (0, 1, 2)])
    assert [row.ts - T0 for row in await store.query("t", "gw-1_main", T0, T0 + 2)] == [0, 1]
    assert await store.query("t", "gw-1_main", T0 + 1, T0 + 1) == []
    assert await store.query("t", "gw-1_main", T0 + 3, T0 + 9) == []


async def test_tenants_and_meters_are_apart(store: Store) -> None:
    """The key is tenant, meter and time: a neighbour's reading is another one."""
    mine, theirs, other = ROW, replace(ROW, tenant="u"), replace(ROW, meter="gw-1_water")
    await store.write([mine, theirs, other])
    assert await store.count() == 3
    assert await store.query("t", "gw-1_main", 0, T0 * 2) == [mine]
    assert await store.latest("u") == [theirs]


async def test_latest_gives_the_newest_of_each_meter(store: Store) -> None:
    """Newest by time, not by arrival, and whole, though older readings had other values."""
    old = replace(ROW, ts=T0 - 5, v={"energy_import_wh": 1.0, "voltage_v": 230.0})
    water = replace(ROW, meter="gw-1_water", ts=T0 - 9, v={"water_volume_l": 3.0}, commodity="water")
    await store.write([ROW, water])
    await store.write([old])
    assert await store.latest("t") == [ROW, water]
    assert await store.latest("nobody") == []


async def test_decimal_strings_and_integers_keep_their_number(store: Store) -> None:
    """A value beyond a float's digits is kept as it came, or as a float to fifteen digits."""
    await store.write([replace(ROW, v={"energy_import_wh": "90071992547409931.5", "power_w": 3})])
    (row,) = await store.latest("t")
    kept = row.v["energy_import_wh"]
    assert kept == "90071992547409931.5" or kept == pytest.approx(90071992547409931.5, rel=1e-15)
    assert row.v["power_w"] == 3


async def test_empty_batches_and_bare_readings(store: Store) -> None:
    """Nothing to write is written; a reading without values is one."""
    assert await store.write([]) == Stored()
    await store.write([replace(ROW, v={}, q=255)])
    (row,) = await store.latest("t")
    assert (row.v, row.q, row.seq) == ({}, 255, 1000)


async def test_opens_again_with_all_it_had(store: Store) -> None:
    """Closing loses nothing, and a store can be opened again."""
    await store.write([ROW])
    await store.close()
    await store.open()
    assert await store.latest("t") == [ROW]
    await store.write([replace(ROW, ts=T0 + 1)])
    assert await store.count() == 2


async def test_a_cancelled_write_harms_no_later_one(store: Store) -> None:
    """A collector that loses its connection drops a write half way; the next one finds the store in order."""
    rows = [replace(ROW, meter=f"m-{n}") for n in range(50)]
    for _ in range(20):
        task = asyncio.create_task(store.write(rows))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert (await taken(store, rows)).rejected == ()
    assert {row.meter for row in await store.latest("t")} == {row.meter for row in rows}


async def test_a_reading_is_never_rewritten(on: Any, store: Store) -> None:
    """The first one keeps its key where the store can see that another came; none is doubled anywhere."""
    await store.write([ROW])
    await store.write([replace(ROW, seq=2000, v={"energy_import_wh": 1.0})])
    assert await store.count() == 1
    if on.kind in {"sqlite", "postgres"}:
        assert await store.latest("t") == [ROW]


async def test_a_reading_the_store_cannot_keep_costs_itself_alone(
    on: Any, store: Store, unkeepable: Callable[[Row], Row]
) -> None:
    """Of a batch of nine one is refused, by its index; the others are stored."""
    if on.kind == "sqlite":
        return  # it keeps whatever comes
    rows = [replace(ROW, ts=T0 + n, seq=n) for n in range(9)]
    rows[4] = unkeepable(rows[4])
    assert [index for index, _ in (await taken(store, rows)).rejected] == [4]
    assert await store.count() == 8


async def test_a_field_that_once_was_whole_takes_decimals(store: Store) -> None:
    """A meter that says 3 today says 3.5 tomorrow: no store may fix a value's type by its first reading."""
    await store.write([replace(ROW, v={"power_w": 3})])
    rows = [replace(ROW, ts=T0 + 1, v={"power_w": 3.5}), replace(ROW, ts=T0 + 2, v={"power_w": "90071992547409931.5"})]
    assert (await taken(store, rows)).rejected == ()
    assert await store.count() == 3


async def test_old_readings_come_after_new_ones(store: Store) -> None:
    """A backlog of years finds its place."""
    await store.write([ROW])
    old = replace(ROW, ts=T0 - 3 * 365 * 86_400_000, seq=1)
    assert (await taken(store, [old])).rejected == ()
    assert await store.query("t", "gw-1_main", 0, T0 * 2) == [old, ROW]


DAY = 86_400.0


def thins(on: Any) -> Thins | None:
    """Give the store where it says that it thins; where it does not, its server must let readings go."""
    if isinstance(on.store, Thins):
        return on.store
    assert isinstance(on.store, Expires), f"{on.kind} keeps readings for ever"
    return None


async def test_of_each_step_the_first_stays(on: Any, store: Store) -> None:
    """Of any meter, whoever owns it, whatever came in which order; nothing at the border or after it is touched."""
    if (thinning := thins(on)) is None:
        return
    step, base = 900_000, T0 - T0 % 900_000
    times = [base + offset for offset in (0, 1, 899_999, 900_000, 900_001, 2_700_500, 2_700_400)]
    border = [base + 3_600_000 + offset for offset in (0, 1, 2)]
    owners = [("t", "a"), ("t", "b"), ("u", "a")]
    rows = [replace(ROW, tenant=tenant, meter=meter, ts=ts) for tenant, meter in owners for ts in (*times, *border)]
    await taken(store, rows[::-1])
    assert await thinning.thin(border[0] + 5, step) == 3 * 4
    stays = [base, base + 900_000, base + 2_700_400, *border]
    for tenant, meter in owners:
        assert [row.ts for row in await store.query(tenant, meter, 0, T0 * 2)] == stays
    assert await thinning.thin(border[0] + 5, step) == 0
    await taken(store, [replace(ROW, meter="a", ts=base + 900_500)])
    assert await thinning.thin(border[0] + 5, step) == 1
    assert await thinning.forget() is None


async def test_more_than_one_piece_is_thinned_and_new_readings_do_not_wait(on: Any, store: Store) -> None:
    """An hour and a half at two a second are several pieces, some within one step; a batch is taken meanwhile."""
    if (thinning := thins(on)) is None:
        return
    base = T0 - T0 % 3_600_000
    rows = [replace(ROW, ts=base + n * 500, seq=n) for n in range(11_000)]
    for start in range(0, len(rows), 2000):
        await taken(store, rows[start : start + 2000])
    thinner = asyncio.create_task(thinning.thin(base + 7_200_000, 3_600_000))
    await asyncio.sleep(0)
    await taken(store, [replace(ROW, meter="new")])
    in_time = not thinner.done()
    assert await thinner == len(rows) - 2
    assert in_time
    assert [row.ts - base for row in await store.query("t", ROW.meter, 0, T0 * 2)] == [0, 3_600_000]


async def test_a_server_that_keeps_readings_for_ever_says_what_to_type(on: Any) -> None:
    """Its own rule is all there is, so an operator hears what it is, what is meant, and the words that set it."""
    if thins(on) is not None:
        return
    words = {"victoria": "-retentionPeriod=30d", "influx": "--retention 30d", "influx-engine": "--retention 30d"}
    assert words[on.kind] in await on.store.outlast(30 * DAY)
    if on.kind == "influx-engine":
        on.door.keep(30)
        assert await on.store.outlast(30 * DAY) == ""
