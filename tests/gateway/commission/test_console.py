"""Who answers: a terminal that shows nothing it would obey, and a file that says only what it says."""

from gateway.commission.console import Answers, AnswersFile, Question, Terminal, Topic


def ask(text: str, topic: Topic, about: str) -> str:
    """Look an answer up in a file."""
    import tomllib

    lines: list[str] = []
    answer = Answers(AnswersFile.model_validate(tomllib.loads(text)), lines.append).ask(Question(topic, about, "?"))
    assert lines == [f"? {answer}"]
    return answer


def test_a_terminal_is_given_nothing_to_obey() -> None:
    """Escapes of a meter's name or an error are taken out; isolates stay, for they keep Arabic in order."""
    shown: list[str] = []
    Terminal(shown.append, input).tell("\u2068a\x1b]0;b\x07\u202e\u2069")
    assert shown == ["\u2068a\ufffd]0;b\ufffd\ufffd\u2069"]


def test_an_answer_has_an_end() -> None:
    """Whatever is pasted, so much of it is read."""
    assert len(Terminal(print, lambda _: "9" * 10_000).ask(Question("display", "m", "?"))) == 200


def test_answers_belong_to_their_meter() -> None:
    """Another meter gets the usual, which is nothing."""
    text = 'arrived = ["p"]\n[[meter]]\nname = "a"\ndisplay = "1"\nchange = true\n'
    assert ask(text, "display", "a") == "1"
    assert ask(text, "change", "a") == "y"
    assert ask(text, "display", "b") == ""
    assert (ask(text, "arrived", "p"), ask(text, "arrived", "q"), ask(text, "send", "")) == ("y", "", "")


def test_a_renamed_meter_keeps_its_answers() -> None:
    """Once the configuration knows it by its label, the file still means it."""
    text = '[[meter]]\nname = "a"\nlabel = "flat"\nrename = {}\ndisplay = "1"\n'
    assert ask(text.format("true"), "display", "flat") == "1"
    assert ask(text.format("false"), "display", "flat") == ""
