"""Chooses how to fine-tune, where `sft.method` is auto: method, rank, targets and learning rate.

Settings are tried on the rows of `sft` with few tokens, the best of them again with more. What decides is the
loss on rows of the validation split; the test split is not among the inputs.
"""

from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from deploy.assistant import Assistant
from deploy.knowledge.store import open_knowledge
from deploy.prompts.template import load_template
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.errors import TrainingError
from tasks.machine.memory import folder_bytes
from tasks.machine.settings import RunSettings
from tasks.methods import METHODS
from tasks.methods.method import MethodSettings
from tasks.rows.records import Example
from tasks.rows.reports import Report, write_report
from tasks.rows.skipped import leave_note
from tasks.rows.tables import read_table
from tasks.training.choice import Choice, write_choice
from tasks.training.searching.attempts import Attempts, Remembering, described
from tasks.training.searching.confirming import confirm
from tasks.training.searching.halving import HalvingResult, halve, rungs
from tasks.training.searching.journal import Attempt, Journal
from tasks.training.searching.proposals import Candidate, Proposals
from tasks.training.searching.space import sublayers_of
from tasks.training.settings import AUTO, SearchSettings, SftSettings

USUAL = "lora"  # what stands where a search finds nothing that is clearly better


def search(
    examples: Path,
    held_out: Path,
    base: Path,
    embedder: Path,
    knowledge: Path,
    *,
    choice: Path,
    report: Path,
    work: Path,
    run: RunSettings,
    retrieval: RetrievalSettings,
    prompt: PromptSettings,
    generation: GenerationSettings,
    sft: SftSettings,
    settings: SearchSettings,
) -> None:
    """Choose method and settings by short trials; writes the choice, and every trial as its evidence.

    The best is chosen if it is clearly better than LoRA, by further seeds; else LoRA. Where params.yaml
    names a method it is skipped.

    Raises:
        TrainingError: there are no rows to judge by, no trial succeeded, or the best could not be confirmed.
    """
    if sft.method != AUTO:
        reason = f"sft.method is {sft.method} in params.yaml"
        leave_note(choice, "search", reason)
        write_report(report, Report(stage="search", figures={"skipped": reason}))
        return
    held_out_examples = read_table(held_out, Example)
    if not held_out_examples:
        raise TrainingError(
            "a search judges by rows of the validation split, and there are none; raise split.validation, "
            "or name a method in sft.method"
        )
    store = Remembering(open_knowledge(knowledge, embedder, retrieval))
    attempts = Attempts(
        examples=read_table(examples, Example),
        held_out=held_out_examples,
        assistant=Assistant(None, store, load_template(prompt.template), generation),
        base=base,
        folder=work / "trial",
        journal=Journal(work / "attempts"),
        run=run,
        sft=sft.model_copy(update={"validation_rows": settings.validation_rows}),
        total=sum(rung.trials for rung in rungs(settings)) + 2 * settings.confirmations,
        held=folder_bytes(embedder) + folder_bytes(knowledge),
    )
    own: dict[str, MethodSettings] = {method: getattr(sft, method) for method in settings.methods}
    result = halve(Proposals(own, sublayers_of(base), seed=run.seed), attempts, settings)
    best = result.best
    if best is None or best.loss is None:
        attempts.forget()
        raise _nothing_found(result)
    print(f"{result.stopped}; the best: {described(best.method, best.settings)}", flush=True)
    usual = Candidate(number=0, method=USUAL, settings=getattr(sft, USUAL))
    tried = None
    if settings.confirmations and (best.method, dict(best.settings)) != _told(usual):
        found = Candidate(number=0, method=best.method, settings=_settings(best))
        last = replace(rungs(settings)[-1], number=settings.rungs)
        try:
            tried = confirm(found, usual, last, settings.confirmations, attempts)
        except TrainingError:
            attempts.forget()  # what failed is known, and would fail again
            raise
        print(tried.sentence(), flush=True)
    method, values = (best.method, dict(best.settings)) if tried is None or tried.holds else _told(usual)
    if reason := METHODS[method].refusal("rlhf", METHODS[method].settings.model_validate(values)):
        print(f"RLHF will be left out: {reason}", flush=True)
    attempted = [*result.attempts, *(tried.attempts if tried else ())]
    chosen = Choice(
        method=method,
        settings=values,
        validation_loss=best.loss if tried is None else fmean(tried.found if tried.holds else tried.usual),
        trials=len(attempted),
        tokens=result.spent + sum(one.trained or 0 for one in attempted[len(result.attempts) :]),
    )
    write_choice(choice, chosen)
    figures = _figures(result, chosen, settings)
    if tried:
        figures["confirmation"] = {
            "found": list(tried.found),
            "usual": list(tried.usual),
            "spread": round(tried.spread, 6),
            "holds": tried.holds,
            "sentence": tried.sentence(),
            "attempts": [asdict(one) for one in tried.attempts],
        }
    write_report(report, Report(stage="search", figures=figures))


def _told(candidate: Candidate) -> tuple[str, dict[str, Any]]:
    return candidate.method, candidate.settings.model_dump(mode="json")


def _settings(attempt: Attempt) -> MethodSettings:
    return METHODS[attempt.method].settings.model_validate(dict(attempt.settings))


def _nothing_found(result: HalvingResult) -> TrainingError:
    """The error for a search in which every trial failed: all reasons, the most frequent first."""
    reasons = Counter(attempt.failed for attempt in result.attempts)
    listed = "".join(f"\n  {count} x {reason}" for reason, count in reasons.most_common())
    return TrainingError(
        f"none of the {len(result.attempts)} trials of the search succeeded; see to what is said here, or "
        f"change search.methods:{listed}"
    )


def _figures(result: HalvingResult, chosen: Choice, settings: SearchSettings) -> dict[str, Any]:
    """The evidence: every attempt, what was spent, why it ended, and the choice."""
    return {
        "judged_by": "validation loss",
        "budget_tokens": settings.tokens,
        "spent_tokens": result.spent,
        "stopped": result.stopped,
        "seconds": round(sum(attempt.seconds for attempt in result.attempts), 1),
        "failed": sum(attempt.loss is None for attempt in result.attempts),
        "rungs": [asdict(rung) for rung in rungs(settings)],
        "attempts": [asdict(attempt) for attempt in result.attempts],
        "choice": {
            "method": chosen.method,
            "settings": dict(chosen.settings),
            "validation_loss": chosen.validation_loss,
        },
    }
