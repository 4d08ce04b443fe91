"""What a page may send of wishes, and what follows from it."""

from datetime import time

import pytest

from gateway.notify.router import Contact
from gateway.notify.wishes import WishError, Wishes, keeps_safety, laid_over, parse

PHONE = Contact("phone", frequency={"leak": "now"}, quiet=(time(22), time(7)))


def test_what_is_not_said_stays() -> None:
    """A wish changes what it names."""
    changed = laid_over(PHONE, parse(b'{"frequency":{"cost":"weekly"},"fasting":"04:00-10:00"}'))
    assert changed.frequency == {"leak": "now", "cost": "weekly"}
    assert (changed.quiet, changed.fasting) == (PHONE.quiet, (time(4), time(10)))
    assert laid_over(PHONE, parse(b'{"quiet":""}')).quiet is None
    assert laid_over(PHONE, Wishes()) == PHONE


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{", b'{"quiet":"22:00"}', b'{"quiet":"22:00-22:00"}', b'{"quiet":"25:00-07:00"}', b'{"quiet":7}',
        b'{"frequency":{"leak":"hourly"}}', b'{"frequency":{"spam":"now"}}', b'{"channel":"x"}',
        b'{"quiet":"' + b"x" * 5000 + b'"}', b"\xff",
    ],
)  # fmt: skip
def test_what_is_no_wish_is_refused(body: bytes) -> None:
    """Rubbish changes nothing."""
    with pytest.raises(WishError):
        parse(body)


@pytest.mark.parametrize(
    ("contacts", "kept"),
    [
        ([PHONE], True),
        ([Contact("phone", frequency={"safety": "off"})], False),
        ([Contact("phone", frequency={"safety": "off"}), Contact("mail")], True),
        ([Contact("phone", frequency={"safety": "off"}), Contact("hook", machine=True)], False),
        ([Contact("phone", frequency={"safety": "off"}), Contact("neighbour", second=True)], False),
    ],
)
def test_safety_is_never_off_everywhere(contacts: list[Contact], kept: bool) -> None:
    """A machine is nobody, and the second contact hears only what nobody answered."""
    assert keeps_safety(contacts) == kept
