"""What the ledger says, in plain sentences that do not flatter."""

from tasks.evaluation.ledger import FOLLOW_UPS, LAYERS, NAMES, RULE, TUNED, Difference, Ledger, subset_sizes
from tasks.evaluation.parity_record import parity_sentence
from tasks.pages.numbers import decimals, difference_told, percent

PASSAGE_FOUND = "passage found"  # the row of the recall in the table of the subsets


def majority_sentence(ledger: Ledger) -> str:
    """Which questions count and how many, and what a constant answer and retrieval alone can do for them."""
    text = (
        f"{_whose(ledger)}{ledger.questions} questions, {ledger.unanswerable} of them unanswerable. Always "
        f"answering \u201c{ledger.majority_answer}\u201d would score {ledger.majority:.3f}."
    )
    if ledger.recall is None:
        return text
    return (
        f"{text} The passage with the answer is among the {ledger.top_k} that retrieval finds "
        f"for {percent(ledger.recall)} of the answerable questions."
    )


def test_set_sentences(ledger: Ledger) -> list[str]:
    """The version of each test set of the user's own; without one, how literal the questions are."""
    if ledger.counts:
        own = {name: ledger.versions[name] for name in ledger.counts}
        told = [f"{name}: {each.questions} questions, version {each.version}." for name, each in own.items()]
        unasked = sum(each.questions for each in own.values()) - ledger.questions
        too_long = f"Of your own, longer than the model's context and not asked: {unasked}."
        return [*told, too_long] if unasked else told
    found = ledger.wording
    if found is None:
        return []
    return [
        f"{found.literalness:.2f} of the words of the answerable questions stand in their documents. On the "
        f"third of the questions that shares fewest ({found.n}), {_plain(found.arm)} scores "
        f"{found.score:.2f} ({found.low:.2f} to {found.high:.2f}): a test set of your own tells more "
        "(docs/test-set.md)."
    ]


def verdict_sentences(ledger: Ledger) -> dict[str, str]:
    """For each row that is compared, one plain sentence: does the layer help?"""
    return {
        name: _sentence(name, arm.difference, arm.n)
        for name, arm in ledger.arms.items()
        if arm.difference is not None
    }


def rule_sentences(ledger: Ledger) -> list[str]:
    """Whether the task needs a model, where there is a tuned one and the rule beside it: one sentence."""
    rule = ledger.arms.get(RULE)
    tuned = [name for name in TUNED if name in ledger.arms]
    difference = ledger.arms[tuned[-1]].over_rule if tuned else None
    if rule is None or difference is None:
        return []
    layer, figures = _plain(tuned[-1]), _figures(difference)
    scores = f"scores {rule.score:.3f} ({rule.low:.3f} to {rule.high:.3f})"
    if difference.verdict == "helps":
        return [f"A rule of a few lines, without a model, {scores}: {layer} is better ({figures})."]
    worse = "worse" if difference.high < 0 else "not clearly better"
    if rule.score <= ledger.majority:
        return [f"A rule of a few lines, without a model, {scores}, and {layer} is {worse} ({figures})."]
    return [
        f"Your task is copying: a rule of a few lines, without a model, {scores}, and {layer} is {worse} "
        f"({figures}). You may not need a model."
    ]


def subset_sentence(ledger: Ledger) -> str:
    """How many questions each subset has; empty where there are no subsets."""
    sizes = subset_sizes(ledger)
    if not sizes:
        return ""
    overlap = " (a question may be in more than one)" if FOLLOW_UPS in sizes else ""
    return f"Questions: {', '.join(f'{count} {name}' for name, count in sizes.items())}{overlap}."


def skip_sentences(ledger: Ledger) -> list[str]:
    """For each row that is left out, why."""
    return [f"{LAYERS[name]} was skipped: {reason}." for name, reason in ledger.skipped.items()]


def parity_sentences(ledger: Ledger) -> list[str]:
    """For each tuned model whether it is the same as trained, saved, merged and served."""
    return [parity_sentence(LAYERS[name], ledger.parity[name]) for name in LAYERS if name in ledger.parity]


def forgetting_sentences(ledger: Ledger) -> list[str]:
    """For each tuned model, what it has kept of the base and how far it has moved (docs/retention.md)."""
    return [
        f"{LAYERS[name]} keeps {decimals(arm.retention)} of the likelihood of general text, token by token, "
        f"and moves the answers to general prompts by {arm.divergence.mean:.3f} nats a token (95 % interval "
        f"{arm.divergence.low:.3f} to {arm.divergence.high:.3f})."
        for name, arm in ledger.arms.items()
        if name in TUNED and arm.divergence is not None
    ]


def _sentence(name: str, difference: Difference, questions: int) -> str:
    layer, against = LAYERS[name], _plain(difference.against)
    figures = _figures(difference)
    if difference.n not in (None, questions):
        figures += f", over {difference.n} questions"
    match difference.verdict:
        case "helps":
            return f"{layer} helps: better than {against} ({figures})."
        case "does not help" if difference.high < 0:
            return f"{layer} does not help: worse than {against} ({figures})."
        case "does not help":
            return f"{layer} does not help: no better than {against} ({figures})."
        case _:
            return f"{layer}: not clear from these questions whether it helps over {against} ({figures})."


def _whose(ledger: Ledger) -> str:
    """Whose questions the figures are over, where that is a part of them."""
    if not ledger.counts:
        return ""
    named = " and ".join(f"\u201c{name}\u201d" for name in ledger.counts)
    sets = "test set" if len(ledger.counts) == 1 else "test sets"
    return f"The scores are those on your own {sets} {named}: "


def _plain(name: str) -> str:
    return NAMES[name].removeprefix("+ ")


def _figures(difference: Difference) -> str:
    return difference_told(difference.mean, difference.low, difference.high)
