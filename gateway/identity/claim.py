"""Claim codes: what an installer reads off a gateway and an operator types, to say that a request came from this box.

1. 17 symbols of five random bits and three of checksum, in five groups of four: `7K2M-9QXD-…`. Nothing in it comes from
   the board, so no serial number leads to it.
2. Letters that look like digits are left out when it is written, and taken for those digits when it is read; digits of
   Arabic and Persian keyboards too.
3. The checksum is the code's value modulo a prime above 32. Such a prime divides neither the difference of two symbols
   nor a power of two, so any one wrong symbol and any two swapped neighbours are noticed.
4. `proof` binds a code to a public key. It travels in the request; only who knows the code can make or check it, and
   85 bits are too many to guess.
"""

import hashlib
import hmac
from collections.abc import Callable
from secrets import token_bytes

from gateway.identity.errors import Refused

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's 32 symbols: no I, L, O and U."""
RANDOM, CHECK, GROUP = 17, 3, 4
PRIME = 32749
"""The largest prime that three symbols can write the remainder of."""

_READ = str.maketrans("ILO٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "11001234567890123456789", " -\t\r\n\u200e\u200f")  # noqa: RUF001
_BITS = 5


def new(random: Callable[[int], bytes] = token_bytes) -> str:
    """Make a code, in groups; `random` gives so many bytes."""
    return grouped(_checked(int.from_bytes(random(11)) % 32**RANDOM))


def read(typed: str) -> str:
    """Take what somebody typed and give the code, in groups; raises Refused when it holds a slip."""
    symbols = typed.upper().translate(_READ)
    if len(symbols) != RANDOM + CHECK:
        raise Refused(f"a claim code has {RANDOM + CHECK} letters and digits, not {len(symbols)}", "compare each group")
    if any(symbol not in ALPHABET for symbol in symbols):
        raise Refused("a claim code has only digits and letters, without U", "compare each group")
    if _checked(_value(symbols[:RANDOM])) != symbols:
        raise Refused("the claim code has a slip in it", "compare each group")
    return grouped(symbols)


def grouped(symbols: str) -> str:
    """Part symbols into groups that a person can read out."""
    return "-".join(symbols[at : at + GROUP] for at in range(0, len(symbols), GROUP))


def proof(code: str, public_key: bytes) -> str:
    """Bind a code to a public key (DER, SubjectPublicKeyInfo), as 64 hexadecimal digits."""
    key = read(code).replace("-", "").encode()
    return hmac.new(key, b"nabd enrolment 1\0" + public_key, hashlib.sha256).hexdigest()


def proves(given: str, code: str, public_key: bytes) -> bool:
    """Tell whether a proof was made with this code for this key; raises Refused for a code with a slip."""
    return hmac.compare_digest(given.encode(), proof(code, public_key).encode())


def _checked(value: int) -> str:
    return _symbols(value, RANDOM) + _symbols(value % PRIME, CHECK)


def _symbols(value: int, count: int) -> str:
    return "".join(ALPHABET[value >> _BITS * at & 31] for at in reversed(range(count)))


def _value(symbols: str) -> int:
    value = 0
    for symbol in symbols:
        value = value << _BITS | ALPHABET.index(symbol)
    return value
