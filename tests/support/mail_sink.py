"""A real SMTP server (aiosmtpd) on our own loop, that keeps what it takes and refuses as told."""

import asyncio
import ssl
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult


@dataclass
class MailSink:
    """Listens on 127.0.0.1; `verdict` answers DATA; with `tls` it wants STARTTLS, with `login` a user and password."""

    verdict: str = "250 taken"
    tls: ssl.SSLContext | None = None
    login: tuple[str, str] | None = None
    mails: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    _server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        """Keep a mail, or refuse it."""
        if self.verdict.startswith("2"):
            self.raw.append(envelope.content)
            mail = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
        return self.verdict

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, "127.0.0.1", 0, backlog=200)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()

    def _session(self) -> SMTP:
        login = self.login
        options: dict[str, Any] = {}
        if login is not None:

            def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
                good = (given.login.decode(), given.password.decode()) == login
                # Not handled: the server itself shall say no.
                return AuthResult(success=good, handled=good)

            options = {"authenticator": check, "auth_required": True, "auth_require_tls": self.tls is not None}
        return SMTP(self, tls_context=self.tls, require_starttls=self.tls is not None, enable_SMTPUTF8=True, **options)
