"""Protects that the loss counts the answer and nothing else, whatever chat template a model brings."""

from pathlib import Path

import pytest

from deploy.abstention import ABSTENTION
from deploy.engines.chat import load_tokenizer
from tasks.rows.grounding import ground
from tasks.rows.records import Example
from tasks.training.tuning.tokens import IGNORED, tokenise
from tests.deploy.knowledge.listed import reader

# None has generation markers. Turns end by the token of the template, or else by the tokenizer's own.
TEMPLATES = {
    "marked turns": (
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
        "<|im_end|>",
    ),
    "another end of turn": (
        "{% for m in messages %}{{ m['role'] | capitalize }}: {{ m['content'] }}<|endoftext|>{% endfor %}"
        "{% if add_generation_prompt %}Assistant: {% endif %}",
        "<|endoftext|>",
    ),
    "no system turn and no mark after an answer": (
        "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "{% if m['role'] == 'user' %}[INST] {{ m['content'] }} [/INST]"
        "{% else %} {{ m['content'] }} {% endif %}"
        "{% endfor %}",
        "<|im_end|>",
    ),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_answer_and_its_end_count_and_nothing_else(
    name: str, tiny_base: Path, examples: list[Example]
) -> None:
    template, end = TEMPLATES[name]
    tokenizer = load_tokenizer(tiny_base)
    tokenizer.chat_template = template
    grounded = ground(examples, reader())
    assert {example.target for example in grounded} >= {ABSTENTION}
    rows = tokenise(grounded, tokenizer, max_length=500).rows
    assert len(rows) == len(examples)
    for row, example in zip(rows, grounded, strict=True):
        counted = [token for token, label in zip(row.input_ids, row.labels, strict=True) if label != IGNORED]
        assert tokenizer.decode(counted) == f"{example.target}{end}"
        assert example.messages[-1].content in tokenizer.decode(row.input_ids[: row.answer_start])
