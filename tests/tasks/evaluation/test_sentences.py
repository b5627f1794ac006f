"""Protects the words of the ledger: they follow the figures and do not flatter."""

from dataclasses import replace

import pytest

from tasks.evaluation.ledger import FOLLOW_UPS, LIKE_TRAINING, Difference, HeldOut
from tasks.evaluation.markdown import ledger_markdown
from tasks.evaluation.sentences import (
    forgetting_sentences,
    majority_sentence,
    rule_sentences,
    skip_sentences,
    subset_sentence,
    verdict_sentences,
)
from tasks.evaluation.sentences import (
    test_set_sentences as said_of_test_sets,
)
from tests.tasks.evaluation.test_ledger import ARM, LITERAL, OWN, PART, ledger


def test_what_tuned_models_have_forgotten_is_said() -> None:
    whole = ledger({"base": replace(ARM, difference=None), "sft": ARM, "rlhf": replace(ARM, divergence=None)})
    assert forgetting_sentences(whole) == [
        "Fine-tuning keeps 0.970 of the likelihood of general text, token by token, and moves the answers to "
        "general prompts by 0.210 nats a token (95 % interval 0.150 to 0.300)."
    ]
    assert forgetting_sentences(whole)[0] in ledger_markdown(whole)


@pytest.mark.parametrize(
    ("low", "high", "verdict", "words"),
    [
        (0.1, 0.2, "helps", "RLHF helps: better than fine-tuning"),
        (-0.2, -0.1, "does not help", "RLHF does not help: worse than fine-tuning"),
        (0.0, 0.0, "does not help", "RLHF does not help: no better than fine-tuning"),
        (-0.1, 0.1, "not clear", "RLHF: not clear from these questions whether it helps over fine-tuning"),
    ],
)
def test_the_sentence_follows_the_verdict(low: float, high: float, verdict: str, words: str) -> None:
    difference = Difference(against="sft", mean=(low + high) / 2, low=low, high=high, verdict=verdict)  # type: ignore[arg-type]
    sentences = verdict_sentences(ledger({"rlhf": replace(ARM, difference=difference)}))
    assert sentences["rlhf"].startswith(words)


@pytest.mark.parametrize(
    ("low", "high", "verdict", "score", "words"),
    [
        (
            0.1,
            0.3,
            "helps",
            0.6,
            "(0.400 to 0.600): RLHF is better (+0.200, 95 % interval +0.100 to +0.300).",
        ),
        (-0.1, 0.1, "not clear", 0.6, "RLHF is not clearly better (+0.000, 95 % interval -0.100 to +0.100)."),
        (-0.3, -0.1, "does not help", 0.6, "RLHF is worse (-0.200, 95 % interval -0.300 to -0.100)."),
        (
            -0.1,
            0.1,
            "not clear",
            0.33,
            "RLHF is not clearly better (+0.000, 95 % interval -0.100 to +0.100).",
        ),
    ],
)
def test_whether_the_task_needs_a_model_is_said(
    low: float, high: float, verdict: str, score: float, words: str
) -> None:
    difference = Difference(against="rule", mean=(low + high) / 2, low=low, high=high, verdict=verdict)  # type: ignore[arg-type]
    better = replace(difference, mean=0.5, low=0.5, high=0.5, verdict="helps")
    whole = ledger(
        {
            "sft": replace(ARM, over_rule=better),
            "rlhf": replace(ARM, over_rule=difference),
            "rule": replace(ARM, score=score),
        }
    )
    [sentence] = rule_sentences(whole)
    assert words in sentence
    copied = verdict != "helps" and score > whole.majority  # what one constant answer does is no copying
    assert sentence.startswith("Your task is copying: a rule of a few lines") is copied
    assert sentence.endswith("You may not need a model.") is copied


def test_without_a_rule_or_a_tuned_model_nothing_is_said_of_it() -> None:
    assert rule_sentences(ledger({"sft": ARM})) == []
    assert rule_sentences(ledger({"base": ARM, "rule": ARM})) == []


def test_what_was_left_out_is_said() -> None:
    skipped = {"few_shot": "evaluate.few_shot is 0", "rule": "no passages"}
    assert skip_sentences(replace(ledger({}), skipped=skipped)) == [
        "Few-shot prompting was skipped: evaluate.few_shot is 0.",
        "The rule was skipped: no passages.",
    ]


def test_the_sizes_of_the_subsets_are_said() -> None:
    parts = {"mine": replace(PART, n=50), LIKE_TRAINING: replace(PART, n=70)}
    assert subset_sentence(ledger({"sft": replace(ARM, subsets=parts)})) == (
        "Questions: 70 like training, 50 mine."
    )
    parts = {LIKE_TRAINING: replace(PART, n=70), FOLLOW_UPS: replace(PART, n=5)}
    assert subset_sentence(ledger({"sft": replace(ARM, subsets=parts)})) == (
        "Questions: 70 like training, 5 follow-ups (a question may be in more than one)."
    )
    assert subset_sentence(ledger({"sft": ARM})) == ""


def test_whose_questions_count_is_said() -> None:
    whole = ledger({"sft": ARM})
    assert majority_sentence(whole).startswith("10 questions, 3 of them unanswerable. Always answering")
    assert majority_sentence(replace(whole, counts=("own questions",))).startswith(
        "The scores are those on your own test set \u201cown questions\u201d: 10 questions, 3 of them"
    )
    assert "your own test sets \u201ca\u201d and \u201cb\u201d: 10" in majority_sentence(
        replace(whole, counts=("a", "b"))
    )


def test_the_version_of_an_own_test_set_is_said_and_what_of_it_was_not_asked() -> None:
    own = HeldOut(questions=10, version="1a2b3c4d5e6f")
    versions = {"own questions": own, "unseen wording": OWN}
    whole = replace(ledger({"sft": ARM}), counts=("own questions",), versions=versions, wording=LITERAL)
    assert said_of_test_sets(whole) == ["own questions: 10 questions, version 1a2b3c4d5e6f."]
    two = replace(whole, counts=("own questions", "unseen wording"))
    assert said_of_test_sets(two) == [
        "own questions: 10 questions, version 1a2b3c4d5e6f.",
        "unseen wording: 50 questions, version 1a2b3c4d5e6f.",
        "Of your own, longer than the model's context and not asked: 50.",
    ]


def test_without_an_own_test_set_it_is_said_what_the_wording_flatters() -> None:
    assert said_of_test_sets(replace(ledger({"sft": ARM}), wording=LITERAL)) == [
        "0.83 of the words of the answerable questions stand in their documents. On the third of the "
        "questions that shares fewest (47), fine-tuning scores 0.61 (0.50 to 0.72): a test set of your own "
        "tells more (docs/test-set.md)."
    ]
    assert said_of_test_sets(ledger({"sft": ARM})) == []
