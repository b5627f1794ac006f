"""Measures what each layer adds: the ledger, with the code that also serves."""

from pathlib import Path

from deploy.knowledge.store import open_knowledge
from deploy.prompts.template import load_template
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.evaluation.answers import write_answers
from tasks.evaluation.arms import SETUPS, Respondent
from tasks.evaluation.few_shot import FewShot, showable
from tasks.evaluation.figures import answer_lines, arms, recall, recalls, task_counts, that_count
from tasks.evaluation.ledger import NAMES, RULE, TUNED, HeldOut, Ledger, subset_name, write_ledger
from tasks.evaluation.measuring import ask_further, measure, serve
from tasks.evaluation.parity import parity
from tasks.evaluation.questions import counted, majority
from tasks.evaluation.retention import retention
from tasks.evaluation.rule import Rule
from tasks.evaluation.settings import EvaluateSettings
from tasks.evaluation.thresholds import read_thresholds
from tasks.evaluation.twins import twins
from tasks.evaluation.wording import wording
from tasks.machine.device import set_up_torch
from tasks.machine.settings import RunSettings
from tasks.rows.held_out import own_name, versions
from tasks.rows.records import GENERAL_TASK, Document, Example
from tasks.rows.reports import Report, write_report
from tasks.rows.skipped import skip_reason
from tasks.rows.tables import read_table
from tasks.scoring.scores import bootstrap


def evaluate(
    splits: Path,
    base: Path,
    embedder: Path,
    knowledge: Path,
    sft: Path,
    rlhf: Path,
    thresholds: Path,
    *,
    ledger: Path,
    answers: Path,
    report: Path,
    run: RunSettings,
    retrieval: RetrievalSettings,
    prompt: PromptSettings,
    generation: GenerationSettings,
    settings: EvaluateSettings,
) -> None:
    """Ask each arm the same questions of the test split; writes ledger, answers and row accounting.

    Raises:
        SourceError: the test split has no question that can be asked.
    """
    device = set_up_torch(run)
    test = read_table(splits / "test" / "examples.parquet", Example)
    train = [
        example
        for example in read_table(splits / "train" / "examples.parquet", Example)
        if example.task != GENERAL_TASK
    ]
    skipped = {"rlhf": reason} if (reason := skip_reason(rlhf)) else {}
    adapters = {name: path for name, path in {"sft": sft, "rlhf": rlhf}.items() if name not in skipped}
    served = serve(
        base,
        adapters,
        open_knowledge(knowledge, embedder, retrieval),
        load_template(prompt.template),
        device=device,
        generation=generation,
        batch_size=settings.batch_size,
        abstention=read_thresholds(thresholds),
    )
    few_shot = FewShot(
        showable(train),
        count=settings.few_shot,
        tokens=served.tokens,
        limit=served.longest_prompt(settings),
    )
    if few_shot.lacks:
        skipped[few_shot.name] = few_shot.lacks
    every: dict[str, Respondent] = {each.name: each for each in (*SETUPS, few_shot, Rule())}
    same_models = twins(adapters)
    measured = measure(
        served,
        [every[name] for name in NAMES if name not in skipped],
        test,
        count=settings.questions,
        settings=settings,
        seed=run.seed,
        same=same_models,
    )
    further = ask_further(
        served,
        [every[name] for name in TUNED] if len(adapters) == len(TUNED) else [],
        test,
        measured,
        count=settings.rlhf_questions,
        settings=settings,
        seed=run.seed,
        same=same_models,
    )
    answered = dict(measured.answered)
    if not any(answer.sources for answer in answered[RULE]):
        del answered[RULE]
        skipped[RULE] = "retrieval finds no passage that it could copy from"
    same = parity(base, adapters, answered, served, device, count=settings.parity_answers)
    moved = {
        model: bootstrap(values, resamples=settings.bootstrap, seed=run.seed)
        for model, values in measured.divergence.items()
    }
    asked = that_count(answered["retrieval"])
    questions = [answer.example for answer in asked]
    own = sorted({subset_name(name) for question in questions if (name := own_name(question))})
    documents = [] if own else read_table(splits / "documents.parquet", Document)
    constant, constant_score = majority(train, questions)
    nll = measured.nll
    models = {name: model for name in answered if (model := every[name].model)}
    rows = arms(
        answered,
        retention={name: retention(nll["base"], nll[model]) for name, model in models.items()},
        divergence={name: moved[model] for name, model in models.items()},
        latency=measured.latency_ms,
        resamples=settings.bootstrap,
        seed=run.seed,
        further=further.answered,
    )
    result = Ledger(
        arms=rows,
        majority=round(constant_score, 4),
        majority_answer=constant,
        recall=recall(asked),
        top_k=retrieval.top_k,
        questions=len(questions),
        unanswerable=sum(not question.answerable for question in questions),
        skipped=skipped,
        parity=same,
        counts=tuple(own),
        recalls=recalls(answered["retrieval"]),
        versions={
            subset_name(name): HeldOut(questions=int(told["questions"]), version=str(told["version"]))
            for name, told in versions(test).items()
        },
        wording=wording(answered, documents, resamples=settings.bootstrap, seed=run.seed),
    )
    write_ledger(ledger, result)
    write_answers(answers, answer_lines(answered))
    figures = {
        **device.figures(),
        "questions": task_counts(measured.questions),
        "examples": few_shot.figures(),
        "general_nll": {model: round(value, 5) for model, value in nll.items()},
    }
    counts = counted(
        test=len(test),
        drawn=len(measured.drawn) + further.drawn,
        asked=len(measured.questions) + len(next(iter(further.answered.values()), [])),
    )
    write_report(report, Report(stage="evaluate", rows=counts, figures=figures))
