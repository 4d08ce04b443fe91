"""Ciphered DLMS messages: worked examples, recorded sessions, forgeries and repetitions."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import DecodeError, Keys
from drivers.dlms.acse import OpenRequest, OpenResponse
from drivers.dlms.apdu import Apdu, decode
from drivers.dlms.hdlc import Decoder, Kind
from drivers.dlms.initiate import InitiateRequest, InitiateResponse
from drivers.dlms.push import without_llc
from drivers.dlms.sealed import CIPHERED, COMPRESSED, FOR_ALL, GENERAL_GLOBAL, SIGNED, Sealed
from drivers.dlms.security import BOTH, Received, Unproven, answer_challenge, check_answer, open_text, seal, unseal
from drivers.dlms.services import ActionRequest, ActionResponse, GetResponse

TITLE, OTHER = b"NBD\x00\x00\x00\x00\x01", b"NBD\x00\x00\x00\x00\x02"
KEYS = Keys(bytes(range(16)), bytes(range(16, 32)))
PLAIN = bytes(GetResponse(decode(bytes.fromhex("c401c1000600000007")).result))  # type: ignore[union-attr,arg-type]


def sealed(counter: int, control: int = BOTH, title: bytes = TITLE, keys: Keys = KEYS) -> Sealed:
    """Close an answer in the general form."""
    return seal(PLAIN, GENERAL_GLOBAL, title, counter, keys, control)


def vectors(captures: Path, name: str) -> dict[str, Any]:
    """Read a file of examples."""
    read: dict[str, Any] = json.loads((captures / "dlms" / name).read_text())
    return read


def test_the_worked_example(captures: Path) -> None:
    """Signed, ciphered, and both: the published bytes, and back."""
    told = vectors(captures, "security/green_book_suite0.json")
    keys = Keys(bytes.fromhex(told["block_cipher_key"]), bytes.fromhex(told["authentication_key"]))
    title, plain = bytes.fromhex(told["system_title"]), bytes.fromhex(told["plaintext"])
    made = {
        control: seal(plain, 0xC8, title, told["invocation_counter"], keys, control)
        for control in (SIGNED, CIPHERED, BOTH)
    }
    assert bytes(made[SIGNED]).hex() == told["sc10_authentication"]["apdu_glo_get"].lower()
    assert made[CIPHERED].text.hex() == told["sc20_encryption"]["ciphertext"]
    assert bytes(made[BOTH]).hex() == told["sc30_both"]["apdu_glo_get"].lower()
    for one in made.values():
        assert open_text(one, title, keys) == plain


def test_the_challenge(captures: Path) -> None:
    """Our answer to the meter's challenge, and the meter's to ours; a wrong one is named."""
    told = vectors(captures, "security/hls_gmac_exchange_2.json")
    keys = Keys(bytes.fromhex(told["block_cipher_key"]), bytes.fromhex(told["authentication_key"]))
    ours, theirs = bytes.fromhex(told["client_title"]), bytes.fromhex(told["server_title"])
    answer = answer_challenge(bytes.fromhex(told["StoC"]), ours, told["client_ic"], keys)
    assert answer.hex() == told["f_StoC"]
    right, challenge = bytes.fromhex(told["f_CtoS"]), bytes.fromhex(told["CtoS"])
    check_answer(right, challenge, theirs, keys)
    for wrong in (right[:-1], right[:-1] + b"\0", b"\x30" + right[1:], b"", answer):
        with pytest.raises(Unproven) as caught:
            check_answer(wrong, challenge, theirs, keys)
        assert caught.value.reason == "bad_tag"


def test_a_recorded_session_opens(captures: Path) -> None:
    """Both sides of a session of two other implementations: every message is proven, every counter rises."""
    told = vectors(captures, "transcripts/hls_gmac_hdlc.json")
    keys = Keys(bytes.fromhex(told["block_cipher_key"]), bytes.fromhex(told["authentication_key"]))
    titles = {side: bytes.fromhex(told[f"{side}_system_title"]) for side in ("client", "meter")}
    received = {side: Received() for side in titles}
    said: dict[str, list[Apdu]] = {side: [] for side in titles}
    pending = b""
    for side, raw in told["bytes"]:
        for frame in Decoder().feed(bytes.fromhex(raw)):
            if frame.kind is not Kind.I:
                continue
            pending += frame.information
            if not frame.segmented:
                apdu, pending = decode(without_llc(pending)), b""
                if isinstance(apdu, OpenRequest | OpenResponse):
                    inner = decode(apdu.user)
                    assert isinstance(inner, Sealed)
                    said[side].append(unseal(inner, keys, received[side], titles[side], BOTH))
                elif isinstance(apdu, Sealed):
                    apdu = unseal(apdu, keys, received[side], titles[side], BOTH)
                said[side].append(apdu)
    request, answer = said["client"][2], said["meter"][2]
    opened, accepted = said["client"][1], said["meter"][1]
    assert isinstance(request, ActionRequest)
    assert isinstance(answer, ActionResponse)
    assert isinstance(opened, OpenRequest)
    assert isinstance(accepted, OpenResponse)
    assert isinstance(said["client"][0], InitiateRequest)
    assert isinstance(said["meter"][0], InitiateResponse)
    counter = int.from_bytes(request.parameter.content[1:5], "big")  # type: ignore[union-attr,index,arg-type]
    assert answer_challenge(accepted.proof or b"", titles["client"], counter, keys) == request.parameter.content  # type: ignore[union-attr]
    check_answer(answer.returned.content, opened.proof or b"", titles["meter"], keys)  # type: ignore[union-attr,arg-type]


@given(
    st.binary(max_size=100),
    st.integers(0, 2**32 - 1),
    st.sampled_from([SIGNED, CIPHERED, BOTH]),
    st.sampled_from([0, 1, 2]),
)
def test_what_is_closed_opens(plain: bytes, counter: int, control: int, suite: int) -> None:
    """Every protection and suite, there and back."""
    size = 32 if suite == 2 else 16
    keys = Keys(bytes(range(size)), bytes(range(1, size + 1)))
    assert open_text(seal(plain, GENERAL_GLOBAL, TITLE, counter, keys, control | suite), TITLE, keys) == plain


@given(st.data())
def test_a_flipped_bit_opens_nothing(data: st.DataObject) -> None:
    """Whatever bit of a signed message is changed, it is not taken."""
    raw = bytearray(bytes(sealed(7)))
    bit = data.draw(st.integers(8 * 11, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    closed = decode(bytes(raw))
    assert isinstance(closed, Sealed)
    received = Received()
    with pytest.raises(Unproven):
        unseal(closed, KEYS, received)
    assert not received.highest


# --- replay (five forms) ---------------------------------------------------------------------------------------------


def test_the_same_message_again_is_refused() -> None:
    """A recorded message, sent once more."""
    refuses(sealed(10), "replayed", heard=10)


def test_the_same_counter_is_refused() -> None:
    """Another message with a counter that was used: equal is not higher."""
    refuses(seal(PLAIN, 0xCC, TITLE, 10, KEYS), "replayed", heard=10)


def test_a_lower_counter_is_refused() -> None:
    """A message recorded earlier and never delivered."""
    refuses(sealed(9), "replayed", heard=10)


def test_another_sender_is_refused() -> None:
    """A title that is not the meter's, with its own key or in front of another's message."""
    refuses(sealed(11, title=OTHER), "foreign", heard=10)
    closed = sealed(11)
    forged = Sealed(closed.tag, closed.control, closed.counter, closed.text, OTHER)
    refuses(forged, "bad_tag", heard=10, title=None)


def test_a_message_that_fails_never_moves_the_counter() -> None:
    """A forged counter far ahead shuts no real message out."""
    closed = sealed(11)
    forged = Sealed(closed.tag, closed.control, 2**32 - 1, closed.text, closed.title)
    received = refuses(forged, "bad_tag", heard=10)
    assert unseal(closed, KEYS, received, TITLE) == decode(PLAIN)
    assert received.highest == {TITLE: 11}


def refuses(closed: Sealed, reason: str, heard: int, title: bytes | None = TITLE) -> Received:
    """Check that a message is refused behind one with counter `heard`, and moves nothing; then as after a restart."""
    received = Received()
    unseal(sealed(heard), KEYS, received, TITLE)
    for kept in (received, Received(received.highest)):
        before = dict(kept.highest)
        with pytest.raises(Unproven) as caught:
            unseal(closed, KEYS, kept, title)
        assert caught.value.reason == reason
        assert kept.highest == before
    return received


def test_a_signature_taken_off_is_missed() -> None:
    """Whoever cuts the tag off and says that there never was one could change the text as well."""
    closed = sealed(11)
    refuses(Sealed(closed.tag, CIPHERED, closed.counter, closed.text[:-12], TITLE), "unprotected", heard=10)


def test_ciphered_rubbish_moves_no_counter() -> None:
    """Without a signature a message proves itself by being one; what is deciphered to rubbish is not taken."""
    received, keys = Received(), Keys(KEYS.encryption)
    closed = sealed(10, CIPHERED)
    with pytest.raises(DecodeError):
        unseal(Sealed(closed.tag, CIPHERED, 11, closed.text, TITLE), keys, received)
    assert not received.highest
    assert unseal(closed, keys, received) == decode(PLAIN)


@pytest.mark.parametrize(
    ("keys", "control", "least", "reason"),
    [
        (Keys(), BOTH, 0, "no_key"),
        (Keys(KEYS.encryption), BOTH, 0, "no_key"),
        (Keys(bytes(15), bytes(16)), BOTH, 0, "bad_key"),
        (Keys(bytes(32), bytes(32)), BOTH, 0, "bad_key"),
        (Keys(bytes(16), bytes(16)), BOTH, 0, "bad_tag"),
        (KEYS, CIPHERED, BOTH, "unprotected"),
        (KEYS, SIGNED, CIPHERED, "unprotected"),
        (KEYS, 0, 0, "unprotected"),
        (KEYS, BOTH | FOR_ALL, 0, "unoffered"),
        (KEYS, BOTH | COMPRESSED, 0, "unoffered"),
        (KEYS, BOTH | 9, 0, "unoffered"),
    ],
)
def test_each_refusal_has_its_reason(keys: Keys, control: int, least: int, reason: str) -> None:
    """Missing, short and wrong keys, too little protection, forms that are not offered; each with a hint."""
    closed = sealed(1)
    with pytest.raises(Unproven) as caught:
        unseal(Sealed(closed.tag, control, 1, closed.text, TITLE), keys, Received(), TITLE, least)
    assert caught.value.reason == reason
    assert caught.value.hint


def test_keys_are_shown_nowhere() -> None:
    """No error has a key in its words."""
    with pytest.raises(Unproven) as caught:
        unseal(sealed(1), Keys(b"k" * 16, b"a" * 16), Received())
    assert "6b6b" not in repr(caught.value)
    assert "kkkk" not in str(caught.value)


def test_a_key_is_used_up_once() -> None:
    """Behind the last counter there is none."""
    seal(PLAIN, 0xC8, TITLE, 2**32 - 1, KEYS)
    with pytest.raises(ValueError, match="used up"):
        seal(PLAIN, 0xC8, TITLE, 2**32, KEYS)


def test_a_message_without_title_needs_one() -> None:
    """A service's own ciphered form names nobody."""
    with pytest.raises(Unproven) as caught:
        unseal(seal(PLAIN, 0xCC, TITLE, 1, KEYS), KEYS, Received())
    assert caught.value.reason == "foreign"
