"""An EMQX access list, judged as EMQX 5 documents it, for there is no EMQX to ask.

1. The file is Erlang terms: tuples, lists, strings and atoms, each ended by a full stop; % begins a comment.
2. Rules are tried from top to bottom, and the first that fits decides: who, what (publish, subscribe, all), topics.
3. `{re, X}` is searched for in a name; ${username} and ${clientid} are put into a topic as they are; `{eq, X}` means
   the topic as it is written, wildcards and all.
4. What is asked for is compared as it is written: a subscription with wildcards is covered by a rule's wildcards only.
   `$share/GROUP/` does not count. A rule that begins with a wildcard fits no topic that begins with $.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Term = str | tuple["Term", ...] | list["Term"]
Action = Literal["publish", "subscribe"]

_TOKEN = re.compile(r'\s+|%[^\n]*|(?P<text>"(?:[^"\\]|\\.)*")|(?P<atom>[a-z]\w*)|(?P<mark>[{}\[\],]|\.(?=\s|$))')
_CLOSES = {"{": "}", "[": "]"}


@dataclass(frozen=True)
class Client:
    """Who asks, as the broker knows it."""

    username: str
    clientid: str = "gw"


def read(text: str) -> list[Term]:
    """Read the rules of a file; raises ValueError for what is no Erlang term."""
    tokens = list(_tokens(text))
    rules = []
    while tokens:
        rules.append(_term(tokens))
        if not tokens or tokens.pop(0) != ".":
            raise ValueError("a rule does not end with a full stop")
    return rules


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"no Erlang: {text[at : at + 20]!r}")
        at = found.end()
        if found.lastgroup:
            yield found[0]


def _term(tokens: list[str]) -> Term:
    first = tokens.pop(0) if tokens else ""
    if first not in _CLOSES:
        if not re.fullmatch(r'".*"|[a-z]\w*', first, re.DOTALL):
            raise ValueError(f"no term: {first!r}")
        return re.sub(r"\\(.)", r"\1", first[1:-1]) if first.startswith('"') else first
    inside: list[Term] = []
    while tokens and tokens[0] != _CLOSES[first]:
        inside.append(_term(tokens))
        if tokens and tokens[0] == ",":
            tokens.pop(0)
    if not tokens:
        raise ValueError(f"{first} is never closed")
    tokens.pop(0)
    return tuple(inside) if first == "{" else inside


def allows(rules: list[Term], client: Client, action: Action, topic: str) -> bool:
    """Tell what EMQX would do with `authorization.no_match = deny`; raises ValueError for a rule of no known form."""
    for rule in rules:
        match rule:
            case ("allow" | "deny" as verdict, "all"):
                return verdict == "allow"
            case ("allow" | "deny" as verdict, who, "publish" | "subscribe" | "all" as what, [*topics]):
                named = _is(client, who)
                if named and what in (action, "all") and any(_covers(client, one, topic) for one in topics):
                    return verdict == "allow"
            case _:
                raise ValueError(f"no rule: {rule}")
    return False


def _is(client: Client, who: Term) -> bool:
    match who:
        case "all":
            return True
        case ("username" | "user", ("re", str(pattern))):
            return re.search(pattern, client.username) is not None
        case ("clientid" | "client", ("re", str(pattern))):
            return re.search(pattern, client.clientid) is not None
        case ("username" | "user", str(name)):
            return name == client.username
        case ("clientid" | "client", str(name)):
            return name == client.clientid
        case _:
            raise ValueError(f"nobody: {who}")


def _covers(client: Client, rule: Term, topic: str) -> bool:
    asked = re.sub(r"^\$share/[^/]+/", "", topic)
    match rule:
        case ("eq", str(exact)):
            return exact == asked
        case str(pattern):
            pattern = pattern.replace("${username}", client.username).replace("${clientid}", client.clientid)
            hidden = asked.startswith("$") and pattern[:1] in ("+", "#")
            return not hidden and _fits(asked.split("/"), pattern.split("/"))
        case _:
            raise ValueError(f"no topic: {rule}")


def _fits(asked: list[str], pattern: list[str]) -> bool:
    if pattern == ["#"] or not pattern or not asked:
        return pattern in (["#"], asked)
    return pattern[0] in ("+", asked[0]) and _fits(asked[1:], pattern[1:])
