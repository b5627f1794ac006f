"""What the figures say, in plain sentences that do not flatter."""

from collections.abc import Mapping
from typing import Any

from tasks.evaluation.ledger import NAMES, Ledger
from tasks.pages.numbers import percent, spelled


def headline(ledger: Ledger) -> str:
    """The one sentence that a reader takes along."""
    base = ledger.arms.get("base")
    asked = "questions of your own" if ledger.counts else "held-out questions"
    best_name, best = max(ledger.arms.items(), key=lambda pair: pair[1].score)
    if base is None or best_name == "base":
        return f"No layer scores higher than the base model alone ({best.score:.2f} on {best.n} {asked})."
    text = (
        f"On {best.n} {asked} the base model scores {base.score:.2f}; the best row, "
        f"\u201c{NAMES[best_name].removeprefix('+ ')}\u201d, scores {best.score:.2f}."
    )
    if best.score <= ledger.majority:
        return f"{text} That is no better than one constant answer to everything ({ledger.majority:.2f})."
    return f"{text} One constant answer to everything would score {ledger.majority:.2f}."


def sft_sentences(figures: Mapping[str, Any]) -> list[str]:
    """How fine-tuning ended."""
    if "best_step" not in figures:
        return []
    best, steps = figures["best_step"], figures.get("steps", figures["best_step"])
    return [
        f"The adapter is that of step {best} of {steps}, where the validation loss was lowest "
        f"({spelled(figures.get('validation_loss'))})."
    ]


def reward_sentences(figures: Mapping[str, Any]) -> list[str]:
    """How often the reward model prefers the better answer, and what trivial rules reach."""
    if "skipped" in figures:
        return [f"It was skipped: {figures['skipped']}."]
    if not isinstance(told := figures.get("validation"), Mapping):
        return []
    sentences = [f"On {told['pairs']} held-out pairs it prefers the better answer in {_certain(told)}."]
    if isinstance(test := figures.get("test"), Mapping):
        sentences.append(f"On {test['pairs']} pairs of the test split, which had no say: {_certain(test)}.")
    rules = {rule["rule"]: rule["accuracy"] for rule in told["baselines"].values()}
    listed = "; ".join(f"\u201c{rule}\u201d {percent(share)}" for rule, share in rules.items())
    sentences.append(f"Trivial rules reach: {listed}.")
    if told["accuracy"] <= max(rules.values()):
        sentences.append("It is no better than the best of these rules.")
    elif told["interval"][0] <= max(rules.values()):
        sentences.append("It is not clear from these pairs whether it is better than the best rule.")
    if len(told["by_flaw"]) > 1:
        flaw, worst = min(told["by_flaw"].items(), key=lambda pair: pair[1]["accuracy"])
        sentences.append(
            f"It does worst against answers with the flaw {flaw}: {_certain(worst)} of {worst['pairs']}."
        )
    sides = [
        f"{percent(told['by_length'][side]['accuracy'])} where it is the {side.removeprefix('better_')} one"
        for side in ("better_longer", "better_shorter")
        if side in told["by_length"]
    ]
    if len(sides) > 1:
        sentences.append(f"The better answer is found in {' and in '.join(sides)}.")
    sentences.append(f"Its certainty is off by {percent(told['calibration']['error'])} in the mean.")
    if reasons := figures.get("shortcomings"):
        sentences.append(f"RLHF should not be judged by it: {'; '.join(reasons)}.")
    return sentences


def _certain(told: Mapping[str, Any]) -> str:
    """An accuracy with its interval."""
    low, high = told["interval"]
    return f"{percent(told['accuracy'])} (95 % interval {percent(low)} to {percent(high)})"


STOPPED = {
    "kl_limit": "the divergence reached its limit, and the last good state was kept",
    "length": "responses had become more than twice as long while the reward rose",
    "repetition": "responses repeated themselves more and more while the reward rose",
    "score_fell": "held-out prompts were answered worse than before, for sure",
}


def rlhf_sentences(figures: Mapping[str, Any]) -> list[str]:
    """What the optimisation moved on held-out prompts, and whether that was an improvement."""
    if "skipped" in figures:
        return [f"It was skipped: {figures['skipped']}."]
    heldout = figures.get("heldout")
    if not isinstance(heldout, Mapping):
        return []
    by = f"By {figures['algorithm']}: on" if "algorithm" in figures else "On"
    sentences = [
        f"{by} {heldout['prompts']} held-out prompts the reward went from "
        f"{spelled(heldout['reward_before'])} to {spelled(heldout['reward_after'])}, and the task score from "
        f"{spelled(heldout['task_score_before'])} to {spelled(heldout['task_score_after'])}."
    ]
    if heldout.get("reward_hacked"):
        sentences.append(
            "The reward rose while the answers got worse: the reward model has a blind spot here."
        )
    if heldout.get("reward_fell"):
        sentences.append("The reward fell: this training did not reach what it aims at.")
    if figures.get("kept") == "sft":
        sentences.append("No state answered them better, so the fine-tuned model was kept as it was.")
    if (stopped := figures.get("stopped")) in STOPPED:
        sentences.append(f"It was stopped: {STOPPED[stopped]}.")
    return sentences


def calibration_sentences(figures: Mapping[str, Any]) -> list[str]:
    """From which chance on each model abstains, and what that does on validation questions."""
    found = [
        f"\u201c{NAMES[name].removeprefix('+ ')}\u201d abstains where it gives the abstention a chance of "
        f"{_threshold(told)}: on validation questions rightly in "
        f"{percent(told['abstains_rightly'])}, wrongly in {percent(told['abstains_wrongly'])}. Of a question "
        f"with and one without an answer it tells which is which in {percent(told['auc'])}"
        f"{_without_coverage(told)}.{_unseen(told)}"
        for name, told in figures.items()
        if name in NAMES and isinstance(told, Mapping)
    ]
    return found or ["No threshold was looked for: each model takes its likeliest answer."]


def _unseen(told: Mapping[str, Any]) -> str:
    """What to expect of other questions: those rates were read where the threshold was chosen."""
    rates = told.get("on_other_halves")
    if not isinstance(rates, Mapping):
        return ""
    return (
        " On questions that the threshold was not chosen by expect less: a rule chosen by one half of them "
        f"abstains on the other rightly in {percent(rates['rightly'])}, "
        f"wrongly in {percent(rates['wrongly'])}."
    )


def _threshold(told: Mapping[str, Any]) -> str:
    """The least chance of abstaining, at both ends where it rises with what the sources cover."""
    if not told.get("coverage_weight"):
        return f"{spelled(told['threshold'])} or more"
    return (
        f"{spelled(told['threshold'])} or more if the sources cover nothing of the question, of "
        f"{spelled(told['threshold_covered'])} or more if they cover all of its words"
    )


def _without_coverage(told: Mapping[str, Any]) -> str:
    return (
        f" (by its chance alone in {percent(told['auc_of_chance'])})" if told.get("coverage_weight") else ""
    )
