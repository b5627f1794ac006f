"""Which rows are nearly the same: their texts are, and nothing in what they ask tells them apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deploy.messages import last_question
from tasks.prepare.similar.differences import told_apart
from tasks.prepare.similar.pairs import Pair, near_pairs
from tasks.rows.literal import words
from tasks.rows.records import Example, Preference

Asked = Example | Preference
_FEWEST = 6  # words of a prompt: each one of `How are you?` is too much of it to be no matter
_SAME_WORDS = 0.6  # of the last questions, which a long conversation in common does not hide


def said(row: Asked) -> str:
    """What a row says: its turns with its answer, or the better one."""
    return f"{asked(row)}\n{row.answer if isinstance(row, Example) else row.chosen}"


def asked(row: Asked) -> str:
    """What a row asks: its turns, without what the system is told, which many rows have in common."""
    return "\n".join(turn.content for turn in row.prompt if turn.role != "system")


@dataclass(frozen=True, slots=True)
class View:
    """What rows are compared by: a text of theirs, and whether its words count in their order."""

    text: Callable[[Asked], str]
    in_order: bool = True


# Copies are found by what they say with the answer, or without. That short ones have few words in a row left
# after some edits is no matter where their words are the same in any order.
VIEWS = {"said": View(said), "asked": View(asked), "words": View(said, in_order=False)}


def near_rows(rows: Sequence[Asked], *, near: float) -> list[Pair]:
    """The pairs of `rows`, by their places, that share `near` of a view of them, and ask the same.

    Not near, however many words they share: two rows about other documents, with other numbers, names, code
    or negations in what they ask, with last questions that share too few words, or with short prompts.
    """
    found: dict[tuple[int, int], Pair] = {}
    for view in VIEWS.values():
        for pair in near_pairs([view.text(row) for row in rows], near=near, in_order=view.in_order):
            places = pair.earlier, pair.later
            if places in found or ask_the_same(rows[pair.earlier], rows[pair.later]):
                found[places] = max(pair, found.get(places, pair))
    return sorted(found.values())


def ask_the_same(one: Asked, other: Asked) -> bool:
    """Whether two rows whose texts are near ask for the same thing, of the same documents."""
    if (set(one.evidence), set(one.withheld)) != (set(other.evidence), set(other.withheld)):
        return False
    prompts = asked(one), asked(other)
    if min(len(words(prompt)) for prompt in prompts) < _FEWEST:
        return False
    last, too = (set(words(last_question(row.prompt))) for row in (one, other))
    if len(last & too) < _SAME_WORDS * len(last | too):
        return False
    return not told_apart(*prompts)
