"""Advice on which approach to take: facts in, layers with reasons and a section of params.yaml out."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tasks.advise.expectation import Plan, plan
from tasks.advise.facts import Facts
from tasks.advise.method import MethodAdvice, Need, choose
from tasks.advise.rules import FEW, LAYERS, Decision, decide

RLHF_SHARE = 0.5  # of the time for training, where reward model and RLHF have not been timed


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """A decision on each layer, the method, what it takes, and the settings that follow from it.

    `params` goes over params.yaml, key by key, as a profile does.
    """

    decisions: list[Decision]
    method: MethodAdvice | None
    training: Plan | None
    minutes: float
    params: Mapping[str, Any] = field(default_factory=dict)
    assumed: tuple[str, ...] = ()

    @property
    def layers(self) -> list[str]:
        """The layers that are advised, in the order in which they are built."""
        return [decision.layer for decision in self.decisions if decision.build]

    def as_dict(self) -> dict[str, Any]:
        """The advice as JSON."""
        return {"layers": self.layers, **asdict(self)}


def advise(facts: Facts, need: Need) -> Advice:
    """What to build from `facts`; `need` tells the memory that a method takes."""
    decisions = {decision.layer: decision for decision in decide(facts)}
    chosen: MethodAdvice | None = None
    training: Plan | None = None
    chain = 0.0
    if decisions["sft"].build:
        if decisions["rlhf"].build:
            chain = facts.chain_minutes or RLHF_SHARE * facts.minutes
            if chain >= facts.minutes:
                decisions["rlhf"] = _without(
                    decisions["rlhf"],
                    f"reward model and RLHF took {chain:.0f} minutes here, and there are {facts.minutes:g}",
                )
                chain = 0.0
        chosen = choose(facts, need, before_rlhf=decisions["rlhf"].build)
        if chosen.name:
            training = plan(facts, chosen.name, left=facts.minutes - chain)
        if not chosen.name or (training is not None and training.rows < FEW):
            why = (
                f"{training.rows} rows can be trained on in the time, and from about {FEW} on it is worth a "
                f"try ({training.basis}); allow more minutes"
                if training is not None
                else f"{chosen.reason}; choose a smaller base or a larger machine"
            )
            decisions["sft"] = _without(decisions["sft"], why)
            if decisions["rlhf"].build:
                decisions["rlhf"] = _without(decisions["rlhf"], "it goes on from a fine-tuned model")
            chosen, training, chain = None, None, 0.0
    return Advice(
        decisions=[decisions[layer] for layer in LAYERS],
        method=chosen,
        training=training,
        minutes=round((training.minutes if training else 0.0) + chain, 1),
        params=_params(decisions["rlhf"].build, chosen, training),
        assumed=facts.assumed,
    )


def _without(decision: Decision, reason: str) -> Decision:
    return Decision(layer=decision.layer, build=False, reason=reason)


def _params(rlhf: bool, chosen: MethodAdvice | None, training: Plan | None) -> dict[str, Any]:
    params: dict[str, Any] = {stage: {"enabled": rlhf} for stage in ("sample", "reward", "rlhf")}
    if chosen is not None and training is not None:
        sft = {"method": chosen.name, "max_rows": training.rows, **chosen.needs.settings}
        return {"sft": sft, **params}
    return params
