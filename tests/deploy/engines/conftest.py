"""What several tests of engines watch."""

from typing import Any

import pytest

from deploy.engines.asked import Asked
from deploy.engines.scheduling import Scheduler


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that schedulers were asked for, one for each call, in order."""
    known: list[str] = []
    plain = Scheduler.ask

    def ask(self: Scheduler, *each: Asked) -> None:
        plain(self, *each)
        known.append(each[0].model)

    monkeypatch.setattr(Scheduler, "ask", ask)
    return known


@pytest.fixture
def widths(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each step had."""
    from deploy.engines.slots import Slots

    known: list[int] = []
    plain = Slots.step

    def step(self: Slots, *args: Any) -> Any:
        known.append(len(self))
        return plain(self, *args)

    monkeypatch.setattr(Slots, "step", step)
    return known
