"""Protects the page: every section is there, it needs nothing beside it, and it does not flatter."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tasks.errors import SourceError
from tasks.evaluation.ledger import HeldOut, write_ledger
from tasks.release.report.inputs import read_inputs
from tasks.release.report.page import pick
from tasks.release.report.sentences import calibration_sentences, headline, reward_sentences
from tests.tasks.pages.checking import checked
from tests.tasks.release.report.conftest import ledger, make_page, questions, rewarded, write_reports


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("reports")
    return make_page(folder, write_reports(folder))


def test_the_page_is_whole_html_with_unique_ids_and_no_address_outside(page: str) -> None:
    found = checked(page)
    assert found.targets
    inside = [target for target in found.targets if target != "validation.html"]  # the page beside it
    assert all(target.startswith("#") and target[1:] in found.ids for target in inside)
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
        "a rule, no model",
        '<th scope="col" class="n">unseen package</th>',
        "0.39<br><small>0.00&ndash;0.78</small>",
        'passage found</th><td class="n">91 %</td><td class="n">77 %</td><td class="n">\u2013</td>',
        "0.83 of the words of the answerable questions stand in their documents.",
        "On the third of the questions that shares fewest (27), RLHF scores 0.61 (0.50 to 0.72)",
        "Questions: 60 like training, 60 unseen package, 8 follow-ups (a question may be in more than one).",
        "A rule of a few lines, without a model, scores 0.610 (0.540 to 0.680): RLHF is better (+0.165, 95 % "
        "interval +0.080 to +0.250).",
        "what is the default of <code>C</code>?",
        "[1] sklearn.svm.SVC",
        "[7] is no source",
        "exact duplicate 100",
        "a search chose lora. It made 2 trials (1 failed) with 2,952 of 3,000 tokens.",
        "learning_rate 0.001235, rank 8",
        "no &lt;room&gt;",
        "Every row is accounted for",
        "The data went on to the split.",
        "There are at least 50 examples.",
        "where the validation loss was lowest (0.21)",
        "it prefers the better answer in 84 % (95 % interval 76 % to 90 %).",
        "On 80 pairs of the test split, which had no say: 80 %",
        "Trivial rules reach: “the longer wins” 52 %.",
        "the reward model has a blind spot here",
        "Curves of rlhf",
        "Reliability of the reward model",
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
    for name in values.keys() - {"serve", "compare", "classify", "images", "parallel"}:
        assert f"<h3>{name}</h3>" in page


def test_equal_reports_give_an_equal_page(page: str, tmp_path: Path) -> None:
    assert make_page(tmp_path, write_reports(tmp_path)) == page


def test_a_run_without_a_ledger_says_so(tmp_path: Path) -> None:
    paths = [path for path in write_reports(tmp_path) if path.name in ("collect.json", "clean.json")]
    html = make_page(tmp_path, paths)
    assert "no ledger yet" in html
    assert "Nothing was trained" in html


def test_without_subsets_there_is_no_table_of_them(tmp_path: Path) -> None:
    paths = write_reports(tmp_path)
    whole = ledger()
    write_ledger(
        tmp_path / "ledger.json",
        replace(whole, arms={name: replace(arm, subsets={}) for name, arm in whole.arms.items()}),
    )
    assert "Score by subset" not in make_page(tmp_path, paths)


def test_where_the_user_has_a_test_set_the_page_says_that_the_ledger_is_over_it(tmp_path: Path) -> None:
    paths = write_reports(tmp_path)
    own = HeldOut(questions=60, version="1a2b3c4d5e6f")
    whole = replace(
        ledger(),
        questions=60,
        counts=("unseen package",),
        versions={"unseen package": own, "unseen wording": own},  # what is the sources' own is not spoken of
        recalls={},
        wording=None,
    )
    write_ledger(tmp_path / "ledger.json", whole)
    html = make_page(tmp_path, paths)
    assert "questions of your own the base model scores 0.04" in html
    assert "The scores are those on your own test set \u201cunseen package\u201d: 60 questions" in html
    assert html.count("version 1a2b3c4d5e6f") == 1
    assert "what is yours (unseen package) makes the ledger above" in html
    heading = '<th scope="col" class="n">{}</th>'.format
    assert heading("unseen package") + heading("like training") + heading("follow-ups") in html
    assert "passage found" not in html
    assert "words of the answerable questions" not in html


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
        return " ".join(reward_sentences({"validation": rewarded(rule, accuracy=0.7, interval=[0.6, 0.8])}))

    assert "It is no better than the best of these rules." in said(0.7)
    assert "It is not clear from these pairs whether it is better than the best rule." in said(0.65)
    assert "rule." not in said(0.5)
    assert reward_sentences({}) == []


def test_what_speaks_against_a_reward_model_is_said() -> None:
    told = reward_sentences({"validation": rewarded(), "shortcomings": ["it guesses", "it is too long"]})
    assert told[-1] == "RLHF should not be judged by it: it guesses; it is too long."
    assert (
        "It does worst against answers with the flaw wrong_value: 80 % (95 % interval 76 % to 90 %) of 60."
        in told
    )
    assert (
        "The better answer is found in 84 % where it is the longer one "
        "and in 84 % where it is the shorter one." in told
    )
    assert "Its certainty is off by 6 % in the mean." in told


def test_the_headline_does_not_flatter() -> None:
    whole = ledger()
    assert "the best row, “fine-tuning”, scores 0.78" in headline(whole)
    assert "no better than one constant answer" in headline(replace(whole, majority=0.8))
    worse = {name: replace(one, score=0.9 if name == "base" else 0.1) for name, one in whole.arms.items()}
    assert headline(replace(whole, arms=worse)).startswith("No layer scores higher")
    assert headline(replace(whole, arms=worse)).endswith("(0.90 on 120 held-out questions).")


def test_it_is_said_when_a_model_abstains_and_what_coverage_adds() -> None:
    told = {
        "threshold": 0.0031, "coverage_weight": 8.0, "threshold_covered": 0.9, "abstains_rightly": 0.94,
        "abstains_wrongly": 0.07, "auc": 0.961, "auc_of_chance": 0.88,
    }  # fmt: skip
    [both] = calibration_sentences({"device": "cpu", "sft": told})
    assert "of 0.0031 or more if the sources cover nothing of the question, of 0.9 or more if" in both
    assert both.endswith("which is which in 96 % (by its chance alone in 88 %).")
    [alone] = calibration_sentences({"sft": {**told, "coverage_weight": 0.0, "auc": 0.88}})
    assert "a chance of 0.0031 or more: on validation questions rightly in 94 %, wrongly in 7 %." in alone
    assert alone.endswith("which is which in 88 %.")
    [honest] = calibration_sentences({"sft": {**told, "on_other_halves": {"rightly": 0.81, "wrongly": 0.2}}})
    assert honest.endswith("abstains on the other rightly in 81 %, wrongly in 20 %.")
    [none] = calibration_sentences({})
    assert none.startswith("No threshold was looked for")
