"""Tests of gateway/identity/expiry.py: who is told how long before a certificate ends, and how often."""

from pathlib import Path

import pytest

from gateway.identity.expiry import STEPS, Expiry
from gateway.teller import Teller
from tests.support.identities import Town

DAY = 86_400_000


class Days:
    """A clock that stands so many days before the certificate's end."""

    def __init__(self, until: int) -> None:
        self.until, self.left = until, 100.0

    def __call__(self) -> int:
        """Give the time."""
        return self.until - round(self.left * DAY)


@pytest.fixture
def watched(town: Town) -> tuple[Expiry, Days]:
    """Give a certificate and a clock to turn."""
    folder = town.client("home/gw-e")
    validity = folder.validity()
    assert validity is not None
    now = Days(validity.until)
    return Expiry(folder.pair, now), now


@pytest.mark.parametrize(
    ("left", "told"), [(31, 0), (30.1, 0), (29.9, 1), (7.1, 1), (6.9, 2), (1.1, 2), (0.9, 3), (-0.1, 3), (-400, 3)]
)
def test_the_steps(watched: tuple[Expiry, Days], left: float, told: int) -> None:
    """30, 7 and 1 day before the end, one more warning each."""
    expiry, now = watched
    now.left = left
    said = [fault() for fault in expiry.faults().values() if fault()]
    assert len(said) == told
    assert all("nabd enrol request --new" in line and ("ended" in line) == (left < 0) for line in said)


def test_the_log_has_one_line_a_step(watched: tuple[Expiry, Days], caplog: pytest.LogCaptureFixture) -> None:
    """In the last forty days of a certificate that nobody renews, three lines; renewed, it falls silent."""
    expiry, now = watched
    teller = Teller(expiry.faults())
    for hour in range(40 * 24 + 48):
        now.left = 40 - hour / 24
        for name, fault in expiry.faults().items():
            teller.look(name, fault(), hour * 3600.0)
    assert len(caplog.records) == len(STEPS)
    assert ["30 days" in caplog.messages[0], "7 days" in caplog.messages[1], "1 days" in caplog.messages[2]] == [
        True
    ] * 3


def test_the_status_counts_days(watched: tuple[Expiry, Days]) -> None:
    """People see the end and how far it is."""
    expiry, now = watched
    now.left = 12.5
    status = expiry.status()
    assert status["days_left"] == 12
    assert str(status["until"]).endswith("+00:00")


def test_without_time_nothing_is_judged(town: Town) -> None:
    """A clock at 1970 raises no alarm, and none that the certificate is fresh."""
    expiry = Expiry(town.client("home/gw-t").pair, lambda: None)
    assert list(expiry.status()) == ["until"]
    assert not any(fault() for fault in expiry.faults().values())


@pytest.mark.parametrize("content", [None, b"", b"\xff\0rubbish"])
def test_no_certificate_is_no_warning(tmp_path: Path, content: bytes | None) -> None:
    """What is missing or damaged is told where it is used; and it is looked at again once it is another."""
    path = tmp_path / "pair.pem"
    if content is not None:
        path.write_bytes(content)
    expiry = Expiry(path, lambda: 0)
    assert expiry.status() == {}
    assert not any(fault() for fault in expiry.faults().values())
