"""Protects successive halving: the budget is kept, the best go on, losses of two rungs are never mixed."""

from collections.abc import Callable

import pytest

from deploy.errors import SettingsError
from tasks.methods.lora import LoraSettings
from tasks.settings import check_settings, read_params
from tasks.training.searching.halving import HalvingResult, Rung, halve, rungs
from tasks.training.searching.journal import Attempt
from tasks.training.searching.proposals import Candidate, Proposals
from tasks.training.settings import SearchSettings
from tests.conftest import ROOT


def settings(**changed: int) -> SearchSettings:
    values = {"methods": ["lora"], "trials": 9, "tokens": 27_000, "rungs": 3, "eta": 3}
    values |= {"validation_rows": 8, "confirmations": 0}
    return SearchSettings.model_validate({**values, **changed})


def course(loss: Callable[[int, int], float | None], trained: float = 1.0, **changed: int) -> HalvingResult:
    """A search whose trials have the loss `loss(rung, number)`, and take a share of their tokens."""

    def attempt(candidate: Candidate, rung: Rung) -> Attempt:
        value = loss(rung.number, candidate.number)
        return Attempt(
            rung=rung.number,
            number=candidate.number,
            method=candidate.method,
            settings=candidate.settings.model_dump(mode="json"),
            tokens=rung.tokens,
            trained=None if value is None else int(trained * rung.tokens),
            loss=value,
            seconds=0.0,
            failed="" if value is not None else "nan",
        )

    return halve(Proposals({"lora": LoraSettings()}, {}, seed=1), attempt, settings(**changed))


def test_each_rung_has_an_equal_part_of_the_budget() -> None:
    assert [(rung.trials, rung.tokens) for rung in rungs(settings())] == [(9, 1000), (3, 3000), (1, 9000)]


def test_the_best_of_a_rung_go_on_the_best_first_and_the_last_rung_decides() -> None:
    # In the second rung the order turns round; number 8 is the best of the first.
    found = course(lambda rung, number: float(-number if rung == 0 else number), rungs=2)
    assert [one.number for one in found.attempts] == [*range(9), 8, 7, 6]
    assert found.best is not None
    assert (found.best.rung, found.best.number) == (1, 6)
    assert (found.stopped, found.spent) == ("every rung was run", 27_000 // 2 // 9 * 9 + 27_000 // 2)


def test_failures_take_their_share_along_and_do_not_go_on() -> None:
    found = course(lambda _, number: None if number != 4 else 1.0)
    assert [one.number for one in found.attempts] == [*range(9), 4, 4]
    assert found.spent == 9 * 1000 + 3000 + 9000


def test_where_a_later_rung_fails_the_one_before_decides() -> None:
    found = course(lambda rung, number: float(number) if rung == 0 else None)
    assert found.best is not None
    assert (found.best.rung, found.best.number) == (0, 0)
    assert found.stopped == "no trial of rung 2 succeeded"


def test_where_all_fail_there_is_no_best() -> None:
    found = course(lambda *_: None)
    assert (found.best, len(found.attempts), found.stopped) == (None, 9, "no trial of rung 1 succeeded")


def test_steps_that_are_larger_than_a_share_end_the_search_within_its_budget() -> None:
    found = course(lambda _, number: float(number), trained=4.0)
    assert found.spent <= 27_000
    assert found.stopped.startswith("the budget was spent early")


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"trials": 2, "rungs": 1}, r"search: trials \(2\) must be at least one for each"),
        ({"trials": 8, "rungs": 3, "eta": 3}, r"eta\^\(rungs - 1\), which is 9"),
        ({"trials": 9, "rungs": 1, "tokens": 8}, r"tokens \(8\) leave not even one"),
        ({"methods": ["auto"]}, r"search\.methods\.0: 'auto' is wrong"),
    ],
)
def test_a_search_that_cannot_be_is_refused(changed: dict[str, object], fault: str) -> None:
    values = read_params(ROOT / "params.yaml")
    values["search"] |= changed
    with pytest.raises(SettingsError, match=fault):
        check_settings(values, origin="params.yaml")
