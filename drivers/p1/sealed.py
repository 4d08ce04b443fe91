"""Ciphered P1 telegrams of Luxembourg and Austria: general-glo-ciphering of DLMS with AES-GCM.

1. The frame: DB, the system title, the length, then security control, frame counter, ciphered text, a tag of 12 bytes.
2. The initialization vector is system title and counter. The additional data are the security control byte and the
   authentication key: in Luxembourg a public one, the same for all meters; in Austria the meter's own.
3. The tag proves text and key. Only a proven frame moves the counter, which must rise: a frame heard before, or an
   older one, is somebody's recording.

The counter lives as long as the process: after a restart the first frame is taken, whatever its counter.
"""

from collections import Counter

from drivers.contract import DecodeError, Keys
from drivers.p1.codec import Telegram, decode
from drivers.p1.framing import TITLE, sealed_head, sealed_length

PUBLIC_AUTHENTICATION_KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
"""What Luxembourg's meters all use; taken where no authentication key is configured."""

TAG_LENGTH = 12
COUNTER_LENGTH = 4
KEY_LENGTHS = (16, 32)
_HEAD_LENGTH = 1 + COUNTER_LENGTH
_CIPHERED_AND_SIGNED = 0x30
_PROTECTION = 0xF0


SAID = {
    "no_key": "the telegrams are ciphered",
    "bad_key": "the key has the wrong length",
    "bad_tag": "the key does not open this telegram",
    "unsigned_frame": "the telegrams are ciphered, but nothing proves them",
}
"""The reasons for which a frame stays closed, in words for people."""


class Vault:
    """Opens the frames of one port, each counter once; `counters` holds what was refused, by reason."""

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        # Only proven frames leave a title here, so whoever has the key alone makes it grow.
        self._highest: dict[bytes, int] = {}
        self._proven = False

    def open(self, frame: bytes, keys: Keys) -> Telegram | None:
        """Give the telegram, or None for a frame that noise or somebody else put there.

        Raises DecodeError, with a hint, as long as no frame was opened: then it is the key that does not fit.
        """
        try:
            text = unseal(frame, keys)
            self._proven = True
            telegram = decode(text)
            self._rise(frame)
        except DecodeError as error:
            self.counters[error.what] += 1
            if not self._proven:
                raise DecodeError(SAID[error.what], error.hint) from error
            return None
        return telegram

    def _rise(self, frame: bytes) -> None:
        title, counter = frame[TITLE], counter_of(frame)
        if counter <= self._highest.get(title, -1):
            raise DecodeError("repeated_frame", "the frame counter does not rise")
        self._highest[title] = counter


def counter_of(frame: bytes) -> int:
    """Give the frame counter."""
    start = sealed_head(frame) + 1
    return int.from_bytes(frame[start : start + COUNTER_LENGTH], "big")


def unseal(frame: bytes, keys: Keys) -> bytes:
    """Prove and decipher a frame; raises DecodeError, whose `what` is the counter's reason."""
    if keys.encryption is None:
        raise DecodeError("no_key", "the grid operator gives the key: name its file as key_file")
    authentication = keys.authentication or PUBLIC_AUTHENTICATION_KEY
    if len(keys.encryption) not in KEY_LENGTHS or len(authentication) not in KEY_LENGTHS:
        raise DecodeError("bad_key", "32 hexadecimal digits")
    start = sealed_head(frame)
    control, body = frame[start : start + 1], frame[start + _HEAD_LENGTH :]
    if not control or control[0] & _PROTECTION != _CIPHERED_AND_SIGNED or len(body) <= TAG_LENGTH:
        raise DecodeError("unsigned_frame", "only frames with security control 30 are read here")
    if len(frame) != start + sealed_length(frame):
        raise DecodeError("bad_tag", "the frame is not as long as it says")
    # Imported here: only gateways with a ciphered meter pay its memory.
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415

    vector = frame[TITLE] + frame[start + 1 : start + _HEAD_LENGTH]
    text, tag = body[:-TAG_LENGTH], body[-TAG_LENGTH:]
    mode = modes.GCM(vector, tag, min_tag_length=TAG_LENGTH)
    opener = Cipher(algorithms.AES(keys.encryption), mode).decryptor()
    opener.authenticate_additional_data(control + authentication)
    try:
        return opener.update(text) + opener.finalize()
    except InvalidTag:
        hint = "is key_file this meter's, and does it have an authentication key of its own, for auth_key_file?"
        raise DecodeError("bad_tag", hint) from None
