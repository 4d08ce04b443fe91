"""The line of each key, against TOML that tries to hide it."""

import tomllib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.locate import line_of, lines_of

TRICKY = '''\
# a = 0
a = 1
b.c = """x
[no]
"""   # y ] "
[t]
"q.r" = [ # [
 1, "]",
]
[[meter]]
name = 'a'
x = { y = 1 }
[[meter]]

name="b#"

[meter.sub]
z = \'\'\'
[[meter]]
\'\'\'
[[ "bus" ]]
k = ["[", '"', 3]
'''


def test_tricky_text_keeps_its_lines() -> None:
    """Comments, strings of several lines, dotted and quoted keys, and arrays hide no key and feign none."""
    tomllib.loads(TRICKY)
    assert lines_of(TRICKY) == {
        ("a",): 2,
        ("b",): 3,
        ("b", "c"): 3,
        ("t",): 6,
        ("t", "q.r"): 7,
        ("meter",): 10,
        ("meter", 0): 10,
        ("meter", 0, "name"): 11,
        ("meter", 0, "x"): 12,
        ("meter", 1): 13,
        ("meter", 1, "name"): 15,
        ("meter", 1, "sub"): 17,
        ("meter", 1, "sub", "z"): 18,
        ("bus",): 21,
        ("bus", 0): 21,
        ("bus", 0, "k"): 22,
    }


def test_what_stands_nowhere_has_the_line_of_what_is_around_it() -> None:
    """A missing key is sought at its table, the inside of a value at its key, and a missing table nowhere."""
    lines = lines_of(TRICKY)
    assert line_of(lines, ("meter", 1, "profile")) == 13
    assert line_of(lines, ("meter", 0, "x", "y", 3)) == 12
    assert line_of(lines, ("mqtt", "url")) is None


values = st.recursive(
    st.one_of(
        st.integers(0, 99).map(str),
        st.sampled_from(['"#"', "'['", '"\\""', '"""\n]\n"""', "'''\n[[a]]\nb = 1\n'''", '""""a"""', "[[1], ['#']]"]),
    ),
    lambda inner: st.lists(inner, min_size=1, max_size=3).map(lambda parts: "[\n" + ",# ]\n".join(parts) + "\n]"),
    max_leaves=4,
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["", "[t{}]", "[[r]]"]), values, st.booleans()), max_size=8))
def test_every_key_is_found_on_the_line_it_was_written(rows: list[tuple[str, str, bool]]) -> None:
    """Whatever values stand between, each key's line is the one it was written on."""
    text, told = "", {}
    for number, (header, value, spaced) in enumerate(rows):
        if header:
            text += header.format(number) + "\n"
        told[f"k{number}"] = text.count("\n") + 1
        text += f"k{number} = {value}{'  # = [' if spaced else ''}\n" + "\n" * spaced
    tomllib.loads(text)
    found: dict[Any, int] = {key[-1]: line for key, line in lines_of(text).items() if str(key[-1]).startswith("k")}
    assert found == told
