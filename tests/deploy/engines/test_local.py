"""Protects the embedded engine: batches equal single calls, adapters equal PEFT's, streams equal results."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.engines.engine import Generation, Sampling
from deploy.engines.local import TransformersEngine
from deploy.errors import EngineError
from deploy.messages import Message

QUESTIONS = [
    [Message("system", "Answer from the sources only, in one short sentence."), Message("user", text)]
    for text in (
        "In `svm.SVC`, what is the default of `C`?",
        "kernel?",
        "What does the parameter `kernel` of `svm.SVC` do? " * 5,
        "tol=0.001",
        "gamma='scale' : float",
    )
]
GREEDY = Sampling(max_new_tokens=24)


@pytest.fixture(scope="module")
def engine(tiny_base: Path, tiny_adapters: dict[str, Path]) -> TransformersEngine:
    return TransformersEngine(tiny_base, tiny_adapters, batch_size=4)


@pytest.mark.parametrize("model", ["base", "sft", "rlhf"])
def test_a_greedy_batch_equals_single_calls(engine: TransformersEngine, model: str) -> None:
    together = engine.generate(QUESTIONS, model=model, sampling=GREEDY)
    alone = [engine.generate([question], model=model, sampling=GREEDY)[0] for question in QUESTIONS]
    assert together == alone
    assert all(answer.completion_tokens > 1 for answer in alone)


def test_greedy_equals_generate_of_transformers_with_peft(
    engine: TransformersEngine, tiny_base: Path, tiny_adapters: dict[str, Path]
) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from deploy.engines.chat import load_tokenizer, prompt_ids

    tokenizer = load_tokenizer(tiny_base)
    model = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32), tiny_adapters["sft"]
    )
    for question in QUESTIONS:
        prompt = torch.tensor([prompt_ids(tokenizer, question)])
        tokens = model.generate(
            input_ids=prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=24, do_sample=False
        )
        expected = tokenizer.decode(tokens[0, prompt.shape[1] :], skip_special_tokens=True)
        assert engine.generate([question], model="sft", sampling=GREEDY)[0].text == expected


def test_the_models_differ_and_switching_leaves_no_trace(engine: TransformersEngine) -> None:
    def texts(model: str) -> list[str]:
        return [answer.text for answer in engine.generate(QUESTIONS, model=model, sampling=GREEDY)]

    first = {model: texts(model) for model in engine.models}
    assert len({tuple(answers) for answers in first.values()}) == 3
    for model in ("rlhf", "base", "sft", "base", "rlhf", "sft"):
        assert texts(model) == first[model]


def test_a_stream_joined_equals_the_result(engine: TransformersEngine) -> None:
    for sampling in (GREEDY, Sampling(max_new_tokens=24, temperature=1.2, seed=7)):
        for question in QUESTIONS:
            [result] = engine.generate([question], model="sft", sampling=sampling)
            pieces = list(engine.stream(question, model="sft", sampling=sampling))
            assert "".join(piece.text for piece in pieces) == result.text
            assert pieces[-1].end == result
            assert all(piece.end is None for piece in pieces[:-1])


def test_sampling_follows_the_seed_whatever_the_neighbours(engine: TransformersEngine) -> None:
    sampling = Sampling(max_new_tokens=16, temperature=1.0, top_p=0.9, seed=3)
    together = engine.generate(QUESTIONS, model="base", sampling=sampling)
    assert together[1] == engine.generate([QUESTIONS[1]], model="base", sampling=sampling)[0]
    other = Sampling(max_new_tokens=16, temperature=1.0, top_p=0.9, seed=4)
    assert together != engine.generate(QUESTIONS, model="base", sampling=other)


def test_a_stop_string_ends_the_answer_and_is_not_part_of_it(engine: TransformersEngine) -> None:
    [whole] = engine.generate([QUESTIONS[0]], model="base", sampling=GREEDY)
    stop = whole.text[5:7]
    sampling = Sampling(max_new_tokens=24, stop=(stop,))
    [cut] = engine.generate([QUESTIONS[0]], model="base", sampling=sampling)
    assert cut.text == whole.text[: whole.text.index(stop)]
    assert cut.finished
    streamed = "".join(piece.text for piece in engine.stream(QUESTIONS[0], model="base", sampling=sampling))
    assert streamed == cut.text


def test_a_prompt_beyond_the_context_is_refused_with_its_numbers(engine: TransformersEngine) -> None:
    with pytest.raises(EngineError, match=r"500 are asked for, but the context holds 512"):
        engine.generate([QUESTIONS[0]], model="base", sampling=Sampling(max_new_tokens=500))


def test_an_unknown_model_is_named(engine: TransformersEngine) -> None:
    with pytest.raises(EngineError, match=r"'gpt'; there are: base, sft, rlhf"):
        engine.generate([QUESTIONS[0]], model="gpt", sampling=GREEDY)


def test_closing_a_stream_frees_the_engine(engine: TransformersEngine) -> None:
    stream = engine.stream(QUESTIONS[0], model="sft", sampling=GREEDY)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert engine.generate([QUESTIONS[1]], model="base", sampling=GREEDY)


def test_two_adapters_asked_by_eight_threads_answer_as_if_asked_in_turn(engine: TransformersEngine) -> None:
    asked = [(question, model) for question in QUESTIONS[:4] for model in ("sft", "rlhf")]

    def ask(each: tuple[list[Message], str]) -> list[Generation]:
        return engine.generate([each[0]], model=each[1], sampling=GREEDY)

    alone = [ask(each) for each in asked]
    with ThreadPoolExecutor(len(asked)) as pool:
        assert list(pool.map(ask, asked)) == alone


def test_an_adapter_for_another_base_is_refused(
    tiny_base: Path, tiny_adapters: dict[str, Path], tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "adapter_config.json").write_bytes((tiny_adapters["sft"] / "adapter_config.json").read_bytes())
    tensors = load_file(tiny_adapters["sft"] / "adapter_model.safetensors")
    save_file(
        {name: tensor[:, :-1].contiguous() for name, tensor in tensors.items()},
        broken / "adapter_model.safetensors",
    )
    with pytest.raises(EngineError, match="trained on another base"):
        TransformersEngine(tiny_base, {"sft": broken})


def test_a_missing_adapter_is_named(tiny_base: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no adapter can be read from"):
        TransformersEngine(tiny_base, {"sft": tmp_path / "none"})
