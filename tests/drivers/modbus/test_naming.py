"""Names of Modbus meters: what makes one certain, likely, or one of several."""

from collections.abc import Callable
from random import Random

import pytest

from drivers.modbus.codec import Read
from drivers.modbus.naming import Model, Named, name
from drivers.modbus.plan import Wire
from gateway.scan.book import load_book
from tests.support.scan_bus import served, stranger

Meter = Callable[[int, int, int], bytes | None]


@pytest.fixture(scope="module")
def models() -> list[Model]:
    """Give the models that are shipped."""
    return list(load_book().modbus)


def named(models: list[Model], meter: Meter) -> tuple[Named, list[Read]]:
    """Let a meter be named; give its name and what was read."""
    asked = []
    wants = name(models, Wire(10 / 9600))
    try:
        read = next(wants)
        while True:
            asked.append(read)
            read = wants.send(meter(read.function, read.start, read.count))
    except StopIteration as end:
        result: Named = end.value
        return result, asked


def with_code(meter: Meter, function: int, at: int, code: bytes) -> Meter:
    """Put another code into a meter."""

    def read(asked: int, start: int, count: int) -> bytes | None:
        if (asked, start, count) == (function, at, len(code) // 2):
            return code
        return meter(asked, start, count)

    return read


def test_a_code_with_sensible_values_is_sure(models: list[Model]) -> None:
    """The code and a value are the evidence."""
    found, _ = named(models, served("abb-b21", Random(1), 1))
    assert (found.models[0].name, found.confidence) == ("abb-b21", "sure")
    assert "'B21'" in found.evidence[0]
    assert "voltage" in found.evidence[1]


def test_a_code_without_its_values_is_not_sure(models: list[Model]) -> None:
    """A device that shows B23's code and none of its values is not called a B23 with certainty."""
    for seed in range(20):
        found, _ = named(models, with_code(stranger(Random(seed), {}), 3, 0x8960, b"B23 "))
        assert found.confidence == "something"


def test_a_meter_of_another_table_with_a_known_code_is_not_sure(models: list[Model]) -> None:
    """An SDM630 in whose registers another maker's code happens to stand stays an SDM630."""
    found, _ = named(models, with_code(served("eastron-sdm630", Random(1), 1), 3, 0x8960, b"B23 "))
    assert (found.models[0].name, found.confidence) == ("eastron-sdm630", "likely")


def test_a_code_tells_models_of_one_table_apart(models: list[Model]) -> None:
    """B24 has the table of B23; without its code both would fit."""
    meter = served("abb-b24", Random(1), 1)
    assert named(models, meter)[0].models[0].name == "abb-b24"
    found, _ = named(models, with_code(meter, 3, 0x8960, b"X99 "))
    assert found.confidence != "sure"
    assert not {"abb-b23", "abb-b24"} & {model.name for model in found.models}


def test_models_that_fit_alike_are_all_named(models: list[Model]) -> None:
    """SDM120, 220 and 230 share their registers."""
    found, _ = named(models, served("eastron-sdm220", Random(1), 1))
    assert found.confidence == "something"
    assert "eastron-sdm220" in {model.name for model in found.models}


def test_a_meter_that_refuses_everything_is_something(models: list[Model]) -> None:
    """It answers, and no model fits."""
    found, _ = named(models, lambda *_: None)
    assert (found.models, found.confidence) == ((), "something")


def test_no_register_is_asked_twice(models: list[Model]) -> None:
    """Each request once, and few of them: a meter is named within four dozen."""
    for model in ("eastron-sdm630", "abb-b23", "janitza-umg96rm", "tuf-2000m"):
        _, asked = named(models, served(model, Random(1), 1))
        assert len(asked) == len(set(asked))
        assert len(asked) < 48


def test_a_meter_that_refuses_long_requests_is_named_as_well(models: list[Model]) -> None:
    """Its registers are read in smaller pieces; one that is missing altogether rules a model out."""
    whole = served("eastron-sdm630", Random(1), 1)

    def short(function: int, start: int, count: int) -> bytes | None:
        return whole(function, start, count) if count <= 12 else None

    found, _ = named(models, short)
    assert (found.models[0].name, found.confidence) == ("eastron-sdm630", "likely")
    found, _ = named(models, lambda function, start, count: short(function, start, count) if start > 2 else None)
    assert "eastron-sdm630" not in {model.name for model in found.models}
