"""E-mail by SMTP: plain text and HTML side by side, in the reader's language and direction.

1. The Message-ID is made from the message's key: sent twice after a lost answer, mail programs show it once.
2. All mails of an alert answer the same never-sent root, so that they stand together as one conversation.
3. TLS is required: from the start (`smtps`) or by STARTTLS (`smtp`). Only `smtp+plain` goes without, for a relay on
   this machine.
4. No List-Unsubscribe: an alert is no list, and the link that mutes its kind stands in the text.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from typing import Literal

import aiosmtplib

from gateway.notify.channels.contract import SAID_LIMIT, TIMEOUT, Delivered, Message, Receipt, Refused, TryLater

WRONG_LOGIN = 535
SENDER_NAME = "Nabd"


@dataclass(frozen=True, slots=True)
class Smtp:
    """Mails from `sender` to `to` through one server; `security` is tls, starttls or none."""

    host: str
    port: int
    security: Literal["tls", "starttls", "none"]
    sender: str
    to: str
    now: Callable[[], float]
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None

    async def send(self, message: Message) -> Receipt:
        """Mail one message."""
        try:
            mail = compose(message, self.sender, self.to, self.now())
        except ValueError as error:
            return Refused(f"no mail can be made of it: {type(error).__name__}")
        try:
            async with asyncio.timeout(TIMEOUT):
                _, said = await aiosmtplib.send(
                    mail,
                    sender=self.sender,
                    recipients=[self.to],
                    hostname=self.host,
                    port=self.port,
                    username=self.username,
                    password=self.password,
                    local_hostname=socket.gethostname(),  # unless given, it is asked of DNS
                    use_tls=self.security == "tls",
                    start_tls=self.security == "starttls",
                    tls_context=self.tls,
                    timeout=TIMEOUT,
                )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return _verdict(error)
        return Delivered(said[:SAID_LIMIT])


def compose(message: Message, sender: str, to: str, now: float) -> EmailMessage:
    """Write the mail; raises ValueError for an address that is none."""
    words, domain = message.words, sender.rpartition("@")[2]
    mail = EmailMessage(policy=SMTP_POLICY)
    mail["From"] = Address(SENDER_NAME, addr_spec=sender)
    mail["To"] = Address(addr_spec=to)
    mail["Subject"] = words.title
    mail["Date"] = format_datetime(datetime.fromtimestamp(now, UTC))
    mail["Message-ID"] = f"<{message.key}@{domain}>"
    mail["In-Reply-To"] = mail["References"] = f"<{message.thread}@{domain}>"
    # So that no answering machine answers.
    mail["Auto-Submitted"] = "auto-generated"
    if message.severity == "critical":
        mail["Importance"] = "high"
    mail.set_content(words.plain)
    mail.add_alternative(words.html, subtype="html")
    # Only now: what describes content moves into the first part when a second one is added.
    mail["Content-Language"] = words.language
    return mail


def _verdict(error: Exception) -> Receipt:
    """Sort what SMTP or the network said: 4xx passes, 5xx stays, a wrong login needs a person."""
    code = _code(error)
    if code == WRONG_LOGIN:
        return Refused("SMTP 535: the server does not take this user and password")
    if code is not None and code >= 500:  # noqa: PLR2004
        return Refused(f"SMTP {code}")
    if code is not None:
        return TryLater(f"SMTP {code}")
    if type(error) is aiosmtplib.SMTPException:
        # The library's own words: no STARTTLS, no AUTH. Who sits on the line can take both out of the greeting, so this
        # may pass too, and the mail waits for it.
        return TryLater(str(error))
    return TryLater(f"no answer from the server ({type(error).__name__})")


def _code(error: Exception) -> int | None:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return error.recipients[0].code if error.recipients else None
    return error.code if isinstance(error, aiosmtplib.SMTPResponseException) else None
