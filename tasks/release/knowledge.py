"""Stage `knowledge`: today's documents become the store that is served, and what has drifted is measured.

Training and evaluation see the documents of the stage `index`, which go on for as long as little has changed
(`tasks.prepare.seen`). So a new document costs the embedding of its own chunks, and no training.
"""

import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy.assistant import Assistant
from deploy.knowledge.building import stored_vectors
from deploy.knowledge.store import open_knowledge
from deploy.prompts.template import load_template
from deploy.settings import GenerationSettings, RetrievalSettings
from tasks.errors import SourceError
from tasks.machine.settings import RunSettings
from tasks.prepare.seen import drift
from tasks.prepare.settings import IndexSettings, KnowledgeSettings
from tasks.prepare.storing import metadata_of, store_documents
from tasks.rows.records import Document, Dropped, Example
from tasks.rows.reports import Report, row_counts, write_report
from tasks.rows.sampling import stratified
from tasks.rows.tables import FILES, read_table
from tasks.scoring.recall import Ranked, ranked, with_evidence

_VALUES = 20  # of each filter in the report, the most frequent ones
_QUESTIONS = 200  # of validation, asked of both stores: enough to see a loss that matters, in seconds


def knowledge(
    documents: Path,
    quarantine: Path,
    splits: Path,
    index: Path,
    embedder: Path,
    *,
    knowledge: Path,
    report: Path,
    work: Path,
    run: RunSettings,
    indexing: IndexSettings,
    retrieval: RetrievalSettings,
    settings: KnowledgeSettings,
) -> None:
    """Write the store of the documents that are not quarantined; that of training where they are the same.

    That one has no tags and no metadata: with them the store is written anew, with the vectors from there.

    Raises:
        SourceError: no document has what `knowledge.filters` names.
    """
    everything = read_table(documents, Document)
    held = {row.id for row in read_table(quarantine, Dropped) if row.kind == "document"}
    rows = [row for row in everything if row.id not in held]
    seen = read_table(splits / FILES[Document], Document)
    found = drift(seen, rows)
    differ = {"added": found.added, "changed": found.changed, "removed": found.removed}
    figures: dict[str, Any] = {"drift": {**differ, "share": round(found.share, 4)}}
    tagged = Counter(tag for row in rows for tag in row.tags)
    values = _values(rows, settings.filters)
    if found.share == 0.0 and not tagged and not values:
        shutil.copytree(index, knowledge, copy_function=shutil.copyfile, dirs_exist_ok=True)
        counts = row_counts("document", len(rows), kept=len(rows))
        print(f"the {len(rows)} documents that training has seen are those that are served")
    else:
        counts, stored = store_documents(
            rows,
            embedder,
            knowledge,
            work=work,
            known=stored_vectors(index),
            run=run,
            settings=indexing,
            filters=settings.filters,
        )
        print(f"since training: {found.told} of {len(rows)} documents; nothing is trained anew for them")
        figures |= stored
    if tagged:
        figures["tags"] = dict(sorted(tagged.items()))
        told = ", ".join(f"{tag}: {count}" for tag, count in sorted(tagged.items()))
        print(f"{sum(bool(row.tags) for row in rows)} documents are for keys with a tag of theirs ({told})")
    if values:
        figures["filters"] = {name: dict(counts.most_common(_VALUES)) for name, counts in values.items()}
        told = ", ".join(
            f"{name} ({len(counts)} values in {counts.total()} documents)" for name, counts in values.items()
        )
        print(f"a question can be kept to documents by {told}")
    if found.share > 0.0:
        figures |= _found(splits, (index, knowledge), embedder, retrieval, settings, seed=run.seed)
    write_report(report, Report(stage="knowledge", rows=counts, figures=figures))


def _values(rows: Sequence[Document], filters: Sequence[str]) -> dict[str, Counter[str]]:
    """How many documents have which value of each of the metadata that `filters` names.

    Raises:
        SourceError: none has one.
    """
    counts = {name: Counter[str]() for name in filters}
    for row in rows if filters else ():
        known = metadata_of(row)
        for name in filters:
            if value := known.get(name):
                counts[name][value] += 1
    if rows and (none := [name for name, found in counts.items() if not found]):
        there = sorted({name for row in rows for name in metadata_of(row)})
        raise SourceError(
            f"knowledge.filters names {none[0]}, and no document has it; they have {', '.join(there)} "
            "(`keep` of a source names columns that go along with each document)"
        )
    return counts


def _found(
    splits: Path,
    stores: tuple[Path, Path],
    embedder: Path,
    retrieval: RetrievalSettings,
    settings: KnowledgeSettings,
    *,
    seed: int,
) -> dict[str, Any]:
    """How often questions of validation find their passage in the store of training, and in today's."""
    known = with_evidence(read_table(splits / "validation" / FILES[Example], Example))
    asked = stratified(known, _QUESTIONS, key=lambda row: row.task, seed=seed)
    if not asked:
        return {}
    before, now = (_ranked(asked, store, embedder, retrieval).share(retrieval.top_k) for store in stores)
    print(f"{len(asked)} questions of validation find their passage: {before:.3f} then, {now:.3f} now")
    lost = before - now
    if lost > settings.max_lost:
        print(
            f"warning: {lost:.3f} fewer find it, and knowledge.max_lost is {settings.max_lost:g}: the ledger "
            "says little of these documents. To train and measure with them, set knowledge.max_drift to 0 "
            "and run threeply run"
        )
    return {"asked": len(asked), "passage_found": {"by_training": round(before, 4), "now": round(now, 4)}}


def _ranked(rows: Sequence[Example], store: Path, embedder: Path, retrieval: RetrievalSettings) -> Ranked:
    opened = open_knowledge(store, embedder, retrieval)
    try:
        usual = GenerationSettings(max_new_tokens=1, temperature=0.0, top_p=1.0)
        return ranked(rows, Assistant(None, opened, load_template("plain"), usual))
    finally:
        opened.close()
