"""What retrieval finds with some settings: a line for each, and which is worth setting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flows.params import Value, told

if TYPE_CHECKING:
    from deploy.settings import Fusion
    from tasks.scoring.recall import Ranked
    from tasks.scoring.scores import Interval

TOP = (1, 3, 5, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What is found with one weight, one way to mix and one length of chunks."""

    dense_weight: float
    fusion: "Fusion"
    chunk_words: int
    ranked: "Ranked"


def table(tried: Sequence[Tried], now: Tried) -> list[str]:
    """One line for each setting that was tried, the present one marked."""
    heads = "  ".join(f"top {k:<3}" for k in TOP)
    lines = [f"  dense_weight  fusion  chunk_words  {heads}  words shown"]
    for each in tried:
        mark = "*" if each is now else " "
        setting = f"{each.dense_weight:<12g}  {each.fusion:<6}  {each.chunk_words:<11}"
        lines.append(f"{mark} {setting}  {_shares(each.ranked)}")
    return [*lines, "* as params.yaml has it"]


def beside(trained: Sequence[str], served: "Ranked", more: "Interval", *, top_k: int) -> list[str]:
    """The line of what was `trained` over the present setting, below the others, and what it adds."""
    with_it, show = " and ".join(trained), "shows" if len(trained) == 1 else "show"
    return [
        f"  {f'with the {with_it}':<33}  {_shares(served)}",
        f"The {with_it} over the present setting, which is what is served, {show} {_gain(more)} at {top_k}.",
    ]


def advice(best: Tried, now: Tried, more: "Interval", *, questions: int, split: str) -> str:
    """What the figures say to do; a gain that may be chance is no reason to change a setting."""
    if best is now:
        return "None of the others shows more: keep what params.yaml has."
    setting = in_words(differing(best, now))
    said = _gain(more, f", {questions} questions")
    if not is_better(best, now, more):
        return f"The best of them, {setting}, shows {said}: that may be chance, so keep what params.yaml has."
    told = f"With {setting} retrieval shows {said}: set it in params.yaml."
    if split == "test":
        return f"{told} But these are test questions: what is chosen by them flatters; choose by validation."
    return told


def is_better(best: Tried, now: Tried, more: "Interval") -> bool:
    """Whether `best` shows more than what is set now, by a gain that is no chance."""
    from tasks.scoring.scores import verdict

    return best is not now and verdict(more) == "helps"


def differing(best: Tried, now: Tried) -> dict[str, Value]:
    """The weight of `best` by its name in params.yaml, and its other settings where they are others."""
    values: dict[str, Value] = {"retrieval.dense_weight": best.dense_weight}
    if best.fusion != now.fusion:
        values["retrieval.fusion"] = best.fusion
    if best.chunk_words != now.chunk_words:
        values["index.chunk_words"] = best.chunk_words
    return values


def in_words(values: Mapping[str, Value]) -> str:
    """These values by their names, as one says them."""
    return " and ".join(f"{name}: {told(value)}" for name, value in values.items())


def _shares(ranked: "Ranked") -> str:
    shares = "  ".join(f"{ranked.share(k):<7.3f}" for k in TOP)
    return f"{shares}  {ranked.words:.0f} in {TOP[-1]}"


def _gain(more: "Interval", over: str = "") -> str:
    return f"{more.mean:+.3f} (95 % interval {more.low:+.3f} to {more.high:+.3f}{over})"
