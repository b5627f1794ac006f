"""What helps a model that has forgotten too much: in the words of params.yaml, and with what was measured."""

from collections.abc import Mapping
from typing import Any

from tasks.methods import METHODS


def advice(arm: str, *, method: str, rate: float | None, measured: Mapping[str, Any], limit: float) -> str:
    """What to change so that the model of this row of the ledger keeps more, as one clause.

    `method` and `rate` are those of fine-tuning, empty and None where they are not known. `measured` are the
    figures of methods.json; empty: nobody has compared methods on this data yet.
    """
    if arm == "rlhf":
        return (
            "fine-tuning alone has kept enough, so lower rlhf.learning_rate, raise the kl_coefficient (or "
            "beta) of its algorithm, or leave it out (rlhf.enabled: false)"
        )
    key = f"sft.{method or '<method>'}.learning_rate"
    now = "" if rate is None else f" (now {rate:g})"
    return (
        "raise sft.replay, the share of general rows that are replayed (such as 0.1); "
        f"lower {key}{now}; train on fewer rows or epochs; or choose another sft.method"
        f"{_milder(method, measured, limit)}"
    )


def _milder(method: str, measured: Mapping[str, Any], limit: float) -> str:
    """Which methods have kept enough on the same data, the best score first; variants are no `sft.method`."""
    if not measured:
        return " (threeply compare measures what each keeps on your rows)"
    kept = [
        (figures["score"], name, figures["retention"])
        for name, figures in measured.items()
        if name in METHODS and name != method and figures["retention"] >= limit
    ]
    if not kept:
        return " (none of those that threeply compare has measured keeps enough)"
    listed = ", ".join(
        f"{name} kept {share:.2f} and scored {score:.2f}" for score, name, share in sorted(kept)[:-4:-1]
    )
    return f" (threeply compare has measured: {listed})"
