"""Deciphers what wireless meters send: modes 5 and 7 of the open metering system, and the radio layer's counter mode.

`cryptography` is imported only when a key is used: a house without wireless meters needs none of it.
"""

import hmac

from drivers.contract import DecodeError

BLOCK = 16
PROOF = b"\x2f\x2f"
"""What deciphered records begin with; two bytes prove the key to one in 65,536."""

_ENCRYPTION, _AUTHENTICATION = 0x00, 0x01
_PADDING = b"\x07" * 7


class WrongKey(DecodeError):  # noqa: N818  the caller counts these apart
    """The frame is whole, and the key does not fit it, or there is none."""


def decipher_cbc(key: bytes, iv: bytes, data: bytes) -> bytes:
    """Decipher whole blocks."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415

    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def decipher_ctr(key: bytes, iv: bytes, data: bytes) -> bytes:
    """Decipher bytes by a counter."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415

    decryptor = Cipher(algorithms.AES(key), modes.CTR(iv)).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def cmac(key: bytes, data: bytes) -> bytes:
    """Give the sixteen bytes by which a sender proves that it has the key."""
    from cryptography.hazmat.primitives.ciphers import algorithms  # noqa: PLC0415
    from cryptography.hazmat.primitives.cmac import CMAC  # noqa: PLC0415

    maker = CMAC(algorithms.AES(key))
    maker.update(data)
    return maker.finalize()


def encryption_key(key: bytes, counter: bytes, number: bytes) -> bytes:
    """Derive what one message of mode 7 is ciphered with; `counter` and `number` are four bytes as on air."""
    return cmac(key, bytes((_ENCRYPTION,)) + counter + number + _PADDING)


def authentication_key(key: bytes, counter: bytes, number: bytes) -> bytes:
    """Derive what one message of mode 7 is signed with."""
    return cmac(key, bytes((_AUTHENTICATION,)) + counter + number + _PADDING)


def is_signed(key: bytes, data: bytes, signature: bytes) -> bool:
    """Tell whether a message was signed with this key; takes as long for a wrong one as for a right one."""
    return hmac.compare_digest(cmac(key, data)[: len(signature)], signature)
