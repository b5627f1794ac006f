"""Protects `sft.method: auto`: a choice with its evidence, the same after a kill, without the test split."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from deploy.errors import SettingsError
from tasks.errors import SourceError, TrainingError
from tasks.methods.lora import LoraSettings
from tasks.methods.note import NOTE as METHOD_NOTE
from tasks.methods.selective import SelectiveSettings
from tasks.rows.reports import read_report
from tasks.rows.skipped import skip_reason
from tasks.settings import Settings
from tasks.training.choice import FILE, Choice, read_choice, settled, write_choice
from tasks.training.search import search
from tasks.training.searching.confirming import Confirmation, confirm
from tasks.training.searching.halving import Rung
from tasks.training.searching.journal import Attempt
from tasks.training.searching.proposals import Candidate
from tasks.training.sft import sft
from tests.conftest import small_settings

SMALL = {
    "method": "auto",
    "lora": LoraSettings(rank=4, learning_rate=5e-3),
    "validation_rows": 3,
    "max_length": 480,
    "counterfactuals": {},
    "companions": 0,
    "accumulation": 1,
    "batch_size": 2,  # a step has to fit into the 750 tokens that a trial of the first rung may have
    "epochs": 4,
}
FEW = {"methods": ["lora", "selective"], "trials": 4, "tokens": 6_000, "rungs": 2, "eta": 4}
FEW |= {"confirmations": 0, "validation_rows": 3}


@pytest.fixture(scope="module")
def values() -> Settings:
    """The project's settings, small enough for a random model of four layers."""
    return small_settings(sft=SMALL, search=FEW)


def sections(values: Settings) -> dict[str, Any]:
    names = ("run", "retrieval", "prompt", "generation")
    return {name: getattr(values, name) for name in names}


def find(chain: list[Path], out: Path, values: Settings, **changed: Any) -> dict[str, Any]:
    """The figures of a search over files of the training and the validation split alone."""
    splits, *rest = chain
    rows = [out / f"{split}.parquet" for split in ("train", "validation")]
    for path in rows:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(splits / path.stem / "examples.parquet", path)
    search(
        *rows,
        *rest,
        choice=out / "choice",
        report=out / "search.json",
        work=out / "work",
        sft=values.sft.model_copy(update=changed),
        settings=values.search,
        **sections(values),
    )
    return dict(read_report(out / "search.json").figures)


def unclocked(figures: dict[str, Any]) -> dict[str, Any]:
    attempts = [{**one, "seconds": 0.0} for one in figures["attempts"]]
    return {**figures, "seconds": 0.0, "attempts": attempts}


@pytest.fixture(scope="module")
def whole(
    tiny_chain: list[Path], values: Settings, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """A search that nothing has interrupted: its folder and its figures."""
    out = tmp_path_factory.mktemp("search")
    return out, find(tiny_chain, out, values)


def test_the_lowest_loss_of_the_last_rung_is_chosen_and_every_trial_is_evidence(
    whole: tuple[Path, dict[str, Any]],
) -> None:
    out, figures = whole
    first, last = ([one for one in figures["attempts"] if one["rung"] == rung] for rung in (0, 1))
    assert [one["method"] for one in first[:2]] == ["lora", "selective"]
    assert first[0]["settings"] == LoraSettings(rank=4, learning_rate=5e-3).model_dump(mode="json")
    assert [one["number"] for one in last] == [min(first, key=lambda one: one["loss"])["number"]]
    assert all(0 < one["trained"] <= one["tokens"] for one in figures["attempts"])
    assert last[0]["trained"] > first[0]["trained"]
    assert figures["spent_tokens"] == sum(one["trained"] for one in figures["attempts"]) <= 6_000
    chosen = read_choice(out / "choice")
    assert chosen is not None
    assert (chosen.method, chosen.settings) == (last[0]["method"], last[0]["settings"])
    assert chosen.evidence()["trials"] == 5


def test_a_search_that_was_killed_goes_on_and_chooses_the_same(
    whole: tuple[Path, dict[str, Any]], tiny_chain: list[Path], values: Settings, tmp_path: Path
) -> None:
    out, figures = whole
    kept = tmp_path / "work/attempts"
    kept.mkdir(parents=True)
    for name in ("0-000.json", "0-001.json"):
        shutil.copy(out / "work/attempts" / name, kept)
    (kept / "0-002.json").write_text("{", encoding="utf-8")
    (tmp_path / "work/trial/best").mkdir(parents=True)  # of the trial in which it was killed
    known = [one["seconds"] for one in figures["attempts"][:2]]
    resumed = find(tiny_chain, tmp_path, values)
    assert unclocked(resumed) == unclocked(figures)
    assert [one["seconds"] for one in resumed["attempts"][:2]] == known
    assert (tmp_path / "choice" / FILE).read_bytes() == (out / "choice" / FILE).read_bytes()


def test_fine_tuning_uses_the_choice_and_says_where_it_comes_from(
    whole: tuple[Path, dict[str, Any]], tiny_chain: list[Path], values: Settings, tmp_path: Path
) -> None:
    out, figures = whole
    sft(
        *tiny_chain,
        out / "choice",
        adapter=tmp_path / "sft",
        curve=tmp_path / "sft.csv",
        report=tmp_path / "sft.json",
        work=tmp_path / "work",
        settings=values.sft.model_copy(update={"epochs": 1}),
        **sections(values),
    )
    told = read_report(tmp_path / "sft.json").figures
    note = json.loads((tmp_path / "sft" / METHOD_NOTE).read_text(encoding="utf-8"))
    assert told["method"] == note["method"] == figures["choice"]["method"]
    assert note["settings"] == told["searched"]["settings"] == figures["choice"]["settings"]
    assert told["searched"]["tokens"] == figures["spent_tokens"]


def test_a_trial_that_fails_says_why_and_the_search_goes_on(
    tiny_chain: list[Path], values: Settings, tmp_path: Path
) -> None:
    mad = SelectiveSettings(learning_rate=1e30)
    figures = find(tiny_chain, tmp_path, values, lora=LoraSettings(rank=48), selective=mad)
    failed = [one["failed"] for one in figures["attempts"]]
    assert "rank 48 is larger than the smaller side" in failed[0]
    assert "lower learning_rate" in failed[1]
    assert figures["failed"] == sum(map(bool, failed)) < len(failed)
    assert figures["choice"]["validation_loss"] > 0


def test_where_every_trial_fails_the_reasons_are_told_and_the_next_run_tries_again(
    tiny_chain: list[Path], values: Settings, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match=r"none of the 4 trials .*\n  4 x of 12 training examples none"):
        find(tiny_chain, tmp_path, values, max_length=16)
    assert not (tmp_path / "work/attempts").exists()


def test_with_a_method_in_params_it_is_left_out(values: Settings, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    search(
        *[missing] * 5,
        choice=tmp_path / "choice",
        report=tmp_path / "search.json",
        work=tmp_path / "work",
        sft=values.sft.model_copy(update={"method": "lora"}),
        settings=values.search,
        **sections(values),
    )
    assert skip_reason(tmp_path / "choice") == "sft.method is lora in params.yaml"
    assert read_choice(tmp_path / "choice") is None
    assert read_report(tmp_path / "search.json").figures == {"skipped": "sft.method is lora in params.yaml"}


def test_a_choice_that_is_missing_or_does_not_fit_is_told(values: Settings, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"choice\.json cannot be read.*run dvc repro search"):
        read_choice(tmp_path)
    write_choice(
        tmp_path,
        Choice(method="lora", settings={"rnk": 4}, validation_loss=1.0, trials=1, tokens=10),
    )
    for choice in (read_choice(tmp_path), None):
        with pytest.raises(SourceError, match=r"(do not fit|was skipped); run dvc repro search"):
            settled(values.sft, choice)
    with pytest.raises(SettingsError, match=r"sft\.method is auto.* name one of full, selective"):
        _ = values.sft.chosen


def test_what_is_not_clearly_better_gives_way_to_lora(
    tiny_chain: list[Path], values: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = values.search.model_copy(update={"confirmations": 2, "methods": ["selective"], "trials": 4})
    figures = find(tiny_chain, tmp_path, values.model_copy(update={"search": asked}))
    told = figures["confirmation"]
    holds = sum(told["usual"]) / 2 - sum(told["found"]) / 2 > told["spread"]
    assert told["holds"] == holds
    assert figures["choice"]["method"] == ("selective" if holds else "lora")
    assert [one["method"] for one in told["attempts"]] == ["selective", "lora"] * 2
    assert len({one["loss"] for one in told["attempts"]}) == 4
    assert told["sentence"] in capsys.readouterr().out


@pytest.mark.parametrize(("method", "left_out"), [("selective", True), ("lora", False)])
def test_a_choice_that_rules_rlhf_out_says_so_before_anything_is_trained_by_it(
    method: str,
    left_out: bool,
    tiny_chain: list[Path],
    values: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = values.search.model_copy(update={"methods": [method], "trials": 1, "rungs": 1})
    figures = find(tiny_chain, tmp_path, values.model_copy(update={"search": asked}))
    assert figures["choice"]["method"] == method
    reason = "RLHF will be left out: sft.method selective cannot be followed by RLHF"
    assert (reason in capsys.readouterr().out) is left_out


@pytest.mark.parametrize(
    ("found", "usual", "holds"),
    [((0.2, 0.22), (0.3, 0.31), True), ((0.2, 0.3), (0.29, 0.31), False), ((0.3, 0.3), (0.2, 0.2), False)],
)
def test_better_means_by_more_than_seeds_differ(
    found: tuple[float, ...], usual: tuple[float, ...], holds: bool
) -> None:
    assert Confirmation(found=found, usual=usual, attempts=()).holds is holds


def test_what_could_not_be_tried_by_other_seeds_is_not_chosen() -> None:
    def attempt(candidate: Candidate, rung: Rung, seed: int) -> Attempt:
        failed = "no memory" if candidate.method == "lora" and seed == 2 else ""
        return Attempt(
            rung=rung.number,
            number=candidate.number,
            method=candidate.method,
            settings={},
            tokens=rung.tokens,
            trained=None if failed else rung.tokens,
            loss=None if failed else 0.1,
            seconds=1.0,
            failed=failed,
        )

    one, other = (Candidate(number=0, method=name, settings=LoraSettings()) for name in ("selective", "lora"))
    with pytest.raises(TrainingError, match=r"lora by another seed failed \(no memory\).*confirmations: 0"):
        confirm(one, other, Rung(number=2, trials=1, tokens=10), 3, attempt)
