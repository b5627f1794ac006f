"""Protects replay: its share, its rows again and after a kill, apart from the probe, every one counted."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.engines.chat import end_of_turn, load_tokenizer, prompt_ids
from deploy.messages import Message
from tasks.machine.device import set_up_torch
from tasks.methods.parts.base_model import load_base
from tasks.rows.records import GENERAL_TASK, Example
from tasks.rows.reports import unbalanced
from tasks.scoring.probe import GENERAL, PROMPTS, grams, overlaps, passages, probe_grams
from tasks.settings import Settings
from tasks.training.trained import Trained
from tasks.training.tuning.replay import WRITTEN, Replay, general_rows, replay_rows
from tasks.training.tuning.self_synthesis import IN_PROBE, Text, fault_of_answer, fault_of_turn, write_talks
from tests.contents import hashes
from tests.deploy.knowledge.listed import reader
from tests.tasks.rows.made import question
from tests.tasks.training.tuning.processes import changed
from tests.tasks.training.tuning.test_methods import tune_by
from tests.tasks.training.tuning.tune import cut_short

Replayed = Callable[..., Replay]


def own_rows(count: int) -> list[Example]:
    return [
        question(f"own-{n}", "Name a colour.", f"Colour number {n} is a fine one.", task=GENERAL_TASK)
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def replay(tiny_base: Path, settings: Settings) -> Replayed:
    model = load_base(tiny_base, set_up_torch(settings.run))
    tokenizer = load_tokenizer(tiny_base)

    def run(own: list[Example], count: int, work: Path, seed: int = 1) -> Replay:
        return replay_rows(own, count, model, tokenizer, max_length=300, seed=seed, work=work)

    return run


def totals(found: Replay) -> Counter[str]:
    assert unbalanced(found.counts) == []
    sums: Counter[str] = Counter()
    for row in found.counts:
        sums[row.outcome] += row.count
    return sums


@pytest.mark.parametrize(
    ("rows", "share", "general"), [(90, 0.1, 10), (80, 0.2, 20), (50, 0.5, 50), (7, 0.0, 0)]
)
def test_the_share_is_of_all_rows(rows: int, share: float, general: int) -> None:
    assert general_rows(rows, share) == general
    assert general / (rows + general) == pytest.approx(share)


def test_own_rows_come_first_as_they_are_asked_without_the_prompt(
    replay: Replayed, tiny_base: Path, tmp_path: Path
) -> None:
    tokenizer = load_tokenizer(tiny_base)
    found = replay(own_rows(9), 4, tmp_path)
    assert totals(found) == {"in": 9, "unused": 5, "trained": 4}
    assert found.figures["replay"] == {"wanted": 4, "rows": 4, "own": 4, "written": 0}
    for row, asked in zip(found.rows.rows, found.rows.examples, strict=True):
        assert list(row.input_ids[: row.answer_start]) == prompt_ids(tokenizer, asked.example.prompt)
        assert row.input_ids[-1] == end_of_turn(tokenizer)
    assert not (tmp_path / WRITTEN).exists()


def test_without_a_share_own_general_rows_are_unused_and_nothing_is_written(
    replay: Replayed, tmp_path: Path
) -> None:
    found = replay(own_rows(3), 0, tmp_path)
    assert totals(found) == {"in": 3, "unused": 3, "trained": 0}
    assert found.figures == {}
    assert replay([], 0, tmp_path).counts == []


def test_missing_rows_are_written_counted_and_the_same_again(
    replay: Replayed, tiny_base: Path, tmp_path: Path
) -> None:
    (tmp_path / "again").mkdir()
    (tmp_path / "other").mkdir()
    found = replay(own_rows(2), 5, tmp_path)
    assert found.figures["replay"] == {"wanted": 5, "rows": 5, "own": 2, "written": 3}
    counts = totals(found)
    assert counts["trained"] == 5
    assert counts["dropped"] > 0
    assert replay(own_rows(2), 5, tmp_path / "again") == found  # written anew
    before = (tmp_path / WRITTEN).stat().st_mtime_ns
    assert replay(own_rows(2), 5, tmp_path) == found  # read
    assert (tmp_path / WRITTEN).stat().st_mtime_ns == before
    assert replay(own_rows(2), 5, tmp_path / "other", seed=2).rows != found.rows
    end = end_of_turn(load_tokenizer(tiny_base))
    assert len({row.input_ids for row in found.rows.rows}) == 5
    for row in found.rows.rows:
        assert row.truncated == (row.input_ids[-1] != end)  # nobody learns to end where it was cut


def test_no_row_holds_the_probe(
    replay: Replayed, tiny_base: Path, settings: Settings, tmp_path: Path
) -> None:
    known = [
        replace(row, messages=(Message("user", asked), row.messages[-1]))
        for row, asked in zip(own_rows(2), (passages(GENERAL)[0], passages(PROMPTS)[1]), strict=True)
    ]
    found = replay([*known, *own_rows(4)], 3, tmp_path)
    counts = totals(found)
    assert (counts["dropped"], counts["unused"], counts["trained"]) == (2, 1, 3)
    for asked in found.rows.examples:
        assert not overlaps((turn.content for turn in asked.example.messages), probe_grams())
    model, tokenizer = load_base(tiny_base, set_up_torch(settings.run)), load_tokenizer(tiny_base)
    free = write_talks(model, tokenizer, 3, seed=1, forbidden=())
    forbidden = grams(free.talks[0].answer.text)
    held = write_talks(model, tokenizer, 3, seed=1, forbidden=forbidden)
    assert free.talks[0] not in held.talks
    assert held.dropped[IN_PROBE] >= 1


@pytest.mark.parametrize(
    ("text", "ended", "fault"),
    [
        ("What is rain made of?", True, ""),
        ("What is", True, "three words"),
        ("What is rain", False, "end within"),
    ],
)
def test_turns_that_are_no_prompts_are_told(text: str, ended: bool, fault: str) -> None:
    found = fault_of_turn(Text(text=text, ended=ended))
    assert fault in found
    assert bool(fault) == bool(found)


@pytest.mark.parametrize(
    ("text", "fault"),
    [("It is water.", ""), ("", "two words"), ("so it goes on and " * 6, "repeats itself")],
)
def test_answers_that_teach_nothing_are_told(text: str, fault: str) -> None:
    found = fault_of_answer(Text(text=text, ended=False))
    assert fault in found
    assert bool(fault) == bool(found)


def test_rows_of_both_kinds_in_one_batch_have_the_loss_of_the_plain_path(
    replay: Replayed, tiny_base: Path, settings: Settings, examples: list[Example], tmp_path: Path
) -> None:
    import torch

    from tasks.methods.layers.fused_llama import fuse_llama
    from tasks.rows.grounding import ground
    from tasks.training.tuning.tokens import tokenise
    from tasks.training.tuning.trainer import answer_loss

    task = tokenise(ground(examples[:2], reader()), load_tokenizer(tiny_base), max_length=300)
    rows = [*task.rows, *replay(own_rows(1), 2, tmp_path).rows.rows]
    longest = max(len(row.input_ids) for row in rows)
    ids = torch.tensor([[*row.input_ids, *[2] * (longest - len(row.input_ids))] for row in rows])
    labels = torch.tensor([[*row.labels, *[-100] * (longest - len(row.labels))] for row in rows])
    model = load_base(tiny_base, set_up_torch(settings.run))
    plain = model(input_ids=ids, labels=labels).loss
    fuse_llama(model)
    fast = answer_loss(model, ids, labels, lengths=torch.tensor([len(row.input_ids) for row in rows]))
    torch.testing.assert_close(fast, plain, atol=1e-5, rtol=1e-5)


def test_an_interrupted_run_with_replay_ends_with_the_same_bytes(
    settings: Settings,
    examples: list[Example],
    tiny_base: Path,
    tmp_path: Path,
) -> None:
    replaying = changed(settings, replay=0.2)
    taught = [*own_rows(2), *examples]

    def tuned(name: str) -> Trained:
        return tune_by("lora", replaying, taught, tiny_base, tmp_path / name)

    whole = tuned("whole")
    counts = {(row.kind, row.outcome): row.count for row in whole.report.rows}
    assert unbalanced(whole.report.rows) == []
    assert (counts["example", "trained"], counts["general", "trained"]) == (16, 4)
    assert whole.report.figures["replay"] == {"wanted": 4, "rows": 4, "own": 2, "written": 2}
    assert whole.report.figures["targets"]["free"] == 0

    with cut_short():
        tuned("cut")
    resumed = tuned("cut")
    assert hashes(resumed.adapter) == hashes(whole.adapter)
    assert (resumed.curve, resumed.report) == (whole.curve, whole.report)
