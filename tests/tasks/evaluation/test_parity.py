"""Protects the measure of parity: forms of one model agree, another does not, answers can be repeated."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.answer import Layers
from deploy.assistant import Assistant
from deploy.engines.chat import load_tokenizer
from deploy.engines.engine import Sampling
from deploy.engines.local import TransformersEngine
from deploy.prompts.template import load_template
from deploy.settings import GenerationSettings
from tasks.evaluation.arms import Answered
from tasks.evaluation.measuring import Served
from tasks.evaluation.parity import parity
from tasks.evaluation.parity_record import Parity, parity_sentence
from tasks.evaluation.repeating import ASKED_AGAIN, expected
from tasks.machine.device import Device
from tasks.rows.records import Example
from tests.deploy.knowledge.listed import HIT, ListedKnowledge
from tests.tasks.training.conftest import example

FLOAT32 = Device(name="cpu", threads=1, precision="float32")


def answered(question: Example) -> Answered:
    return Answered(
        example=question,
        text="`1.0` [1]",
        score=1.0,
        abstained=False,
        numbers=(1,),
        sources=(),
        finished=True,
    )


def serving(engine: TransformersEngine, base: Path) -> Served:
    generation = GenerationSettings(max_new_tokens=6, temperature=0.7, top_p=1.0)
    assistant = Assistant(engine, ListedKnowledge([HIT]), load_template("assistant"), generation)
    return Served(engine=engine, assistant=assistant, tokenizer=load_tokenizer(base), generation=generation)


def measured(base: Path, engine: TransformersEngine, sft: Path, device: Device) -> Parity:
    answers = [answered(replace(example(n), withheld=("svm.SVC",) if n == 1 else ())) for n in range(6)]
    found = parity(base, {"sft": sft}, {"sft": answers}, serving(engine, base), device, count=5)
    return found["sft"]


def test_the_forms_of_one_model_agree_and_a_release_is_told_what_to_ask(
    tiny_base: Path, tiny_adapters: dict[str, Path]
) -> None:
    engine = TransformersEngine(tiny_base, tiny_adapters)
    found = measured(tiny_base, engine, tiny_adapters["sft"], FLOAT32)
    assert set(found.forms) == {"saved", "merged"}
    assert all(form.gap < 1e-4 and form.differing == 0 for form in found.forms.values())
    assert found.rounding is None
    assert found.answers == 5
    assert 0 < len(found.expected) <= ASKED_AGAIN
    hidden = example(1).prompt[-1].content
    assert hidden not in [one.messages[-1].content for one in found.expected]
    [again] = serving(engine, tiny_base).assistant.answer(
        [found.expected[0].messages],
        model="sft",
        layers=Layers(),
        sampling=Sampling(max_new_tokens=6),
    )
    assert again.text.startswith(found.expected[0].answer)


def test_another_model_under_the_same_name_is_seen(tiny_base: Path, tiny_adapters: dict[str, Path]) -> None:
    wrong = TransformersEngine(tiny_base, {"sft": tiny_adapters["rlhf"]})
    found = measured(tiny_base, wrong, tiny_adapters["sft"], FLOAT32)
    assert found.forms["saved"].gap > 0.1
    assert found.forms["saved"].differing > 0
    assert found.forms["merged"].gap < 1e-4


def test_what_a_shorter_format_costs_is_told_apart(tiny_base: Path, tiny_adapters: dict[str, Path]) -> None:
    short = TransformersEngine(tiny_base, tiny_adapters, dtype="bfloat16")
    found = measured(tiny_base, short, tiny_adapters["sft"], replace(FLOAT32, precision="bfloat16"))
    assert found.forms["saved"].gap < 1e-4
    assert found.rounding is not None
    assert found.rounding.gap > 1e-3
    assert "serving in bfloat16 moves them by at most" in parity_sentence("Fine-tuning", found)


def test_a_release_is_not_asked_for_words_that_rounding_could_change(
    tiny_base: Path, tiny_adapters: dict[str, Path]
) -> None:
    """A random model is sure of nothing: in bfloat16 two ways to compute differ by more than its leads."""
    short = TransformersEngine(tiny_base, tiny_adapters, dtype="bfloat16")
    served = serving(short, tiny_base)
    found = expected("sft", [example(n) for n in range(4)], served, precision="bfloat16")
    assert not any(one.whole for one in found)
    exact = expected("sft", [example(n) for n in range(4)], served, precision="float32")
    assert len(exact) > len(found)
    for one in exact:
        [again] = served.assistant.answer(
            [one.messages], model="sft", layers=Layers(), sampling=Sampling(max_new_tokens=6)
        )
        assert again.text == one.answer if one.whole else again.text.startswith(one.answer)


def test_nor_for_an_answer_where_the_model_is_about_to_abstain(
    tiny_base: Path, tiny_adapters: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = [example(n) for n in range(4)]
    served = serving(TransformersEngine(tiny_base, tiny_adapters, dtype="float32"), tiny_base)
    before = [one.messages for one in expected("sft", examples, served, precision="float32")]
    near = next(place for place, each in enumerate(examples) if each.prompt in before)

    def distances(_: object, prompts: Sequence[object], **__: object) -> list[float]:
        return [0.0 if place == near else math.inf for place in range(len(prompts))]

    monkeypatch.setattr(TransformersEngine, "from_threshold", distances)
    known = [one.messages for one in expected("sft", examples, served, precision="float32")]
    assert examples[near].prompt not in known
