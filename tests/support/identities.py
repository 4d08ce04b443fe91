"""A town's authority with gateways, a hub and a broker, for tests: made once, in a second."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.identity.authority import Authority
from gateway.identity.folder import Folder
from gateway.transport import Endpoint


def at(days: float) -> datetime:
    """Give the moment so many days from now."""
    return datetime.now(UTC) + timedelta(days=days)


@dataclass
class Town:
    """One authority and whom it signed."""

    folder: Path

    def __post_init__(self) -> None:
        self.authority = Authority(self.folder / "ca")
        self.authority.begin("Town")
        self.ca = self.folder / "ca" / "ca.pem"
        self.crl = self.folder / "ca" / "crl.pem"

    def client(self, name: str) -> Folder:
        """Enrol a gateway or hub."""
        folder = Folder(self.folder / name.replace("/", "-"))
        folder.request(name)
        folder.take(self.sign(folder, name), name, self.ca.read_bytes(), at(0))
        return folder

    def sign(self, folder: Folder, name: str, days: int = 100, since: float = 0) -> bytes:
        """Sign what lies in a gateway's folder, as of so many days from now."""
        request = (folder.path / "request.pem").read_bytes()
        return Authority(self.authority.folder, lambda: at(since)).sign(request, name, folder.code(), days)

    def broker(self, servers: Sequence[str] = ("127.0.0.1", "localhost"), days: int = 100, since: float = 0) -> Path:
        """Make a broker's certificate and key, in one file."""
        key, certificate = Authority(self.authority.folder, lambda: at(since)).make(servers[0], servers, days)
        path = self.folder / f"broker-{len(list(self.folder.glob('broker-*')))}.pem"
        path.write_bytes(certificate + key)
        return path


def endpoint(url: str, folder: Folder, client_id: str = "gw", ca: Path | None = None) -> Endpoint:
    """Give the endpoint of an enrolled gateway."""
    return Endpoint(url, client_id, ca_file=ca or folder.authorities, cert_file=folder.pair, key_file=folder.pair)
