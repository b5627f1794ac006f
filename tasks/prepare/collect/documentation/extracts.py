"""Source `extracts`: small tasks cut out of the documentation of installed packages, whose answers are known.

`label`: which of the packages a summary comes from. `summary`: what a description says in its first line.
`json`: a signature as JSON.
"""

import ast
import json
from collections import Counter
from collections.abc import Callable, Mapping

from tasks.machine.progress import Progress
from tasks.prepare.collect.documentation.callables import PublicCallable, public_callables
from tasks.prepare.collect.documentation.docstrings import description, first_sentence
from tasks.prepare.collect.documentation.groups import groups
from tasks.prepare.collect.identifiers import Collected, identifier, rank
from tasks.prepare.collect_settings import ExtractsSource
from tasks.rows.records import Example, Rows

MAX_WORDS = 120  # of a description; the rest of a longer one is left out
_JSON = (bool, int, float, str, type(None))


def read_extracts(settings: ExtractsSource, *, seed: int) -> Collected:
    """At most `max_rows` examples of the task, drawn evenly over the packages, without evidence.

    Raises:
        SourceError: a package is not installed.
    """
    make = MAKERS[settings.task]
    progress = Progress(len(settings.packages), "packages")
    entries: list[PublicCallable] = []
    for done, package in enumerate(settings.packages, start=1):
        entries += public_callables(package).documented
        progress.update(done, callables=len(entries))
    together = groups(entries, {})
    found: dict[str, list[Example]] = {package: [] for package in settings.packages}
    for entry in sorted(entries, key=lambda entry: rank(seed, entry.name)):
        if exercise := make(entry):
            name = identifier("extracts", settings.task, *exercise)
            row = Example.plain(
                name, *exercise, source="extracts", task=settings.task, group=together[entry.name]
            )
            found[entry.package].append(row)
    share = -(-settings.max_rows // len(found))
    drawn = [row for rows in found.values() for row in rows[:share]][: settings.max_rows]
    print(f"extracts, {settings.task}: {len(entries)} callables, {len(drawn)} rows")
    answers = Counter(row.answer for row in drawn)
    return Collected(
        rows=Rows(examples=tuple(drawn), preferences=(), documents=()),
        figures={
            "task": settings.task,
            "callables": len(entries),
            "rows": len(drawn),
            "most_frequent_answer": max(answers.values(), default=0),
        },
    )


def _label(entry: PublicCallable) -> tuple[str, str] | None:
    summary = entry.doc.summary
    if len(summary.split()) < 4 or entry.package.rpartition(".")[2] in summary.lower():
        return None  # it says too little, or gives the answer away
    return (f"Which package is this from? {summary}", entry.package)


def _summary(entry: PublicCallable) -> tuple[str, str] | None:
    words = description(entry.text).split()
    sentence = first_sentence(entry.doc.summary)
    if len(words) < 20 or len(sentence.split()) < 4:
        return None
    return (f"Summarise in one sentence: {' '.join(words[:MAX_WORDS])}", sentence)


def _json(entry: PublicCallable) -> tuple[str, str] | None:
    name = entry.name.rpartition(".")[2]
    required: list[str] = []
    defaults: dict[str, object] = {}
    spelled: list[str] = []
    for argument in entry.arguments:
        if argument.name.startswith("*"):
            return None  # what stands for any number of arguments has no place in the answer
        if argument.default is None:
            required.append(argument.name)
            spelled.append(argument.name)
            continue
        try:
            value = ast.literal_eval(argument.default)
        except (ValueError, SyntaxError):
            return None
        if not isinstance(value, _JSON) or value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124
            return None
        defaults[argument.name] = value
        spelled.append(f"{argument.name}={argument.default}")
    if not 2 <= len(spelled) <= 8:
        return None
    answer = json.dumps({"function": name, "required": required, "defaults": defaults}, ensure_ascii=False)
    return (f"Write this signature as JSON: {name}({', '.join(spelled)})", answer)


MAKERS: Mapping[str, Callable[[PublicCallable], tuple[str, str] | None]] = {
    "label": _label,
    "summary": _summary,
    "json": _json,
}
