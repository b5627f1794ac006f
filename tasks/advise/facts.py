"""What advice rests on: the goal, the data at hand, the machine, and what was measured before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tasks.evaluation.ledger import Ledger

Goal = Literal["skill", "knowledge", "both"]
GOALS: dict[Goal, str] = {
    "skill": "how to answer: a format, a tone, a way of working, when to abstain",
    "knowledge": "what to answer: facts that stand in documents, and change",
    "both": "facts from documents, answered in a way that has to be learned",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Cores and memory in MiB; `gpu_mib` is 0 without a GPU."""

    cores: int
    memory_mib: int
    gpu_mib: int = 0

    @property
    def training_mib(self) -> int:
        """The memory in which a model trains."""
        return self.gpu_mib or self.memory_mib


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodResult:
    """What `threeply compare` found of a method; the bounds are those of the 95 % interval of the score."""

    score: float
    low: float
    high: float
    retention: float
    peak_mib: float | None = None
    tokens_per_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that the rules look at.

    `minutes` is what training may take; `base_is_there`: the base with that many `parameters` is in the
    project. `methods` and `ledger` (what each layer adds) are what this project has measured, with the
    untuned model as method `none`; `row_tokens` and `tokens_per_s` those of its last fine-tuning, by
    `measured_method`, and `chain_minutes` what reward model and RLHF took. `assumed` says in words what
    nobody has told.
    """

    goal: Goal
    documents: int
    examples: int
    preferences: int
    parameters: int
    minutes: float
    machine: Machine
    base_is_there: bool = False
    min_retention: float = 0.0
    methods: Mapping[str, MethodResult] = field(default_factory=dict)
    ledger: Ledger | None = None
    row_tokens: float | None = None
    tokens_per_s: float | None = None
    measured_method: str = ""
    chain_minutes: float | None = None
    assumed: tuple[str, ...] = ()

    @property
    def teaches_skill(self) -> bool:
        """Whether the goal is a skill, alone or among others."""
        return self.goal in ("skill", "both")

    @property
    def needs_knowledge(self) -> bool:
        """Whether the goal is knowledge, alone or among others."""
        return self.goal in ("knowledge", "both")
