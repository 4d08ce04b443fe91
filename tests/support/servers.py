"""Real store servers as child processes in temporary folders on free ports: start, kill -9, start again.

PostgreSQL refuses to run as root, so there it gets an unprivileged account, and a folder of that account's own.
"""

import contextlib
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Self

SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


def free_port() -> int:
    """Name a port that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class StoreServer:
    """A server of a store; as a context manager it starts and is killed, its folder goes with it."""

    package = ""
    user: str | None = None

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"nabd-{self.package}-"))
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def program(cls) -> str | None:
        """Where it is installed, or None."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def prepare(self) -> None:
        """Make its files."""

    def start(self) -> None:
        """Start, and return when it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, user=self.user, cwd=self.folder, env=self.environment()
            )
        deadline = time.monotonic() + 30
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.package} did not start: {(self.folder / 'log').read_text()[-1000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL to the whole server."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)
            self._process = None

    def command(self) -> Sequence[str]:
        """Give its command line."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether it serves."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Give its environment."""
        return dict(os.environ)


class HttpServer(StoreServer):
    """One that speaks HTTP."""

    health = ""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path: str, body: bytes | None = None, **query: str) -> tuple[int, bytes]:
        """Make one request and give status and body."""
        url = f"{self.url}{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=10) as answer:  # noqa: S310
                return int(answer.status), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def answers(self) -> bool:
        """Whether its health page says so."""
        try:
            return self.ask(self.health)[0] in {200, 204}
        except OSError:
            return False


class Victoria(HttpServer):
    """Single-node VictoriaMetrics, started as our documentation says; `flags` come last."""

    package = "victoria-metrics"
    health = "/health"

    def __init__(self, *flags: str) -> None:
        super().__init__()
        self._flags = flags or ("-retentionPeriod=100y", "-dedup.minScrapeInterval=1ms")

    @classmethod
    def program(cls) -> str | None:
        """Debian's name, or the project's own."""
        return shutil.which("victoria-metrics", path=SBIN) or shutil.which("victoria-metrics-prod", path=SBIN)

    def command(self) -> Sequence[str]:
        """Listen on this machine only."""
        return [
            str(self.program()), f"-storageDataPath={self.folder / 'data'}", f"-httpListenAddr=127.0.0.1:{self.port}",
            "-loggerLevel=ERROR", *self._flags,
        ]  # fmt: skip

    def flush(self) -> None:
        """Make what was written visible to queries now."""
        self.ask("/internal/force_flush")


class Influx1(HttpServer):
    """InfluxDB 1.x, the real engine and parser; `influx_shim` gives it the API of version 2."""

    package = "influxdb"
    health = "/ping"

    @classmethod
    def program(cls) -> str | None:
        """Where influxd is."""
        return shutil.which("influxd", path=SBIN)

    def prepare(self) -> None:
        """Keep everything in the folder; tell nobody."""
        data = self.folder
        (data / "influxdb.conf").write_text(
            "reporting-disabled = true\n"
            f'bind-address = "127.0.0.1:{free_port()}"\n'
            f'[meta]\ndir = "{data}/meta"\n[data]\ndir = "{data}/data"\nwal-dir = "{data}/wal"\n'
            f'[http]\nbind-address = "127.0.0.1:{self.port}"\nlog-enabled = false\n[monitor]\nstore-enabled = false\n',
            encoding="utf-8",
        )

    def command(self) -> Sequence[str]:
        """Run with our file alone."""
        return [str(self.program()), "-config", str(self.folder / "influxdb.conf")]


class Postgres(StoreServer):
    """PostgreSQL with a cluster of its own and password-less access from this machine."""

    package = "postgresql"

    def __init__(self) -> None:
        super().__init__()
        if os.geteuid() == 0:
            self.user = _account("postgres", "nobody")
            os.chown(self.folder, pwd.getpwnam(self.user).pw_uid, -1)

    @classmethod
    def program(cls) -> str | None:
        """Debian keeps each version in a folder of its own."""
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))  # noqa: PTH207  one line, no Path needed
        return found[-1] if found else shutil.which("postgres", path=SBIN)

    def prepare(self) -> None:
        """Make the cluster."""
        command = [str(Path(str(self.program())).with_name("initdb")), "-D", str(self.folder / "data"), "-A", "trust"]
        command += ["-U", "nabd", "-E", "UTF8", "--locale=C", "--no-sync"]
        done = subprocess.run(
            command, user=self.user, capture_output=True, check=False, cwd=self.folder, env=self.environment()
        )
        if done.returncode:
            raise RuntimeError(f"initdb: {done.stderr.decode()}")

    def environment(self) -> dict[str, str]:
        """Let its messages be English."""
        return {**os.environ, "LC_ALL": "C", "TMPDIR": str(self.folder)}

    def command(self) -> Sequence[str]:
        """Listen on this machine only, with small buffers."""
        return [
            str(self.program()), "-D", str(self.folder / "data"), "-p", str(self.port), "-h", "127.0.0.1",
            "-c", f"unix_socket_directories={self.folder}", "-c", "shared_buffers=32MB", "-c", "max_connections=20",
        ]  # fmt: skip

    def url(self, database: str) -> str:
        """Where one of its databases is, as our store wants it."""
        return f"postgresql+plain://127.0.0.1:{self.port}/{database}"

    def answers(self) -> bool:
        """Whether it takes statements."""
        return self.sql("SELECT 1") is not None

    def sql(self, statement: str, database: str = "postgres") -> str | None:
        """Run a statement through psql and give its output, None when it failed."""
        command = ["psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "nabd", "-d", database, "-Atqc", statement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    def kill(self) -> None:
        """SIGKILL to the postmaster and all its children, as a power cut would."""
        if self._process is None:
            return
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text(encoding="ascii")
        for pid in [self._process.pid, *map(int, children.split())]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(10)
        self._process = None
        # The postmaster's lock names a process that is gone; shared memory goes with its last process.


def _account(*names: str) -> str:
    for name in names:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise RuntimeError(f"no account of {names}")
