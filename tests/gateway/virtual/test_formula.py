"""Formulas of virtual meters: what they mean, and what is refused."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.virtual.formula import DEEPEST, LONGEST, FormulaError, parse


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("main", {"main": 1}),
        ("main - solar", {"main": 1, "solar": -1}),
        ("a + b + c", {"a": 1, "b": 1, "c": 1}),
        ("a - b - c", {"a": 1, "b": -1, "c": -1}),
        ("a - (b - c)", {"a": 1, "b": -1, "c": 1}),
        ("main - 0.5 * heat-pump", {"main": 1, "heat-pump": Fraction(-1, 2)}),
        ("2 * (a + 3 * b) * 0.5", {"a": 1, "b": 3}),
        ("(a + b) * (2 - 1)", {"a": 1, "b": 1}),
        ("- a", {"a": -1}),
        ("-a--b", {"a--b": -1}),
        ("a + a", {"a": 2}),
        ("a - a + b", {"b": 1}),
        ("flat-1 + flat-2", {"flat-1": 1, "flat-2": 1}),
        ("3rd + _x", {"3rd": 1, "_x": 1}),
        ("  main\n +  solar ", {"main": 1, "solar": 1}),
    ],
)
def test_what_each_meter_counts(text: str, weights: dict[str, Fraction]) -> None:
    """Sums, differences, brackets and factors become one number a meter, exactly."""
    assert parse(text).weights == weights


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "lacks a meter or a number at its end"),
        ("main -", "lacks a meter or a number at its end"),
        ("main + * solar", "lacks a meter or a number before '*'"),
        ("main solar", "has 'solar' where it should end"),
        ("(main", "lacks a closing bracket"),
        ("main)", "has ')' where it should end"),
        ("main * solar", "multiplies two meters"),
        ("main + 5", "adds a number that belongs to no meter"),
        ("5", "adds a number that belongs to no meter"),
        ("0 * main", "has no meter in it"),
        ("a - a", "has no meter in it"),
        ("main / 2", "has '/' in it"),
        ("0,5 * main", "has ',' in it"),
        ("__import__('os')", 'has "\'" in it'),
        ("999999999 * 999999999 * a", "counts a too often"),
        ("999999999 * " * 40 + "a", "counts a too often"),
        ("0.000000001 * " * 40 + "a", "counts a too little"),
        ("(" * (DEEPEST + 1) + "a" + ")" * (DEEPEST + 1), f"has more than {DEEPEST} brackets within one another"),
        ("a" * (LONGEST + 1), f"is longer than {LONGEST} characters"),
    ],
)
def test_what_means_nothing_is_refused(text: str, what: str) -> None:
    """The message says what is wrong, and never takes the interpreter down."""
    with pytest.raises(FormulaError) as caught:
        parse(text)
    assert caught.value.what == what


@given(st.text(alphabet="ab1.+-*() ,\n", max_size=60))
def test_any_text_is_a_formula_or_refused(text: str) -> None:
    """Nothing but FormulaError leaves the parser, and what it takes reads the same when tidied."""
    try:
        formula = parse(text)
    except FormulaError:
        return
    assert parse(formula.text).weights == formula.weights
    assert all(formula.weights.values())
