"""Which layers to build: one rule each, read from top to bottom; the first row that holds decides a layer.

The thresholds are counts of rows. Where this project has measured a layer, the measurement comes first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tasks.advise.facts import Facts

Layer = Literal["prompt", "few_shot", "retrieval", "sft", "rlhf"]
LAYERS: dict[Layer, str] = {
    "prompt": "prompting",
    "few_shot": "examples in the prompt (few-shot)",
    "retrieval": "retrieval",
    "sft": "supervised fine-tuning",
    "rlhf": "reward model and RLHF",
}
FEW = 50  # fewer questions with answers than this are shown in the prompt rather than trained on
PAIRS = 200  # a reward model learned from fewer preference pairs cannot be told from chance on its own split

Test = Callable[[Facts], bool]


class Rule(NamedTuple):
    """If `holds`, `layer` is built or left out; `reason` names the facts (counts by name) and the source."""

    layer: Layer
    build: bool
    holds: Test
    reason: str | Callable[[Facts], str]

    def told(self, facts: Facts) -> str:
        """The reason with the counts of these facts in it."""
        if callable(self.reason):
            return self.reason(facts)
        counts = ("documents", "examples", "preferences")
        return self.reason.format(**{name: f"{getattr(facts, name):,}" for name in counts})


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether a layer is built, and why."""

    layer: Layer
    build: bool
    reason: str


def decide(facts: Facts) -> list[Decision]:
    """A decision on each layer, in the order in which they are built."""
    found: dict[Layer, Decision] = {}
    for rule in RULES:
        if rule.layer not in found and rule.holds(facts):
            found[rule.layer] = Decision(layer=rule.layer, build=rule.build, reason=rule.told(facts))
    # RLHF goes on from a fine-tuned model.
    if found["rlhf"].build and not found["sft"].build:
        reason = "RLHF goes on from a fine-tuned model, and none is advised here"
        found["rlhf"] = Decision(layer="rlhf", build=False, reason=reason)
    return [found[layer] for layer in LAYERS]


def _measured(layer: str, verdict: str) -> Test:
    """Whether the ledger of this project says this of a layer."""

    def holds(facts: Facts) -> bool:
        arm = facts.ledger.arms.get(layer) if facts.ledger else None
        return arm is not None and arm.difference is not None and arm.difference.verdict == verdict

    return holds


def _told(layer: str) -> Callable[[Facts], str]:
    """What the ledger of this project says of a layer."""

    def told(facts: Facts) -> str:
        assert facts.ledger is not None
        difference = facts.ledger.arms[layer].difference
        assert difference is not None
        verdict = "helps" if difference.verdict == "helps" else "does not help"
        return (
            f"measured here: it {verdict} ({difference.mean:+.3f} over {difference.against}, 95 % interval "
            f"{difference.low:+.3f} to {difference.high:+.3f}, {facts.ledger.arms[layer].n} questions)"
        )

    return told


def _always(_: Facts) -> bool:
    return True


RULES = (
    Rule("prompt", True, _always, "costs nothing to train, and every other layer is measured against it"),
    Rule(
        "few_shot", True, lambda f: f.teaches_skill and 0 < f.examples < FEW,
        "{examples} questions with answers are too few to train on; shown in the prompt they still help "
        "(Brown et al. 2020). Put some of them into a template of your own (docs/prompts.md)",
    ),
    Rule("few_shot", False, lambda f: f.examples == 0, "there are no questions with answers to show"),
    Rule(
        "few_shot", False, lambda f: not f.teaches_skill,
        "examples show how to answer, and the goal is what to answer",
    ),
    Rule(
        "few_shot", False, _always,
        "{examples} questions with answers can be trained on, which does better than showing some at each "
        "request, and costs no tokens there (Liu et al. 2022, arXiv:2205.05638)",
    ),
    Rule(
        "retrieval", False, lambda f: f.documents == 0 and f.needs_knowledge,
        "there are no documents to find anything in; name some under collect.sources: knowledge needs them",
    ),
    Rule("retrieval", False, lambda f: f.documents == 0, "there are no documents to find anything in"),
    Rule(
        "retrieval", False, lambda f: not f.needs_knowledge,
        "the goal is a skill; what to answer need not be looked up",
    ),
    Rule("retrieval", True, _measured("retrieval", "helps"), _told("retrieval")),
    Rule(
        "retrieval", True, _always,
        "{documents} documents hold the knowledge: looked up for each question it stays current and can be "
        "cited (Lewis et al. 2020), and a model learns facts badly from fine-tuning (Ovadia et al. 2024, "
        "arXiv:2312.05934)",
    ),
    Rule(
        "sft", False, lambda f: not f.teaches_skill,
        "the goal is knowledge, and fine-tuning teaches skills; new facts make a model invent more "
        "(Gekhman et al. 2024, arXiv:2405.05904)",
    ),
    Rule(
        "sft", False, lambda f: f.examples < FEW,
        f"{{examples}} questions with answers; from about {FEW} on training is worth a try",
    ),
    Rule("sft", False, _measured("sft", "does not help"), _told("sft")),
    Rule("sft", True, _measured("sft", "helps"), _told("sft")),
    Rule(
        "sft", True, _always,
        "{examples} questions with answers teach a skill; a thousand good ones are enough for it (Zhou et "
        "al. 2023, arXiv:2305.11206)",
    ),
    Rule(
        "rlhf", False, lambda f: f.preferences == 0,
        "there are no preference pairs to learn a reward from",
    ),
    Rule(
        "rlhf", False, lambda f: not f.teaches_skill,
        "preferences shape how a model answers, and the goal is what it answers",
    ),
    Rule(
        "rlhf", False, lambda f: f.preferences < PAIRS,
        f"{{preferences}} preference pairs; a reward model wants {PAIRS} or more",
    ),
    Rule("rlhf", False, _measured("rlhf", "does not help"), _told("rlhf")),
    Rule(
        "rlhf", True, _always,
        "{preferences} preference pairs say which of two answers is better, which examples alone do not "
        "(Ouyang et al. 2022, arXiv:2203.02155)",
    ),
)  # fmt: skip
