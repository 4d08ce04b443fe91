"""The pages by HTTPS, with a key that each device makes for itself (S39)."""

import asyncio
import contextlib
import hashlib
import ipaddress
import shutil
import ssl
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from gateway.config.models import WebTable
from gateway.live import LiveBook
from gateway.web import certificate, gate, tls
from gateway.web.errors import PagesError
from gateway.web.guard import own_names
from gateway.web.screen import Sources
from gateway.web.serve import Served, serve
from gateway.web.tls import open_tls

DAY_MS = 86_400_000
NAMES = ("nabd.local", "127.0.0.1")


def now() -> int:
    """Give this moment, UTC in ms: real clients judge by it."""
    return int(datetime.now(UTC).timestamp() * 1000)


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a device that was started before, since making keys takes a program of its own."""
    folder = tmp_path_factory.mktemp("device")
    asyncio.run(open_tls(folder / "web-tls", own_names("127.0.0.1:1"), now))
    return folder


@asynccontextmanager
async def pages(folder: Path, port: int) -> AsyncIterator[Served]:
    """Serve the pages by HTTPS."""
    web = WebTable.model_construct(listen=f"127.0.0.1:{port}", url=None, stay=3600.0, tls=True)
    async with asyncio.TaskGroup() as group:
        sources = Sources(LiveBook(), lambda: 0, None, None)
        yield await serve(group, web, sources, folder / "sessions.json", language="en")
        for task in asyncio.all_tasks():
            if task.get_name().startswith("web"):
                task.cancel()


def trusting(folder: Path, port: int) -> httpx.AsyncClient:
    """Give a browser on which the device's authority was installed, and nothing else."""
    context = ssl.create_default_context(cafile=str(folder / "web-tls" / "authority.crt"))
    return httpx.AsyncClient(verify=context, base_url=f"https://127.0.0.1:{port}", timeout=10)


async def test_a_browser_that_trusts_the_device_sees_its_page(device: Path, free_port: Callable[[], int]) -> None:
    """Over TLS the link is https, the cookie Secure, TLS 1.2 the oldest, and no header binds the name to it."""
    port = free_port()
    async with pages(device, port) as served, trusting(device, port) as browser:
        assert served.address == f"https://127.0.0.1:{port}/"
        link = served.link()
        entered = await browser.post(link, headers={"origin": served.address.rstrip("/")})
        assert (entered.status_code, "Secure" in entered.headers["set-cookie"]) == (303, True)
        page = await browser.get("/")
        assert page.status_code == 200
        assert "strict-transport-security" not in page.headers
        shown = ssl.get_server_certificate  # what browsers show beside their warning
        der = ssl.PEM_cert_to_DER_cert(await asyncio.to_thread(shown, ("127.0.0.1", port)))
        assert served.tls is not None
        assert served.tls.fingerprint.replace(":", "").lower() == _sha256(der)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
async def test_without_trust_or_with_an_old_or_no_tls_there_is_no_page(
    device: Path, free_port: Callable[[], int]
) -> None:
    """A browser that trusts the public authorities alone, one of TLS 1.1, and one of plain HTTP see nothing."""
    port = free_port()
    async with pages(device, port):
        async with httpx.AsyncClient() as stranger:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await stranger.get(f"https://127.0.0.1:{port}/")
            with pytest.raises(httpx.TransportError):
                await stranger.get(f"http://127.0.0.1:{port}/")
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", port, ssl=old)


async def test_each_device_has_a_key_of_its_own_and_keeps_it(tmp_path: Path) -> None:
    """Two devices of one name share no key; a restart changes nothing; only the program's user reads what is secret."""
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        await open_tls(folder / "web-tls", NAMES, now)
    assert len({key for folder in (one, other) for key in keys(folder / "web-tls")}) == 4
    kept = [path.read_bytes() for path in sorted((one / "web-tls").iterdir())]
    await open_tls(one / "web-tls", NAMES, now)
    assert [path.read_bytes() for path in sorted((one / "web-tls").iterdir())] == kept
    for name in ("authority.pem", "page.pem"):
        assert stat.S_IMODE((one / "web-tls" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((one / "web-tls").stat().st_mode) == 0o700
    assert b"PRIVATE" not in (one / "web-tls" / "authority.crt").read_bytes()


async def test_a_certificate_that_ends_is_renewed_and_phones_trust_on(tmp_path: Path) -> None:
    """A month before its end the page gets another one, of the same authority; another name needs another authority."""
    first = await open_tls(tmp_path, NAMES, now)
    page, authority = first.fingerprint, first.authority
    later = await open_tls(tmp_path, NAMES, lambda: now() + 760 * DAY_MS)
    assert later.fingerprint == page
    later = await open_tls(tmp_path, NAMES, lambda: now() + 780 * DAY_MS)
    assert (later.fingerprint != page, later.authority) == (True, authority)
    renamed = await open_tls(tmp_path, ("casa.local", "127.0.0.1"), now)
    assert renamed.authority != authority


async def test_a_running_program_shows_the_new_certificate(
    device: Path, tmp_path: Path, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections after the renewal see it; nothing is started anew."""
    monkeypatch.setattr(tls, "LOOK", 0.05)
    port = free_port()
    shutil.copytree(device / "web-tls", tmp_path / "web-tls")
    async with pages(tmp_path, port) as served, trusting(tmp_path, port) as browser:
        assert (await browser.get("/")).status_code == 401
        assert served.tls is not None
        shown = served.tls.fingerprint
        (tmp_path / "web-tls" / "names.txt").write_text("another", encoding="utf-8")
        async with asyncio.timeout(15):
            while True:
                der = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))
                if _sha256(ssl.PEM_cert_to_DER_cert(der)) != shown.replace(":", "").lower():
                    break
                await asyncio.sleep(0.1)


def test_the_devices_authority_signs_for_this_device_alone(tmp_path: Path) -> None:
    """Whoever installs it trusts these names and addresses, and no others: the certificate itself says so."""
    certificate.make(tmp_path, NAMES, datetime.now(UTC))
    authority = x509.load_pem_x509_certificate((tmp_path / "authority.crt").read_bytes())
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical
    names = [name.value for name in limits.value.permitted_subtrees or ()]
    assert names == ["nabd.local", ipaddress.ip_network("127.0.0.1"), "localhost", ipaddress.ip_network("::1")]
    page = x509.load_pem_x509_certificate((tmp_path / "page.pem").read_bytes())
    page.verify_directly_issued_by(authority)
    assert page.not_valid_after_utc - page.not_valid_before_utc < timedelta(days=825)


async def test_what_is_damaged_is_made_anew_and_what_cannot_be_made_is_said(tmp_path: Path) -> None:
    """A torn file costs a new key; a folder nobody may write to is an error with a hint."""
    folder = tmp_path / "web-tls"
    await open_tls(folder, NAMES, now)
    for name in ("authority.pem", "page.pem"):
        (folder / name).write_bytes(b"\0" * 100)
    await open_tls(folder, NAMES, now)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(PagesError, match="leave tls out"):
        await open_tls(tmp_path / "file" / "web-tls", NAMES, now)


async def test_who_says_nothing_instead_of_tls_is_hung_up_on(
    device: Path, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Agreeing on TLS has the same patience as asking for a page, for silence and for half a greeting."""
    monkeypatch.setattr(gate, "PATIENCE", 0.5)
    port = free_port()
    async with pages(device, port), trusting(device, port) as browser:
        assert (await browser.get("/")).status_code == 401
        for greeting in (b"", b"\x16\x03\x01\x02\x00\x01"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(greeting)
            async with asyncio.timeout(5):
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
            writer.close()


def keys(folder: Path) -> list[bytes]:
    """Give the private keys of a folder."""
    loaded = [
        serialization.load_pem_private_key((folder / name).read_bytes(), None) for name in ("authority.pem", "page.pem")
    ]
    return [
        key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        for key in loaded
    ]


def _sha256(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest()
