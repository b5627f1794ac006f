"""Labels that are probably wrong, by confident learning (Northcutt, Jiang and Chuang 2021, JAIR 70:1373).

A classifier that has not seen a row says how likely each label is. A label counts as confident where it is at
least as likely as it is in the mean over the rows that carry it. A row whose most likely confident label is
another one than its own is doubtful: an off-diagonal entry of the confident joint.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from deploy.knowledge.arrays import Vectors

FOLDS = 5
FEWEST = 10  # rows of a label that can be judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A row by its place, the label that is more likely than its own, and by how much (0 to 1)."""

    place: int
    likelier: str
    margin: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """The doubtful rows, those that are surest first, and the labels that have too few rows to be judged."""

    rows: tuple[Doubt, ...]
    judged: int
    rare: tuple[str, ...]


def doubtful(labels: Sequence[str], vectors: Vectors, *, seed: int) -> Doubts:
    """Which of `labels` are probably wrong, by the texts' `vectors` [rows, dimensions].

    Each row is judged by a logistic regression over the others (5 folds, rows of a label spread evenly).
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    counts = Counter(labels)
    rare = tuple(sorted(label for label, count in counts.items() if count < FEWEST))
    places = [place for place, label in enumerate(labels) if label not in rare]
    given = np.array([labels[place] for place in places])
    names = sorted(set(given.tolist()))
    if len(names) < 2:
        return Doubts(rows=(), judged=0, rare=rare)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    # Unit vectors are short: with weights held down less the classes come apart.
    judge = LogisticRegression(C=10.0, max_iter=1000)
    chances = cross_val_predict(judge, vectors[places], given, cv=folds, method="predict_proba")
    own = np.searchsorted(names, given)
    usual = np.array([chances[own == number, number].mean() for number in range(len(names))])
    confident = np.where(chances >= usual, chances, -1.0)
    likeliest = confident.argmax(axis=1)
    rows = np.arange(len(places))
    wrong = (confident[rows, likeliest] >= 0.0) & (likeliest != own)
    margins = chances[rows, likeliest] - chances[rows, own]
    found = [
        Doubt(place=places[row], likelier=names[likeliest[row]], margin=round(float(margins[row]), 4))
        for row in np.flatnonzero(wrong & (margins > 0.0)).tolist()
    ]
    found.sort(key=lambda doubt: (-doubt.margin, doubt.place))
    return Doubts(rows=tuple(found), judged=len(places), rare=rare)
