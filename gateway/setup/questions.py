"""The questions of `nabd setup`, in their order: a table, so that terminal, file and configuration agree.

1. A question is asked when its `needs` says so of the answers before it.
2. An answer goes through the validator of the option it sets, so what setup takes `nabd check` takes too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from gateway.config.broker import UplinkTable
from gateway.config.customers import ChannelTable, StoreTable
from gateway.config.models import GatewayTable, WebTable
from gateway.config.near import meant
from gateway.config.values import Context
from gateway.i18n import N_
from gateway.setup.errors import SetupError

TABLES: Mapping[str, type[BaseModel]] = {
    "gateway": GatewayTable, "mqtt": UplinkTable, "store": StoreTable, "web": WebTable,
    "phone": ChannelTable, "mail": ChannelTable,
}  # fmt: skip
"""Which table's options an answer sets; phone and mail are channels."""

LISTEN = {"this": "127.0.0.1:8080", "network": "0.0.0.0:8080"}
"""Who may reach the pages, and where they are served for that."""

Given = Mapping[str, str]


def _always(_given: Given) -> bool:
    return True


def _home(given: Given) -> bool:
    return given["kind"] == "home"


def _edge(given: Given) -> bool:
    return given["kind"] == "edge"


@dataclass(frozen=True, slots=True)
class Question:
    """One question: its name in a file of answers, its words, `table.option` it sets, and when it is asked."""

    name: str
    words: str
    sets: str = ""
    needs: Callable[[Given], bool] = _always
    choices: tuple[str, ...] = ()
    optional: bool = False

    def problem(self, answer: str, folder: Path) -> str:
        """Say what is wrong with an answer, "" when nothing is; `folder` is the configuration's."""
        if not answer:
            return "" if self.optional else "needs an answer"
        if self.choices:
            return "" if answer in self.choices else f"is not one of {', '.join(self.choices)}"
        return self._proven(answer, folder) if self.sets else ""

    def _proven(self, answer: str, folder: Path) -> str:
        table, _, option = self.sets.partition(".")
        field = TABLES[table].model_fields[option]
        # An option's type and validators, put together again as its table has them.
        kind: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
        try:
            TypeAdapter(kind).validate_python(answer, context=Context(folder, {}))
        except ValidationError as error:
            return str(error.errors(include_url=False)[0]["msg"])
        return ""


QUESTIONS = (
    Question("language", N_("Language of pages and messages, and of these questions: en or ar?"),
             "gateway.language", choices=("en", "ar")),
    Question("kind", N_("What is this: home (keeps the readings of one house) or edge (brings them to a broker)?"),
             choices=("home", "edge")),
    Question("zone", N_("In which time zone do days begin here?"), "gateway.zone"),
    Question("tenant", N_("Whose gateway is this? (a short name of the owner, in Latin letters)"),
             "gateway.tenant", _edge),
    Question("id", N_("What is this gateway called? (a name that no other has, in Latin letters)"),
             "gateway.id", _edge),
    Question("broker", N_("Where is the broker? (such as mqtts://broker.example:8883)"), "mqtt.url", _edge),
    Question("home_broker", N_("Have you an MQTT broker that shall hear of it? (such as mqtt://homeassistant.local; "
             "Enter: no)"), "mqtt.url", _home, optional=True),
    Question("broker_user", N_("Which user is this gateway at the broker? (Enter: the usual one)"), "mqtt.username",
             lambda given: bool(given.get("broker") or given.get("home_broker")), optional=True),
    Question("broker_password", N_("Which file holds the broker's password? (Enter: it wants none)"),
             "mqtt.password_file",
             lambda given: bool(given.get("broker") or given.get("home_broker")), optional=True),
    Question("store", N_("Where are readings kept: sqlite (here), postgres, influx or victoria?"), "store.kind", _home,
             choices=("sqlite", "postgres", "influx", "victoria")),
    Question("store_url", N_("Where does that store answer? (such as https://influx.example:8086)"), "store.url",
             lambda given: given.get("store", "sqlite") != "sqlite"),
    Question("store_user", N_("Which user are we at that store?"), "store.username",
             lambda given: given.get("store") == "postgres"),
    Question("store_password", N_("Which file holds that user's password?"), "store.password_file",
             lambda given: given.get("store") == "postgres"),
    Question("store_token", N_("Which file holds the store's token? (Enter: it wants none)"), "store.token_file",
             lambda given: given.get("store") in {"influx", "victoria"}, optional=True),
    Question("pages", N_("Who may reach the pages: this (only this machine) or network (everyone on the local "
             "network, with a one-time link)?"), "web.listen", choices=tuple(LISTEN)),
    Question("phone", N_("Alerts on a phone: the address of an ntfy topic that nobody guesses? (Enter: none)"),
             "phone.url", _home, optional=True),
    Question("mail", N_("Alerts by mail: to which address? (Enter: none)"), "mail.to", _home, optional=True),
    Question("mail_server", N_("By which mail server? (such as smtps://mail.example)"), "mail.url",
             lambda given: bool(given.get("mail"))),
    Question("mail_user", N_("Which user are we at that mail server? (Enter: none)"), "mail.username",
             lambda given: bool(given.get("mail")), optional=True),
    Question("mail_password", N_("Which file holds that user's password?"), "mail.password_file",
             lambda given: bool(given.get("mail_user"))),
    Question("search", N_("Search for meters now: names of ports and hosts with spaces between, or all for every "
             "serial adapter? (Enter: later)"), optional=True),
)  # fmt: skip

NAMES = tuple(question.name for question in QUESTIONS)


def usual_answers(language: str, zone: str, host: str) -> dict[str, str]:
    """Give the answers that Enter stands for, on a machine with this language, time zone and name."""
    return {
        "language": language, "kind": "home", "zone": zone, "tenant": "home", "id": host,
        "store": "sqlite", "pages": "this",
    }  # fmt: skip


def known(name: str) -> str:
    """Take the name of a question; raises SetupError with the nearest one."""
    if name not in NAMES:
        raise SetupError(f"there is no question {name!r}", meant(name, NAMES, f"one of {', '.join(NAMES)}"))
    return name
