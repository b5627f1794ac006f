"""The ledger: what each layer adds, as the stage `evaluate` writes it and every page shows it."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from deploy.atomic import write_json
from deploy.files import read_json
from tasks.errors import SourceError
from tasks.evaluation.parity_record import Parity, parity_sentence
from tasks.pages.numbers import milliseconds, percent
from tasks.scoring.scores import Interval, Verdict

# The rows in their fixed order, and what people read.
NAMES: dict[str, str] = {
    "base": "base",
    "prompt": "+ prompt",
    "retrieval": "+ retrieval",
    "sft": "+ fine-tuning",
    "rlhf": "+ RLHF",
    "sft_closed_book": "fine-tuning without retrieval",
}
# The row that each row is compared with, question by question.
AGAINST: dict[str, str] = {
    "prompt": "base",
    "retrieval": "prompt",
    "sft": "retrieval",
    "rlhf": "sft",
    "sft_closed_book": "prompt",
}
LAYERS: dict[str, str] = {
    "prompt": "The prompt",
    "retrieval": "Retrieval",
    "sft": "Fine-tuning",
    "rlhf": "RLHF",
    "sft_closed_book": "Fine-tuning without retrieval",
}
TUNED = ("sft", "rlhf")  # the rows of models that training has changed

COLUMNS = ("abstains rightly", "abstains wrongly", "valid citations", "retention", "latency")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The mean paired difference of the score to the row `against`, with its 95 % interval."""

    against: str
    mean: float
    low: float
    high: float
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One row of the ledger.

    `score` is in 0..1 with the bounds of its 95 % interval over `n` questions. `abstention` is the share of
    the unanswerable questions that were left unanswered, `false_abstention` that of the answerable ones.
    `citation_validity` is the share of answers that cite only sources they had, `citation_precision` the
    share of citations that point at a document with the answer. `retention` is exp(NLL of the base - NLL of
    this model), by token on general text: 1 where nothing is forgotten. `divergence` is that of this model
    from the base on general prompts, KL in nats a token: 0 where nothing has moved. `latency_ms` is the
    median of single requests. `unfinished` is the share of answers cut by their length. None: nobody can say.
    """

    score: float
    low: float
    high: float
    n: int
    abstention: float | None
    false_abstention: float | None
    citation_validity: float | None
    citation_precision: float | None
    retention: float
    latency_ms: float | None
    unfinished: float
    tasks: dict[str, float]
    difference: Difference | None
    divergence: Interval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What each layer adds, one row a layer (an ablation table), and the figures that it is read beside.

    `majority` is the score of the best constant answer, chosen on the training split. `recall` is the share
    of the answerable questions whose quote stands in one of the `top_k` chunks found. `skipped` says for
    each row that there is none of, why. `parity` tells of each tuned model whether it is served as trained.
    """

    arms: dict[str, Arm]
    majority: float
    majority_answer: str
    recall: float | None
    top_k: int
    questions: int
    unanswerable: int
    skipped: dict[str, str] = field(default_factory=dict)
    parity: dict[str, Parity] = field(default_factory=dict)


def write_ledger(path: Path, ledger: Ledger) -> None:
    """Write the ledger as JSON metrics, atomically."""
    write_json(path, asdict(ledger))


def read_ledger(path: Path) -> Ledger:
    """The ledger at `path`.

    Raises:
        SourceError: the file is missing or is not a ledger.
    """
    found = read_json(path, Ledger, error=SourceError, advice="run dvc repro evaluate")
    return replace(found, arms={name: found.arms[name] for name in NAMES if name in found.arms})


def ledger_markdown(ledger: Ledger) -> str:
    """The ledger as a Markdown table with its majority line and one sentence for each layer."""
    head = ["", "score (95 % interval)", *COLUMNS]
    lines = [f"| {' | '.join(head)} |", "|---|" + "--:|" * (len(head) - 1)]
    for name, arm in ledger.arms.items():
        cells = [
            NAMES[name],
            f"{arm.score:.3f} ({arm.low:.3f} to {arm.high:.3f})",
            percent(arm.abstention),
            percent(arm.false_abstention),
            percent(arm.citation_validity),
            f"{arm.retention:.3f}",
            milliseconds(arm.latency_ms),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    sentences = [
        *verdict_sentences(ledger).values(),
        *skip_sentences(ledger),
        *forgetting_sentences(ledger),
        *parity_sentences(ledger),
    ]
    lines += ["", majority_sentence(ledger), *(f"- {text}" for text in sentences)]
    return "\n".join(lines) + "\n"


def majority_sentence(ledger: Ledger) -> str:
    """How many questions there are, and what a constant answer and retrieval alone can do for them."""
    text = (
        f"{ledger.questions} questions, {ledger.unanswerable} of them unanswerable. Always answering "
        f"\u201c{ledger.majority_answer}\u201d would score {ledger.majority:.3f}."
    )
    if ledger.recall is None:
        return text
    return (
        f"{text} The passage with the answer is among the {ledger.top_k} that retrieval finds "
        f"for {percent(ledger.recall)} of the answerable questions."
    )


def verdict_sentences(ledger: Ledger) -> dict[str, str]:
    """For each row that is compared, one plain sentence: does the layer help?"""
    return {
        name: _sentence(name, arm.difference)
        for name, arm in ledger.arms.items()
        if arm.difference is not None
    }


def skip_sentences(ledger: Ledger) -> list[str]:
    """For each row that is left out, why."""
    return [f"{LAYERS[name]} was skipped: {reason}." for name, reason in ledger.skipped.items()]


def parity_sentences(ledger: Ledger) -> list[str]:
    """For each tuned model whether it is the same as trained, saved, merged and served."""
    return [parity_sentence(LAYERS[name], ledger.parity[name]) for name in LAYERS if name in ledger.parity]


def forgetting_sentences(ledger: Ledger) -> list[str]:
    """For each tuned model, what it has kept of the base and how far it has moved (docs/retention.md)."""
    return [
        f"{LAYERS[name]} keeps {arm.retention:.3f} of the likelihood of general text, token by token, and "
        f"moves the answers to general prompts by {arm.divergence.mean:.3f} nats a token (95 % interval "
        f"{arm.divergence.low:.3f} to {arm.divergence.high:.3f})."
        for name, arm in ledger.arms.items()
        if name in TUNED and arm.divergence is not None
    ]


def _sentence(name: str, difference: Difference) -> str:
    layer, against = LAYERS[name], NAMES[difference.against].removeprefix("+ ")
    figures = f"{difference.mean:+.3f}, 95 % interval {difference.low:+.3f} to {difference.high:+.3f}"
    match difference.verdict:
        case "helps":
            return f"{layer} helps: better than {against} ({figures})."
        case "does not help" if difference.high < 0:
            return f"{layer} does not help: worse than {against} ({figures})."
        case "does not help":
            return f"{layer} does not help: no better than {against} ({figures})."
        case _:
            return f"{layer}: not clear from these questions whether it helps over {against} ({figures})."
