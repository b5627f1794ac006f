"""A board that keeps what a flow tells it, for tests."""

from collections.abc import Callable, Sequence

from flows.stage import Outcome


class Told:
    """A board that keeps what it is told."""

    def __init__(self) -> None:
        self.running, self.said = "", list[str]()

    def started(self, name: str, changes: Sequence[str]) -> None:
        self.said.append(f"{name} starts")

    def line(self, name: str, text: str) -> None:
        self.said.append(f"{name} | {text}")

    def ended(self, outcome: Outcome) -> None:
        self.said.append(f"{outcome.name} {outcome.how}")

    def failed(self, name: str, seconds: float) -> None:
        self.said.append(f"{name} failed")


def told(work: Callable[[Told], object]) -> list[str]:
    """What a board is told of `work`, done inside of a flow."""
    from prefect import flow

    board = Told()
    flow(name="told")(lambda: work(board))()
    return board.said
