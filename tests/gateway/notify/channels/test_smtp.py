"""Mail: both forms, both directions, one conversation, and nothing that a name could inject."""

import ssl
import time
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Literal

import pytest

from gateway.notify.channels.contract import Delivered, Message, Refused, TryLater
from gateway.notify.channels.smtp import Smtp, compose
from tests.support.mail_sink import MailSink


def mailer(port: int, security: Literal["tls", "starttls", "none"] = "none", **more: object) -> Smtp:
    """Make the channel under test."""
    return Smtp("127.0.0.1", port, security, "nabd@example.org", "me@example.org", time.time, **more)  # type: ignore[arg-type]


def part(mail: EmailMessage, kind: str) -> str:
    """Give the plain or the HTML half."""
    found = mail.get_body((kind,))
    assert found is not None
    text: str = found.get_content()
    return text


async def test_an_arabic_mail_reads_from_right_to_left(message: Callable[..., Message]) -> None:
    """Subject, text and HTML are Arabic as they were written, and the HTML says its direction."""
    made = message()
    async with MailSink() as sink:
        assert isinstance(await mailer(sink.port).send(made), Delivered)
    (mail,) = sink.mails
    assert mail["Subject"] == made.words.title
    assert mail["Content-Language"] == "ar"
    assert mail.get_content_type() == "multipart/alternative"
    assert part(mail, "plain").replace("\r\n", "\n") == made.words.plain
    assert '<html lang="ar" dir="rtl">' in part(mail, "html")
    assert 'href="https://nabd.example/a"' in part(mail, "html")
    # Any server takes it, also one without 8BITMIME and SMTPUTF8.
    assert sink.raw[0].isascii()


async def test_the_message_id_is_the_key_and_an_alert_is_one_conversation(message: Callable[..., Message]) -> None:
    """A mail sent again has the same Message-ID; begin and end of an alert share their reference."""
    async with MailSink() as sink:
        for made in (message(), message(), message(state="cleared", seq=2)):
            await mailer(sink.port).send(made)
    first, again, end = sink.mails
    assert first["Message-ID"] == again["Message-ID"] == f"<{message().key}@example.org>"
    assert first["References"] == end["References"]
    assert end["Message-ID"] != first["Message-ID"]
    assert first["Auto-Submitted"] == "auto-generated"


async def test_starttls_is_required(message: Callable[..., Message], certificate: tuple[ssl.SSLContext, Path]) -> None:
    """A server without TLS gets nothing; one with a certificate we were told to trust gets password and mail."""
    context, file = certificate
    async with MailSink() as plain:
        receipt = await mailer(plain.port, "starttls").send(message())
    assert isinstance(receipt, TryLater)
    assert "STARTTLS" in receipt.why
    assert plain.mails == []
    async with MailSink(tls=context, login=("nabd", "secret")) as sink:
        assert isinstance(await mailer(sink.port, "starttls").send(message()), TryLater)
        trusting = ssl.create_default_context(cafile=file)
        good = mailer(sink.port, "starttls", tls=trusting, username="nabd", password="secret")
        assert isinstance(await good.send(message()), Delivered)
        bad = mailer(sink.port, "starttls", tls=trusting, username="nabd", password="canary-pw")
        receipt = await bad.send(message())
    assert isinstance(receipt, Refused)
    assert "canary-pw" not in repr(bad) + repr(receipt)
    assert len(sink.mails) == 1


HOSTILE = [
    "a\r\nBcc: everyone@example.org",
    "a\nSubject: other\n\nbody",
    "a\u2028b\u2029c\x85d\x0be",
    "=?utf-8?q?=0D=0ABcc:_x=40y.z?=",
    "\u202eevil\u2069\u2066",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\ud800 lone",
    "x" * 5000,
    "&lt;b&gt;&#60;i&#62;",
    "{meter} {0} %s",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_meters_name_injects_nothing(name: str, message: Callable[..., Message]) -> None:
    """No header is added or ended, no tag begun, no direction left open, whatever a meter is called."""
    mail = compose(message(name=name), "nabd@example.org", "me@example.org", 0.0)
    assert mail["Bcc"] is None
    assert len(mail.get_all("Subject", [])) == 1
    head = mail.as_bytes().partition(b"\r\n\r\n")[0]
    names = {line.partition(b":")[0] for line in head.split(b"\r\n") if line[:1] not in (b" ", b"\t")}
    assert names == {
        b"From", b"To", b"Subject", b"Date", b"Message-ID", b"In-Reply-To", b"References", b"Auto-Submitted",
        b"Content-Language", b"Importance", b"MIME-Version", b"Content-Type",
    }  # fmt: skip
    html = part(mail, "html")
    assert "<script" not in html
    assert "<img" not in html
    for text in (mail["Subject"], part(mail, "plain"), html):
        assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u200e\u200f\u061c") & set(text)
        assert text.count("\u2068") == text.count("\u2069")


async def test_an_address_that_is_none_is_refused(message: Callable[..., Message]) -> None:
    """Not raised, and not sent."""
    channel = Smtp("127.0.0.1", 1, "none", "nabd@example.org", "a\r\nb@example.org", time.time)
    assert isinstance(await channel.send(message()), Refused)
