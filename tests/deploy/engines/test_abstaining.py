"""Protects abstaining by chance: from the threshold on the sentence is said, below it nothing of it is."""

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from deploy.abstention import ABSTENTION
from deploy.engines.abstaining import Abstaining, Gate, Gating, evidence, may_abstain
from deploy.engines.engine import Sampling
from deploy.engines.local import TransformersEngine
from deploy.messages import Message

PROMPTS = [[Message("user", text)] for text in ("what is it?", "what is the default of the number?", "why")]
SAMPLING = Sampling(max_new_tokens=12)


def engine(base: Path, threshold: float | None, weight: float = 0.0) -> TransformersEngine:
    if threshold is None:
        return TransformersEngine(base, {})
    rule = Abstaining(threshold=threshold, coverage_weight=weight)
    return TransformersEngine(base, {}, abstention={"base": rule})


def test_the_chance_is_that_of_the_whole_sentence(tiny_base: Path) -> None:
    found = engine(tiny_base, None)
    chances = found.abstention_chances(PROMPTS, model="base")
    from deploy.engines.chat import answer_ids, load_tokenizer, prompt_ids

    tokenizer = load_tokenizer(tiny_base)
    sentence = answer_ids(tokenizer, ABSTENTION)
    for prompt, chance in zip(PROMPTS, chances, strict=True):
        ids = [*prompt_ids(tokenizer, prompt), *sentence]
        with found.held("base") as logits:
            read = logits(torch.tensor([ids]))[0].float().log_softmax(-1)
        places = range(len(ids) - len(sentence) - 1, len(ids) - 1)
        expected = sum(float(read[place, ids[place + 1]]) for place in places)
        assert chance == pytest.approx(float(torch.tensor(expected).exp()), rel=1e-3)


def test_below_the_threshold_nothing_changes_and_from_it_on_the_sentence_is_said(tiny_base: Path) -> None:
    plain = [each.text for each in engine(tiny_base, None).generate(PROMPTS, model="base", sampling=SAMPLING)]
    never = engine(tiny_base, 1.0).generate(PROMPTS, model="base", sampling=SAMPLING)
    assert [each.text for each in never] == plain
    always = engine(tiny_base, 0.0).generate(PROMPTS, model="base", sampling=SAMPLING)
    assert [each.text for each in always] == [ABSTENTION] * 3
    assert all(each.finished for each in always)


def test_a_stream_says_what_a_batch_says(tiny_base: Path) -> None:
    found = engine(tiny_base, 0.0)
    text = "".join(piece.text for piece in found.stream(PROMPTS[0], model="base", sampling=SAMPLING))
    assert text == ABSTENTION


def test_a_row_abstains_by_its_own_coverage(tiny_base: Path) -> None:
    plain = [each.text for each in engine(tiny_base, None).generate(PROMPTS, model="base", sampling=SAMPLING)]
    # An untrained model gives the sentence hardly any chance, which is held at a millionth: its log-odds are
    # -13.8, those of this threshold -15, so that a coverage of 0.12 is as much as a weight of 10 allows.
    found = engine(tiny_base, 3e-7, 10.0)
    coverage = [0.9, 0.0, 0.3]
    together = found.generate(PROMPTS, model="base", sampling=SAMPLING, coverage=coverage)
    said = [each.text for each in together]
    assert said == [plain[0], ABSTENTION, plain[2]]
    streamed = []
    for prompt, covered in zip(PROMPTS, coverage, strict=True):
        pieces = found.stream(prompt, model="base", sampling=SAMPLING, coverage=covered)
        streamed.append("".join(piece.text for piece in pieces))
    assert streamed == said


def test_where_nothing_is_known_of_coverage_a_rule_that_needs_it_is_off(tiny_base: Path) -> None:
    plain = [each.text for each in engine(tiny_base, None).generate(PROMPTS, model="base", sampling=SAMPLING)]
    found = engine(tiny_base, 0.0, 10.0)
    said = found.generate(PROMPTS, model="base", sampling=SAMPLING)
    assert [each.text for each in said] == plain
    text = "".join(piece.text for piece in found.stream(PROMPTS[0], model="base", sampling=SAMPLING))
    assert text == plain[0]


@pytest.mark.parametrize("coverage", [0.0, 0.4, 1.0])
def test_a_rule_says_the_chance_from_which_on_it_abstains(coverage: float) -> None:
    rule = Abstaining(threshold=0.2, coverage_weight=3.0)
    least = rule.chance_at(coverage)
    assert rule.abstains(least + 1e-9, coverage)
    assert not rule.abstains(least - 1e-9, coverage)
    assert evidence(0.5, coverage, coverage_weight=3.0) == pytest.approx(-3.0 * coverage)


def test_nought_always_abstains_and_one_never() -> None:
    for chance in (0.0, 0.5, 1.0):
        for coverage in (0.0, 1.0):
            assert Abstaining(threshold=0.0, coverage_weight=9.0).abstains(chance, coverage)
            assert not Abstaining(threshold=1.0, coverage_weight=9.0).abstains(chance, coverage)
    assert Abstaining(threshold=1.0).chance_at(0.5) == 1.0


@pytest.mark.parametrize(("threshold", "weight"), [(1.5, 0.0), (-0.1, 0.0), (0.5, -1.0), (0.5, float("inf"))])
def test_a_rule_out_of_range_is_refused(threshold: float, weight: float) -> None:
    with pytest.raises(ValueError, match=r"0\.\.1, and the weight"):
        Abstaining(threshold=threshold, coverage_weight=weight)


def gate(*coverage: float, threshold: float = 0.5, weight: float = 0.0) -> Gate:
    rule = Abstaining(threshold=threshold, coverage_weight=weight)
    return Gate(tokens=(3, 5, 1), rule=rule, coverage=coverage)


def logits(chances: Sequence[float]) -> torch.Tensor:
    return torch.tensor([chances]).log()


def test_what_is_left_of_a_token_is_the_chance_of_its_other_endings() -> None:
    # The sentence has a chance of 0.3; its first token 0.4, so that 0.1 is left for what else begins so.
    gating = Gating(gate(0.0), [0.3])
    first = gating.steered([0], logits([0.3, 0.1, 0.1, 0.4, 0.05, 0.05])).softmax(-1)[0]
    assert first[3] / first[0] == pytest.approx(0.1 / 0.3, rel=1e-5)
    gating.follow([0], [3])
    # Behind it the second token has 0.9: 0.4 * 0.9 - 0.3 of 0.36 is left.
    second = gating.steered([0], logits([0.02, 0.02, 0.02, 0.02, 0.02, 0.9])).softmax(-1)[0]
    assert second[5] / second[0] == pytest.approx(0.9 * (0.06 / 0.36) / 0.02, rel=1e-4)
    gating.follow([0], [5])
    # The end has 0.3 / 0.36 of it, which is all taken away.
    third = gating.steered([0], logits([0.1, 0.3 / 0.36, 0.02, 0.02, 0.02, 0.02])).softmax(-1)[0]
    assert third[1] == pytest.approx(0.0, abs=1e-6)


def test_a_row_that_says_something_else_is_left_alone() -> None:
    gating = Gating(gate(0.0, 0.0), [0.3, 0.9])
    assert gating.steered([0, 1], logits([0.5, 0.1, 0.1, 0.1, 0.1, 0.1]).expand(2, 6)).argmax(
        -1
    ).tolist() == [0, 3]
    gating.follow([0, 1], [0, 3])
    rows = logits([0.5, 0.1, 0.1, 0.1, 0.1, 0.1]).expand(2, 6)
    after = gating.steered([0, 1], rows)
    assert torch.equal(after[0], rows[0].float())
    assert int(after[1].argmax()) == 5


def test_the_sentence_is_read_only_where_it_may_be_said() -> None:
    assert may_abstain(gate(0.0), logits([0.2, 0.1, 0.1, 0.4, 0.1, 0.1]))  # it wins
    unlikely = logits([0.6, 0.1, 0.1, 0.15, 0.02, 0.03])
    assert may_abstain(gate(0.0, threshold=0.1), unlikely)
    assert not may_abstain(gate(0.0), unlikely)
    assert may_abstain(gate(0.0, threshold=0.1, weight=2.0), unlikely)
    assert not may_abstain(gate(0.9, threshold=0.1, weight=2.0), unlikely)


def test_how_near_a_model_is_to_deciding_otherwise_is_told() -> None:
    rule = Abstaining(threshold=0.5, coverage_weight=2.0)
    assert rule.distance(0.5, 0.0) == pytest.approx(0.0)
    assert rule.distance(0.4, 1.0) == pytest.approx(2.0 - math.log(2 / 3))
    assert rule.distance(0.9, 1.0) == pytest.approx(math.log(9.0) - 2.0)
    assert Abstaining(threshold=1.0).distance(0.3, 0.0) == math.inf
    assert Abstaining(threshold=1.0).distance(0.999, 0.0) == rule.distance(0.8, 1.0) == 0.0
