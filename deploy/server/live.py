"""What is served now: one release, which a newer one can take the place of between two requests."""

from collections.abc import Sequence
from dataclasses import dataclass

from deploy.assistant import Assistant
from deploy.server.holding import Hold

TUNED = {"sft": "fine-tuning", "rlhf": "RLHF"}  # the layer that each adapter adds


def layers_of(models: Sequence[str]) -> tuple[str, ...]:
    """The layers of a release with these models, in the words of the ledger."""
    return ("prompt", "retrieval", *(TUNED.get(name, name) for name in models if name != "base"))


def told_of(models: Sequence[str], *, partial: bool) -> str:
    """Which layers a release with these models has, and what is missing, in one line."""
    live = " + ".join(layers_of(models))
    if not partial:
        return live
    if tuple(models) == ("base",):
        return f"{live}; the tuned model is not there yet"
    return f"{live}; what each layer adds is not measured yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One release, loaded. `digest` names its manifest; a `partial` one was made before its run had ended.

    While it is there, its `hold` keeps its files from being deleted.
    """

    assistant: Assistant
    default_model: str
    name: str = "threeply"
    digest: str = ""
    partial: bool = False
    hold: Hold | None = None

    @property
    def models(self) -> tuple[str, ...]:
        """The names that a request may give."""
        return self.assistant.models

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that are live, in the words of the ledger."""
        return layers_of(self.models)

    @property
    def told(self) -> str:
        """Which layers are live, and what is missing, in one line."""
        return told_of(self.models, partial=self.partial)


class Live:
    """The release that is served.

    `now` is replaced as a whole: a request reads it once, and ends with the release that it began with.
    `fault` says why a newer release is not served; it is empty where none waits.
    """

    def __init__(self, served: Served) -> None:
        self.now = served
        self.fault = ""
