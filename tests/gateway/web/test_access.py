"""One-time links and the sessions they open."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.web.access import LINKS, OPERATOR, SESSIONS, TRIES, YEAR_MS, Access, Door, TooManyTries

DAY_MS = 86_400_000


class Clock:
    """UTC ms that a test moves."""

    def __init__(self) -> None:
        """Begin somewhere."""
        self.ms = 1_795_219_210_000

    def __call__(self) -> int:
        """Tell the time."""
        return self.ms


@pytest.fixture
def clock() -> Clock:
    """Give a clock."""
    return Clock()


@pytest.fixture
def let(clock: Clock, tmp_path: Path) -> Callable[[], Access]:
    """Give a callable that makes an Access over one file, as each start of the program does."""
    return lambda: Access(tmp_path / "sessions.json", stay=30 * 86400, now=clock)


ANNA, BILAL = Door("customer", "anna"), Door("customer", "bilal")


def entered(access: Access, door: Door = OPERATOR) -> str:
    """Open a session."""
    secret = access.enter(access.link(door), "192.0.2.1")
    assert secret is not None
    return secret


def test_a_link_opens_one_session_once(let: Callable[[], Access]) -> None:
    """The second who uses a link is not let in."""
    access = let()
    token = access.link()
    secret = access.enter(token, "192.0.2.1")
    assert access.knows(secret)
    assert access.enter(token, "192.0.2.1") is None


def test_links_and_secrets_cannot_be_guessed(let: Callable[[], Access]) -> None:
    """A link carries 160 random bits, a session 256, and none comes twice."""
    access = let()
    links = {access.link() for _ in range(200)}
    assert len(links) == 200
    assert all(len(link) >= 27 for link in links)
    assert len(entered(access)) >= 43


def test_a_link_lasts_a_day(let: Callable[[], Access], clock: Clock) -> None:
    """What lay in a terminal's history since yesterday opens nothing."""
    access = let()
    token, late = access.link(), access.link()
    clock.ms += DAY_MS - 1
    assert access.enter(token, "") is not None
    clock.ms += 1
    assert access.enter(late, "") is None


def test_only_so_many_links_wait(let: Callable[[], Access]) -> None:
    """Links nobody used make room for newer ones."""
    access = let()
    first = access.link()
    for _ in range(LINKS):
        last = access.link()
    assert access.enter(first, "") is None
    assert access.enter(last, "") is not None


def test_wrong_links_are_soon_refused(let: Callable[[], Access], clock: Clock) -> None:
    """Ten wrong tries a minute and address are enough; others, and later tries, are not punished for it."""
    access = let()
    for _ in range(TRIES):
        assert access.enter("wrong", "192.0.2.1") is None
    token = access.link()
    with pytest.raises(TooManyTries):
        access.enter(token, "192.0.2.1")
    assert access.enter(access.link(), "192.0.2.2") is not None
    clock.ms += 60_000
    assert access.enter(token, "192.0.2.1") is not None


def test_the_record_of_tries_is_bounded(let: Callable[[], Access]) -> None:
    """A thousand addresses at once cost no more memory than a thousand."""
    access = let()
    for n in range(1500):
        access.enter("wrong", f"2001:db8::{n:x}")
    assert len(access._tries) == 1000


def test_sessions_outlive_a_restart(let: Callable[[], Access], tmp_path: Path) -> None:
    """A tablet on the wall needs no new link; the file holds no secret, and only its owner reads it."""
    secret = entered(let())
    assert let().knows(secret)
    file = tmp_path / "sessions.json"
    assert secret not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_session_ends_when_it_is_not_used(let: Callable[[], Access], clock: Clock) -> None:
    """Use keeps a session alive, absence of `stay` ends it, across restarts."""
    access = let()
    secret = entered(access)
    for _ in range(3):
        clock.ms += 29 * DAY_MS
        assert access.knows(secret)
        access = let()
    clock.ms += 31 * DAY_MS
    assert not access.knows(secret)
    assert not let().knows(secret)


def test_a_session_ends_after_a_year_of_use(let: Callable[[], Access], clock: Clock) -> None:
    """Even a device in daily use shows a link again one day."""
    access = let()
    secret, end = entered(access), clock.ms + YEAR_MS
    while clock.ms < end:
        assert access.knows(secret)
        clock.ms += 20 * DAY_MS
    assert not access.knows(secret)


def test_leaving_ends_a_session_at_once(let: Callable[[], Access]) -> None:
    """A secret that was signed out is dead, also after a restart."""
    access = let()
    secret = entered(access)
    access.leave(secret)
    assert not access.knows(secret)
    assert not let().knows(secret)


def test_entering_again_ends_the_old_session(let: Callable[[], Access]) -> None:
    """A secret planted in somebody's browser beforehand is worth nothing once they enter."""
    access = let()
    old = entered(access)
    new = access.enter(access.link(), "", old)
    assert access.knows(new)
    assert not access.knows(old)


def test_the_session_longest_away_makes_room(let: Callable[[], Access], clock: Clock) -> None:
    """Sessions are bounded; who is used stays."""
    access = let()
    secrets = []
    for _ in range(SESSIONS):
        secrets.append(entered(access))
        clock.ms += 1000
    assert access.knows(secrets[0])
    entered(access)
    assert access.knows(secrets[0])
    assert not access.knows(secrets[1])


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"nonsense",
        b"[]",
        b'{"a": 1}',
        b'{"a": {"role": "operator", "tenant": "", "begun": "x", "used": 1}}',
        b'{"a": {"role": "x", "tenant": "", "begun": 1, "used": 1}}',
        b'{"a": {"begun": 1, "used": 1}}',
    ],
)
def test_a_damaged_file_lets_nobody_in(let: Callable[[], Access], tmp_path: Path, damage: bytes) -> None:
    """Damage means new links for all, and no crash."""
    secret = entered(let())
    (tmp_path / "sessions.json").write_bytes(damage)
    access = let()
    assert not access.knows(secret)
    assert access.knows(entered(access))


def test_a_disk_that_takes_nothing_costs_only_memory(tmp_path: Path, clock: Clock) -> None:
    """Without a place to write, links still open sessions."""
    access = Access(tmp_path / "gone" / "sessions.json", stay=3600, now=clock)
    assert access.knows(entered(access))


@pytest.mark.parametrize("secret", [None, "", "x" * 10_000, "\udcff", "ü"])
def test_what_is_no_secret_opens_nothing(let: Callable[[], Access], secret: str | None) -> None:
    """A cookie may hold anything."""
    access = let()
    entered(access)
    assert not access.knows(secret)
    access.leave(secret)


def test_a_session_remembers_whom_it_lets_in(let: Callable[[], Access]) -> None:
    """Role and tenant are those of the link, also after a restart."""
    secrets = {door: entered(let(), door) for door in (OPERATOR, ANNA, BILAL)}
    assert {door: session.door for door, secret in secrets.items() if (session := let().session(secret))} == {
        door: door for door in secrets
    }


def test_a_tenants_devices_are_ended_at_once(let: Callable[[], Access]) -> None:
    """Sessions and unused links of one tenant end, also after a restart; others stay."""
    access = let()
    anna, bilal, operator = (entered(access, door) for door in (ANNA, BILAL, OPERATOR))
    annas, bilals = access.link(ANNA), access.link(BILAL)
    assert access.end("anna") == 1
    assert access.end("nobody") == 0
    assert access.enter(annas, "") is None
    assert access.enter(bilals, "") is not None
    for now in (access, let()):
        assert [now.knows(secret) for secret in (anna, bilal, operator)] == [False, True, True]


def test_one_session_is_ended_by_its_name(let: Callable[[], Access]) -> None:
    """The name in the list is a part of a hash: it ends a session and opens none."""
    access = let()
    first = entered(access, ANNA)
    (name,) = access.sessions()
    second = entered(access, ANNA)
    assert not access.knows(name)
    assert access.end(session=name) == 1
    assert [access.knows(secret) for secret in (first, second)] == [False, True]
    assert len(access.sessions()) == 1


def test_one_tenants_devices_push_out_nobody_elses(let: Callable[[], Access], clock: Clock) -> None:
    """Bounds on links and sessions are each tenant's own."""
    access = let()
    bilal, link = entered(access, BILAL), access.link(BILAL)
    for _ in range(SESSIONS + 1):
        clock.ms += 1000
        entered(access, ANNA)
        access.link(ANNA)
    assert len(access.sessions()) == SESSIONS + 1
    assert access.knows(bilal)
    assert access.enter(link, "") is not None


def test_an_operator_of_many_homes_works_a_shift(clock: Clock) -> None:
    """A quarter-hour's rest or half a day ends an operator's session on a hub (S36), and no customer's."""
    access = Access(None, stay=30 * 86400, now=clock, shifts=True)
    rested, at_work, anna = entered(access), entered(access), entered(access, ANNA)
    for _ in range(48):
        clock.ms += 15 * 60_000
        assert access.knows(at_work)
    clock.ms += 1
    assert [access.knows(secret) for secret in (rested, at_work, anna)] == [False, False, True]
    assert len(access.sessions()) == 1
