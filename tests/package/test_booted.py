"""The service as it runs: installed from the package into a Debian that systemd boots, with nothing around it."""

import html
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.i18n import words as catalogue
from gateway.troubles import troubles
from tests.support.booted import Booted, copy, host_architecture, root

pytestmark = pytest.mark.slow

SYSTEMD = Path(__file__).parents[2] / "systemd"
INSTALL = 60.0
"""Seconds from the package to a service that is ready, without network."""
READY = 10.0
"""Seconds until a service is ready that has nothing: no network, no port, no time."""
NOTHING = """
[gateway]
id = "gw-1"
[mqtt]
url = "mqtts://broker.example"
[[bus]]
name = "wire"
driver = "modbus"
device = "/dev/ttyUSB0"
[[meter]]
name = "m"
bus = "wire"
profile = "eastron-sdm120"
address = 1
"""
LOOK = """
import json, sys, urllib.request as web, http.cookiejar
link = sys.argv[1]
browser = web.build_opener(web.HTTPCookieProcessor(http.cookiejar.CookieJar()))
browser.open(web.Request(link, data=b"", headers={"Origin": link.partition("/enter/")[0]}))
page = lambda language: browser.open(web.Request(link.partition("enter/")[0], headers={"Accept-Language": language}))
print(json.dumps({language: page(language).read().decode() for language in ("en", "ar")}))
"""
"""Opens the page in the booted root, by its one-time link, in two languages."""
FORGET = """
import http.cookiejar, re, sys, urllib.parse, urllib.request as web
link = sys.argv[1]
here = link.partition("/enter/")[0]
browser = web.build_opener(web.HTTPCookieProcessor(http.cookiejar.CookieJar()))
def open(url, form=None):
    body = None if form is None else urllib.parse.urlencode(form).encode()
    return browser.open(web.Request(url, body, {"Origin": here, "Accept-Language": "en"})).read().decode()
open(link, {})
name = re.search("Type <bdi>(.*?)</bdi>", open(here + "/operator/forget")).group(1)
print(open(here + "/operator/forget", {"name": name}))
"""
"""Opens the page likewise, and lets the box forget everything."""
TROUBLES = [trouble.text for trouble in troubles(network=False, clock="unsynced", buses={"wire": "gone"}, broker=False)]


@pytest.fixture(scope="module")
def machine(whole_package: Callable[[str, str], Path]) -> Iterator[Booted]:
    """Give a booted Debian with the package in /root, not installed yet; the tests below build on one another."""
    package = whole_package(host_architecture(), "1.0")
    with copy(root("bookworm")) as place, Booted(place) as booted:
        booted.put(package)
        yield booted


def _wait(machine: Booted, script: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    while machine.run("sh", "-c", script, check=False).returncode:
        assert time.monotonic() < end, f"not within {seconds} s: {script}"
        time.sleep(0.1)


def _start_with_nothing(machine: Booted, kind: str) -> float:
    """Start an edge or a home to which nothing is connected; give the seconds until it was ready."""
    (machine.place / f"etc/nabd/{kind}.toml").write_text(NOTHING)
    machine.sh(f"chgrp nabd /etc/nabd/{kind}.toml")
    began = time.monotonic()
    machine.sh(f"systemctl start nabd-{kind}")
    return time.monotonic() - began


def _status(machine: Booted) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(machine.run("nabd", "status", "--json").stdout)
    return answer


def test_from_the_package_to_ready_in_a_minute(machine: Booted) -> None:
    """On a fresh Debian without network: installed, set up by answers, started, and ready, as systemd says."""
    (machine.place / "root/answers.toml").write_text('zone = "Asia/Riyadh"\n')
    began = time.monotonic()
    machine.sh("apt install /root/nabd_1.0_*.deb")
    machine.sh("nabd setup --answers /root/answers.toml && systemctl enable --now nabd-home")
    took = time.monotonic() - began
    assert machine.sh("systemctl is-active nabd-home").strip() == "active"
    assert took <= INSTALL


def test_only_the_pages_port_is_open(machine: Booted) -> None:
    """S22: one TCP port, on the address configured, and no UDP at all."""
    listening = machine.run("ss", "-lntuH").stdout.splitlines()
    assert [(line.split()[0], line.split()[4]) for line in listening] == [("tcp", "127.0.0.1:8080")]


def test_only_its_user_reads_its_files(machine: Booted) -> None:
    """S11: folders 0700 and files 0600 of the user nabd; the configuration root's, readable to that user."""
    found = machine.sh("find /var/lib/nabd /run/nabd/home -printf '%m %u %y %p\\n'").splitlines()
    for line in found:
        mode, user, kind, path = line.split(maxsplit=3)
        if path == "/run/nabd":
            continue
        assert user == "nabd", line
        assert mode == {"d": "700", "f": "600", "s": "600"}[kind], line
    assert len(found) > 4
    assert machine.sh("stat -c '%a %U %G' /etc/nabd /etc/nabd/home.toml").split("\n")[:2] == [
        "750 root nabd", "640 root nabd",
    ]  # fmt: skip
    facts = machine.sh("cat /proc/$(systemctl show -P MainPID nabd-home)/status").splitlines()
    assert {"CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"} <= set(facts)


def test_twenty_crashes_in_a_minute_and_it_still_comes_back(machine: Booted) -> None:
    """F20: no limit of starts ends a gateway for good. The pause between two starts is shortened for this."""
    folder = machine.place / "etc/systemd/system/nabd-home.service.d"
    folder.mkdir(parents=True)
    (folder / "fast.conf").write_text("[Service]\nRestartSec=100ms\n")
    machine.sh("systemctl daemon-reload")
    before = int(machine.sh("systemctl show -P NRestarts nabd-home"))
    began = time.monotonic()
    for crash in range(1, 21):
        machine.sh("kill -KILL $(systemctl show -P MainPID nabd-home)")
        _wait(machine, f'test "$(systemctl show -P NRestarts nabd-home)" -ge {before + crash}', 20)
        _wait(machine, "systemctl is-active --quiet nabd-home", 20)
    assert time.monotonic() - began < 60
    (folder / "fast.conf").unlink()
    machine.sh("systemctl daemon-reload")
    assert machine.sh("systemctl is-active nabd-home").strip() == "active"


def test_the_service_cannot_leave_its_room(machine: Booted) -> None:
    """S24: under the very directives of each unit every way out is refused, and its own folder stays writable."""
    (machine.place / "opt/escape.py").write_text((Path(__file__).parent / "escape.py").read_text())
    for unit in set(SYSTEMD.glob("*.service")) - {SYSTEMD / "nabd-factory-reset.service"}:
        probe = re.sub(
            r"^(Type|ExecStart|ExecReload|WatchdogSec|Restart)=.*\n", "", unit.read_text(), flags=re.MULTILINE
        )
        probe = probe.replace("[Service]\n", "[Service]\nType=oneshot\nExecStart=/usr/bin/python3 /opt/escape.py\n")
        probe = re.sub(r"^(ConditionPathExists|Conflicts|RuntimeDirectory)=.*\n", "", probe, flags=re.MULTILINE)
        (machine.place / "etc/systemd/system/probe.service").write_text(probe)
        machine.sh("systemctl daemon-reload && systemctl start probe")
        done = json.loads((machine.place / "var/lib/nabd/escape.json").read_text())
        assert done.pop("its own folder") == "allowed", unit.name
        assert {way: said for way, said in done.items() if not said.startswith("denied")} == {}, unit.name
        assert len(done) >= 12


def test_a_gateway_with_nothing_is_ready_and_says_what_is_missing(machine: Booted) -> None:
    """F19: no network, no port, no time, no broker: ready all the same, and what is missing is named."""
    machine.sh("systemctl disable --now nabd-home && rm -rf /var/lib/nabd /etc/nabd/home.toml")
    took = _start_with_nothing(machine, "edge")
    assert took <= READY
    said = json.dumps(_status(machine))
    assert "/dev/ttyUSB0" in said
    assert "unsynced" in said


def test_a_program_that_hangs_is_started_anew(machine: Booted) -> None:
    """A stopped process gives no sign of life: systemd kills it and starts another within its patience."""
    old = machine.sh("systemctl show -P MainPID nabd-edge").strip()
    machine.sh(f"kill -STOP {old}")
    _wait(machine, f'pid=$(systemctl show -P MainPID nabd-edge); test "$pid" != {old} && test "$pid" != 0', 60)
    _wait(machine, "systemctl is-active --quiet nabd-edge", 20)


def test_enabled_without_a_configuration_it_waits(machine: Booted) -> None:
    """A service without its file is skipped with the reason, and is no failed unit."""
    machine.sh("systemctl stop nabd-edge && rm /etc/nabd/edge.toml && systemctl start nabd-edge")
    assert machine.sh("systemctl show -P ConditionResult nabd-edge").strip() == "no"
    assert machine.sh("systemctl is-failed nabd-edge || true").strip() == "inactive"


def test_a_house_with_nothing_explains_all_four_on_its_page(machine: Booted) -> None:
    """F19: the page itself tells in both languages that network, port, time and broker are missing."""
    assert _start_with_nothing(machine, "home") <= READY
    _wait(machine, "nabd status --json | grep -q ttyUSB0", 20)
    link = machine.run("sudo", "-u", "nabd", "nabd", "web", "link").stdout.split()[0]
    pages: dict[str, str] = json.loads(machine.run("python3", "-c", LOOK, link).stdout)
    for language, page in pages.items():
        shown, words = html.unescape(re.sub(r"<[^>]*>", "", page)), catalogue(language)
        for text in TROUBLES:
            told = words.gettext(text).format(name="wire", reason="\n")
            assert all(part in shown for part in told.split("\n")), f"{language}: {told}"
        assert "/dev/ttyUSB0" in shown


def test_a_reboot_alone_forgets_nothing(machine: Booted) -> None:
    """The reset is part of every start, and does nothing while no file asks for it."""
    before = machine.sh("cat /etc/nabd/home.toml; ls /var/lib/nabd")
    machine.sh("systemctl enable nabd-home")
    machine.stop()
    machine.start()
    _wait(machine, "systemctl is-active --quiet nabd-home", 30)
    assert machine.sh("cat /etc/nabd/home.toml; ls /var/lib/nabd") == before
    assert machine.sh("systemctl show -P ConditionResult nabd-factory-reset").strip() == "no"


def test_a_file_on_the_first_partition_resets_at_the_next_boot(machine: Booted) -> None:
    """Before any service starts all is erased but the system; the file goes last, and nothing is set up any more."""
    (machine.place / "boot/firmware").mkdir(exist_ok=True)
    (machine.place / "boot/firmware/nabd-factory-reset").touch()
    # The disk under this root is that of the computer that tests: it is not told to forget anything.
    told = machine.place / "usr/sbin/fstrim"
    told.unlink()
    told.write_text("#!/bin/sh\necho $1 >/var/forgot\n")
    told.chmod(0o755)
    machine.stop()
    machine.start()
    _wait(machine, "systemctl show -P ActiveState nabd-factory-reset | grep -q inactive", 60)
    assert machine.sh("systemctl show -P Result,ExecMainStatus nabd-factory-reset") == "success\n0\n"
    assert machine.sh("ls -A /var/lib/nabd /etc/nabd").split() == ["/etc/nabd:", "meters", "/var/lib/nabd:"]
    assert machine.sh("ls -A /boot/firmware /run/nabd 2>/dev/null || true").split() == ["/boot/firmware:"]
    assert machine.sh("cat /var/forgot").strip() == "/"
    assert machine.sh("systemctl show -P ConditionResult nabd-home").strip() == "no"
    machine.sh("nabd setup --answers /root/answers.toml && systemctl start nabd-home")


def test_the_page_resets_without_a_reboot(machine: Booted) -> None:
    """S27: the operator types the box's name; before the house starts anew everything is gone, and so it does not."""
    _wait(machine, "systemctl is-active --quiet nabd-home", 30)
    link = machine.run("sudo", "-u", "nabd", "nabd", "web", "link").stdout.split()[0]
    assert "This box forgets everything now" in machine.run("python3", "-c", FORGET, link).stdout
    _wait(machine, "[ ! -e /etc/nabd/home.toml ]", 60)
    _wait(machine, "systemctl show -P ActiveState nabd-factory-reset | grep -q inactive", 60)
    assert machine.sh("systemctl show -P Result,ExecMainStatus nabd-factory-reset") == "success\n0\n"
    assert machine.sh("ls -A /var/lib/nabd /etc/nabd").split() == ["/etc/nabd:", "meters", "/var/lib/nabd:"]
    _wait(machine, "systemctl show -P ActiveState nabd-home | grep -q inactive", 30)
    assert machine.sh("systemctl show -P ConditionResult nabd-home").strip() == "no"
