"""Who may publish makes up meters, gateways and tenants: the hub's memory stays bounded, and honest ones stay (S37)."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import pytest

from gateway import live
from gateway.alerts.event import AlertEvent, alert_id
from gateway.live import LiveBook
from gateway.message import Info, MeterInfo, Topics, encode_live
from gateway.transport import Message
from gateway.web import alertbook
from gateway.web.alertbook import AlertBook

INVENTED = pytest.mark.parametrize("count", [5_000, pytest.param(100_000, marks=pytest.mark.slow)])
NOW = 1_795_219_210_000
HONEST = Topics("home", "gw-1")


@contextmanager
def growth() -> Iterator[list[float]]:
    """Give a list that then holds by how many MB the objects of the block grew."""
    grown: list[float] = []
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        yield grown
        grown.append((tracemalloc.get_traced_memory()[0] - before) / 1e6)
    finally:
        tracemalloc.stop()


def birth(topics: Topics, names: list[str], text: str = "x") -> Message:
    """Make a birth document."""
    meters = [MeterInfo(id=name, name=text, commodity="water", model=text, every=5, quantities={}) for name in names]
    return Message(topics.of("info"), Info(meters=meters).model_dump_json().encode())


def fed() -> LiveBook:
    """Give a book with one honest meter."""
    book = LiveBook()
    book.hear(birth(HONEST, ["gw-1_main"]))
    book.hear(Message(HONEST.of("live", "gw-1_main"), encode_live(NOW, "gw-1_main", 0, {"power_w": 7})))
    return book


def honest(book: LiveBook) -> bool:
    """Tell whether the honest meter is shown with its value."""
    return [dict(meter.values) for meter in book.of("home") if meter.id == "gw-1_main"] == [{"power_w": 7}]


@INVENTED
def test_one_gateway_that_renames_its_meters_all_day(count: int) -> None:
    """Of all invented names the page keeps those of the newest birth document."""
    book, rogue = fed(), Topics("home", "rogue")
    with growth() as grown:
        for start in range(0, count, 500):
            book.hear(birth(rogue, [f"rogue_{start + n}" for n in range(500)]))
    assert len(book.of("home")) <= 501
    assert honest(book)
    assert grown[0] < 2


@INVENTED
def test_live_values_of_meters_nobody_announced(count: int) -> None:
    """They are shown nowhere and take no memory, whatever they are called."""
    book = fed()
    with growth() as grown:
        for n in range(count):
            topics = Topics(f"t{n % 1000}", f"g{n}")
            book.hear(Message(topics.of("live", f"m{n}"), encode_live(NOW, f"m{n}", 0, {"power_w": 1})))
    assert [meter.id for meter in book.meters()] == ["gw-1_main"]
    assert grown[0] < 1


@INVENTED
def test_gateways_and_tenants_that_are_made_up(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All together hold no more meters than the bound; those that were there before stay."""
    monkeypatch.setattr(live, "METERS", count // 10)
    book = fed()
    with growth() as grown:
        for n in range(count // 20):
            book.hear(birth(Topics(f"t{n}", f"g{n}"), [f"m{m}" for m in range(20)]))
    assert len(book.meters()) <= count // 10
    assert len(book.tenants()) <= count // 10
    assert book.refused
    assert honest(book)
    assert grown[0] < count / 10 * 0.002


def test_texts_and_values_without_end() -> None:
    """A name of a megabyte is cut, a live document that is no reading is dropped."""
    book = fed()
    book.hear(birth(HONEST, ["gw-1_main"], "x" * 900_000))
    assert max(len(meter.name) + len(meter.model) for meter in book.meters()) <= 2 * live.TEXT
    values = {f"k{n}": 1 for n in range(20_000)} | {"meter": "gw-1_main", "ts": NOW + 1}
    dropped = book.dropped
    book.hear(Message(HONEST.of("live", "gw-1_main"), orjson.dumps(values)))
    assert book.dropped == dropped + 1
    assert honest(book)


@INVENTED
def test_alerts_that_are_made_up(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Invented tenants push out each other's alerts before they take all memory."""
    monkeypatch.setattr(alertbook, "ALL", count // 20)
    book = AlertBook(lambda: NOW)
    with growth() as grown:
        for n in range(count // 10):
            meter = f"m{n}"
            event = AlertEvent(
                id=alert_id("overload", meter, NOW), seq=1, rule="overload", meter=meter, state="raised",
                severity="critical", raised=NOW, at=NOW + n,
            )  # fmt: skip
            book.take(f"t{n}", event)
    assert grown[0] < 12
