"""The ledger: what each layer adds, as the stage `evaluate` writes it (docs/ledger.md)."""

import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from deploy.atomic import write_json
from deploy.files import read_json
from tasks.errors import SourceError
from tasks.evaluation.parity_record import Parity
from tasks.scoring.scores import Interval, Verdict

# The rows in their fixed order, and what people read.
NAMES: dict[str, str] = {
    "base": "base",
    "prompt": "+ prompt",
    "retrieval": "+ retrieval",
    "few_shot": "+ few-shot",
    "sft": "+ fine-tuning",
    "rlhf": "+ RLHF",
    "sft_closed_book": "fine-tuning without retrieval",
    "rule": "a rule, no model",
}
# The row that each row is compared with, question by question.
AGAINST: dict[str, str] = {
    "prompt": "base",
    "retrieval": "prompt",
    "few_shot": "retrieval",
    "sft": "retrieval",
    "rlhf": "sft",
    "sft_closed_book": "prompt",
}
LAYERS: dict[str, str] = {
    "prompt": "The prompt",
    "retrieval": "Retrieval",
    "few_shot": "Few-shot prompting",
    "sft": "Fine-tuning",
    "rlhf": "RLHF",
    "sft_closed_book": "Fine-tuning without retrieval",
    "rule": "The rule",
}
RULE = "rule"
TUNED = ("sft", "rlhf")  # the rows of models that training has changed, the last of them the best

# Subsets of the questions besides those that rows are held out for (`held_out`).
LIKE_TRAINING = "like training"  # of the sources and wordings that the training split is of, too
FOLLOW_UPS = "follow-ups"  # to an earlier question of the conversation; they are in one of the others, too
_TAKEN = re.compile(rf"(?:{LIKE_TRAINING}|{FOLLOW_UPS})(?: \(held out\))*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The mean paired difference of the score to the row `against`, with its 95 % interval.

    It is over `n` questions: those of the row, and more where `evaluate.rlhf_questions` asks more of both.
    None: those of the row, in a ledger of before that.
    """

    against: str
    mean: float
    low: float
    high: float
    verdict: Verdict
    n: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subset:
    """What an arm scored on the `n` questions of one subset; the fields are those of `Arm`."""

    score: float
    low: float
    high: float
    n: int
    abstention: float | None
    false_abstention: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """How many questions of the test split are held out under a name, and their version.

    Scores may be compared where the version is the same (tasks/rows/held_out.py).
    """

    questions: int
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How much the questions repeat their documents, and what is left of the score where they do so least.

    `literalness` is the mean share of the words of the answerable questions that stand in their documents
    (tasks/rows/literal.py). `score` with its 95 % interval is that of the row `arm` on the third of them
    that shares fewest, `n` questions.
    """

    literalness: float
    arm: str
    score: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One row of the ledger; all but `subsets` and the figures of the model is over the questions that count.

    `score` is in 0..1 with the bounds of its 95 % interval over `n` questions. `abstention` is the share of
    the unanswerable questions that were left unanswered, `false_abstention` that of the answerable ones.
    `citation_validity` is the share of answers that cite only sources they had, `citation_precision` the
    share of citations that point at a document with the answer. `retention` is exp(NLL of the base - NLL of
    this model), by token on general text: 1 where nothing is forgotten. `divergence` is that of this model
    from the base on general prompts, KL in nats a token: 0 where nothing has moved. `latency_ms` is the
    median of single requests. `unfinished` is the share of answers cut by their length. `over_rule` compares
    a tuned model with the rule. `subsets` are by name; none where all questions are of one. None: nobody can
    say, or there is no model.
    """

    score: float
    low: float
    high: float
    n: int
    abstention: float | None
    false_abstention: float | None
    citation_validity: float | None
    citation_precision: float | None
    retention: float | None
    latency_ms: float | None
    unfinished: float
    tasks: dict[str, float]
    difference: Difference | None
    divergence: Interval | None = None
    over_rule: Difference | None = None
    subsets: dict[str, Subset] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What each layer adds, one row a layer (an ablation table), and the figures that it is read beside.

    `counts` are the names of the user's own test sets: what is not of a subset is over their questions
    alone; empty where there is none, and all questions count. `majority` is the score of the best constant
    answer, chosen on the training split. `recall` is the share of the answerable questions whose quote
    stands in one of the `top_k` chunks found, `recalls` that of each subset in which documents are known.
    `skipped` says for each row that there is none of, why. `parity` tells of each tuned model whether it is
    served as trained. `versions` are by subset, over the whole test split. `wording` is None where the user
    has a test set.
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
    counts: tuple[str, ...] = ()
    recalls: dict[str, float] = field(default_factory=dict)
    versions: dict[str, HeldOut] = field(default_factory=dict)
    wording: Wording | None = None


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


def subset_name(held_out: str) -> str:
    """The subset of the rows that are held out under a name, or of those that are not held out.

    Each name has another, so that no file's rows are mixed with those of the two subsets that have none.
    """
    return f"{held_out} (held out)" if _TAKEN.fullmatch(held_out) else held_out or LIKE_TRAINING


def subset_sizes(ledger: Ledger) -> dict[str, int]:
    """How many questions each subset has, in the order of the columns; empty where there are no subsets."""
    found = {name: subset.n for arm in ledger.arms.values() for name, subset in arm.subsets.items()}
    order = sorted(found, key=lambda name: (*_rank(name, ledger.counts), name))
    return {name: found[name] for name in order}


def _rank(name: str, counts: tuple[str, ...]) -> tuple[bool, bool, bool]:
    """What counts comes first, then what is like training; the follow-ups, which are in the others, last."""
    return name not in counts, name != LIKE_TRAINING, name == FOLLOW_UPS
