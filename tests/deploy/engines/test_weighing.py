"""Protects the chances of tokens: they are the model's own, and each comes once, with its text."""

import math
from pathlib import Path

import pytest

from deploy.abstention import ABSTENTION
from deploy.engines.abstaining import Abstaining
from deploy.engines.chat import load_tokenizer, prompt_ids
from deploy.engines.engine import Generation, Piece, Sampling, Weighed
from deploy.engines.local import TransformersEngine
from deploy.engines.weighing import LEAST, Weigher, shown
from deploy.messages import Message
from tests.conftest import write_tiny_model

SYSTEM = Message("system", "Answer from the sources only, in one short sentence.")
TALKS = [[SYSTEM, Message("user", text)] for text in ("kernel?", "What is `tol`? " * 9, "gamma='scale'")]
DRAWN = Sampling(max_new_tokens=24, temperature=1.3, top_p=0.9, seed=5, chances=3)


@pytest.fixture(scope="module")
def engine(tiny_base: Path, tiny_adapters: dict[str, Path]) -> TransformersEngine:
    return TransformersEngine(tiny_base, tiny_adapters)


def pieces_of(engine: TransformersEngine, talk: list[Message], model: str, sampling: Sampling) -> list[Piece]:
    return list(engine.stream(talk, model=model, sampling=sampling))


def end_of(pieces: list[Piece]) -> Generation:
    end = pieces[-1].end
    assert end is not None
    return end


def close(found: tuple[Weighed, ...] | None, expected: tuple[Weighed, ...] | None) -> bool:
    """Whether these are the same tokens, with the same chances but for rounding."""
    assert found is not None
    assert expected is not None
    flat = [[(each.text, each.data) for each in (one.said, *one.likeliest)] for one in found]
    assert flat == [[(each.text, each.data) for each in (one.said, *one.likeliest)] for one in expected]
    assert [one.start for one in found] == [one.start for one in expected]
    numbers = [[each.logprob for each in (one.said, *one.likeliest)] for one in found]
    wanted = [[each.logprob for each in (one.said, *one.likeliest)] for one in expected]
    return all(row == pytest.approx(other, abs=1e-4) for row, other in zip(numbers, wanted, strict=True))


@pytest.mark.parametrize("model", ["base", "sft"])
def test_they_are_the_log_softmax_of_transformers(
    engine: TransformersEngine, tiny_base: Path, tiny_adapters: dict[str, Path], model: str
) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    plain = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32)
    known = plain if model == "base" else PeftModel.from_pretrained(plain, tiny_adapters[model])
    tokenizer = load_tokenizer(tiny_base)
    for talk in (*TALKS, TALKS[1]):  # from the second on, the head of the prompt has been read before
        told = end_of(pieces_of(engine, talk, model, DRAWN)).chances
        assert told
        spelled = {Weigher(tokenizer).spelled(token): token for token in range(len(tokenizer))}
        said = [spelled[each.said.data] for each in told]
        prompt = prompt_ids(tokenizer, talk)
        with torch.inference_mode():
            logits = known(input_ids=torch.tensor([[*prompt, *said]])).logits[0, len(prompt) - 1 : -1]
        expected = logits.log_softmax(-1)
        found = torch.tensor([each.said.logprob for each in told])
        torch.testing.assert_close(found, expected[range(len(said)), said], atol=1e-4, rtol=1e-4)
        best = torch.tensor([[each.logprob for each in one.likeliest] for one in told])
        torch.testing.assert_close(best, expected.topk(3).values, atol=1e-4, rtol=1e-4)
        assert len({round(float(value), 3) for value in found}) > len(found) // 2  # not all of a kind


@pytest.mark.parametrize("model", ["base", "sft"])
def test_a_batch_says_what_each_alone_and_a_stream_say(engine: TransformersEngine, model: str) -> None:
    together = engine.generate(TALKS, model=model, sampling=DRAWN)
    for talk, among in zip(TALKS, together, strict=True):
        [alone] = engine.generate([talk], model=model, sampling=DRAWN)
        pieces = pieces_of(engine, talk, model, DRAWN)
        end = end_of(pieces)
        assert close(among.chances, alone.chances)
        assert close(end.chances, alone.chances)
        assert sum((piece.chances for piece in pieces), ()) == end.chances
        assert (
            b"".join(each.said.data or b"" for each in end.chances or ()).decode(errors="replace") == end.text
        )


def test_without_being_asked_none_are_computed(
    engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def weighed(*_: object, **__: object) -> Weighed:
        raise AssertionError("nobody has asked")

    monkeypatch.setattr(Weigher, "weighed", weighed)
    sampling = Sampling(max_new_tokens=5)
    pieces = pieces_of(engine, TALKS[0], "base", sampling)
    assert end_of(pieces).chances is None
    assert all(piece.chances == () for piece in pieces)
    assert engine.generate([TALKS[0]], model="base", sampling=sampling)[0].chances is None


@pytest.mark.parametrize("family", ["gemma2", "mistral"])
def test_a_model_whose_cache_forgets_tells_them_too(family: str, tmp_path: Path) -> None:
    engine = TransformersEngine(write_tiny_model(tmp_path, family), {})
    [whole] = engine.generate([TALKS[0]], model="base", sampling=DRAWN)
    pieces = pieces_of(engine, TALKS[0], "base", DRAWN)
    assert close(end_of(pieces).chances, whole.chances)
    assert sum((piece.chances for piece in pieces), ()) == end_of(pieces).chances


def test_each_comes_with_the_piece_that_it_begins_in_and_none_from_behind_a_stop_string(
    engine: TransformersEngine,
) -> None:
    sampling = Sampling(max_new_tokens=24, chances=0)
    [whole] = engine.generate([TALKS[0]], model="base", sampling=sampling)
    assert whole.chances is not None
    for length in (1, 2, 4):
        for at in range(1, len(whole.text) - length, 3):
            stop = whole.text[at : at + length]
            cut = Sampling(max_new_tokens=24, chances=0, stop=(stop,))
            pieces = pieces_of(engine, TALKS[0], "base", cut)
            end = end_of(pieces)
            assert end.text == whole.text[: whole.text.index(stop)]
            assert close(end.chances, tuple(one for one in whole.chances if one.start < len(end.text)))
            sent = 0
            for piece in pieces:
                sent, before = sent + len(piece.text), sent
                assert all(before <= one.start < max(sent, before + 1) for one in piece.chances)
            assert sum((piece.chances for piece in pieces), ()) == end.chances


def test_what_a_schema_or_the_gate_forces_has_the_models_own_chance(
    tiny_base: Path, engine: TransformersEngine
) -> None:
    schema = '{"type": "object", "properties": {"a": {"enum": ["qz"]}}, "required": ["a"]}'
    sampling = Sampling(max_new_tokens=24, schema=schema, chances=1)
    [kept] = engine.generate([TALKS[0]], model="base", sampling=sampling)
    assert kept.chances is not None
    assert kept.chances[0].said.text.startswith("{")
    assert kept.chances[0].said.logprob < kept.chances[0].likeliest[0].logprob
    assert close(end_of(pieces_of(engine, TALKS[0], "base", sampling)).chances, kept.chances)
    always = TransformersEngine(tiny_base, {}, abstention={"base": Abstaining(threshold=0.0)})
    sampling = Sampling(max_new_tokens=60, chances=1)
    said = end_of(pieces_of(always, TALKS[0], "base", sampling))
    assert said.text == ABSTENTION
    assert said.chances is not None
    assert len(said.chances) == said.completion_tokens - 1  # its end is no text
    # The chance of the sentence is that of its tokens, the end of the turn among them.
    [own] = always.abstention_chances([TALKS[0]], model="base")
    assert sum(one.said.logprob for one in said.chances) > math.log(own)
    assert any(one.said != one.likeliest[0] for one in said.chances)


def test_bytes_are_spelled_as_each_kind_of_vocabulary_has_them(tiny_base: Path) -> None:
    from tokenizers import Tokenizer, decoders, models
    from transformers import PreTrainedTokenizerFast

    of_bytes = load_tokenizer(tiny_base)
    text = "naïve \u200b€ 🦜\n\tend"
    spelled = [Weigher(of_bytes).spelled(token) for token in of_bytes.encode(text, add_special_tokens=False)]
    assert b"".join(each or b"?" for each in spelled).decode() == text
    assert Weigher(of_bytes).spelled(of_bytes.eos_token_id) is None
    assert Weigher(of_bytes).spelled(10**6) is None
    words = {"<unk>": 0, "</s>": 1, "\u2581the": 2, "<0xE2>": 3, "a": 4}
    raw = Tokenizer(models.BPE(words, [], unk_token="<unk>", byte_fallback=True))
    raw.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    sentences = PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="<unk>", eos_token="</s>")
    found = [Weigher(sentences).spelled(token) for token in range(5)]
    assert found == [None, None, b" the", b"\xe2", b"a"]
    assert (shown(b"\xe2\x80"), shown("€".encode())) == ("\\xe2\\x80", "€")


def test_a_chance_of_nothing_is_a_number_that_json_has(tiny_base: Path) -> None:
    import torch

    logits = torch.full((400,), -torch.inf)
    logits[70] = 1.0
    told = Weigher(load_tokenizer(tiny_base)).weighed(80, logits, most=2)
    assert told.said.logprob == LEAST
    assert told.likeliest[0].logprob == 0.0
