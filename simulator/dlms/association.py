"""One client's association with the meter: messages in, messages out.

1. AARQ opens it: the meter looks up how this client must come, checks a password at once or sends a challenge.
2. A client of high security then passes the challenge by an ACTION, and the meter proves itself in the answer.
3. Requests are opened, answered, and the answers closed the way the request was; what is too long for the client goes
   out in blocks.
4. RLRQ, or the end of the link, closes it. After too many wrong proofs the meter is locked for a while.
"""

import hmac

from drivers.contract import DecodeError, Keys
from drivers.dlms import sealed as forms
from drivers.dlms.acse import (
    ACCEPTED,
    AUTHENTICATION_REQUIRED,
    REJECTED,
    REJECTED_FOR_NOW,
    CloseRequest,
    CloseResponse,
    Context,
    Mechanism,
    OpenRequest,
    OpenResponse,
)
from drivers.dlms.apdu import Apdu, decode
from drivers.dlms.axdr import Data, Tag
from drivers.dlms.initiate import INITIATE_RESPONSE, Conformance, InitiateRequest, InitiateResponse
from drivers.dlms.notices import COUNTER_ERROR, Block, ExceptionResponse
from drivers.dlms.objects import Descriptor
from drivers.dlms.sealed import Sealed
from drivers.dlms.security import Received, Unproven, answer_challenge, check_answer, unseal
from drivers.dlms.services import ActionRequest, ActionResponse, GetListRequest, GetNext, GetRequest
from simulator.dlms.blocks import Transfer
from simulator.dlms.cosem import ASSOCIATION, six
from simulator.dlms.meter import Admission, DlmsMeter
from simulator.dlms.reading import NOT_ALLOWED, Reading

UNKNOWN_CLIENT, OTHER_CONTEXT, OTHER_MECHANISM, WRONG_PROOF, NO_REASON = 3, 2, 11, 13, 1
"""Diagnostics."""

UNKNOWN_SERVICE = ExceptionResponse(2, 2)
UNDECIPHERED = ExceptionResponse(1, 5)
WRITE_DENIED = 3
CHALLENGE_LENGTH = 16
SEALED_HEAD = 30
"""Bytes around a ciphered message in its longest form: tag, system title, length, control, counter, tag."""

PASS_CHALLENGE = Descriptor(ASSOCIATION, six("0-0:40.0.0"), 1)
NO_LIMIT = 0xFFFF


class Association:
    """What stands between the meter and the client at one address, over one link."""

    def __init__(self, meter: DlmsMeter, client: int) -> None:
        self._meter = meter
        self._client = client
        self.close()

    def close(self) -> None:
        """Forget the client."""
        self._admission: Admission | None = None
        self._challenges: tuple[bytes, bytes] | None = None
        self._title = b""
        self._dedicated: Keys | None = None
        self._dedicated_heard = Received()
        self._reading: Reading | None = None
        self._transfer: Transfer | None = None
        self._room = NO_LIMIT
        self._initiate = b""

    def answer(self, message: bytes) -> list[bytes]:
        """Give what the meter says to a message; nothing to what it does not understand at all."""
        try:
            apdu = decode(message)
            if isinstance(apdu, Block):
                return self._in_blocks(apdu)
            answer = self._said_to(apdu)
        except Unproven as refused:
            return [self._refused(refused)]
        except DecodeError:
            self._meter.reject("malformed")
            return [bytes(UNKNOWN_SERVICE)]
        if self._transfer and len(answer) > self._room:
            return self._transfer.send(answer)
        return [answer]

    def _in_blocks(self, block: Block) -> list[bytes]:
        if self._transfer is None:
            return [bytes(NOT_ALLOWED)]
        message, blocks = self._transfer.take(block)
        return self.answer(message) if message is not None else blocks

    def _refused(self, refused: Unproven) -> bytes:
        self._meter.reject(refused.reason)
        if refused.reason == "replayed":
            return bytes(ExceptionResponse(1, COUNTER_ERROR, self._meter.heard.highest.get(self._title, -1) + 1))
        return bytes(UNDECIPHERED)

    def _said_to(self, apdu: Apdu) -> bytes:
        if isinstance(apdu, OpenRequest):
            self.close()
            return bytes(self._open(apdu))
        if self._admission is None:
            return bytes(NOT_ALLOWED)
        if isinstance(apdu, CloseRequest):
            user = self._closing(apdu)
            self.close()
            return bytes(CloseResponse(user))
        if isinstance(apdu, Sealed) != self._admission.ciphered:
            return bytes(NOT_ALLOWED)
        return self._sealed(apdu) if isinstance(apdu, Sealed) else self._served(apdu)

    def _closing(self, request: CloseRequest) -> bytes:
        """Give the closing answer's user information: what was agreed, ciphered anew, where the client sent its own."""
        if not request.user or not self._admission:
            return b""
        apdu = decode(request.user)
        if not isinstance(apdu, Sealed):
            return self._initiate
        self._unsealed(apdu)
        return self._meter.seal(self._initiate, forms.GLOBAL[INITIATE_RESPONSE])

    # --- ciphered ----------------------------------------------------------------------------------------------------

    def _unsealed(self, sealed: Sealed) -> Apdu:
        if sealed.is_dedicated:
            if self._dedicated is None:
                raise Unproven("no key was agreed for this association", reason="no_key")
            return unseal(sealed, self._dedicated, self._dedicated_heard, self._title, least=0x30)
        return unseal(sealed, self._meter.keys, self._meter.heard, self._title, least=0x30)

    def _sealed(self, sealed: Sealed) -> bytes:
        answer = self._served(self._unsealed(sealed))
        own_forms = forms.DEDICATED if sealed.is_dedicated else forms.GLOBAL
        tag = sealed.tag if sealed.tag in forms.GENERAL else own_forms.get(answer[0])
        if tag is None:  # an exception has no ciphered form of its own
            return answer
        return self._meter.seal_answer(answer, tag, self._dedicated if sealed.is_dedicated else None)

    def _served(self, apdu: Apdu) -> bytes:
        if isinstance(apdu, ActionRequest):
            return bytes(self._action(apdu))
        reading = self._reading
        if reading is None or self._challenges:
            return bytes(NOT_ALLOWED)
        if isinstance(apdu, GetRequest):
            return reading.get(apdu)
        if isinstance(apdu, GetListRequest):
            return reading.get_list(apdu)
        return reading.get_next(apdu) if isinstance(apdu, GetNext) else bytes(UNKNOWN_SERVICE)

    def _action(self, request: ActionRequest) -> ActionResponse:
        """Let the client prove itself over our challenge, and prove ourselves over its."""
        if not self._challenges or request.target != PASS_CHALLENGE or request.parameter is None:
            return ActionResponse(WRITE_DENIED, invoke=request.invoke)
        theirs, ours = self._challenges
        answer, meter = request.parameter.content, self._meter
        try:
            check_answer(answer if isinstance(answer, bytes) else b"", ours, self._title, meter.keys)
        except Unproven as refused:
            meter.reject(refused.reason)
            meter.proof_was(right=False)
            return ActionResponse(WRITE_DENIED, invoke=request.invoke)
        meter.proof_was(right=True)
        self._challenges = None
        proof = answer_challenge(theirs, meter.title, meter.next_counter(), meter.keys)
        return ActionResponse(0, Data(Tag.OCTET_STRING, proof), request.invoke)

    # --- opening -----------------------------------------------------------------------------------------------------

    def _open(self, request: OpenRequest) -> OpenResponse:
        admission = self._meter.clients.get(self._client)
        if admission is None:
            return _no(UNKNOWN_CLIENT)
        ciphered = request.context == Context.LONG_NAMES_CIPHERED
        if request.context not in (Context.LONG_NAMES, Context.LONG_NAMES_CIPHERED) or ciphered != admission.ciphered:
            return _no(OTHER_CONTEXT)
        if request.mechanism != admission.mechanism:
            return _no(OTHER_MECHANISM)
        if admission.mechanism and self._meter.is_locked:
            return OpenResponse(b"", REJECTED_FOR_NOW, NO_REASON)
        self._title = request.title or b""
        proposal = self._proposal(request)
        if proposal is None or not self._proven(admission, request):
            return _no(WRONG_PROOF if proposal else NO_REASON)
        self._admission = admission
        return self._yes(request, proposal)

    def _proposal(self, request: OpenRequest) -> InitiateRequest | None:
        apdu = decode(request.user)
        if request.context == Context.LONG_NAMES_CIPHERED:
            if not isinstance(apdu, Sealed) or len(self._title) != forms.TITLE_LENGTH:
                return None
            apdu = unseal(apdu, self._meter.keys, self._meter.heard, self._title, least=0x30)
        return apdu if isinstance(apdu, InitiateRequest) else None

    def _proven(self, admission: Admission, request: OpenRequest) -> bool:
        """Tell whether a password is right; a challenge comes later."""
        if admission.mechanism is not Mechanism.LOW:
            return True
        right = hmac.compare_digest(request.proof or b"", self._meter.keys.password or b"")
        self._meter.proof_was(right=right)
        return right

    def _yes(self, request: OpenRequest, proposal: InitiateRequest) -> OpenResponse:
        assert self._admission  # noqa: S101  set by the only caller
        meter, ciphered = self._meter, self._admission.ciphered
        if proposal.dedicated_key is not None:
            self._dedicated = Keys(proposal.dedicated_key, meter.keys.authentication)
        agreed = proposal.conformance & meter.offered
        self._room = proposal.longest or NO_LIMIT
        self._transfer = Transfer(self._room) if Conformance.GENERAL_BLOCK_TRANSFER in agreed else None
        room = NO_LIMIT if self._transfer else self._room - SEALED_HEAD * ciphered
        self._reading = Reading(meter.objects, agreed, room)
        self._initiate = bytes(InitiateResponse(agreed, meter.longest))
        challenge = None
        if self._admission.mechanism is Mechanism.HIGH_GMAC:
            challenge = meter.dice(CHALLENGE_LENGTH)
            self._challenges = request.proof or b"", challenge
        user = meter.seal(self._initiate, forms.GLOBAL[INITIATE_RESPONSE]) if ciphered else self._initiate
        return OpenResponse(
            user, ACCEPTED, AUTHENTICATION_REQUIRED if challenge else 0, request.context, request.mechanism,
            meter.title if ciphered or challenge else None, challenge,
        )  # fmt: skip


def _no(diagnostic: int) -> OpenResponse:
    return OpenResponse(b"", REJECTED, diagnostic)
