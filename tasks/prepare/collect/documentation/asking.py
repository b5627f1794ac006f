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
from tasks.prepare.collect.documentation.wording.things import counted
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
_DESCRIBED = 0.4  # share of the parameters that are called by what they are, where the documentation says it
_TAKES_NO_ARTICLE = re.compile(
    r"\b(?:the|an?|which|what|default|standard|preset|usual|normal|its) \{p\}", re.I
)
_OF_TWO = 0.3  # share of the choices that are between two
_SET = 0.3  # share of the switches that are asked about as a call has them, `copy=True`
_SWITCHES = re.compile(r"(?:if|when|set to) (?:set to )?`*true\b|whether\b", re.I)
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
        frame = choose(_frames(question, draw), draw, unseen=apart)
        turns = [Message("user", self._sentence(question, frame, draw))]
        if question.before is not None:
            # The turn before is never what is tested: where training may see the row, it may see that, too.
            before = question.before
            seen = [each for each in folded(_frames(before, draw)) if apart or not each.held_out]
            said = self._sentence(before, draw.choice(seen), draw)
            turns = [Message("user", said), Message("assistant", f"{before.answer} [1]"), *turns]
        return Asked(prompt=tuple(turns), held_out=UNSEEN_PACKAGE if apart else frame.held_out)

    def _sentence(self, question: Question, frame: Frame, draw: random.Random) -> str:
        text = spoken(expanded(frame.text, draw), draw)
        return filled(text, _Slots(question, text, self._naming, draw))


class _Slots(dict[str, str]):
    """What a frame may ask for, named when it does."""

    def __init__(self, question: Question, frame: str, naming: Naming, draw: random.Random) -> None:
        super().__init__()
        self._question, self._frame, self._naming, self._draw = question, frame, naming, draw
        # The right one of two or three must not always come first.
        others = question.others if "{h}" in frame else question.others[:1]
        self._among = draw.sample((question.fact.owner, *others), len(others) + 1)

    def __missing__(self, slot: str) -> str:
        self[slot] = self._named(slot)
        return self[slot]

    def _named(self, slot: str) -> str:
        question, draw = self._question, self._draw
        fact = question.fact
        if slot in _CALLABLES:
            beside = [] if question.beside is None else [question.beside.owner]
            return self._naming.callable([*self._among, *beside][_CALLABLES.index(slot)], draw)
        if slot == "v":
            plain = _SIMPLE.match(question.stated) and draw.random() < 0.7
            return question.stated if plain else f"`{question.stated}`"
        match slot:
            case "p":
                named = self._parameter()
            case "n":
                named = counted(fact.thing)
            case "kind":
                named = fact.owner.kind
            case "pkg":
                named = package_name(fact.owner.package, draw)
            case "desc":
                named = fact.value if fact.value.endswith((".", "!", "?")) else f"{fact.value}."
            case _:
                named = doing(fact.value, draw)
        return named

    def _parameter(self) -> str:
        """The parameter by its name, or as what it is."""
        fact, draw = self._question.fact, self._draw
        if self._question.kind == "purpose" and _SWITCHES.match(fact.value) and draw.random() < _SET:
            return f"{fact.parameter}=True"
        thing = described(self._question)
        if not thing or "{p}=" in self._frame or draw.random() >= _DESCRIBED:
            return parameter(fact.parameter, draw)
        return thing if _TAKES_NO_ARTICLE.search(self._frame) or draw.random() < 0.4 else f"the {thing}"


def described(question: Question) -> str:
    """What the parameter is, where a question may call it so; empty elsewhere.

    Not where the question asks for just that, nor for a parameter of another callable: that this one has
    none of the name does not say that it has no such thing.
    """
    asks = question.kind in ("default", "confirm", "none", "exists")
    return question.fact.thing if asks and question.standing != "absent" else ""


def _frames(question: Question, draw: random.Random) -> Sequence[str]:
    if question.before is not None and question.link is not None:
        return FRAMES[question.link][question.kind]
    if question.kind == "lookup":
        return meanings.DOING if doing(question.fact.value, random.Random(0)) else meanings.DESCRIBED
    if question.kind == "default" and counted(described(question)) and draw.random() < _DESCRIBED:
        return values.HOW_MANY
    if question.kind == "which" and draw.random() < _OF_TWO:
        return values.WHICH_OF_TWO
    if question.kind == "confirm" and question.stated == "True":
        return (*values.SWITCH, *values.CONFIRM)
    return _FRAMES[question.kind]
