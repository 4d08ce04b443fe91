"""An association between a client and a meter: opened, proven, used, released. Scripts, as link.py explains them.

1. AARQ proposes services; with LLS it shows the password, with HLS-GMAC it carries a challenge.
2. AARE says what the meter grants. With HLS-GMAC it carries the meter's challenge, which an ACTION answers; the answer
   to ours must prove that the meter has the same keys.
3. Every message of a ciphered association is closed with a counter of its own, and so must every answer be; a no to a
   whole message alone may be open, and is told as an error.
4. RLRQ releases the association.

    Refused             the meter said no to a message
    ├── NotAdmitted     it does not let this client in, or has other keys: asking again soon may lock it for everybody
    └── CounterTooLow   it has seen a higher invocation counter of ours: go on above it
"""

from collections.abc import Callable
from dataclasses import dataclass

from drivers.contract import DecodeError, Keys, Refused
from drivers.dlms.acse import (
    ACCEPTED,
    AUTHENTICATION_REQUIRED,
    REJECTED,
    CloseRequest,
    CloseResponse,
    Context,
    Mechanism,
    OpenRequest,
    OpenResponse,
)
from drivers.dlms.apdu import Apdu, decode
from drivers.dlms.data import Data, Tag
from drivers.dlms.initiate import INITIATE_REQUEST, Conformance, InitiateRequest, InitiateResponse, ServiceError
from drivers.dlms.link import Link, Script
from drivers.dlms.notices import COUNTER_ERROR, Block, Blocks, ExceptionResponse
from drivers.dlms.objects import Descriptor
from drivers.dlms.sealed import DEDICATED, GENERAL_DEDICATED, GENERAL_GLOBAL, GLOBAL, Sealed
from drivers.dlms.security import BOTH, Received, Unproven, answer_challenge, check_answer, seal, unseal
from drivers.dlms.services import ActionRequest, ActionResponse

OFFERED = (
    Conformance.GET | Conformance.SELECTIVE_ACCESS | Conformance.BLOCKS_WITH_GET | Conformance.LISTS
    | Conformance.PRIORITY | Conformance.ACTION
)  # fmt: skip
LONGEST = 0xFFFF
CHALLENGE_LENGTH = 16

REPLY_TO_CHALLENGE = Descriptor(15, bytes((0, 0, 40, 0, 0, 255)), 1)
"""The method of the association object that takes the answer to the meter's challenge."""

_WRONG_KEYS = "check password_file, key_file and auth_key_file; it is asked again in an hour, lest it lock itself"


class NotAdmitted(Refused):
    """The meter does not let this client in, or does not prove itself to be the one whose keys we have."""


@dataclass
class CounterTooLow(Refused):
    """The meter has seen a higher counter of ours; `counter` is the least it takes, where it says so."""

    counter: int | None = None


@dataclass(frozen=True, slots=True)
class Manner:
    """How a meter wants to be asked.

    `protection` holds the bits of the security control byte, 0 for an open association. `general` uses the general
    form of ciphered messages instead of each service's own; `dedicated` a key made for this association.
    """

    mechanism: Mechanism = Mechanism.NONE
    protection: int = 0
    general: bool = False
    dedicated: bool = False
    offered: Conformance = OFFERED
    longest: int = LONGEST


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are to the meter: our system title, the next counter of ours, and random bytes for challenges and keys."""

    title: bytes
    count: Callable[[], int]
    random: Callable[[int], bytes]


class Association:
    """One association over an open link; `granted` and `longest` are the meter's after `open`."""

    def __init__(self, link: Link, manner: Manner, keys: Keys, identity: Identity, received: Received) -> None:
        self.granted = Conformance(0)
        self.longest = 0
        self.title: bytes | None = None
        self._link, self._manner, self._keys = link, manner, keys
        self._identity, self._received = identity, received
        self._is_open = False
        self._suite = 2 if manner.protection and len(keys.encryption or b"") == 32 else 0  # noqa: PLR2004  AES-256
        self._dedicated = Keys(identity.random(16), keys.authentication) if manner.dedicated else None

    def open(self) -> Script[None]:
        """Be let in; raises NotAdmitted, Refused, DecodeError, NoAnswer."""
        manner = self._manner
        is_gmac = manner.mechanism is Mechanism.HIGH_GMAC
        challenge = self._identity.random(CHALLENGE_LENGTH)
        proof = challenge if is_gmac else self._keys.password if manner.mechanism else None
        if manner.mechanism and proof is None:
            raise NotAdmitted("the meter asks for a password, and there is none", "name its file as password_file")
        title = self._identity.title if is_gmac or manner.protection else None
        context = Context.LONG_NAMES_CIPHERED if manner.protection else Context.LONG_NAMES
        request = OpenRequest(self._initiate(), context, manner.mechanism, title, proof)
        answer = decode((yield from self._link.ask(bytes(request))))
        if not isinstance(answer, OpenResponse):
            raise self._no(answer)
        self._admit(answer)
        if is_gmac:
            yield from self._prove(challenge, answer)
        self._is_open = True

    def ask(self, request: bytes) -> Script[Apdu]:
        """Send a message, closed where the association is ciphered, and give the answer, opened; raises DriverError."""
        answer = decode((yield from self._link.ask(self._close(request))))
        if isinstance(answer, Block):
            answer = decode((yield from self._join(answer)))
        if isinstance(answer, Sealed):
            answer = self._unseal(answer, "the answer")
        elif self._manner.protection and not isinstance(answer, ExceptionResponse | ServiceError):
            raise Unproven("an open answer in a ciphered association", "is this the right meter?", reason="unprotected")
        if isinstance(answer, ExceptionResponse | ServiceError):
            raise self._no(answer)
        return answer

    def release(self) -> Script[None]:
        """End the association; whatever the meter says to that."""
        # Ciphered meters want the proposal once more, with a counter of its own.
        user = self._initiate() if self._manner.protection else b""
        answer = decode((yield from self._link.ask(bytes(CloseRequest(user)))))
        said = decode(answer.user) if isinstance(answer, CloseResponse) and answer.user else None
        if isinstance(said, Sealed):
            self._unseal(said, "the meter's goodbye")  # its counter is used, and must not be taken a second time

    # --- being let in ------------------------------------------------------------------------------------------------

    def _initiate(self) -> bytes:
        key = self._dedicated.encryption if self._dedicated else None
        plain = bytes(InitiateRequest(self._manner.offered, self._manner.longest, key))
        if not self._manner.protection:
            return plain
        return bytes(self._seal(plain, GLOBAL[INITIATE_REQUEST], self._keys))

    def _admit(self, answer: OpenResponse) -> None:
        if answer.result != ACCEPTED or answer.diagnostic not in (0, AUTHENTICATION_REQUIRED):
            what = f"the meter refuses the association: {answer.reason}"
            if answer.result == REJECTED and self._manner.mechanism:
                raise NotAdmitted(what, _WRONG_KEYS, code=answer.diagnostic)
            raise Refused(
                what, "is it busy with another reader, or is this client not for you?", code=answer.diagnostic
            )
        self.title = answer.title
        granted = decode(answer.user)
        if isinstance(granted, Sealed):
            granted = self._unseal(granted, "the meter's answer to the association")
        elif self._manner.protection:
            raise NotAdmitted("the meter opens no ciphered association", "are client and keys right?")
        if not isinstance(granted, InitiateResponse):
            raise self._no(granted)
        self.granted, self.longest = granted.conformance & self._manner.offered, granted.longest

    def _prove(self, challenge: bytes, answer: OpenResponse) -> Script[None]:
        if not answer.proof or self.title is None:
            raise NotAdmitted("the meter sends no challenge", "is its mechanism HLS 5 (GMAC)?")
        if answer.proof == challenge:
            raise NotAdmitted("the meter repeats our challenge", "somebody else may answer in its place")
        identity = self._identity
        proof = answer_challenge(answer.proof, identity.title, identity.count(), self._keys, self._suite)
        request = ActionRequest(REPLY_TO_CHALLENGE, Data(Tag.OCTET_STRING, proof))
        said = yield from self.ask(bytes(request))
        if not isinstance(said, ActionResponse) or said.code or not isinstance(said.returned, Data):
            raise NotAdmitted("the meter does not accept our answer to its challenge", _WRONG_KEYS)
        theirs = said.returned.content
        try:
            check_answer(theirs if isinstance(theirs, bytes) else b"", challenge, self.title, self._keys)
        except Unproven as error:
            raise NotAdmitted(error.what, _WRONG_KEYS) from error

    # --- messages ----------------------------------------------------------------------------------------------------

    def _close(self, plain: bytes) -> bytes:
        if not self._manner.protection:
            return plain
        keys, forms, general = self._keys, GLOBAL, GENERAL_GLOBAL
        if self._dedicated:
            keys, forms, general = self._dedicated, DEDICATED, GENERAL_DEDICATED
        return bytes(self._seal(plain, general if self._manner.general else forms[plain[0]], keys))

    def _seal(self, plain: bytes, tag: int, keys: Keys) -> Sealed:
        control = self._manner.protection | self._suite
        return seal(plain, tag, self._identity.title, self._identity.count(), keys, control)

    def _unseal(self, sealed: Sealed, what: str) -> Apdu:
        keys = self._dedicated if sealed.is_dedicated and self._dedicated else self._keys
        try:
            return unseal(sealed, keys, self._received, self.title, self._manner.protection & BOTH)
        except Unproven as error:
            if not self._is_open and error.reason in ("bad_tag", "no_key", "bad_key"):
                raise NotAdmitted(f"{what}: {error.what}", _WRONG_KEYS) from error
            raise

    def _join(self, block: Block) -> Script[bytes]:
        """Ask for the blocks of a message, one after the other; raises DecodeError for a block that is lost."""
        blocks = Blocks()
        while (message := blocks.add(block)) is None:
            go_on = Block(block.acknowledged + 1, b"", last=True, window=1, acknowledged=block.number)
            answer = decode((yield from self._link.ask(bytes(go_on))))
            if not isinstance(answer, Block):
                raise self._no(answer)
            block = answer
        return message

    def _no(self, answer: Apdu) -> Refused | DecodeError:
        """Make the error of an answer that is none."""
        if isinstance(answer, ExceptionResponse):
            what = f"the meter refuses: {answer}"
            if answer.reason == COUNTER_ERROR:
                return CounterTooLow(
                    what, "the next reading goes on above it, if the meter says where", counter=answer.counter
                )
            if self._manner.protection and not self._is_open:
                return NotAdmitted(what, _WRONG_KEYS, code=answer.reason)
            return Refused(what, "is the profile right for this meter?", code=answer.reason)
        if isinstance(answer, ServiceError):
            return Refused(f"the meter refuses: {answer}", "is the profile right for this meter?", code=answer.code)
        return DecodeError(f"{type(answer).__name__} is no answer to that", "the meter breaks the protocol")
