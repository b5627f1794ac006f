"""Which rows are nearly the same: their texts are, and nothing in what they ask tells them apart."""

from collections.abc import Sequence

from deploy.messages import Message, last_question
from tasks.prepare.similar.differences import told_apart
from tasks.prepare.similar.pairs import Pair, near_pairs
from tasks.rows.literal import words
from tasks.rows.records import Example, Preference

Asked = Example | Preference
_FEWEST = 6  # words of a prompt: each one of `How are you?` is too much of it to be no matter
_SAME_WORDS = 0.6  # of the last questions, which a long conversation in common does not hide


def near_rows(rows: Sequence[Asked], *, near: float) -> list[Pair]:
    """The pairs of `rows`, by their places, that share `near` of what they say or ask and ask the same.

    Not near, however many words they share: two rows about other documents, with other numbers, names, code
    or negations in what they ask, with last questions that share too few words, or with short prompts. What
    the system turn says counts for nothing: many rows have it in common.
    """
    found: dict[tuple[int, int], Pair] = {}
    for texts in ([said(row) for row in rows], [spoken(row.prompt) for row in rows]):
        for pair in near_pairs(texts, near=near):
            places = pair.earlier, pair.later
            if places in found or _ask_the_same(rows[pair.earlier], rows[pair.later]):
                found[places] = max(pair, found.get(places, pair))
    return sorted(found.values())


def said(row: Asked) -> str:
    """What a row says: its turns with its answer, or the better one."""
    return f"{spoken(row.prompt)}\n{row.answer if isinstance(row, Example) else row.chosen}"


def spoken(turns: Sequence[Message]) -> str:
    """The turns of a conversation without what the system is told."""
    return "\n".join(turn.content for turn in turns if turn.role != "system")


def _ask_the_same(one: Asked, other: Asked) -> bool:
    if (set(one.evidence), set(one.withheld)) != (set(other.evidence), set(other.withheld)):
        return False
    prompts = spoken(one.prompt), spoken(other.prompt)
    if min(len(words(prompt)) for prompt in prompts) < _FEWEST:
        return False
    asked, too = (set(words(last_question(row.prompt))) for row in (one, other))
    if len(asked & too) < _SAME_WORDS * len(asked | too):
        return False
    return not told_apart(*prompts)
