"""Stage `calibrate`: from which chance of the abstention on each tuned model abstains, by validation rows.

How much of the question the sources cover may count beside the chance, where that helps on those rows.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from deploy.atomic import write_json, write_text
from deploy.engines.abstaining import Abstaining
from deploy.engines.chat import load_tokenizer, prompt_ids
from deploy.engines.local import TransformersEngine
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.evaluation.halving import Rates, on_other_halves
from tasks.evaluation.questions import draw_questions
from tasks.evaluation.settings import CalibrateSettings
from tasks.evaluation.thresholds import Observed, Point, best, points
from tasks.evaluation.twins import twins
from tasks.evaluation.weighing import best_weight, told_apart
from tasks.machine.device import set_up_torch
from tasks.machine.progress import Progress
from tasks.machine.room import require_room
from tasks.machine.settings import RunSettings
from tasks.rows.grounding import Grounded, composer, ground
from tasks.rows.records import Example
from tasks.rows.reports import Report, row_counts, write_report
from tasks.rows.skipped import skip_reason
from tasks.rows.tables import read_table


def calibrate(
    splits: Path,
    base: Path,
    embedder: Path,
    knowledge: Path,
    sft: Path,
    rlhf: Path,
    *,
    thresholds: Path,
    curve: Path,
    report: Path,
    run: RunSettings,
    retrieval: RetrievalSettings,
    prompt: PromptSettings,
    generation: GenerationSettings,
    settings: CalibrateSettings,
) -> None:
    """Write when each tuned model abstains, with the curve that its threshold was read from.

    A model has none, and takes its likeliest answer, where no question is asked or where all are of one sort.
    """
    device = set_up_torch(run)
    validation = read_table(splits / "validation" / "examples.parquet", Example)
    drawn = draw_questions(validation, settings.questions, seed=run.seed) if settings.questions else []
    assistant = composer(knowledge, embedder, retrieval=retrieval, prompt=prompt, generation=generation)
    # A row without evidence, such as small talk, is answered whatever the sources say.
    asked = [row for row in ground(drawn, assistant) if row.outcome != "free"]
    adapters = {name: path for name, path in {"sft": sft, "rlhf": rlhf}.items() if not skip_reason(path)}
    long = 0
    chosen: dict[str, Abstaining] = {}
    curves: dict[str, list[Point]] = {}
    figures: dict[str, object] = {**device.figures()}
    if len({row.outcome == "answer" for row in asked}) == 2:
        require_room(base, device, what="calibrate")
        engine = TransformersEngine(
            base, adapters, dtype=device.precision, device=device.name, batch_size=settings.batch_size
        )
        tokenizer, room = load_tokenizer(base), engine.context - generation.max_new_tokens
        fitting = [row for row in asked if len(prompt_ids(tokenizer, row.messages)) <= room]
        long, asked = len(asked) - len(fitting), fitting
    if len({row.outcome == "answer" for row in asked}) == 2:
        for name, found in _chances(engine, asked, adapters).items():
            weight = best_weight(found)
            curves[name] = points(found, coverage_weight=weight)
            point = best(curves[name], at_most=settings.max_abstains_wrongly)
            chosen[name] = point.rule
            figures[name] = {
                "threshold": float(f"{point.rule.threshold:.6g}"),
                "coverage_weight": weight,
                "threshold_covered": float(f"{point.rule.chance_at(1.0):.6g}"),
                "abstains_rightly": round(point.rightly, 4),
                "abstains_wrongly": round(point.wrongly, 4),
                "auc": round(told_apart(found, coverage_weight=weight), 4),
                "auc_of_chance": round(told_apart(found, coverage_weight=0.0), 4),
                "on_other_halves": _rounded(
                    on_other_halves(found, seed=run.seed, at_most=settings.max_abstains_wrongly)
                ),
            }
            print(f"calibrate: {name} abstains from a chance of {_told(point.rule)}")
    write_json(thresholds, {name: asdict(rule) for name, rule in chosen.items()})
    write_text(curve, _as_csv(curves))
    unused = {
        "over calibrate.questions": len(validation) - len(drawn),
        "answered whatever the sources say": len(drawn) - len(asked) - long,
        "longer than the model's context": long,
    }
    rows = row_counts("example", len(validation), kept=len(asked), unused=unused)
    write_report(report, Report(stage="calibrate", rows=rows, figures=figures))


def _chances(
    engine: TransformersEngine, asked: Sequence[Grounded], adapters: Mapping[str, Path]
) -> dict[str, list[Observed]]:
    """What each model gives to the abstention; one that is the same as another is not asked again."""
    progress = Progress(len(adapters) * len(asked), "questions")
    found: dict[str, list[Observed]] = {}
    same = twins(adapters)
    for done, model in enumerate(adapters, start=1):
        if model not in same:
            chances = engine.abstention_chances([row.messages for row in asked], model=model)
            found[model] = [
                Observed(chance=chance, coverage=row.coverage or 0.0, answered=row.outcome == "answer")
                for chance, row in zip(chances, asked, strict=True)
            ]
        else:
            found[model] = found[same[model]]
        progress.update(done * len(asked), model=model)
    return found


def _rounded(rates: Rates | None) -> dict[str, float] | None:
    return {name: round(value, 4) for name, value in asdict(rates).items()} if rates is not None else None


def _told(rule: Abstaining) -> str:
    if not rule.coverage_weight:
        return f"{rule.threshold:.3g} on"
    return f"{rule.threshold:.3g} on where the sources cover nothing, of {rule.chance_at(1.0):.3g} if all"


def _as_csv(curves: dict[str, list[Point]]) -> str:
    """The curves as one table: under the name of each model how often it abstains rightly."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["threshold", "abstains_wrongly", *curves])
    for model, curve in curves.items():
        for point in curve:
            rightly = [f"{point.rightly:.4f}" if name == model else "" for name in curves]
            table.writerow([f"{point.rule.threshold:.6g}", f"{point.wrongly:.4f}", *rightly])
    return text.getvalue()
