"""Which settings to try next, by Optuna's tree-structured Parzen estimator (Bergstra et al. 2011).

It keeps nothing on disk. Asked and told the same again, it proposes the same again, which is how a search
that was killed goes on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.methods.method import MethodSettings
from tasks.training.searching.space import Dimension, Sublayers, Value, changed, label, space_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A method and its settings, by the number under which it was proposed."""

    number: int
    method: str
    settings: MethodSettings


class Proposals:
    """Candidates: first each method as params.yaml sets it, then where losses were low."""

    def __init__(self, own: Mapping[str, MethodSettings], sublayers: Sublayers, *, seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)  # it would tell of each trial, as we do
        self._own, self._sublayers = own, sublayers
        self._spaces: dict[str, dict[str, Dimension]] = {
            method: space_of(method, settings, sublayers) for method, settings in own.items()
        }
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=len(own))
        self._study = optuna.create_study(sampler=sampler, direction="minimize")
        self._methods: Sequence[str] = list(own)
        for method, settings in own.items():
            values = {f"{method}.{name}": label(getattr(settings, name)) for name in self._spaces[method]}
            self._study.enqueue_trial({"method": method, **values})

    def ask(self) -> Candidate:
        """The next candidate."""
        trial = self._study.ask()
        method: str = trial.suggest_categorical("method", self._methods)
        drawn: dict[str, Value] = {
            name: dimension.suggest(trial, f"{method}.{name}")
            for name, dimension in self._spaces[method].items()
        }
        settings = changed(self._own[method], drawn, self._sublayers)
        return Candidate(number=trial.number, method=method, settings=settings)

    def tell(self, candidate: Candidate, loss: float | None) -> None:
        """What came of a candidate; None: it failed, and says nothing about its neighbours."""
        from optuna.trial import TrialState

        if loss is None:
            self._study.tell(candidate.number, state=TrialState.FAIL)
        else:
            self._study.tell(candidate.number, loss)
