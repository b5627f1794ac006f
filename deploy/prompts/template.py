"""Reads prompt templates and renders them.

The body is cut at its `system:` and `user:` heads before anything is filled in, so text that comes from a
user or a document can neither open a turn of its own nor be evaluated: it is only ever a value.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml
from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from deploy.abstention import ABSTENTION
from deploy.errors import PromptError
from deploy.marks import LONGEST_ROLE, ROLE_TOKEN, without_marks
from deploy.messages import Message, Role, last_question

PROMPTS = Path(__file__).parent
MAX_TEMPLATE_BYTES = 64 * 1024
MAX_RENDERED_CHARACTERS = 400_000
VARIABLES = ("question", "sources", "instructions", "abstention")  # what a template may ask for
OF_A_SOURCE = ("number", "title", "text")  # and of each of its sources

_FRONT = re.compile(r"\A---\n(.*?)\n---\n(.*)\Z", re.DOTALL)
_HEAD = re.compile(r"^(system|user|assistant):[ \t]*\n", re.MULTILINE)
# A line begins behind anything that shows as its end, and where a passage was cut.
_LINE_ENDS = "\\n\\r\\v\\f\\x1c-\\x1e\\x85\\u2028\\u2029"
_SOURCE_HEAD = re.compile(rf"((?:\A|[{_LINE_ENDS}])[^\S{_LINE_ENDS}]*)\[(\d+)\]")
_LAST_ROLE_TOKEN = re.compile(rf"{ROLE_TOKEN.pattern}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One retrieved chunk as the prompt shows it; `number` counts from 1 and is what [n] refers to.

    `chunk` is its id, by which a search names it, too; None in answers that were kept by an earlier version.
    """

    number: int
    document: str
    uri: str
    title: str
    text: str
    chunk: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptTemplate:
    """A template file, ready to render."""

    name: str
    turns: tuple[tuple[Role, Template], ...]

    def render(self, conversation: Sequence[Message], sources: Sequence[Source] = ()) -> list[Message]:
        """The messages to send to the model: the template's turns around the earlier turns of `conversation`.

        What the client said as `system` reaches the template as `instructions`; its last user turn is
        `question`; the turns between stand unchanged before the template's last turn. Turns that
        render to nothing are left out.

        Raises:
            PromptError: the template asks for a variable that nobody gives, or grows beyond all bounds.
        """
        said = [message for message in conversation if message.role != "system"]
        values = {
            "question": neutral(last_question(conversation)),
            "sources": [
                {
                    "number": source.number,
                    "title": unforged(neutral(source.title)),
                    "text": unforged(neutral(source.text)),
                }
                for source in sources
            ],
            "instructions": neutral("\n\n".join(m.content for m in conversation if m.role == "system")),
            "abstention": ABSTENTION,
        }
        earlier = [Message(turn.role, neutral(turn.content)) for turn in said[:-1]]
        turns = [Message(role, self._filled(template, values)) for role, template in self.turns]
        return [turn for turn in [*turns[:-1], *earlier, turns[-1]] if turn.content]

    def _filled(self, template: Template, values: dict[str, Any]) -> str:
        pieces: list[str] = []
        size = 0
        try:
            for piece in template.generate(values):
                size += len(piece)
                if size > MAX_RENDERED_CHARACTERS:
                    raise PromptError(
                        f"the prompt {self.name} grew beyond {MAX_RENDERED_CHARACTERS} characters; "
                        "shorten the question or lower retrieval.top_k"
                    )
                pieces.append(piece)
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, RecursionError) as error:
            raise PromptError(
                f"the prompt {self.name} cannot be rendered: {error}; mend its file. "
                f"It may use {', '.join(VARIABLES)}, and of each of the sources {', '.join(OF_A_SOURCE)}"
            ) from None
        return "".join(pieces).strip()


def load_template(template: str, root: Path = Path()) -> PromptTemplate:
    """The template that `prompt.template` names.

    Raises:
        PromptError: there is no such template, or it is wrong.
    """
    return read_template(template_path(template, root))


def template_path(template: str, root: Path = Path()) -> Path:
    """Where the template lies: a shipped one by its name, one of the user's own by its path below `root`.

    Raises:
        PromptError: the file has the name of a shipped one, which would stand beside it in a bundle.
    """
    if "/" not in template and not template.endswith(".prompty"):
        return PROMPTS / f"{template}.prompty"
    path = root / template
    if (PROMPTS / path.name).exists():
        raise PromptError(
            f"{path} has the name of a template that is shipped in deploy/prompts; give it another, "
            f"such as {path.with_stem(f'my-{path.stem}')}"
        )
    return path


def read_template(path: Path) -> PromptTemplate:
    """The template in the file `path`.

    Raises:
        PromptError: the file is missing or too large, is not front matter and a body whose heads fit, or asks
            for what nobody gives.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.prompty"))) or "none"
        raise PromptError(f"no prompt is called {path.stem!r} in {path.parent}; there are: {known}") from None
    except OSError as error:
        raise PromptError(f"the prompt {path} cannot be read: {error.strerror}") from None
    if len(content) > MAX_TEMPLATE_BYTES:
        raise PromptError(f"{path} has {len(content)} bytes; a prompt may have {MAX_TEMPLATE_BYTES}")
    try:
        match = _FRONT.match(content.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        raise PromptError(f"{path} is not UTF-8: {error}") from None
    if not match:
        raise PromptError(f"{path} must begin with front matter between two lines of ---, then a body")
    _check_front_matter(path, match[1])
    return PromptTemplate(name=path.stem, turns=tuple(_turns(path, match[2])))


def neutral(text: str) -> str:
    """`text` without anything shaped like a role token (`<|im_start|>`), however it is nested."""
    if not ROLE_TOKEN.search(text):
        return text
    return without_marks(text, ends=frozenset(">"), longest=LONGEST_ROLE + 4, ending=_role_token_at_end)


def unforged(text: str) -> str:
    """`text` of a source without lines that would pass as the head of another one: [2] is (2) there.

    Whoever writes a document could else put words into the mouth of another one.
    """
    return _SOURCE_HEAD.sub(r"\1(\2)", text)


def _role_token_at_end(text: str) -> int:
    found = _LAST_ROLE_TOKEN.search(text)
    return len(found[0]) if found else 0


def _check_front_matter(path: Path, text: str) -> None:
    try:
        front = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise PromptError(f"the front matter of {path} is not valid YAML: {error}") from None
    if not isinstance(front, dict) or "version" not in front:
        raise PromptError(f"the front matter of {path} must name a version, such as `version: 1.0.0`")


def _turns(path: Path, body: str) -> Iterator[tuple[Role, Template]]:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    heads = list(_HEAD.finditer(body))
    before = (body[: heads[0].start()] if heads else body).strip()
    if not heads or before:
        first = before.partition("\n")[0]
        raise PromptError(
            f"the body of {path} must begin with a line `system:` or `user:`; it begins with {first!r}"
        )
    if heads[-1][1] != "user":
        raise PromptError(
            f"the last head of {path} is `{heads[-1][1]}:`; it must be `user:`, with the question below it"
        )
    ends = [head.start() for head in heads[1:]] + [len(body)]
    for head, end in zip(heads, ends, strict=True):
        text = body[head.end() : end]
        try:
            wanted = find_undeclared_variables(environment.parse(text))
            turn = cast(Role, head[1]), environment.from_string(text)
        except TemplateError as error:
            raise PromptError(f"{path}, below `{head[1]}:`: {error}; mend the template") from None
        if unknown := sorted(wanted.difference(VARIABLES)):
            raise PromptError(
                f"{path}, below `{head[1]}:`, asks for {', '.join(unknown)}, which nobody gives; "
                f"there are: {', '.join(VARIABLES)}"
            )
        if head is heads[-1] and "question" not in wanted:
            raise PromptError(
                f"{path} never shows the question: write {{{{ question }}}} below its last head"
            )
        yield turn
