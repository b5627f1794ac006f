"""What is served now: one release, which a newer one can take the place of between two requests."""

from dataclasses import dataclass

from deploy.assistant import Assistant

TUNED = {"sft": "fine-tuning", "rlhf": "RLHF"}  # the layer that each adapter adds


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One release, loaded. `digest` names its manifest; a `partial` one was made before its run had ended."""

    assistant: Assistant
    default_model: str
    name: str = "threeply"
    digest: str = ""
    partial: bool = False

    @property
    def models(self) -> tuple[str, ...]:
        """The names that a request may give."""
        return self.assistant.models

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that are live, in the words of the ledger."""
        return ("prompt", "retrieval", *(TUNED.get(name, name) for name in self.models if name != "base"))

    @property
    def told(self) -> str:
        """Which layers are live, and what is missing, in one line."""
        live = " + ".join(self.layers)
        if not self.partial:
            return live
        if self.models == ("base",):
            return f"{live}; the tuned model is not there yet"
        return f"{live}; what each layer adds is not measured yet"


class Live:
    """The release that is served.

    `now` is replaced as a whole: a request reads it once, and ends with the release that it began with.
    `fault` says why a newer release is not served; it is empty where none waits.
    """

    def __init__(self, served: Served) -> None:
        self.now = served
        self.fault = ""
