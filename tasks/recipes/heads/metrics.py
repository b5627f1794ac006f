"""How good predicted labels are: accuracy with its interval, macro F1, confusion, the majority baseline."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tasks.scoring.scores import bootstrap

RESAMPLES = 2000


def label_figures(
    gold: Sequence[str], predicted: Sequence[str], *, trained_on: Sequence[str], seed: int
) -> dict[str, Any]:
    """The figures of a report: shares in 0..1, and how often each label was taken for which.

    `majority` is what the most frequent label of `trained_on` would score. `macro_f1` is the mean over the
    labels in `gold`, each counting alike; a label never predicted has 0.
    """
    from sklearn.metrics import f1_score

    right = [float(one == other) for one, other in zip(gold, predicted, strict=True)]
    interval = bootstrap(right, resamples=RESAMPLES, seed=seed)
    frequent = min(Counter(trained_on).items(), key=lambda pair: (-pair[1], pair[0]))[0]
    pairs = Counter(zip(gold, predicted, strict=True))
    labels = sorted(set(gold))
    return {
        "questions": len(gold),
        "accuracy": round(interval.mean, 4),
        "low": round(interval.low, 4),
        "high": round(interval.high, 4),
        "majority": round(sum(label == frequent for label in gold) / len(gold), 4),
        "majority_label": frequent,
        "macro_f1": round(
            float(f1_score(gold, predicted, labels=labels, average="macro", zero_division=0.0)), 4
        ),
        "confusion": {
            label: {other: count for (one, other), count in sorted(pairs.items()) if one == label}
            for label in labels
        },
    }
