"""Protects the ledger as Markdown: a row for each arm, a column for each subset, every sentence."""

from dataclasses import replace

from tasks.evaluation.ledger import FOLLOW_UPS, LIKE_TRAINING, Difference, Subset
from tasks.evaluation.markdown import ledger_markdown
from tests.tasks.evaluation.test_ledger import ARM, LITERAL, OWN, PART, ledger


def test_markdown_has_a_row_for_each_arm_and_a_sentence_for_each_layer() -> None:
    text = ledger_markdown(ledger({"base": replace(ARM, difference=None), "retrieval": ARM}))
    assert "| + retrieval | 0.500 (0.400 to 0.600) | 90 % | \u2013 | 100 % | 0.970 | 812 ms |" in text
    assert (
        "10 questions, 3 of them unanswerable. Always answering \u201c`None`\u201d would score 0.330." in text
    )
    assert "- Retrieval helps: better than base (+0.100, 95 % interval +0.050 to +0.150)." in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in rows}) == 1


GOLDEN = """\
|  | score (95 % interval) | abstains rightly | abstains wrongly | valid citations | retention | latency |
|---|--:|--:|--:|--:|--:|--:|
| base | 0.500 (0.400 to 0.600) | 90 % | \u2013 | 100 % | 0.970 | 812 ms |
| + few-shot | 0.500 (0.400 to 0.600) | 90 % | \u2013 | 100 % | 0.970 | 812 ms |
| + fine-tuning | 0.500 (0.400 to 0.600) | 90 % | \u2013 | 100 % | 0.970 | 812 ms |
| a rule, no model | 0.450 (0.400 to 0.600) | 90 % | \u2013 | 100 % | \u2013 | 812 ms |

10 questions, 3 of them unanswerable. Always answering \u201c`None`\u201d would score 0.330. \
The passage with the answer is among the 3 that retrieval finds for 80 % of the answerable questions.

|  | like training | mine \\| yours | follow-ups |
|---|--:|--:|--:|
| base | 0.25 (0.10 to 0.40) | 0.25 (0.10 to 0.40) | 0.75 (0.50 to 1.00) |
| + few-shot | \u2013 | \u2013 | \u2013 |
| + fine-tuning | 0.25 (0.10 to 0.40) | 0.25 (0.10 to 0.40) | 0.75 (0.50 to 1.00) |
| a rule, no model | \u2013 | \u2013 | \u2013 |
| passage found | 80 % | \u2013 | 25 % |

Questions: 4 like training, 4 mine | yours, 2 follow-ups (a question may be in more than one).

- 0.83 of the words of the answerable questions stand in their documents. On the third of the questions \
that shares fewest (47), fine-tuning scores 0.61 (0.50 to 0.72): a test set of your own tells more \
(docs/test-set.md).
- Few-shot prompting helps: better than retrieval (+0.100, 95 % interval +0.050 to +0.150).
- A rule of a few lines, without a model, scores 0.450 (0.400 to 0.600): fine-tuning is better \
(+0.050, 95 % interval +0.010 to +0.090).
- RLHF was skipped: no pairs.
- Fine-tuning keeps 0.970 of the likelihood of general text, token by token, and moves the answers to \
general prompts by 0.210 nats a token (95 % interval 0.150 to 0.300).
"""


def test_markdown_as_a_whole() -> None:
    follow_ups = Subset(score=0.75, low=0.5, high=1.0, n=2, abstention=None, false_abstention=0.0)
    parts = {FOLLOW_UPS: follow_ups, "mine | yours": PART, LIKE_TRAINING: PART}
    over_rule = Difference(against="rule", mean=0.05, low=0.01, high=0.09, verdict="helps")
    against = Difference(against="retrieval", mean=0.1, low=0.05, high=0.15, verdict="helps")
    plain = replace(ARM, difference=None)
    whole = ledger(
        {
            "base": replace(plain, subsets=parts),
            "few_shot": replace(ARM, difference=against),
            "sft": replace(plain, over_rule=over_rule, subsets=parts),
            "rule": replace(plain, score=0.45, retention=None, divergence=None),
        }
    )
    recalls = {LIKE_TRAINING: 0.8, FOLLOW_UPS: 0.25}
    whole = replace(whole, skipped={"rlhf": "no pairs"}, recalls=recalls, wording=LITERAL)
    assert ledger_markdown(whole) == GOLDEN


def test_a_test_set_of_the_users_own_stands_first_and_with_its_version() -> None:
    parts = {LIKE_TRAINING: PART, "mine": PART}
    whole = replace(
        ledger({"sft": replace(ARM, difference=None, subsets=parts)}),
        counts=("mine",),
        versions={"mine": OWN},
    )
    lines = ledger_markdown(whole).splitlines()
    assert "|  | mine | like training |" in lines
    assert "- mine: 50 questions, version 1a2b3c4d5e6f." in lines
    assert not any("passage found" in line for line in lines)
