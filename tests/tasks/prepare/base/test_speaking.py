"""Protects the first look at a base model: one that cannot talk is refused, with what would help."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.engines.chat import answer_ids, load_tokenizer, prompt_ids
from deploy.messages import as_dicts
from tasks.errors import SourceError
from tasks.prepare.base.speaking import FILE, TALK, TEMPLATES, give_template, require_speech


@pytest.fixture
def model(tiny_base: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model."""
    return Path(shutil.copytree(tiny_base, tmp_path / "model"))


def without_template(model: Path) -> Path:
    (model / FILE).unlink()
    return model


def changed(model: Path, file: str, **values: object) -> Path:
    path = model / file
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
    return model


def test_the_usual_model_speaks(model: Path) -> None:
    require_speech(model)


def test_a_base_model_without_a_template_is_told_how_to_get_one(model: Path) -> None:
    with pytest.raises(SourceError, match=r"no chat template.*base\.chat_template gives it another"):
        require_speech(without_template(model))


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_of_ours_makes_it_speak(name: str, model: Path, tmp_path: Path) -> None:
    give_template(without_template(model), name, own=tmp_path)
    require_speech(model)
    tokenizer = load_tokenizer(model)
    assert tokenizer.chat_template == TEMPLATES[name]
    joined = [*prompt_ids(tokenizer, TALK[:2]), *answer_ids(tokenizer, TALK[2].content)]
    whole = tokenizer.apply_chat_template(as_dicts(TALK[:3]), tokenize=False)
    assert tokenizer.decode(joined) == whole.rstrip("\n")


def test_a_file_of_the_users_own_is_taken_before_what_the_tokenizer_says(model: Path, tmp_path: Path) -> None:
    changed(without_template(model), "tokenizer_config.json", chat_template=TEMPLATES["chatml"])
    own = tmp_path / "prompts"
    own.mkdir()
    (own / "mine.jinja").write_text(TEMPLATES["plain"].replace("User:", "Q:"))
    give_template(model, str(own / "mine.jinja"), own=own)
    require_speech(model)
    tokenizer = load_tokenizer(model)
    assert "Q:\nWhat is the first question?" in tokenizer.decode(prompt_ids(tokenizer, TALK))


@pytest.mark.parametrize("name", ["chatm", "elsewhere/mine.jinja", "prompts/missing.jinja"])
def test_a_template_that_is_not_there_is_named(name: str, model: Path) -> None:
    with pytest.raises(SourceError, match=f"is {name}; it must be one of plain, chatml"):
        give_template(model, name, own=Path("prompts"))


DROPS = "{% for m in messages %}{% if m['role'] != 'ROLE' %}{{ m['content'] }}{% endif %}{% endfor %}"


def test_a_template_that_drops_turns_is_refused(model: Path) -> None:
    (model / FILE).write_text(DROPS.replace("ROLE", "assistant"))
    with pytest.raises(SourceError, match="leaves out what the assistant says"):
        require_speech(model)


def test_what_a_template_drops_of_the_system_stands_in_the_question(model: Path) -> None:
    (model / FILE).write_text(DROPS.replace("ROLE", "system"))
    require_speech(model)
    tokenizer = load_tokenizer(model)
    assert TALK[0].content in tokenizer.decode(prompt_ids(tokenizer, TALK))


def test_a_tokenizer_of_another_vocabulary_is_refused(model: Path) -> None:
    with pytest.raises(SourceError, match=r"has 100 embeddings and its tokenizer \d+ tokens"):
        require_speech(changed(model, "config.json", vocab_size=100))


def spoken(model: Path) -> Path:
    return changed(model, "config.json", model_type="klingon")


def reader(model: Path) -> Path:
    return changed(model, "config.json", model_type="vit", architectures=["ViTModel"])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(spoken, "is of a family that cannot be read.*klingon"), (reader, "is a vit, of which")],
)
def test_a_model_of_an_unknown_family_is_refused(
    spoil: Callable[[Path], Path], said: str, model: Path
) -> None:
    with pytest.raises(SourceError, match=rf"(?s)base\.model {said}"):
        require_speech(spoil(model))
