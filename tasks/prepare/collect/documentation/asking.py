"""Questions in words: how a person would put them, and whether training may see that wording."""

import random
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from deploy.messages import Message
from tasks.prepare.collect.documentation.callables import PublicCallable
from tasks.prepare.collect.documentation.linking import FRAMES
from tasks.prepare.collect.documentation.paraphrase import doing
from tasks.prepare.collect.documentation.questions import Question, QuestionKind
from tasks.prepare.collect.documentation.wording import meanings, values
from tasks.prepare.collect.documentation.wording.grammar import (
    UNSEEN_PACKAGE,
    Frame,
    choose,
    expanded,
    filled,
    folded,
)
from tasks.prepare.collect.documentation.wording.names import Naming, package_name, parameter
from tasks.prepare.collect.documentation.wording.surface import spoken
from tasks.prepare.collect.identifiers import rank

_FRAMES: Mapping[QuestionKind, Sequence[str]] = {
    "default": values.DEFAULT,
    "confirm": values.CONFIRM,
    "compare": values.COMPARE,
    "which": values.WHICH,
    "purpose": meanings.PURPOSE,
    "none": meanings.NONE,
    "exists": meanings.EXISTS,
}
_CALLABLES = ("f", "g", "h")
_SIMPLE = re.compile(r"^[\w.+-]+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The turns before the answer; `held_out` is as in the rows."""

    prompt: tuple[Message, ...]
    held_out: str


class Asking:
    """Words questions about `entries`; those of the packages `held_out` only as training never words any."""

    def __init__(self, entries: Sequence[PublicCallable], *, held_out: Collection[str], seed: int) -> None:
        self._naming, self._held_out, self._seed = Naming(entries), frozenset(held_out), seed

    def words(self, question: Question) -> Asked:
        """The question in words; which ones follows from the seed and the question."""
        draw = random.Random(rank(self._seed, "words", question.key, question.standing))
        apart = question.fact.owner.package in self._held_out
        frame = choose(_frames(question), draw, unseen=apart)
        turns = [Message("user", self._sentence(question, frame, draw))]
        if question.before is not None:
            # The turn before is never what is tested: where training may see the row, it may see that, too.
            before = question.before
            seen = [each for each in folded(_frames(before)) if apart or not each.held_out]
            said = self._sentence(before, draw.choice(seen), draw)
            turns = [Message("user", said), Message("assistant", f"{before.answer} [1]"), *turns]
        return Asked(prompt=tuple(turns), held_out=UNSEEN_PACKAGE if apart else frame.held_out)

    def _sentence(self, question: Question, frame: Frame, draw: random.Random) -> str:
        text = spoken(expanded(frame.text, draw), draw)
        return filled(text, _Slots(question, self._naming, draw))


class _Slots(dict[str, str]):
    """What a frame may ask for, named when it does."""

    def __init__(self, question: Question, naming: Naming, draw: random.Random) -> None:
        super().__init__()
        self._question, self._naming, self._draw = question, naming, draw
        # The right one of three must not always come first.
        self._three = draw.sample((question.fact.owner, *question.others), len(question.others) + 1)

    def __missing__(self, slot: str) -> str:
        self[slot] = self._named(slot)
        return self[slot]

    def _named(self, slot: str) -> str:
        question, draw = self._question, self._draw
        fact = question.fact
        if slot in _CALLABLES:
            beside = [] if question.beside is None else [question.beside.owner]
            return self._naming.callable([*self._three, *beside][_CALLABLES.index(slot)], draw)
        if slot == "v":
            plain = _SIMPLE.match(question.stated) and draw.random() < 0.7
            return question.stated if plain else f"`{question.stated}`"
        match slot:
            case "p":
                named = parameter(fact.parameter, draw)
            case "kind":
                named = fact.owner.kind
            case "pkg":
                named = package_name(fact.owner.package, draw)
            case "desc":
                named = fact.value if fact.value.endswith((".", "!", "?")) else f"{fact.value}."
            case _:
                named = doing(fact.value, draw)
        return named


def _frames(question: Question) -> Sequence[str]:
    if question.before is not None and question.link is not None:
        return FRAMES[question.link][question.kind]
    if question.kind == "lookup":
        return meanings.DOING if doing(question.fact.value, random.Random(0)) else meanings.DESCRIBED
    if question.kind == "confirm" and question.stated == "True":
        return (*values.SWITCH, *values.CONFIRM)
    return _FRAMES[question.kind]
