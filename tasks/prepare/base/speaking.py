"""Whether the base model can hold a conversation: its family, its vocabulary, its chat template."""

from pathlib import Path

from deploy.atomic import write_text
from deploy.engines.chat import load_tokenizer, prompt_ids
from deploy.errors import EngineError
from deploy.messages import Message
from tasks.errors import SourceError

# For models that came without one. `chatml` is for those that know its control tokens (Qwen, SmolLM and their
# kin); `plain` ends an answer by the tokenizer's own end of text, so any model can learn it.
TEMPLATES = {
    "plain": (
        "{% for message in messages %}"
        "{% if message['role'] == 'assistant' %}"
        "{{ 'Assistant:\n' + message['content'] + eos_token + '\n\n' }}"
        "{% elif message['role'] == 'user' %}{{ 'User:\n' + message['content'] + '\n\n' }}"
        "{% else %}{{ message['content'] + '\n\n' }}{% endif %}"
        "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:\n' }}{% endif %}"
    ),
    "chatml": (
        "{% for message in messages %}"
        "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
        "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    ),
}
FILE = "chat_template.jinja"  # transformers prefers it to what tokenizer_config.json says
TALK = [
    Message("system", "Answer in one sentence."),
    Message("user", "What is the first question?"),
    Message("assistant", "It is this one."),
    Message("user", "And the second?"),
]


def give_template(folder: Path, name: str | None, *, own: Path) -> None:
    """Give the model in `folder` the chat template of ours, or the file in the folder `own`, called `name`.

    Without a name it keeps what it came with.

    Raises:
        SourceError: there is no such template.
    """
    if name is None:
        return
    text = TEMPLATES.get(name)
    if text is None:
        path = Path(name)
        if path.parent != own or path.suffix != ".jinja" or not path.is_file():
            raise SourceError(
                f"base.chat_template is {name}; it must be one of {', '.join(TEMPLATES)}, or a .jinja file "
                f"in {own}"
            )
        text = path.read_text(encoding="utf-8")
    write_text(folder / FILE, text)


def require_speech(folder: Path) -> None:
    """Make sure that the model in `folder` can be trained to talk.

    Raises:
        SourceError: transformers does not know the family or has no language model of it, the tokenizer has
            more words than the model, or its chat template is missing or drops turns.
    """
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, AutoConfig

    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise SourceError(f"base.model is of a family that cannot be read: {error}") from None
    if type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING:
        raise SourceError(
            f"base.model is a {config.model_type}, of which transformers has no causal language model; "
            "docs/models.md lists families that were tried"
        )
    try:
        tokenizer = load_tokenizer(folder)
        prompt_ids(tokenizer, TALK)
    except EngineError as error:
        raise SourceError(
            f"base.model cannot hold a conversation: {error}; base.chat_template gives it another template "
            f"({', '.join(TEMPLATES)}, or a file of your own)"
        ) from None
    words = int(config.get_text_config().vocab_size)
    if len(tokenizer) > words:
        raise SourceError(
            f"base.model has {words:,} embeddings and its tokenizer {len(tokenizer):,} tokens: they do not "
            "belong together; name a folder with the tokenizer that the model was trained with"
        )
