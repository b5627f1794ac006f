"""Protects prompts that are read together: fewer readings, and each is answered as if it were alone."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.models.families import FAMILIES
from deploy.abstention import ABSTENTION
from deploy.engines import heads, prefill
from deploy.engines.abstaining import Abstaining
from deploy.engines.engine import Generation, Sampling
from deploy.engines.local import TransformersEngine
from deploy.messages import Message
from tests.conftest import write_tiny_model
from tests.deploy.engines.at_once import SAMPLING, SYSTEM, TEXTS, at_once, question, talk


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many prompts each reading had, heads aside."""
    known: list[int] = []
    plain = prefill.prefilled

    def prefilled(model: Any, prompts: Any, *args: Any, **named: Any) -> Any:
        if "head" in named:
            known.append(len(prompts))
        return plain(model, prompts, *args, **named)

    monkeypatch.setattr(prefill, "prefilled", prefilled)
    return known


def with_system(text: str, system: Message = SYSTEM, **named: Any) -> dict[str, Any]:
    return question(text, **named) | {"prompt": [system, *talk(text)]}


def write_prefix(folder: Path, base: Path) -> Path:
    """Fill `folder` with an adapter of three columns that stand before every prompt."""
    import torch
    from peft import PrefixTuningConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(5)
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32),
        PrefixTuningConfig(num_virtual_tokens=3, task_type="CAUSAL_LM"),
    )
    for name, parameter in model.named_parameters():
        if "prompt_encoder" in name:
            torch.nn.init.normal_(parameter, std=20.0)
    model.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("family", ["llama", "gpt2", "gpt_neox", "mixtral", "mistral"])
@pytest.mark.parametrize("system", [True, False])
def test_prompts_that_wait_are_read_together_and_answered_as_alone(
    family: str, system: bool, tmp_path: Path, asked: list[str], read: list[int]
) -> None:
    engine = TransformersEngine(write_tiny_model(tmp_path, family), {}, most_rows=6)
    questions = [with_system(text) if system else question(text) for text in TEXTS]
    questions[1]["sampling"] = replace(SAMPLING, temperature=1.0, seed=7)
    alone = [
        engine.generate([each["prompt"]], model="base", sampling=each["sampling"])[0] for each in questions
    ]
    with at_once(engine, asked, questions) as waiting:
        assert [each.result()[-1].end for each in waiting] == alone
    assert read == ([] if FAMILIES[family].get("sliding_window") else [6])


def test_virtual_tokens_stand_before_each_of_them(
    tiny_base: Path, tmp_path: Path, asked: list[str], read: list[int]
) -> None:
    engine = TransformersEngine(tiny_base, {"sft": write_prefix(tmp_path, tiny_base)}, most_rows=6)
    weighed = replace(SAMPLING, chances=0)
    questions = [with_system(text, model="sft", sampling=weighed) for text in TEXTS[:4]]

    def first(end: Generation | None) -> float:
        assert end is not None
        assert end.chances is not None
        return end.chances[0].said.logprob

    def alone(model: str) -> list[float]:
        prompts = [each["prompt"] for each in questions]
        return [first(engine.generate([prompt], model=model, sampling=weighed)[0]) for prompt in prompts]

    for _ in range(2):  # the second time the head has been kept
        with at_once(engine, asked, questions) as waiting:
            found = [first(each.result()[-1].end) for each in waiting]
        assert found == pytest.approx(alone("sft"), abs=1e-5)
    assert read == [4, 4]
    assert found != pytest.approx(alone("base"), abs=1e-3)


def test_what_is_too_much_for_one_reading_waits_for_the_next(
    tiny_base: Path, asked: list[str], read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = TransformersEngine(tiny_base, {}, most_rows=8)
    texts = ["a b " * 45] * 7
    [tokens] = {len(engine._tokens(talk(text), "base", SAMPLING)) for text in texts}
    together = prefill.TOGETHER * prefill.PIECE // tokens
    assert 1 < together < 7
    with at_once(engine, asked, [question(text) for text in texts]) as waiting:
        for each in waiting:
            each.result()
    assert max(read) == together
    assert sum(read) == 7


def test_each_system_turn_and_each_long_prompt_is_read_for_itself(
    tiny_base: Path, asked: list[str], read: list[int]
) -> None:
    engine = TransformersEngine(tiny_base, {}, most_rows=8)
    other = Message("system", "Say no more than what the sources say, and nothing else at all.")
    long = "a b " * 100
    questions = [with_system("gamma"), with_system("gamma", other), with_system(long), with_system("?")]
    alone = [engine.generate([each["prompt"]], model="base", sampling=SAMPLING)[0] for each in questions]
    with at_once(engine, asked, questions) as waiting:
        assert [each.result()[-1].end for each in waiting] == alone
    assert read == [1, 1, 1]


def test_choices_of_one_request_are_no_prompts_of_their_own(
    tiny_base: Path, asked: list[str], read: list[int]
) -> None:
    engine = TransformersEngine(tiny_base, {}, most_rows=8)
    drawn = replace(SAMPLING, temperature=1.0, seed=3)
    questions = [question("gamma", sampling=drawn, choices=3), question("kernel?")]
    with at_once(engine, asked, questions) as waiting:
        several, one = (each.result() for each in waiting)
    assert sum(piece.end is not None for piece in several) == 3
    assert one[-1].end == engine.generate([talk("kernel?")], model="base", sampling=SAMPLING)[0]
    assert sum(read) == 2


def test_each_abstains_by_its_own_coverage_and_who_has_left_is_left_out(
    tiny_base: Path, asked: list[str], read: list[int]
) -> None:
    rule = {"base": Abstaining(threshold=3e-7, coverage_weight=10.0)}
    engine = TransformersEngine(tiny_base, {}, abstention=rule, most_rows=8)
    coverages = [0.9, 0.0, None, 0.3]
    left: Iterator[bool] = iter([False])
    questions = [with_system(text, coverage=each) for text, each in zip(TEXTS, coverages, strict=False)]
    questions.append(with_system("who leaves", gone=lambda: next(left, True)))
    with at_once(engine, asked, questions) as waiting:
        *found, gone = (each.result() for each in waiting)
    assert read == [5]
    said = ["".join(piece.text for piece in pieces) for pieces in found]
    assert [text == ABSTENTION for text in said] == [False, True, False, False]
    assert not any(piece.end for piece in gone)


def test_an_abstention_is_said_without_a_step_unless_its_chances_are_asked_for(
    tiny_base: Path, widths: list[int]
) -> None:
    engine = TransformersEngine(tiny_base, {}, abstention={"base": Abstaining(threshold=0.0)})
    found = []
    for sampling in (SAMPLING, replace(SAMPLING, chances=0), Sampling(max_new_tokens=3)):
        widths.clear()
        end = list(engine.stream(talk("gamma"), model="base", sampling=sampling))[-1].end
        assert end is not None
        found.append((end.text, end.completion_tokens, end.finished, len(widths)))
    whole = engine.generate([talk("gamma")], model="base", sampling=SAMPLING)[0]
    tokens = whole.completion_tokens
    assert found[0] == (ABSTENTION, tokens, True, 0)
    assert found[1] == (ABSTENTION, tokens, True, tokens - 1)
    assert found[2] == (found[2][0], 3, False, 0)
    assert ABSTENTION.startswith(found[2][0])


def test_a_long_system_turn_that_is_not_kept_is_read_in_pieces(
    tiny_base: Path, asked: list[str], read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heads, "_LONGEST", 64)
    engine = TransformersEngine(tiny_base, {}, most_rows=4)
    long = Message("system", "a b " * 90)
    questions = [with_system("gamma", long), with_system("kernel?", long)]
    alone = [engine.generate([each["prompt"]], model="base", sampling=SAMPLING)[0] for each in questions]
    with at_once(engine, asked, questions) as waiting:
        assert [each.result()[-1].end for each in waiting] == alone
    assert read == []
