"""Protects answers by a schema: whatever the model would say, what it says keeps to it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import validate

from benchmarks.models.families import write_tiny_model
from deploy.engines.abstaining import Abstaining
from deploy.engines.engine import Sampling
from deploy.engines.grammar import MOST_CHARACTERS
from deploy.engines.local import TransformersEngine
from deploy.errors import GrammarError
from deploy.messages import Message

ORDER = {
    "type": "object",
    "properties": {
        "colour": {"enum": ["red", "green"]},
        "number": {"type": "integer", "minimum": 0, "maximum": 99},
        "known": {"type": "boolean"},
    },
    "required": ["colour", "number", "known"],
    "additionalProperties": False,
}
KEPT = Sampling(max_new_tokens=60, schema=json.dumps(ORDER))
QUESTIONS = [[Message("user", text)] for text in ("kernel?", "Which colour has `svm.SVC`? " * 4, "tol=0.001")]


@pytest.fixture(scope="module")
def engine(tiny_base: Path, tiny_adapters: dict[str, Path]) -> TransformersEngine:
    return TransformersEngine(tiny_base, tiny_adapters, batch_size=4)


@pytest.mark.parametrize(
    "sampling", [KEPT, replace(KEPT, temperature=1.5, seed=3)], ids=["likeliest", "drawn"]
)
def test_what_a_model_says_at_random_keeps_to_the_schema(
    engine: TransformersEngine, sampling: Sampling
) -> None:
    for answer in engine.generate(QUESTIONS, model="sft", sampling=sampling):
        assert answer.finished
        validate(json.loads(answer.text), ORDER)


@pytest.mark.parametrize(
    "sampling", [KEPT, replace(KEPT, temperature=1.5, seed=3)], ids=["likeliest", "drawn"]
)
def test_a_stream_says_what_a_batch_says(engine: TransformersEngine, sampling: Sampling) -> None:
    together = engine.generate(QUESTIONS, model="sft", sampling=sampling)
    for question, expected in zip(QUESTIONS, together, strict=True):
        pieces = list(engine.stream(question, model="sft", sampling=sampling))
        assert "".join(piece.text for piece in pieces) == expected.text
        assert pieces[-1].end == expected


def test_a_model_whose_cache_forgets_keeps_to_it_as_well(tmp_path: Path) -> None:
    engine = TransformersEngine(write_tiny_model(tmp_path, "mistral"), {})
    answer = list(engine.stream(QUESTIONS[1], model="base", sampling=KEPT))[-1].end
    assert answer is not None
    validate(json.loads(answer.text), ORDER)


def test_a_model_that_would_abstain_keeps_to_it(tiny_base: Path) -> None:
    always = Abstaining(threshold=0.0)
    engine = TransformersEngine(tiny_base, {}, abstention={"base": always})
    [free] = engine.generate(QUESTIONS[:1], model="base", sampling=replace(KEPT, schema=None))
    assert free.text.startswith("The documentation")
    [kept] = engine.generate(QUESTIONS[:1], model="base", sampling=KEPT)
    validate(json.loads(kept.text), ORDER)


def test_one_that_is_cut_says_that_it_is(engine: TransformersEngine) -> None:
    cut, whole = (
        engine.generate(QUESTIONS[:1], model="base", sampling=replace(KEPT, max_new_tokens=tokens))[0]
        for tokens in (5, 60)
    )
    assert not cut.finished
    assert whole.text.startswith(cut.text)


def test_the_next_answer_begins_anew(engine: TransformersEngine) -> None:
    first, second = (engine.generate(QUESTIONS[:1], model="base", sampling=KEPT)[0] for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ("[1", "no JSON object"),
        ('"text"', "no JSON object"),
        ('{"type": "nothing"}', "nothing"),
        ('{"$ref": "http://127.0.0.1:9/schema.json"}', "does not fetch"),
        ('{"type": "string", "pattern": "(?=a)b"}', "look-around"),
        ('{"type": "array", "uniqueItems": true}', "uniqueItems"),
        ('{"a":' * 1000 + "1" + "}" * 1000, "recursion"),
        (json.dumps({"enum": ["v" * 9] * (MOST_CHARACTERS // 9)}), "at most 16384"),
    ],
    ids=["no json", "a text", "no type", "elsewhere", "look-around", "unique", "deep", "large"],
)
def test_a_schema_that_cannot_be_kept_to_is_refused_before_anything_is_read(
    engine: TransformersEngine, schema: str, told: str
) -> None:
    with pytest.raises(GrammarError, match=told):
        engine.check(QUESTIONS[0], model="base", sampling=replace(KEPT, schema=schema))
