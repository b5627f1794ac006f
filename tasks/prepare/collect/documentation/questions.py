"""Questions about facts, worded in several ways, as examples with their evidence.

A question is `default`, `purpose` or `lookup` where a document answers it. Else it is `absent` (it asks for a
parameter that belongs to another callable) or `withheld` (it could be answered, but its document is hidden):
then the good answer is to abstain. The wording of the two sorts is the same, so it gives nothing away.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from deploy.abstention import ABSTENTION
from deploy.messages import Message
from tasks.prepare.collect.documentation.callables import PublicCallable
from tasks.prepare.collect.documentation.facts import Fact, FactKind
from tasks.prepare.collect.identifiers import identifier, rank
from tasks.rows.records import Example

Task = Literal["default", "purpose", "lookup", "absent", "withheld"]
ANSWERABLE: frozenset[Task] = frozenset({"default", "purpose", "lookup"})
WORDINGS: dict[FactKind, tuple[str, ...]] = {
    "default": (
        "In `{name}`, what is the default of `{parameter}`?",
        "What is the default value of `{parameter}` in `{name}`?",
        "What does `{parameter}` default to in `{name}`?",
        "Which value does `{name}` use when `{parameter}` is not given?",
        "If I call `{name}` without `{parameter}`, what is it set to?",
    ),
    "purpose": (
        "What does the parameter `{parameter}` of `{name}` do?",
        "In `{name}`, what is `{parameter}`?",
        "What is `{parameter}` for in `{name}`?",
        "What should I know about the argument `{parameter}` of `{name}`?",
    ),
    "lookup": (
        "Which {kind} of {package} is described like this: {value}",
        'What is the name of the {kind} in {package} with this description? "{value}"',
        "I am looking for a {kind} of {package}. Its summary reads: {value} What is it called?",
        "{value} Which {kind} of {package} is that?",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question about `owner`; `value` is what its fact says.

    An `absent` question carries the fact of another callable, whose value would be a plausible invention.
    """

    task: Task
    asks: FactKind
    owner: PublicCallable
    parameter: str
    value: str
    quote: str

    @property
    def key(self) -> str:
        """What makes the question the same, however it is worded."""
        return f"{self.owner.name}|{self.parameter}|{self.asks}"

    @property
    def says(self) -> str:
        """The answer that its value makes: code in backticks, prose as it is."""
        if self.asks == "lookup":
            return f"`{self.owner.name}`"
        return f"`{self.value}`" if self.asks == "default" else self.value

    @property
    def answer(self) -> str:
        """The good answer."""
        return self.says if self.task in ANSWERABLE else ABSTENTION


def about(fact: Fact, task: Task) -> Question:
    """The question that asks for a fact."""
    return Question(
        task=task,
        asks=fact.kind,
        owner=fact.owner,
        parameter=fact.parameter,
        value=fact.value,
        quote=fact.quote if task in ANSWERABLE else "",
    )


def worded(question: Question, distribution: str, seed: int) -> str:
    """The text of a question; which wording is chosen follows from the seed and the question."""
    wordings = WORDINGS[question.asks]
    return wordings[rank(seed, "wording", question.key) % len(wordings)].format(
        name=question.owner.name,
        parameter=question.parameter,
        kind=question.owner.kind,
        package=distribution,
        value=question.value if question.value.endswith((".", "!", "?")) else f"{question.value}.",
    )


def as_example(
    question: Question, text: str, *, documents: Mapping[str, str], groups: Mapping[str, str]
) -> Example:
    """The example that a question makes; `documents` and `groups` are by the name of the callable."""
    answerable = question.task in ANSWERABLE
    document = documents[question.owner.name]
    messages = (Message("user", text), Message("assistant", question.answer))
    withheld = (document,) if question.task == "withheld" else ()
    return Example(
        id=identifier("packages", question.task, text, question.answer, *withheld),
        source="packages",
        task=question.task,
        messages=messages,
        evidence=(document,) if answerable else (),
        quote=question.quote,
        withheld=withheld,
        answerable=answerable,
        group=groups[question.owner.name],
    )
