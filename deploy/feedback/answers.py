"""The last answers of a server, as they were given, and to whom: what a rating is kept with."""

from collections import OrderedDict
from dataclasses import dataclass, replace

from deploy.answer import Layers
from deploy.messages import Message
from deploy.prompts.template import Source

MOST_ANSWERS = 1_000
MOST_CHARACTERS = 16_000_000  # in all of them: a long conversation takes the room of many short ones
MOST_FORGOTTEN = 100_000  # documents that went last: an answer under way may have been shown one of them


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAnswer:
    """An answer to a conversation, with all that it came of.

    `id` is that of the completion, `release` its system fingerprint, `created` in seconds since 1970.
    `citations` are the numbers of those `sources` that it names; `finished` is False where the limit of
    tokens cut it.
    """

    id: str
    conversation: tuple[Message, ...]
    text: str
    model: str
    release: str
    layers: Layers
    citations: tuple[int, ...]
    sources: tuple[Source, ...]
    finished: bool
    created: int


def without_passages(answer: GivenAnswer, document: str) -> GivenAnswer:
    """The answer without the text of passages of a document; that they were shown stays known."""
    sources = tuple(
        replace(source, title="", text="") if source.document == document else source
        for source in answer.sources
    )
    return replace(answer, sources=sources)


class RecentAnswers:
    """The last answers in memory, and who was given each; the oldest goes first. For one thread."""

    def __init__(self, *, most: int = MOST_ANSWERS, characters: int = MOST_CHARACTERS) -> None:
        self._most, self._most_characters = most, characters
        self._answers: OrderedDict[str, tuple[GivenAnswer, str]] = OrderedDict()
        self._characters = 0
        self._went: OrderedDict[str, int] = OrderedDict()  # each document, and as the how manieth it went

    @property
    def moment(self) -> int:
        """A number that rises with each document that goes."""
        return next(reversed(self._went.values()), 0)

    def gone(self, answer: GivenAnswer, since: int) -> list[str]:
        """The documents of an answer's passages that went after the moment `since`."""
        shown = {source.document for source in answer.sources}
        return sorted(document for document in shown if self._went.get(document, 0) > since)

    def add(self, answer: GivenAnswer, caller: str, *, since: int | None = None) -> None:
        """Remember an answer that `caller` was given; it was begun at the moment `since` (None: now).

        Of a document that went meanwhile no passage is remembered.
        """
        for document in self.gone(answer, self.moment if since is None else since):
            answer = without_passages(answer, document)
        self._answers[answer.id] = answer, caller
        self._characters += _length(answer)
        while len(self._answers) > self._most or self._characters > self._most_characters:
            _, (oldest, _) = self._answers.popitem(last=False)
            self._characters -= _length(oldest)

    def forget(self, document: str) -> None:
        """Let go of the passages of a document, those of answers under way among them."""
        now = self.moment + 1
        self._went.pop(document, None)
        self._went[document] = now
        if len(self._went) > MOST_FORGOTTEN:
            self._went.popitem(last=False)
        for name, (answer, caller) in self._answers.items():
            self._characters -= _length(answer)
            self._answers[name] = without_passages(answer, document), caller
            self._characters += _length(self._answers[name][0])

    def of(self, name: str, caller: str) -> GivenAnswer | None:
        """The answer of this id; None where it is not remembered, or was given to somebody else."""
        answer, whose = self._answers.get(name, (None, ""))
        return answer if whose == caller else None


def _length(answer: GivenAnswer) -> int:
    said = sum(len(message.content) for message in answer.conversation)
    return said + len(answer.text) + sum(len(source.text) for source in answer.sources)
