"""Real brokers as child processes, for tests: start, kill -9, start again on the same port."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

CONNECT = bytes.fromhex("100f 0004 4d515454 05 02 000a 00 0002 7070".replace(" ", ""))
"""An MQTT 5 CONNECT of client "pp", clean start, keep-alive 10 s."""


class SpawnedBroker:
    """A broker on 127.0.0.1 in a process of its own."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens, as our Endpoint wants it."""
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and return when it answers CONNACK (of whatever reason)."""
        self._process = self._spawn()
        deadline = time.monotonic() + 10
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{type(self).__name__} did not start: {self._complaint()}")
            time.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL: what it held in memory is gone."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM: it may say goodbye to its clients."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """SIGSTOP: the process stays, and says nothing more."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        self._process.wait(10)
        self._process = None

    def _spawn(self) -> "subprocess.Popen[bytes]":
        raise NotImplementedError

    def _complaint(self) -> str:
        return "no reason given"

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as sock:
                sock.sendall(CONNECT)
                return sock.recv(1) == b"\x20"
        except OSError:
            return False


class Mosquitto(SpawnedBroker):
    """The real one from PATH; `lines` are added to a configuration for anonymous clients without persistence."""

    def __init__(self, port: int, folder: Path, lines: Sequence[str] = ()) -> None:
        super().__init__(port)
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / "mosquitto.log"
        self._config = folder / "mosquitto.conf"
        base = ["per_listener_settings false", "persistence false", "log_type warning", "log_type error"]
        if not any(line.startswith("allow_anonymous") for line in lines):
            base.append("allow_anonymous true")
        if os.geteuid() == 0:
            base.append("user root")  # it would give up root's rights, and with them the test's folder
        base.append(f"listener {port} 127.0.0.1")
        self._config.write_text("\n".join([*base, *lines, ""]))

    @staticmethod
    def program() -> str | None:
        """Where it is installed; Debian puts it where ordinary users do not look."""
        return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")

    def _spawn(self) -> "subprocess.Popen[bytes]":
        program = self.program()
        assert program
        with self._log.open("ab") as log:
            return subprocess.Popen([program, "-c", str(self._config)], stdout=log, stderr=log)

    def _complaint(self) -> str:
        return self._log.read_text()[-500:]


class IotcoreBroker(SpawnedBroker):
    """The embedded broker, just as `nabd demo` starts it."""

    @staticmethod
    def available() -> bool:
        """Whether the wheel is installed."""
        return importlib.util.find_spec("iotcore") is not None

    def _spawn(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, "-m", "gateway.broker", "--port", str(self.port)])
