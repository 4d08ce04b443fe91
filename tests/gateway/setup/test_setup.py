"""`nabd setup`: what it asks, what it writes of the answers, and what it never does unasked."""

import stat
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from gateway.config.load import load
from gateway.config.report import check
from gateway.i18n import words
from gateway.setup.errors import SetupError
from gateway.setup.questions import QUESTIONS, usual_answers
from gateway.setup_cmd import Options, setup, usual_here
from simulator.scenario import Scenario
from simulator.serve import running

USUAL = usual_answers("en", "Asia/Riyadh", "cellar-7")
SML = Scenario.model_validate(
    {"line": [{"name": "optical", "kind": "pty"}], "meter": [{"name": "m", "line": "optical", "profile": "sml"}]}
)


class Talk:
    """Whoever sits at the terminal: answers in turn, and sees what is told."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.told: list[str] = []

    def read(self, question: str) -> str:
        """Answer the next question; nobody is there once the answers are used up."""
        self.asked.append(question)
        if not self.answers:
            raise EOFError
        return self.answers.pop(0)

    async def setup(self, options: Options) -> int:
        """Run the command."""
        return await setup(options, USUAL, self.told.append, self.told.append, self.read)


def _file(folder: Path, text: str) -> Path:
    path = folder / "answers.toml"
    path.write_text(text)
    return path


async def test_enter_all_the_way_is_a_home_that_can_be_checked(tmp_path: Path) -> None:
    """Every usual answer taken: a house with a store of its own, pages for this machine, in this machine's zone."""
    talk = Talk(*[""] * 9)
    assert await talk.setup(Options(tmp_path)) == 0
    config = load(tmp_path / "home.toml", "home")
    assert (config.gateway.zone, config.gateway.language) == ("Asia/Riyadh", "en")
    assert (config.store.kind, config.web.listen, config.mqtt) == ("sqlite", "127.0.0.1:8080", None)
    assert "nabd home would run this" in check(tmp_path / "home.toml", "home")
    assert not talk.answers
    assert any("home.toml" in line for line in talk.told)


async def test_an_edge_is_asked_for_its_name_and_its_broker(tmp_path: Path) -> None:
    """A gateway of a fleet keeps no store and tells nobody itself, so it is asked for neither."""
    talk = Talk("", "edge", "UTC", "utility", "", "mqtts://broker.example", "", "", "network", "")
    assert await talk.setup(Options(tmp_path)) == 0
    config = load(tmp_path / "edge.toml", "edge")
    assert (config.gateway.tenant, config.gateway.id) == ("utility", "cellar-7")
    assert (config.mqtt.url, config.web.listen) == ("mqtts://broker.example", "0.0.0.0:8080")
    assert not any("store" in question or "phone" in question for question in talk.asked)


async def test_a_wrong_answer_is_said_and_asked_again(tmp_path: Path) -> None:
    """What `nabd check` would refuse is refused at the question, in the same words."""
    talk = Talk("de", "en", "", "Mars/Olympus", *[""] * 7)
    assert await talk.setup(Options(tmp_path)) == 0
    assert any("is not one of en, ar" in line for line in talk.told)
    assert any("no time zone" in line for line in talk.told)


async def test_who_never_answers_gets_no_file(tmp_path: Path) -> None:
    """Without a terminal, and after five wrong answers, it ends and says how to go on; nothing was written."""
    for answers in ((), ("x",) * 5):
        with pytest.raises(SetupError, match=r"language got no answer .*--answers FILE"):
            await Talk(*answers).setup(Options(tmp_path))
    assert not list(tmp_path.iterdir())


async def test_it_speaks_arabic_once_asked_to(tmp_path: Path) -> None:
    """The first question decides the language of all others, and the pages'."""
    talk = Talk("ar", *[""] * 8)
    assert await talk.setup(Options(tmp_path)) == 0
    say = words("ar").gettext
    assert [question.words for question in QUESTIONS if say(question.words) == question.words] == []
    assert talk.asked[1].startswith(say(QUESTIONS[1].words))
    assert load(tmp_path / "home.toml", "home").gateway.language == "ar"


async def test_a_file_answers_for_a_fleet(tmp_path: Path) -> None:
    """Every kind of answer from a file arrives where it belongs, secrets as the files that hold them."""
    secret = tmp_path / "secret"
    secret.write_text("s")
    secret.chmod(0o600)
    answers = f"""
kind = "home"
home_broker = "mqtt://broker.local"
broker_user = "u"
broker_password = "{secret}"
store = "postgres"
store_url = "postgresql://db.example/nabd"
store_user = "nabd"
store_password = "{secret}"
phone = "https://ntfy.example/secret-topic"
mail = "me@mail.example"
mail_server = "smtps://mail.example"
mail_user = "me"
mail_password = "{secret}"
"""
    talk = Talk()
    assert await talk.setup(Options(tmp_path / "etc", answers=_file(tmp_path, answers))) == 0
    config = load(tmp_path / "etc/home.toml", "home")
    assert config.mqtt is not None
    assert (config.mqtt.url, config.mqtt.username) == ("mqtt://broker.local", "u")
    assert (config.store.kind, config.store.username) == ("postgres", "nabd")
    assert [(channel.name, channel.kind, channel.to) for channel in config.channel] == [
        ("phone", "ntfy", None), ("mail", "smtp", "me@mail.example"),
    ]  # fmt: skip
    assert talk.asked == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('zonne = "UTC"', "there is no question 'zonne'.*zone"),
        ('zone = "Mars"', "zone: .*no time zone"),
        ("zone = 3", "zone is no text"),
        ("zone", "answers.toml: "),
        ('kind = "edge"', "broker: needs an answer"),
        ('store_url = "https://x"', "never asked of this home"),
        ('broker_password = "/nowhere"\nhome_broker = "mqtt://b"', "broker_password: .*not there"),
        ('zone = """' + "x" * 70_000 + '"""', "larger than 64 KiB"),
    ],
)
async def test_a_wrong_file_of_answers_is_explained(tmp_path: Path, text: str, complaint: str) -> None:
    """Whatever is wrong with it, the line says what, and nothing is written."""
    with pytest.raises(SetupError, match=complaint):
        await Talk().setup(Options(tmp_path / "etc", answers=_file(tmp_path, text)))
    assert not (tmp_path / "etc").exists()


async def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    """A no, an Enter and an end of input leave the file; a file of answers needs --replace."""
    mine = tmp_path / "home.toml"
    for last in ("n", "", None):
        mine.write_text("# mine\n")
        talk = Talk(*[""] * 9, *([last] if last is not None else []))
        assert await talk.setup(Options(tmp_path)) == 1
        assert mine.read_text() == "# mine\n"
    with pytest.raises(SetupError, match="--replace"):
        await Talk().setup(Options(tmp_path, answers=_file(tmp_path, "")))
    assert mine.read_text() == "# mine\n"


async def test_what_is_replaced_is_kept(tmp_path: Path) -> None:
    """After a yes, and with --replace, each file that stood there lies beside the new one."""
    mine = tmp_path / "home.toml"
    mine.write_text("# mine\n")
    assert await Talk(*[""] * 9, "y").setup(Options(tmp_path)) == 0
    assert await Talk().setup(Options(tmp_path, answers=_file(tmp_path, ""), replace=True)) == 0
    assert (tmp_path / "home.old1").read_text() == "# mine\n"
    assert "nabd setup" in (tmp_path / "home.old2").read_text()
    assert load(mine, "home").gateway.zone == "Asia/Riyadh"


async def test_a_file_that_cannot_be_kept_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a disk without links the old file stands, nothing lies beside it, and the reason is told."""

    def link(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    mine = tmp_path / "home.toml"
    mine.write_text("# mine\n")
    monkeypatch.setattr("os.link", link)
    with pytest.raises(SetupError, match="Operation not permitted"):
        await Talk(*[""] * 9, "y").setup(Options(tmp_path))
    assert mine.read_text() == "# mine\n"
    assert [path.name for path in tmp_path.iterdir()] == ["home.toml"]


async def test_others_may_not_read_it(tmp_path: Path) -> None:
    """The file names addresses and users: root writes it, the service's group reads it, nobody else does."""
    assert await Talk().setup(Options(tmp_path, answers=_file(tmp_path, ""))) == 0
    assert stat.S_IMODE((tmp_path / "home.toml").stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answers.toml", "home.toml"]


async def test_it_searches_for_meters(tmp_path: Path) -> None:
    """Ports that are named are searched, and the meters found are in the file before anything runs."""
    async with running(SML, tmp_path / "wires") as lines:
        talk = Talk(*[""] * 8, lines["optical"].where)
        assert await talk.setup(Options(tmp_path)) == 0
    assert [meter.profile.name for meter in load(tmp_path / "home.toml", "home").meter] == ["sml"]


def _etc(tmp_path: Path, target: str) -> Path:
    (tmp_path / "localtime").symlink_to(target)
    return tmp_path


def _nothing(tmp_path: Path) -> Path:
    return tmp_path


@pytest.mark.parametrize(
    ("make", "zone"),
    [
        (lambda path: _etc(path, "/usr/share/zoneinfo/Asia/Riyadh"), "Asia/Riyadh"),
        (lambda path: _etc(path, "../usr/share/zoneinfo/Etc/UTC"), "UTC"),
        (_nothing, "UTC"),
    ],
)
def test_usual_answers_are_this_machines(tmp_path: Path, make: Callable[[Path], Path], zone: str) -> None:
    """Language, zone and name are guessed from what the machine says of itself, and always may be used."""
    usual = usual_here({"LANG": "ar_SA.UTF-8"}, make(tmp_path), "raspberry.pi é")
    assert (usual["zone"], usual["language"], usual["id"]) == (zone, "ar", "raspberrypi")
    by_name: Iterable[tuple[str, str]] = usual_here({}, tmp_path, "é").items()
    problems = [question.problem(answer, tmp_path) for name, answer in by_name for question in QUESTIONS
                if question.name == name]  # fmt: skip
    assert set(problems) == {""}
