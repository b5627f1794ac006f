"""Protects held-out answers as they are served: the chance of the abstention, what is said else, the rule."""

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from deploy.engines.abstaining import Abstaining
from tasks.methods.parts.base_model import load_base
from tasks.training.reinforcement.rollouts import answered
from tasks.training.reinforcement.unsaid import WEIGHTS, abstains_best, either
from tasks.training.split_decoder import SplitDecoder
from tests.tasks.training.reinforcement.conftest import CPU

END = 1
PROMPTS = [[5, 6, 7, 8, 9], [11, 12, 13], [21, 5, 22, 6, 23, 7, 24]]


@pytest.fixture(scope="module")
def decoder(tiny_base: Path) -> SplitDecoder:
    return SplitDecoder(load_base(tiny_base, CPU), 1)


def greedy(decoder: SplitDecoder) -> list[tuple[int, ...]]:
    groups = answered(
        decoder,
        PROMPTS,
        responses=1,
        end=END,
        max_new_tokens=6,
        temperature=0.0,
        generator=torch.Generator(),
    )
    return [group.responses[0] for group in groups]


def test_the_chance_is_that_of_the_whole_sentence(decoder: SplitDecoder) -> None:
    sentence = [31, 32, END]
    found = either(decoder, PROMPTS, sentence, rows=2, end=END, max_new_tokens=6)
    for prompt, each in zip(PROMPTS, found, strict=True):
        final = decoder.upper(decoder.lower(torch.tensor([[*prompt, *sentence]])))
        chances = torch.log_softmax(decoder.logits(final[0, len(prompt) - 1 : -1]), dim=-1)
        expected = sum(float(chances[at, token]) for at, token in enumerate(sentence))
        assert each.chance == pytest.approx(math.exp(expected), rel=1e-4)


def test_what_is_no_abstention_is_said_as_without_it(decoder: SplitDecoder) -> None:
    found = either(decoder, PROMPTS, [31, 32, END], rows=2, end=END, max_new_tokens=6)
    assert [each.answering.responses[0] for each in found] == greedy(decoder)


def test_the_likeliest_answer_is_not_said_where_it_is_the_abstention(decoder: SplitDecoder) -> None:
    sentence = greedy(decoder)[0]
    first, *others = either(decoder, PROMPTS, sentence, rows=2, end=END, max_new_tokens=6)
    assert first.answering.responses[0] != sentence
    assert [each.answering.responses[0] for each in others] == greedy(decoder)[1:]


def test_both_answers_have_their_states(decoder: SplitDecoder) -> None:
    sentence = [31, 32, END]
    for each in either(decoder, PROMPTS, sentence, rows=2, end=END, max_new_tokens=6):
        for group in (each.answering, each.abstaining):
            expected = decoder.lower(torch.tensor([[*group.prompt, *group.responses[0]]]))[0]
            torch.testing.assert_close(group.states, expected, rtol=1e-3, atol=1e-4)
        assert each.abstaining.responses == (tuple(sentence),)


def test_a_threshold_parts_what_gains_from_what_loses() -> None:
    said = abstains_best([0.9, 0.2, 0.6, 0.1], [0.0] * 4, abstaining=[1, 0, 1, 0], answering=[0, 1, 0, 0.5])
    assert said == [True, False, True, False]


def test_coverage_counts_where_chances_alone_do_not_part_them() -> None:
    said = abstains_best([0.5, 0.6], [0.0, 1.0], abstaining=[1, 0], answering=[0, 1])
    assert said == [True, False]


def test_where_nothing_is_gained_nobody_abstains() -> None:
    assert abstains_best([0.9, 0.8], [0, 0], abstaining=[0, 1], answering=[1, 1]) == [False, False]


QUESTION = st.tuples(st.floats(0, 1), st.floats(0, 1), st.sampled_from([0.0, 1.0]), st.floats(0, 1))


@given(questions=st.lists(QUESTION, min_size=1, max_size=12), threshold=st.floats(0, 1))
def test_no_rule_scores_more(questions: list[tuple[float, float, float, float]], threshold: float) -> None:
    chances, coverage, abstaining, answering = zip(*questions, strict=True)
    said = abstains_best(chances, coverage, abstaining=abstaining, answering=answering)

    def total(rule: list[bool]) -> float:
        return sum(
            one if says else other for one, other, says in zip(abstaining, answering, rule, strict=True)
        )

    for weight in WEIGHTS:
        rule = Abstaining(threshold=threshold, coverage_weight=weight)
        assert total(said) >= total([rule.abstains(*each[:2]) for each in questions]) - 1e-6
