"""Text messages by any provider: the body it wants, and nothing a text could add to it."""

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.notify.channels.contract import Message
from gateway.notify.channels.sms import Sms, Template
from gateway.notify.sms import parts
from tests.support.http_sink import HttpSink, Posted

JSON = '{"recipients":["{to}"],"message":{"body":"Nabd: {text}"},"id":"{key}","unicode":true}'
FORM = "AppSid={token}&Recipient={to}&Body={text}&empty="


async def posted(template: str, message: Message, **more: Any) -> Posted:
    """Send to a real server and give what it read."""
    async with HttpSink() as sink:
        await Sms(f"http://127.0.0.1:{sink.port}/send", "+966500000000", Template.read(template), **more).send(message)
    return sink.posted[0]


async def test_a_json_template_is_filled(message: Callable[..., Message]) -> None:
    """The token goes into the header, for the template has no place for it."""
    made = message()
    said = await posted(JSON, made, token="secret")
    assert json.loads(said.body) == {
        "recipients": ["+966500000000"], "message": {"body": f"Nabd: {made.words.sms}"}, "id": made.key,
        "unicode": True,
    }  # fmt: skip
    assert said.headers["authorization"] == "Bearer secret"
    assert said.headers["idempotency-key"] == made.key
    assert parts(made.words.sms) <= 2


async def test_a_form_template_is_filled(message: Callable[..., Message]) -> None:
    """The token goes where the template says, and nowhere else."""
    made = message()
    said = await posted(FORM, made, token="secret")
    assert dict(parse_qsl(said.body.decode(), keep_blank_values=True)) == {
        "AppSid": "secret", "Recipient": "+966500000000", "Body": made.words.sms, "empty": "",
    }  # fmt: skip
    assert "authorization" not in said.headers


async def test_a_user_and_a_password_go_into_the_header(message: Callable[..., Message]) -> None:
    """As HTTP's basic authentication."""
    said = await posted(JSON, message(), username="nabd", password="pw")
    assert said.headers["authorization"] == f"Basic {b64encode(b'nabd:pw').decode()}"


@given(st.text(max_size=60), st.sampled_from([JSON, FORM]))
def test_no_text_adds_a_field(text: str, template: str) -> None:
    """Quotes, ampersands and places in a text stay what they are."""
    text = text.encode(errors="ignore").decode()
    body = Template.read(template).fill({"{to}": "+1", "{text}": text, "{key}": "k", "{token}": "t"})
    if template == FORM:
        assert dict(parse_qsl(body.decode(), keep_blank_values=True)) == {
            "AppSid": "t", "Recipient": "+1", "Body": text, "empty": "",
        }  # fmt: skip
    else:
        assert json.loads(body)["message"] == {"body": f"Nabd: {text}"}


def test_what_is_filled_in_is_not_filled_again() -> None:
    """A text that speaks of places cannot fetch the token."""
    body = Template.read(JSON).fill({"{to}": "{token}", "{text}": "{token}{to}", "{key}": "k", "{token}": "canary"})
    assert b"canary" not in body


@pytest.mark.parametrize("template", ['{"a":"{text}"', "", "a=b", "{text}"])
def test_what_is_no_template_is_refused(template: str) -> None:
    """When it is read, not when somebody needs help."""
    with pytest.raises(ValueError):  # noqa: PT011
        Template.read(template)
