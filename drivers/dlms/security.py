"""Closes and opens ciphered messages: AES-GCM as suites 0 to 2 of DLMS use it, and the challenge of high security.

1. The initialization vector is the sender's system title and its invocation counter: never the same twice for a key.
2. The additional data are the security control byte and the authentication key, and the text itself when it is only
   signed. The tag is 12 bytes.
3. Only a proven message moves the counter of its sender, which must rise. One that is ciphered but not signed proves
   itself by being a message of DLMS.

`cryptography` is imported only when a key is used: a house without ciphered meters needs none of it.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from drivers.contract import DecodeError, Keys
from drivers.dlms.apdu import Apdu, decode
from drivers.dlms.sealed import CIPHERED, COMPRESSED, FOR_ALL, GENERAL, SIGNED, SUITE, Sealed

TAG_LENGTH = 12
_COUNTER_LENGTH = 4
BOTH = SIGNED | CIPHERED
KEY_LENGTHS = {0: 16, 1: 16, 2: 32}
"""Bytes of a key, by suite."""

HIGHEST_COUNTER = 0xFFFFFFFF


@dataclass
class Unproven(DecodeError):  # noqa: N818  what it is, not a suffix
    """A closed message that is not taken; `reason` is the counter it counts for.

    `no_key`, `bad_key` (of the wrong length), `bad_tag` (another key, or forged), `unprotected` (less than was asked
    for), `replayed` (its counter does not rise), `foreign` (another sender), `unoffered` (a form Nabd does not speak).
    """

    reason: str = ""


class Received:
    """The highest invocation counter of each sender; each counter is taken once, and only a higher one after it.

    `highest` goes into a store and comes back from it after a restart. Only proven messages leave a title here, so
    whoever has the key alone makes it grow.
    """

    def __init__(self, highest: dict[bytes, int] | None = None) -> None:
        self.highest: dict[bytes, int] = dict(highest or {})

    def check(self, title: bytes, counter: int) -> None:
        """Raise Unproven for a counter that does not rise."""
        highest = self.highest.get(title, -1)
        if counter <= highest:
            hint = "somebody repeats old messages, or the meter was replaced"
            raise Unproven(f"the invocation counter {counter} does not rise over {highest}", hint, reason="replayed")

    def rise(self, title: bytes, counter: int) -> None:
        """Take a proven message's counter."""
        self.check(title, counter)
        self.highest[title] = counter


def unseal(
    sealed: Sealed, keys: Keys, received: Received, title: bytes | None = None, least: int | None = None,
    read: Callable[[bytes], Apdu] = decode,
) -> Apdu:  # fmt: skip
    """Open a message, read it, and only then take its counter; raises Unproven and DecodeError.

    `title` is the sender's system title, where it is known; a message that names another one is foreign. `least` are
    the bits of the security control that must be set; unless given, whoever has an authentication key wants it used:
    else anybody could take the tag off a signed message and change its text.
    """
    sender = sealed.title or title
    if sender is None:
        raise Unproven("the sender's system title is unknown", "it stands in the association", reason="foreign")
    if title is not None and sender != title:
        raise Unproven(f"the message is of {sender.hex()}", f"{title.hex()} was expected", reason="foreign")
    if least is None:
        least = SIGNED if keys.authentication else 0
    if sealed.control & least != least:
        hint = "is the client right? a meter that signs nothing has no auth_key_file"
        raise Unproven("the message is less protected than it must be", hint, reason="unprotected")
    received.check(sender, sealed.counter)
    apdu = read(open_text(sealed, sender, keys))
    received.rise(sender, sealed.counter)
    return apdu


def open_text(sealed: Sealed, title: bytes, keys: Keys) -> bytes:
    """Prove and decipher; raises Unproven. Whoever calls this looks after the counter."""
    control, text = sealed.control, sealed.text
    if control & (FOR_ALL | COMPRESSED):
        raise Unproven("compressed, or with the key of all meters", "Nabd does not speak this", reason="unoffered")
    if not control & BOTH:
        raise Unproven("neither ciphered nor signed", "anybody can send that", reason="unprotected")
    key = _key(keys.encryption, control)
    vector = title + sealed.counter.to_bytes(4, "big")
    if not control & SIGNED:
        return _decipher(key, vector, text)
    if len(text) < TAG_LENGTH:
        raise Unproven("too short for its tag", "is the whole message there?", reason="bad_tag")
    body, tag = text[:-TAG_LENGTH], text[-TAG_LENGTH:]
    head = bytes((control,)) + _key(keys.authentication, control)
    if control & CIPHERED:
        return _open(key, vector, body, tag, head)
    _open(key, vector, b"", tag, head + body)
    return body


def seal(plain: bytes, tag: int, title: bytes, counter: int, keys: Keys, control: int = BOTH) -> Sealed:
    """Close a message with our title and counter; raises Unproven without keys, ValueError for a counter used up.

    Whoever calls this uses each counter once. The general forms name the title.
    """
    if not 0 <= counter <= HIGHEST_COUNTER:
        raise ValueError(f"{counter} is no invocation counter: the key is used up")
    key = _key(keys.encryption, control)
    vector = title + counter.to_bytes(4, "big")
    head = bytes((control,)) + (_key(keys.authentication, control) if control & SIGNED else b"")
    if control & CIPHERED:
        text, mac = _close(key, vector, plain, head if control & SIGNED else b"")
    else:
        text, mac = plain, _close(key, vector, b"", head + plain)[1]
    return Sealed(tag, control, counter, text + (mac if control & SIGNED else b""), title if tag in GENERAL else None)


# --- the challenge of high security ----------------------------------------------------------------------------------


def answer_challenge(challenge: bytes, title: bytes, counter: int, keys: Keys, suite: int = 0) -> bytes:
    """Give 17 bytes that prove our keys over the other side's challenge (mechanism 5), with our title and counter."""
    control = SIGNED | suite
    head = bytes((control,)) + _key(keys.authentication, control) + challenge
    octets = counter.to_bytes(4, "big")
    return bytes((control,)) + octets + _close(_key(keys.encryption, control), title + octets, b"", head)[1]


def check_answer(answer: bytes, challenge: bytes, title: bytes, keys: Keys) -> None:
    """Raise Unproven unless the other side proved its keys over our challenge.

    Its counter is not looked at: the challenge is new each time, and the message around the answer, whose counter must
    rise, was made after the answer and has the higher one.
    """
    if len(answer) != 1 + _COUNTER_LENGTH + TAG_LENGTH or answer[0] & ~SUITE != SIGNED:
        raise Unproven("the answer to the challenge is none", "is the mechanism 5 (GMAC)?", reason="bad_tag")
    counter = int.from_bytes(answer[1 : 1 + _COUNTER_LENGTH], "big")
    right = answer_challenge(challenge, title, counter, keys, answer[0] & SUITE)
    if not hmac.compare_digest(right, answer):
        raise Unproven("the meter does not prove its key", "are both keys this meter's?", reason="bad_tag")


# --- AES-GCM ---------------------------------------------------------------------------------------------------------


def _key(key: bytes | None, control: int) -> bytes:
    if key is None:
        hint = "the grid operator gives the keys: name their files as key_file and auth_key_file"
        raise Unproven("a key is missing", hint, reason="no_key")
    suite = control & SUITE
    if suite not in KEY_LENGTHS:
        raise Unproven(f"security suite {suite} is not known", "suites 0 to 2 are", reason="unoffered")
    if len(key) != KEY_LENGTHS[suite]:
        hint = f"{2 * KEY_LENGTHS[suite]} hexadecimal digits for suite {suite}"
        raise Unproven(f"a key of {len(key)} bytes", hint, reason="bad_key")
    return key


def _close(key: bytes, vector: bytes, plain: bytes, head: bytes) -> tuple[bytes, bytes]:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415

    closer = Cipher(algorithms.AES(key), modes.GCM(vector)).encryptor()
    closer.authenticate_additional_data(head)
    text = closer.update(plain) + closer.finalize()
    return text, closer.tag[:TAG_LENGTH]


def _open(key: bytes, vector: bytes, text: bytes, tag: bytes, head: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415

    opener = Cipher(algorithms.AES(key), modes.GCM(vector, tag, min_tag_length=TAG_LENGTH)).decryptor()
    opener.authenticate_additional_data(head)
    try:
        return opener.update(text) + opener.finalize()
    except InvalidTag:
        hint = "are key_file and auth_key_file this meter's?"
        raise Unproven("the keys do not open this message", hint, reason="bad_tag") from None


def _decipher(key: bytes, vector: bytes, text: bytes) -> bytes:
    """Decipher without proof; GCM without its tag is counter mode, whose first block of text has number 2."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415

    opener = Cipher(algorithms.AES(key), modes.CTR(vector + (2).to_bytes(4, "big"))).decryptor()
    return opener.update(text) + opener.finalize()
