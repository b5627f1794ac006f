"""Callables that say the same belong together: a group never stands in two splits.

numpy.sum and numpy.ma.sum, DataFrame.head and Series.head repeat each other's documentation. A question on
one in training would tell the answer for the other in the test. United are callables with the same
parameter paragraphs, and those of one last name whose summaries are equal.
"""

from collections.abc import Iterable, Mapping

from tasks.prepare.collect.documentation.callables import PublicCallable
from tasks.prepare.collect.documentation.facts import normalised, paragraphs
from tasks.rows.identity import united


def groups(entries: Iterable[PublicCallable], partners: Mapping[str, str]) -> dict[str, str]:
    """The group of each callable by its name: the alphabetically first name among those united.

    `partners` are callables that are asked about together.
    """
    owner: dict[tuple[str, ...], str] = {}
    ordered = sorted(entries, key=lambda entry: entry.name)
    alike = [
        (owner.setdefault(trait, entry.name), entry.name) for entry in ordered for trait in _traits(entry)
    ]
    return united([*alike, *partners.items()])


def _traits(entry: PublicCallable) -> list[tuple[str, ...]]:
    """What two callables may share that makes them one group."""
    last = entry.name.rpartition(".")[2]
    traits: list[tuple[str, ...]] = [("summary", last, normalised(entry.doc.summary))]
    texts = [normalised(paragraph.text) for paragraph in paragraphs(entry)]
    # One short parameter (`X : array-like`) is shared by strangers; two are not.
    if len(texts) >= 2 and sum(len(text.split()) for text in texts) >= 20:
        traits.append(("parameters", *texts))
    return traits
