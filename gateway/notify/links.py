"""The links in messages: who opens one may do that one thing to that one alert, until it expires.

1. A link names an action, an alert, the channel it was sent by and when it ends; an HMAC over all of it is its only
   proof, so nothing about it is stored and nobody can make or change one.
2. GET shows what would happen, for mail programs open every link to look at it. POST acts: `act`.
3. Acting twice changes nothing. The token may stand in a URL as it is: letters, digits, `_`, `-` and dots.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Literal, get_args

from gateway.message import ID

Reply = Literal["useful", "not_useful", "normal", "fixed", "call_me"]
"""What a customer may say of an alert; each also says that they have seen it."""
Action = Literal["acknowledge", "mute", Reply]
ACTIONS: tuple[Action, ...] = ("acknowledge", "mute", "useful", "not_useful", "normal", "fixed", "call_me")
REPLIES: tuple[Reply, ...] = get_args(Reply)

PATH = "/answer/"
"""A link is the pages' address, this, and the token."""
LASTS = 7 * 86400
"""Seconds a link works: as long as an alert asks for an answer, and as long as `mute` mutes."""
KEY_BYTES = 32
LONGEST = 512
"""Characters of a token that are read: three ids of 64 and 60 more are the most there can be."""

_TOKEN = re.compile(
    rf"({'|'.join(ACTIONS)})\.({ID[1:-1]})\.([0-9a-f]{{16}})\.({ID[1:-1]})\.([0-9]{{1,12}})\.([\w-]{{22}})",
    re.ASCII,
)


class LinkError(Exception):
    """A token that is not ours, was changed, or has expired; which of them is nobody's business."""


@dataclass(frozen=True, slots=True)
class Link:
    """One action on one alert; `channel` says by which one it was sent, `expires` is in UTC seconds."""

    action: Action
    tenant: str
    alert: str
    channel: str
    expires: int

    def sign(self, key: bytes) -> str:
        """Make the token."""
        said = f"{self.action}.{self.tenant}.{self.alert}.{self.channel}.{self.expires}"
        return f"{said}.{_proof(said, key)}"


def read(token: str, key: bytes, now: int) -> Link:
    """Give what a token allows at `now`, in UTC seconds; raises LinkError."""
    match = _TOKEN.fullmatch(token) if len(token) <= LONGEST else None
    if match is None:
        raise LinkError("not a link of ours")
    said = token.rpartition(".")[0]
    if not hmac.compare_digest(_proof(said, key), match[6]):
        raise LinkError("not a link of ours")
    action = next(action for action in ACTIONS if action == match[1])
    link = Link(action, match[2], match[3], match[4], int(match[5]))
    if link.expires <= now:
        raise LinkError("the link has expired")
    return link


def _proof(said: str, key: bytes) -> str:
    """Give 128 bits of HMAC-SHA256: nobody guesses that over HTTP, and the link stays short."""
    # The first line keeps this key's signatures apart from any other use of it.
    mac = hmac.digest(key, f"nabd link 1\n{said}".encode(), "sha256")[:16]
    return urlsafe_b64encode(mac).rstrip(b"=").decode()
