"""From the file's channels to real servers: one alert reaches webhook, push and mail, and its end does too."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import time as clock
from pathlib import Path

import pytest

from gateway.alerts.event import AlertEvent
from gateway.config import ConfigError, load
from gateway.config.customers import ChannelTable, HubConfig
from gateway.hubdb import BlockRecord, HubDatabase
from gateway.notify.build import Notices, _contact, open_notices
from gateway.notify.channels.build import channel_of
from gateway.notify.channels.mqtt import Mqtt
from gateway.notify.channels.ntfy import Ntfy
from gateway.notify.channels.sms import Sms
from gateway.notify.channels.smtp import Smtp
from gateway.notify.channels.telegram import Telegram
from gateway.notify.links import PATH, read
from tests.support.http_sink import HttpSink
from tests.support.mail_sink import MailSink

FILE = """\
[hub]
zone = "Asia/Riyadh"
language = "ar"
database = "hub.sqlite"
[mqtt]
url = "mqtts://broker.example:8883"
[[channel]]
name = "program"
kind = "webhook"
url = "http://127.0.0.1:{hook}/in"
secret_file = "secret"
[[channel]]
name = "phone"
kind = "ntfy"
url = "http://127.0.0.1:{push}/alerts"
token_file = "secret"
[[channel]]
name = "mail"
kind = "smtp"
url = "smtp+plain://127.0.0.1:{mail}"
to = "me@example.org"
language = "en"
"""


@pytest.fixture
async def servers() -> AsyncIterator[tuple[HttpSink, HttpSink, MailSink]]:
    """Give the three servers, listening."""
    async with HttpSink() as hook, HttpSink() as push, MailSink() as mail:
        yield hook, push, mail


def config_of(folder: Path, hook: int = 1, push: int = 1, mail: int = 1, more: str = "") -> HubConfig:
    """Write and load the file."""
    (folder / "secret").write_text("canary-secret", encoding="utf-8")
    (folder / "secret").chmod(0o600)
    (folder / "hub.toml").write_text(FILE.format(hook=hook, push=push, mail=mail) + more, encoding="utf-8")
    return load(folder / "hub.toml", "hub", {})


async def until(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def telling(config: HubConfig) -> AsyncIterator[tuple[HubDatabase, Notices]]:
    """Run a hub's notifier."""
    database = HubDatabase(config.hub.database)
    await database.open()
    notices = await open_notices(database.file, config.channel, config.hub)
    task = asyncio.create_task(notices.notifier("https://nabd.example/").run())
    try:
        yield database, notices
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await database.close()


async def test_an_alert_reaches_all_three_and_so_does_its_end(
    tmp_path: Path, servers: tuple[HttpSink, HttpSink, MailSink], event: Callable[..., AlertEvent],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """In the language each channel is configured for, with links that the hub's key opens; the log stays empty."""
    caplog.set_level(0)
    hook, push, mail = servers
    now = round(time.time() * 1000)
    raised = event(raised=now - 60_000, at=now)
    async with telling(config_of(tmp_path, hook.port, push.port, mail.port)) as (database, notices):
        await database.write([BlockRecord("home", "gw", 1, 1, now, events=[raised.encode()])])
        await until(lambda: bool(hook.posted and push.posted and mail.mails))
        over = event(raised=now - 60_000, at=now, state="cleared", seq=2)
        await database.write([BlockRecord("home", "gw", 1, 2, now, events=[over.encode()])])
        await until(lambda: min(len(hook.posted), len(push.posted), len(mail.mails)) == 2)
    first = json.loads(push.posted[0].body)
    assert first["title"].startswith("حمل زائد")
    assert mail.mails[0]["Subject"].startswith("Overload")
    token = first["actions"][0]["url"].partition(PATH)[2]
    link = read(token, notices.key, now // 1000)
    assert (link.action, link.tenant, link.alert, link.channel) == ("acknowledge", "home", raised.id, "phone")
    assert [json.loads(posted.body)["data"]["state"] for posted in hook.posted] == ["raised", "cleared"]
    ours = [record for record in caplog.records if not record.name.startswith(("mail.", "asyncio"))]
    assert not any("canary-secret" in record.getMessage() for record in caplog.records)
    assert ours == []


@pytest.mark.parametrize(("line", "people"), [("", 0), ('emergency = "998"', 1)])
async def test_gas_that_never_stops_is_told_to_people_only_with_a_number_to_call(
    tmp_path: Path,
    servers: tuple[HttpSink, HttpSink, MailSink],
    event: Callable[..., AlertEvent],
    line: str,
    people: int,
) -> None:
    """Programs hear of it in any case; the number stands in what people read."""
    hook, push, mail = servers
    now = round(time.time() * 1000)
    gas = event(rule="gas_continuous", unit="l/h", quantity="gas_volume_l", raised=now, at=now, baseline=0.0)
    other = event(id="0" * 16, rule="overload", raised=now, at=now + 1)
    config_of(tmp_path, hook.port, push.port, mail.port)
    file = tmp_path / "hub.toml"
    file.write_text(file.read_text("utf-8").replace("[mqtt]", f"{line}\n[mqtt]"), encoding="utf-8")
    async with telling(load(file, "hub", {})) as (database, _):
        await database.write([BlockRecord("home", "gw", 1, 1, now, events=[gas.encode(), other.encode()])])
        await until(lambda: len(hook.posted) == 2 and len(push.posted) == len(mail.mails) == 1 + people)
    said = [json.loads(posted.body)["message"] for posted in push.posted]
    assert sum("998" in text for text in said) == people


def test_tables_become_channels(tmp_path: Path) -> None:
    """Servers, topics, ports and securities are those of the URL."""
    from gateway.config.values import Context

    def made(**options: str) -> object:
        table = ChannelTable.model_validate({"name": "x", **options}, context=Context(tmp_path, {}))
        return channel_of(table, time.time, "home")

    (tmp_path / "secret").write_text("canary-secret\n", encoding="utf-8")
    (tmp_path / "secret").chmod(0o600)

    phone = made(kind="ntfy", url="https://ntfy.example:8443/topic/")
    assert isinstance(phone, Ntfy)
    assert (phone.server, phone.topic) == ("https://ntfy.example:8443", "topic")
    for url, security, port in [
        ("smtps://mail.example", "tls", 465),
        ("smtp://mail.example", "starttls", 587),
        ("smtp://mail.example:2525", "starttls", 2525),
        ("smtp+plain://127.0.0.1", "none", 25),
    ]:
        mail = made(kind="smtp", url=url, to="me@example.org")
        assert isinstance(mail, Smtp)
        assert (mail.security, mail.port, mail.sender) == (security, port, "me@example.org")
    chat = made(kind="telegram", chat="42", token_file="secret")
    assert isinstance(chat, Telegram)
    assert chat.address("sendMessage") == "https://api.telegram.org/botcanary-secret/sendMessage"
    texts = made(kind="sms", url="https://sms.example/x", number="+966500000000", body="to={to}&text={text}")
    assert isinstance(texts, Sms)
    assert texts.template.form
    topic = made(kind="mqtt", url="mqtts://broker.example")
    assert isinstance(topic, Mqtt)
    assert (topic.topic, topic.endpoint.client_id) == ("nabd/message/home/x", "nabd-x")
    with pytest.raises(ConfigError, match="x: "):
        made(kind="webpush", key_file="secret", address_file="secret", sender="ops@mail.example")


def test_a_table_becomes_what_its_reader_wants(tmp_path: Path) -> None:
    """Kinds as they stand in the file; a text message never brings a digest unless somebody asks for it."""
    config = config_of(
        tmp_path,
        more="""\
[[channel]]
name = "texts"
kind = "sms"
url = "https://sms.example/x"
number = "+966500000000"
body = "to={to}&text={text}"
cost = "off"
fasting = "04:00-10:00"
second = true
""",
    )
    contact = _contact(config.channel[-1])
    assert contact.frequency == {"cost": "off", "digest": "off"}
    assert (contact.second, contact.machine, contact.fasting) == (True, False, (clock(4), clock(10)))
    assert _contact(config.channel[0]).machine


def test_secrets_show_nowhere(tmp_path: Path) -> None:
    """Neither the configuration nor a channel prints what its file holds."""
    config = config_of(tmp_path)
    channels = [channel_of(table, time.time) for table in config.channel]
    assert "canary-secret" not in repr(config) + repr(channels)
