"""Measures what each layer adds: the ledger, with the code that also serves."""

from pathlib import Path

from deploy.assistant import Assistant
from deploy.engines.chat import load_tokenizer, prompt_ids
from deploy.engines.local import TransformersEngine
from deploy.knowledge.store import open_knowledge
from deploy.prompts.template import load_template
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.answers import write_answers
from tasks.device import set_up_torch
from tasks.errors import SourceError
from tasks.evaluate.arms import SETUPS, ask_all
from tasks.evaluate.divergence import divergences
from tasks.evaluate.figures import answer_lines, arms, recall, task_counts
from tasks.evaluate.parity import parity
from tasks.evaluate.questions import account, askable, draw_questions, majority
from tasks.evaluate.retention import likelihoods, retention
from tasks.ledger import Ledger, write_ledger
from tasks.omission import omission
from tasks.records import GENERAL_TASK, Example
from tasks.reports import Report, write_report
from tasks.scores import bootstrap
from tasks.settings import EvaluateSettings, RunSettings
from tasks.tables import read_table


def evaluate(
    splits: Path,
    base: Path,
    embedder: Path,
    knowledge: Path,
    sft: Path,
    rlhf: Path,
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
    """Ask each arm the same questions of the test split; writes the ledger, all answers and the row account.

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
    store = open_knowledge(knowledge, embedder, retrieval)
    omitted = {"rlhf": reason} if (reason := omission(rlhf)) else {}
    setups = [setup for setup in SETUPS if setup.name not in omitted]
    adapters = {name: path for name, path in {"sft": sft, "rlhf": rlhf}.items() if name not in omitted}
    engine = TransformersEngine(
        base,
        adapters,
        dtype=device.precision,
        device=device.name,
        batch_size=settings.batch_size,
    )
    assistant = Assistant(engine, store, load_template(prompt.template), generation)
    tokenizer = load_tokenizer(base)
    drawn = draw_questions(test, settings.questions, seed=run.seed)
    asked = askable(
        drawn,
        assistant,
        lambda messages: len(prompt_ids(tokenizer, messages)),
        limit=engine.context - max(generation.max_new_tokens, settings.base_max_new_tokens),
    )
    if not asked.questions:
        raise SourceError(
            f"{splits / 'test'} has {len(test)} examples and none can be asked; add rows or raise split.test"
        )
    measured = ask_all(setups, asked, assistant, settings, seed=run.seed)
    general = likelihoods(engine, tokenizer)
    same = parity(
        base,
        adapters,
        measured.answered,
        assistant,
        engine,
        tokenizer,
        device,
        count=settings.parity_answers,
    )
    moved = {
        model: bootstrap(values, resamples=settings.bootstrap, seed=run.seed)
        for model, values in divergences(engine, tokenizer).items()
    }
    constant, constant_score = majority(train, asked.questions)
    rows = arms(
        measured.answered,
        retention={setup.name: retention(general["base"], general[setup.model]) for setup in setups},
        divergence={setup.name: moved[setup.model] for setup in setups},
        latency=measured.latency_ms,
        resamples=settings.bootstrap,
        seed=run.seed,
    )
    result = Ledger(
        arms=rows,
        majority=round(constant_score, 4),
        majority_answer=constant,
        recall=recall(measured.answered["retrieval"]),
        top_k=retrieval.top_k,
        questions=len(asked.questions),
        unanswerable=sum(not question.answerable for question in asked.questions),
        omitted=omitted,
        parity=same,
    )
    write_ledger(ledger, result)
    write_answers(answers, answer_lines(measured.answered))
    figures = {
        **device.figures(),
        "questions": task_counts(asked.questions),
        "general_nll": {model: round(nll, 5) for model, nll in general.items()},
    }
    counts = account(test=len(test), drawn=len(drawn), asked=len(asked.questions))
    write_report(report, Report(stage="evaluate", rows=counts, figures=figures))
