"""Protects the form of the ledger: what is written is read back, rows keep their order, words are honest."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.errors import SourceError
from tasks.evaluation.ledger import (
    NAMES,
    Arm,
    Difference,
    Ledger,
    forgetting_sentences,
    ledger_markdown,
    milliseconds,
    percent,
    read_ledger,
    verdict_sentences,
    write_ledger,
)
from tasks.scoring.scores import Interval

ARM = Arm(
    score=0.5,
    low=0.4,
    high=0.6,
    n=10,
    abstention=0.9,
    false_abstention=None,
    citation_validity=1.0,
    citation_precision=None,
    retention=0.97,
    latency_ms=812.4,
    unfinished=0.0,
    tasks={"default": 0.5},
    difference=Difference(against="base", mean=0.1, low=0.05, high=0.15, verdict="helps"),
    divergence=Interval(mean=0.21, low=0.15, high=0.3),
)


def ledger(arms: dict[str, Arm]) -> Ledger:
    return Ledger(
        arms=arms,
        majority=0.33,
        majority_answer="`None`",
        recall=0.8,
        top_k=3,
        questions=10,
        unanswerable=3,
    )


def test_what_is_written_is_read_back_in_the_order_of_the_rows(tmp_path: Path) -> None:
    whole = ledger({name: replace(ARM, difference=None) if name == "base" else ARM for name in NAMES})
    write_ledger(tmp_path / "ledger.json", whole)
    again = read_ledger(tmp_path / "ledger.json")
    assert again == whole
    assert list(again.arms) == list(NAMES)


def test_what_tuned_models_have_forgotten_is_said_and_an_older_ledger_is_read(tmp_path: Path) -> None:
    whole = ledger({"base": replace(ARM, difference=None), "sft": ARM, "rlhf": replace(ARM, divergence=None)})
    assert forgetting_sentences(whole) == [
        "Fine-tuning keeps 0.970 of the likelihood of general text, token by token, and moves the answers to "
        "general prompts by 0.210 nats a token (95 % interval 0.150 to 0.300)."
    ]
    assert forgetting_sentences(whole)[0] in ledger_markdown(whole)
    write_ledger(tmp_path / "ledger.json", whole)
    values = json.loads((tmp_path / "ledger.json").read_text())
    del values["arms"]["sft"]["divergence"]
    (tmp_path / "ledger.json").write_text(json.dumps(values))
    assert forgetting_sentences(read_ledger(tmp_path / "ledger.json")) == []


def test_the_file_is_plain_metrics(tmp_path: Path) -> None:
    write_ledger(tmp_path / "ledger.json", ledger({"base": replace(ARM, difference=None)}))
    values = json.loads((tmp_path / "ledger.json").read_text())
    assert values["majority"] == 0.33
    assert values["arms"]["base"]["score"] == 0.5
    assert values["arms"]["base"]["false_abstention"] is None


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"arms": {"base": {}}}', '{"arms": {"base": {"difference": {"verdict": "great"}}}}'],
)
def test_a_damaged_ledger_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "ledger.json").write_text(text)
    with pytest.raises(SourceError, match=r"ledger\.json cannot be read"):
        read_ledger(tmp_path / "ledger.json")


def test_markdown_has_a_row_for_each_arm_and_a_sentence_for_each_layer() -> None:
    text = ledger_markdown(ledger({"base": replace(ARM, difference=None), "retrieval": ARM}))
    assert "| + retrieval | 0.500 (0.400 to 0.600) | 90 % | \u2013 | 100 % | 0.970 | 812 ms |" in text
    assert (
        "10 questions, 3 of them unanswerable. Always answering \u201c`None`\u201d would score 0.330." in text
    )
    assert "- Retrieval helps: better than base (+0.100, 95 % interval +0.050 to +0.150)." in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in rows}) == 1


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


def test_numbers_for_people() -> None:
    assert [percent(None), percent(0.005), percent(1.0)] == ["\u2013", "0 %", "100 %"]
    assert [milliseconds(None), milliseconds(12.4), milliseconds(1500)] == ["\u2013", "12 ms", "1.50 s"]
