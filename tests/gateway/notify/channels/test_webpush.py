"""Web push: the example of RFC 8291 to the byte, our proof verified by its public key, and a browser's way back."""

import hmac
import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.notify.channels.contract import Message, Refused
from gateway.notify.channels.webpush import WebPush
from gateway.notify.channels.webpush_crypto import (
    PLAIN_LIMIT,
    Subscription,
    authorization,
    decode,
    encode,
    encrypt,
    point,
    read_key,
    read_subscription,
)
from tests.support.http_sink import HttpSink

# RFC 8291, section 5 and appendix A.
PLAIN = b"When I grow up, I want to be a watermelon"
OUR_KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
BROWSER_KEY = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
BROWSER_PUBLIC = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
SALT, AUTH = "DGv6ra1nlYgDCS1FRnbzlw", "BTBZMqHH6r4Tts7J_aSIgg"
SEALED = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
    "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
CURVE = ec.SECP256R1()
BROWSER = Subscription("https://push.example/x", decode(BROWSER_PUBLIC), decode(AUTH))


def opened(sealed: bytes) -> bytes:
    """Open a message as the example's browser would, by the RFC's own steps."""
    key = read_key(BROWSER_KEY)
    salt, length = sealed[:16], sealed[20]
    theirs, body = sealed[21 : 21 + length], sealed[21 + length :]
    shared = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, theirs))

    def mac(secret: bytes, said: bytes) -> bytes:
        return hmac.digest(secret, said, "sha256")

    secret = mac(mac(decode(AUTH), shared), b"WebPush: info\0" + point(key) + theirs + b"\x01")
    prk = mac(salt, secret)
    content, nonce = (mac(prk, b"Content-Encoding: " + name + b"\0\x01") for name in (b"aes128gcm", b"nonce"))
    plain = AESGCM(content[:16]).decrypt(nonce[:12], body, None)
    assert plain.endswith(b"\x02")
    return plain[:-1]


def test_the_rfcs_example_comes_out_to_the_byte() -> None:
    """Same keys and salt, same bytes."""
    assert encode(encrypt(PLAIN, BROWSER, decode(SALT), read_key(OUR_KEY))) == SEALED
    assert opened(decode(SEALED)) == PLAIN


def test_our_proof_is_signed_for_one_origin_and_expires() -> None:
    """The signature is that of header and claims, by the key that stands beside it."""
    value = authorization("https://push.example", "mailto:ops@example.org", 1_800_000_000, read_key(OUR_KEY))
    scheme, _, rest = value.partition(" ")
    token, _, public = rest.partition(", k=")
    header, claims, signature = token.removeprefix("t=").split(".")
    assert scheme == "vapid"
    assert json.loads(decode(header)) == {"typ": "JWT", "alg": "ES256"}
    assert json.loads(decode(claims)) == {
        "aud": "https://push.example", "exp": 1_800_000_000, "sub": "mailto:ops@example.org",
    }  # fmt: skip
    raw = decode(signature)
    assert len(raw) == 64
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, decode(public))
    key.verify(der, f"{header}.{claims}".encode(), ec.ECDSA(SHA256()))


async def test_the_browser_can_open_what_arrives(message: Callable[..., Message]) -> None:
    """Urgent, kept for a day, and every message sealed anew."""
    made = message()
    async with HttpSink() as sink:
        to = Subscription(f"http://127.0.0.1:{sink.port}/abc", BROWSER.public, BROWSER.auth)
        channel = WebPush(to, read_key(OUR_KEY), "mailto:ops@example.org", lambda: 1_800_000_000.0)
        await channel.send(made)
        await channel.send(made)
        first, second = sink.posted
        assert first.path == "/abc"
        assert (first.headers["urgency"], first.headers["ttl"]) == ("high", "86400")
        assert first.headers["topic"] == second.headers["topic"] == made.thread
        assert first.body != second.body
        shown = json.loads(opened(first.body))
        assert (shown["title"], shown["body"], shown["lang"]) == (made.words.title, made.words.text, "ar")
        assert [action["action"] for action in shown["actions"]] == ["acknowledge", "mute"]
        sink.say(410)
        assert isinstance(await channel.send(made), Refused)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", "null", '{"endpoint":"https://x","keys":{}}',
        f'{{"endpoint":"http://x","keys":{{"p256dh":"{BROWSER_PUBLIC}","auth":"{AUTH}"}}}}',
        f'{{"endpoint":"https://x","keys":{{"p256dh":"{BROWSER_PUBLIC}","auth":"AAAA"}}}}',
        f'{{"endpoint":"https://x","keys":{{"p256dh":"AAAA","auth":"{AUTH}"}}}}',
    ],
)  # fmt: skip
def test_what_is_no_subscription_is_refused(text: str) -> None:
    """Whatever a browser, or somebody who plays one, hands over."""
    with pytest.raises(ValueError):  # noqa: PT011
        read_subscription(text)


def test_a_subscription_is_read_as_browsers_give_it() -> None:
    """With or without padding; a message that is too long is refused before anything is sealed."""
    keys = {"p256dh": BROWSER_PUBLIC + "=", "auth": AUTH + "=="}
    assert read_subscription(json.dumps({"endpoint": "https://push.example/x", "keys": keys})) == BROWSER
    sealed = encrypt(b"x" * PLAIN_LIMIT, BROWSER, decode(SALT), read_key(OUR_KEY))
    assert len(sealed) == 4096
    with pytest.raises(ValueError, match="at the most"):
        encrypt(b"x" * (PLAIN_LIMIT + 1), BROWSER, decode(SALT), read_key(OUR_KEY))
    with pytest.raises(ValueError, match="32 bytes"):
        read_key("AAAA")
