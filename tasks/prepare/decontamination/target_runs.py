"""The runs of three words of questions that are looked for within longer texts, and how many are there."""

from collections.abc import Callable
from typing import Any

from tasks.prepare.decontamination.frequencies import Frequencies
from tasks.prepare.decontamination.runs import Numbered, distinct

_RUN = 3
_FEWEST = 8  # words of a question that is looked for within longer ones


class TargetRuns:
    """The runs of three words of those targets that are long enough to be looked for within others."""

    def __init__(self, asked: Numbered) -> None:
        import numpy as np

        self._owners, keys = _long(asked)
        self._keys, self._places = np.unique(keys, return_inverse=True)
        self._targets = len(asked)

    def counted(self, said: Numbered) -> Any:
        """In how many texts each run stands."""
        import numpy as np

        return np.bincount(self._met(said)[1], minlength=len(self._keys))

    def shares(self, said: Numbered, among: Frequencies) -> Callable[[Any, Any], Any]:
        """Tells of texts and targets which share of the weight of each target's runs the text has."""
        import numpy as np

        counts = np.bincount(self._places, minlength=len(self._keys)) + among.runs
        weights = np.log1p((self._targets + among.texts) / np.maximum(counts, 1))
        runs_of = _table(self._owners, self._places, weights[self._places], (self._targets, len(self._keys)))
        owners, places = self._met(said)
        runs_in = _table(owners, places, np.ones(len(owners)), (len(said), len(self._keys)))
        totals = np.maximum(runs_of.sum(axis=1), 1e-9)  # no runs: none shared
        return lambda text, target: runs_in[text].multiply(runs_of[target]).sum(axis=1) / totals[target]

    def _met(self, said: Numbered) -> tuple[Any, Any]:
        """Of the runs of each text those that a target has, by their places among these."""
        import numpy as np

        owners, keys = _distinct_runs(said)
        places = np.searchsorted(self._keys, keys)
        some = places < len(self._keys)
        some[some] = self._keys[places[some]] == keys[some]
        return owners[some], places[some]


def _distinct_runs(texts: Numbered) -> tuple[Any, Any]:
    keys, owners = texts.runs(_RUN)
    return distinct(owners, keys)


def _long(texts: Numbered) -> tuple[Any, Any]:
    """The distinct runs of the texts that have words enough."""
    owners, keys = _distinct_runs(texts)
    some = (texts.ends[1:] - texts.ends[:-1])[owners] >= _FEWEST
    return owners[some], keys[some]


def _table(rows: Any, columns: Any, values: Any, shape: tuple[int, int]) -> Any:
    from scipy.sparse import csr_array

    return csr_array((values, (rows, columns)), shape=shape)
