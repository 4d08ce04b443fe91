"""The corpus, checked: what is planted is found, and what is sound is left alone (M7)."""

import pytest

from benchmarks import vee
from simulator.corpus_faults import PLANTS, corpus


def test_m7_a_short_corpus_is_found_whole() -> None:
    """Three days of twenty meters, weeks before them at a reading a day: every planted fault, and nothing else."""
    score = vee.run(20, 3, 40)
    assert set(score.planted) == set(PLANTS)
    assert score.missed == []
    assert score.false_share <= vee.FALSE_SHARE, score.wrong_places


@pytest.mark.slow
def test_m7_a_month_of_two_hundred_meters() -> None:
    """A thousand faults: 99 of a hundred where nobody needs to guess, 90 elsewhere, one sound quarter in a thousand."""
    score = vee.run(200, 30, 1000)
    assert score.planted.total() > 950
    assert [str(figure) for figure in vee.figures(score) if not figure.reached] == []


def test_the_corpus_is_the_same_each_time() -> None:
    """One seed, one corpus; another seed, another one."""
    once, again, other = (corpus(5, 2, 20, seed) for seed in (1, 1, 2))
    assert once[1] == again[1] != other[1]
    assert [list(tape.said()) for tape in once[0]] == [list(tape.said()) for tape in again[0]]


def test_registers_of_sound_meters_only_rise() -> None:
    """Without faults the corpus is what a sound meter says: its own witness against careless bending."""
    tapes, labels = corpus(5, 2, 0)
    assert {label.kind for label in labels} == {"pest"}
    for tape in tapes[1:]:
        for key in tape.registers:
            shown = [said.values[key] for said in tape.said()]
            assert shown == sorted(shown)
