"""Protects own samples: drawn to what tuning has not seen, equal for a seed, each prompt accounted for."""

from dataclasses import replace
from pathlib import Path

import pytest

from deploy.files import read_json_lines
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.errors import SourceError
from tasks.machine.settings import RunSettings
from tasks.methods.note import MethodNote, write_note
from tasks.rows.learned import write_learned
from tasks.rows.records import Example, Preference
from tasks.rows.reports import Report, read_report, unbalanced
from tasks.rows.skipped import skip_reason
from tasks.rows.tables import read_table, write_table
from tasks.training.reinforcement.prompts import UNCHECKED
from tasks.training.sample import sample
from tasks.training.sampling.labelling import ANSWERS, Answers
from tasks.training.settings import SampleSettings
from tests.conftest import small_settings, write_tiny_index
from tests.contents import hashes
from tests.tasks.training.rlhf_stage import example
from tests.tasks.training.tuning.test_learned import line


class Stage:
    """The inputs of the stage in one folder; `run` is one call of it."""

    def __init__(self, folder: Path, base: Path, embedder: Path, sft: Path) -> None:
        self.folder, self.inputs = (
            folder,
            (folder / "splits", base, embedder, folder / "index", folder / "sft"),
        )
        folder.joinpath("sft").mkdir()
        for path in sft.iterdir():
            (folder / "sft" / path.name).write_bytes(path.read_bytes())
        write_note(folder / "sft", MethodNote(method="lora", settings={}, cannot={}))
        write_learned(folder / "sft", [line(id=f"e{number}") for number in range(30)])
        write_tiny_index(folder / "index", embedder, {"svm.SVC": "C=1.0 : float\nA number."})
        for name, rows in (("train", range(40)), ("validation", range(40, 46))):
            write_table(folder / "splits" / name / "examples.parquet", Example, [example(n) for n in rows])

    def run(self, name: str = "samples", **changed: object) -> Report:
        small: dict[str, object] = {
            "prompts": 8,
            "validation_prompts": 4,
            "responses": 3,
            "max_new_tokens": 6,
        }
        settings = SampleSettings.model_validate(
            {**small_settings().sample.model_dump(), **small, "counterfactuals": {}, **changed}
        )
        sample(
            *self.inputs,
            samples=self.folder / name,
            report=self.folder / f"{name}.json",
            run=RunSettings(seed=1, threads=1, precision="float32", attn_implementation="auto"),
            retrieval=RetrievalSettings(top_k=1, candidates=5, dense_weight=0.5, fusion="scores"),
            prompt=PromptSettings(template="assistant"),
            generation=GenerationSettings(max_new_tokens=8, temperature=0.0, top_p=1.0),
            settings=settings,
        )
        return read_report(self.folder / f"{name}.json")

    def answers(self, name: str = "samples") -> list[Answers]:
        return read_json_lines(self.folder / name / ANSWERS, Answers, error=SourceError, advice="")


@pytest.fixture
def stage(tmp_path: Path, tiny_base: Path, tiny_embedder: Path, sft_adapter: Path) -> Stage:
    return Stage(tmp_path, tiny_base, tiny_embedder, sft_adapter)


def test_answers_are_drawn_to_what_tuning_has_not_learned_from(stage: Stage) -> None:
    report = stage.run(max_new_tokens=60, temperature=3.0)
    assert unbalanced(report.rows) == []
    counts = {row.outcome: row.count for row in report.rows if not row.reason}
    assert (counts["in"], counts["kept"]) == (10, 8)
    assert report.figures["prompts"] == 12
    assert report.figures["different_answers"] > 0
    assert {each.id for each in stage.answers()} <= {f"e{number}" for number in range(30, 46)}
    for split in ("train", "validation"):
        pairs = read_table(stage.folder / "samples" / split / "preferences.parquet", Preference)
        assert len(pairs) == report.figures[f"{split}_pairs"]


def test_equal_seeds_draw_equal_answers(stage: Stage) -> None:
    assert stage.run("one") == stage.run("two")
    assert hashes(stage.folder / "one") == hashes(stage.folder / "two")


def test_what_has_no_judge_is_skipped_with_its_reason(stage: Stage) -> None:
    stage.run("off", enabled=False)
    assert skip_reason(stage.folder / "off") == "sample.enabled is false in params.yaml"
    write_learned(stage.folder / "sft", [line(id=f"e{number}") for number in range(40)])
    stage.run("learned")
    assert "no training questions that fine-tuning has not learned" in skip_reason(stage.folder / "learned")
    assert stage.answers("learned") == []


def test_people_are_given_the_answers_and_no_pairs_are_made(stage: Stage) -> None:
    report = stage.run("people", judge="people", max_new_tokens=60, temperature=3.0)
    assert (report.figures["train_pairs"], report.figures["validation_pairs"]) == (0, 0)
    assert all(len(each.responses) > 1 for each in stage.answers("people"))


@pytest.mark.parametrize(
    ("changed", "left_out"),
    [({"by_words": True}, 0), ({"by_words": False}, 4), ({"by_words": False, "judge": "people"}, 0)],
)
def test_what_no_rule_checks_is_asked_unless_the_settings_leave_it_out(
    stage: Stage, changed: dict[str, object], left_out: int
) -> None:
    rows = [replace(example(n), task="default" if n % 2 else "purpose") for n in range(30, 38)]
    write_table(stage.folder / "splits" / "train" / "examples.parquet", Example, rows)
    report = stage.run("asked", prompts=8, **changed)
    assert sum(row.count for row in report.rows if row.reason == UNCHECKED) == left_out
    assert report.figures["prompts"] == 12 - left_out


def test_an_answer_needs_room() -> None:
    with pytest.raises(ValueError, match="must be less than max_length"):
        SampleSettings.model_validate({**small_settings().sample.model_dump(), "max_new_tokens": 640})
