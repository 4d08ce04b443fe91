"""Channels in the file: what each kind needs, and what it must not have."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config import ConfigError, load

HUB = """\
[mqtt]
url = "mqtts://broker.example:8883"
[[channel]]
name = "x"
"""
NTFY = 'kind = "ntfy"\nurl = "https://ntfy.example/topic"\n'
MAIL = 'kind = "smtp"\nurl = "smtps://mail.example"\nto = "me@mail.example"\n'
CHAT = 'kind = "telegram"\nchat = "42"\ntoken_file = "secret"\n'
TEXTS = (
    'kind = "sms"\nurl = "https://sms.example/send"\nnumber = "+966500000000"\n'
    'body = \'{"to":"{to}","text":"{text}"}\'\n'
)
TOPIC = 'kind = "mqtt"\nurl = "mqtts://broker.example"\n'
PUSH = 'kind = "webpush"\nkey_file = "secret"\naddress_file = "secret"\nsender = "ops@mail.example"\n'
ANY = 'kind = "apprise"\naddress_file = "secret"\n'
HOOK = 'kind = "webhook"\nurl = "https://hook.example/a/b"\n'


@pytest.fixture
def said(tmp_path: Path) -> Callable[[str], str]:
    """Give a callable that loads a hub with one channel of these lines, and says what is wrong with it."""

    def read(lines: str) -> str:
        (tmp_path / "secret").write_text("x", encoding="utf-8")
        (tmp_path / "secret").chmod(0o600)
        path = tmp_path / "hub.toml"
        path.write_text(HUB + lines, encoding="utf-8")
        try:
            load(path, "hub", {})
        except ConfigError as error:
            return str(error)
        return ""

    return read


@pytest.mark.parametrize(
    "lines",
    [
        NTFY, MAIL, HOOK, CHAT, TEXTS, TOPIC, PUSH, ANY,
        TEXTS + 'token_file = "secret"\nsafety = "now"\ncost = "off"\ndigest = "weekly"\nfasting = "04:00-10:00"\n',
        TOPIC + 'topic = "home/alerts"\nusername = "u"\npassword_file = "secret"\n',
        NTFY + '[[channel]]\nname = "y"\nsecond = true\n' + CHAT,
        NTFY + 'token_file = "secret"\nquiet = ""\nseverity = "info"\nlanguage = "ar"\ntenant = "villa-2"\n',
        MAIL + 'username = "u"\npassword_file = "secret"\nsender = "nabd@mail.example"\nquiet = "04:00-10:00"\n',
        HOOK + 'secret_file = "secret"\n',
        'kind = "ntfy"\nurl = "http://127.0.0.1:8000/topic"\ntoken_file = "secret"\n',
    ],
)  # fmt: skip
def test_these_are_fine(lines: str, said: Callable[[str], str]) -> None:
    """Each kind with what belongs to it."""
    assert said(lines) == ""


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (MAIL.replace("smtps", "https"), "is not for kind smtp"),
        (NTFY.replace("https", "smtps").replace("/topic", ""), "is not for kind ntfy"),
        (NTFY.replace("/topic", "/"), "names no topic"),
        (NTFY.replace("/topic", "/a/b"), "has more than a topic"),
        (MAIL.replace('to = "me@mail.example"\n', ""), "has no address to write to"),
        (MAIL.replace("me@", "Me <me@"), "a mail address without a name"),
        (MAIL.replace('to = "me@mail.example"', 'to = "me@mail.example\\r\\nbcc@mail.example"'), "control character"),
        (MAIL + 'username = "u"\n', "needs password_file"),
        (MAIL + 'token_file = "secret"\n', "changes nothing with kind smtp"),
        (HOOK + 'to = "me@mail.example"\n', "changes nothing with kind webhook"),
        (NTFY.replace("https", "http") + 'token_file = "secret"\n', "would send a secret without TLS"),
        (MAIL.replace("smtps", "smtp+plain") + 'username = "u"\npassword_file = "secret"\n', "secret without TLS"),
        (NTFY + 'quiet = "22-07"\n', '"22:00-07:00"'),
        (NTFY + 'quiet = "25:00-07:00"\n', '"22:00-07:00"'),
        (NTFY + 'quiet = "07:00-07:00"\n', '"22:00-07:00"'),
        (NTFY + 'token = "tk_abc"\n', "token_file"),
        ('kind = "pigeon"\nurl = "https://x.example/y"\n', "it can be"),
        ('kind = "sms"\nurl = "https://x.example/y"\n', "needs number"),
        (TEXTS.replace("{text}", ""), "has no place for the text"),
        (TEXTS.replace("+966", "05"), "a telephone number with its country"),
        (TEXTS.replace("https", "http") + 'token_file = "secret"\n', "would send a secret without TLS"),
        (CHAT.replace('chat = "42"\n', ""), "needs chat"),
        (CHAT + 'url = "https://x.example"\n', "changes nothing with kind telegram"),
        (TOPIC.replace("mqtts", "https"), "is not for kind mqtt"),
        (TOPIC + 'topic = "home/#"\n', "without + and #"),
        (TOPIC.replace("mqtts", "mqtt") + 'username = "u"\npassword_file = "secret"\n', "secret without TLS"),
        ('kind = "ntfy"\n', "needs url"),
        (PUSH.replace('sender = "ops@mail.example"\n', ""), "needs sender"),
        (NTFY + 'safety = "off"\n', "leaves nobody"),
        (NTFY + "second = true\n", "leaves nobody"),
        (NTFY + 'leak = "hourly"\n', "it can be"),
        (NTFY + '[[channel]]\nname = "x"\n' + NTFY, "as channel number 1 is"),
        (HOOK.replace("https://", "https://user:pw@"), "no user and no password"),
    ],
)
def test_these_are_not(lines: str, problem: str, said: Callable[[str], str]) -> None:
    """Each mistake is told in words a person can act on, and never repeats a secret."""
    assert problem in said(lines)
    assert "tk_abc" not in said(lines)
