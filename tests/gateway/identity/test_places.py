"""S18: whatever an id holds, nothing is ever published outside the gateway's own place in the tree."""

import random

from pydantic_core import PydanticCustomError

from gateway.access_lists import GATEWAY_WRITES
from gateway.config.values import identifier
from gateway.identity.errors import Refused
from gateway.identity.request import name_of
from gateway.message import MessageError, Topics

BITS = ["+", "#", "/", "\0", "$", "$SYS", "../", "%c", "%u", "\n", " ", "ä", "٣", "\u200f", "", "a", "Z", "7", "_", "-"]
MOST = 65_536


def names(count: int) -> list[str]:
    """Make names of hostile and honest bits, some of them longer than any broker takes."""
    dice = random.Random(18)
    made = ["".join(dice.choices(BITS, k=dice.randint(0, 6))) for _ in range(count)]
    made[::1000] = [dice.choice(["x", "+", "/"]) * MOST for _ in made[::1000]]
    return made


def test_a_hundred_thousand_names_stay_in_their_place() -> None:
    """Every name is either refused or part of a topic below the own prefix, of the right depth."""
    taken = 0
    for name in names(100_000):
        try:
            own = identifier(name)
        except PydanticCustomError:
            continue
        taken += 1
        topics = Topics(own, own)
        for topic in (topics.of("live", own), topics.of("data")):
            assert topic.startswith(f"nabd/v1/{own}/{own}/")
            assert topic.count("/") == (5 if "live" in topic.split("/")[4:5] else 4)
            assert not set(topic) & set("+#\0$%. \n")
            assert Topics.parse(topic)[0] == topics
    assert taken > 1000


def test_what_arrives_is_held_to_the_same() -> None:
    """A topic with such names is refused when it comes in, and such names are never signed."""
    for name in names(5_000):
        try:
            identifier(name)
        except PydanticCustomError:
            for work in (
                lambda name=name: Topics.parse(f"nabd/v1/home/{name}/data"),
                lambda name=name: name_of("a", name),
            ):
                try:
                    done = work()
                except (MessageError, Refused):
                    continue
                # A name with a separator in it parts into other levels, none of which is the name.
                assert isinstance(done, tuple)
                assert name not in (done[0].tenant, done[0].gw)


def test_every_topic_has_a_gateways_depth() -> None:
    """The access list holds just what the topics' builder makes."""
    for kind in GATEWAY_WRITES:
        topic = Topics("home", "gw-1").of(*kind.replace("+", "m").split("/"))
        assert Topics.parse(topic)[1] == kind.split("/")[0]
