"""Parity: how far a tuned model as it is saved, merged and served is from the one that training holds."""

from dataclasses import dataclass

from deploy.messages import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """How far one form is from the trained one.

    `gap` is the largest absolute difference of a token's log-probability, in nats; `differing` counts the
    answers in which another token is the likeliest somewhere, near ties excepted.
    """

    gap: float
    differing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the model answered to a conversation, its likeliest tokens and all layers on.

    Where not the `whole` answer is sure, `answer` is how it begins.
    """

    messages: tuple[Message, ...]
    answer: str
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """The forms of one tuned model, compared over `answers` answers of `tokens` tokens together.

    `forms` (`saved`, and `merged` where that can be) are measured in float32. `rounding` is how far the
    model is as it serves, in the shorter `precision` of the run; None where that is float32. `expected`
    is what a release must answer again.
    """

    answers: int
    tokens: int
    forms: dict[str, Distance]
    precision: str
    rounding: Distance | None
    expected: list[Expected]


def parity_sentence(layer: str, parity: Parity) -> str:
    """One plain sentence on a tuned model: are its forms the same, and what does rounding cost?"""
    forms = " and ".join(name for name in ("saved", "merged") if name in parity.forms)
    gap = max((distance.gap for distance in parity.forms.values()), default=0.0)
    differing = max((distance.differing for distance in parity.forms.values()), default=0)
    text = (
        f"{layer}, {forms} against trained: log-probabilities differ by at most {gap:.1g} nats over "
        f"{parity.tokens} tokens of {parity.answers} answers, and {_changed(differing)}"
    )
    if parity.rounding is None:
        return f"{text}."
    rounded = parity.rounding
    return (
        f"{text}; serving in {parity.precision} moves them by at most {rounded.gap:.2g}, and "
        f"{_changed(rounded.differing)}."
    )


def _changed(differing: int) -> str:
    if not differing:
        return "the likeliest tokens are the same"
    return f"{differing} answer{'s have' if differing > 1 else ' has'} another likeliest token"
