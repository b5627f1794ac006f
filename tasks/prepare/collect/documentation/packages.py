"""Source `packages`: the documentation of installed packages, with questions that the code itself answers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from deploy.files import text_sha256
from tasks.machine.progress import Progress
from tasks.prepare.collect.documentation.asking import Asking
from tasks.prepare.collect.documentation.callables import (
    InstalledPackage,
    PublicCallable,
    installed,
    public_callables,
)
from tasks.prepare.collect.documentation.contrasts import baselines, contrasts
from tasks.prepare.collect.documentation.drawing import Drawing
from tasks.prepare.collect.documentation.facts import document_text, facts, lookups
from tasks.prepare.collect.documentation.groups import groups
from tasks.prepare.collect.documentation.linking import Linking
from tasks.prepare.collect.documentation.partners import Partners
from tasks.prepare.collect.documentation.questions import Question, as_example
from tasks.prepare.collect.documentation.remarks import small_talk
from tasks.prepare.collect.identifiers import Collected, identifier
from tasks.prepare.collect_settings import PackagesSource
from tasks.rows.records import Document, Example, Rows

MAX_NAMED = 20  # names that the report spells out of each reason for leaving callables out


def read_packages(settings: PackagesSource, *, seed: int) -> Collected:
    """A document for each public callable, questions about them and synthetic preferences."""
    packages = {name: installed(name) for name in settings.packages}
    progress = Progress(len(packages), "packages")
    entries: list[PublicCallable] = []
    left_out: dict[str, Mapping[str, Any]] = {}
    for done, name in enumerate(packages, start=1):
        read = public_callables(name)
        entries += read.documented
        left_out[name] = {
            reason: {"count": len(names), "names": names[:MAX_NAMED]}
            for reason, names in read.left_out.items()
        }
        progress.update(done, callables=len(entries))
    documents = {entry.name: _document(entry, packages[entry.package]) for entry in entries}
    found = [fact for entry in entries for fact in facts(entry, documents[entry.name].text)]
    found += lookups(entries)
    partners = Partners(found, entries, seed=seed)
    drawn = Drawing(found, entries, partners, settings, seed=seed).draw()
    questions = Linking(found, seed=seed).linked(drawn, settings.follow_ups)
    ids = {name: document.id for name, document in documents.items()}
    together = groups(entries, partners.pairs)
    asking = Asking(entries, held_out=settings.held_out, seed=seed)
    asked: list[tuple[Question, Example]] = []
    for question in questions:
        words = asking.words(question)
        example = as_example(question, words.prompt, held_out=words.held_out, documents=ids, groups=together)
        asked.append((question, example))
    talk = small_talk(settings, len(asked), seed=seed)
    pairs = contrasts(asked, found, settings.preferences, seed=seed)
    print(
        f"packages {', '.join(f'{p.distribution} {p.version}' for p in packages.values())}: "
        f"{len(documents)} callables, {len(found)} facts, {len(asked)} questions, {len(talk)} other remarks, "
        f"{len(pairs)} preferences"
    )
    return Collected(
        rows=Rows(
            examples=(*(example for _, example in asked), *talk),
            preferences=tuple(pairs),
            documents=tuple(documents.values()),
        ),
        figures={
            "versions": {name: package.version for name, package in packages.items()},
            "facts": dict(sorted(Counter(fact.kind for fact in found).items())),
            "left_out": left_out,
            "groups": len(set(together.values())),
            "largest_group": max(Counter(together.values()).values(), default=0),
            **_question_figures(questions),
            "preferences": baselines(pairs),
        },
    )


def _document(entry: PublicCallable, package: InstalledPackage) -> Document:
    text = document_text(entry)
    return Document(
        id=identifier("packages", entry.name, text),
        source="packages",
        uri=f"py:{entry.name}@{package.version}",
        title=entry.name,
        text=text,
        metadata={
            "package": package.distribution,
            "version": package.version,
            "kind": entry.kind,
            "aliases": " ".join(entry.aliases),
        },
        sha256=text_sha256(text),
    )


def _question_figures(questions: Sequence[Question]) -> Mapping[str, Any]:
    """How many questions of each kind, and what answering every one alike would score."""
    tasks = Counter(question.task for question in questions)
    follow_ups = sum(question.before is not None for question in questions)
    values = Counter(question.fact.value for question in questions if question.task == "default")
    value, count = max(values.items(), key=lambda item: (item[1], item[0]), default=("", 0))
    return {
        "questions": dict(sorted(tasks.items())),
        "follow_ups": follow_ups,
        "majority_default": {"value": value, "share": round(count / max(1, tasks["default"]), 4)},
    }
