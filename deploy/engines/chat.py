"""How a conversation becomes tokens: the one rendering that training, evaluation and serving share."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.errors import EngineError, TurnsError
from deploy.marks import without_marks
from deploy.messages import Message, as_dicts

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def load_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    """The tokenizer of the model in `folder`, with a chat template and a padding token.

    Raises:
        EngineError: there is none, or it has no chat template.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise EngineError(f"no tokenizer can be read from {folder}: {error}") from None
    if not tokenizer.chat_template:
        raise EngineError(
            f"the tokenizer in {folder} has no chat template; take an instruction-tuned model, or set "
            "base.chat_template in params.yaml"
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def prompt_ids(tokenizer: "PreTrainedTokenizerBase", messages: Sequence[Message]) -> list[int]:
    """The tokens of a conversation up to where the assistant begins to speak.

    Control tokens inside the messages are removed first: no text can open or close a turn. Where the template
    knows no system turn, its text stands before the first question.

    Raises:
        TurnsError: the template refuses the conversation, or leaves out what a turn says.
    """
    from jinja2 import TemplateError

    plain = [Message(message.role, without_control(tokenizer, message.content)) for message in messages]
    for turns in (plain, _without_system(plain)):
        try:
            text = _opened(tokenizer, turns)
        except TemplateError as error:
            fault = f"refuses these turns ({', '.join(turn.role for turn in messages)}): {error}"
            continue
        if not (lost := _lost(text, turns)):
            return list(tokenizer.encode(text, add_special_tokens=False))
        fault = f"leaves out what the {lost} says"
    raise TurnsError(f"the chat template of the base model {fault}")


def answer_ids(tokenizer: "PreTrainedTokenizerBase", text: str) -> list[int]:
    """The tokens of an answer with its end of turn: what a model learns to say after `prompt_ids`."""
    plain = without_control(tokenizer, text)
    return [*tokenizer.encode(plain, add_special_tokens=False), end_of_turn(tokenizer)]


def _opened(tokenizer: "PreTrainedTokenizerBase", messages: Sequence[Message]) -> str:
    return str(tokenizer.apply_chat_template(as_dicts(messages), tokenize=False, add_generation_prompt=True))


def _lost(text: str, messages: Sequence[Message]) -> str:
    """The role of the first turn whose words are not in `text`; empty if all are.

    Templates may cut blanks, and of former answers what was thought.
    """
    for message in messages:
        words = message.content.rpartition("</think>")[2].strip()
        if words not in text:
            return message.role
    return ""


def _without_system(messages: Sequence[Message]) -> list[Message]:
    """The turns with what a system turn says at the head of the first question."""
    said = [message.content for message in messages if message.role == "system"]
    turns = [message for message in messages if message.role != "system"]
    if said and turns:
        turns[0] = Message(turns[0].role, "\n\n".join([*said, turns[0].content]))
    return turns


def end_of_turn(tokenizer: "PreTrainedTokenizerBase") -> int:
    """The token that ends an assistant's turn, taken from the chat template itself."""
    answer = "answer"
    turns = as_dicts([Message("user", "question"), Message("assistant", answer)])
    text = tokenizer.apply_chat_template(turns, tokenize=False)
    after = tokenizer.encode(text[text.rindex(answer) + len(answer) :], add_special_tokens=False)
    if after and after[0] in tokenizer.all_special_ids:
        return int(after[0])
    return int(tokenizer.eos_token_id)


def without_control(tokenizer: "PreTrainedTokenizerBase", text: str) -> str:
    """`text` without the tokenizer's special tokens, however they are nested."""
    special = sorted((token for token in control_tokens(tokenizer) if token), key=len, reverse=True)
    if not any(token in text for token in special):
        return text

    def at_end(part: str) -> int:
        return next((len(token) for token in special if part.endswith(token)), 0)

    last = frozenset(token[-1] for token in special)
    return without_marks(text, ends=last, longest=len(special[0]), ending=at_end)


def control_tokens(tokenizer: "PreTrainedTokenizerBase") -> set[str]:
    """The texts that this tokenizer reads as control tokens."""
    added = tokenizer.added_tokens_decoder.values()
    return {*tokenizer.all_special_tokens, *(token.content for token in added if token.special)}
