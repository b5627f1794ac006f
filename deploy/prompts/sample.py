"""A template tried out: rendered with two sources and a question, to be looked at and to be sure of."""

from pathlib import Path

from deploy.messages import Message
from deploy.prompts.template import PromptTemplate, Source, load_template

QUESTION = "How long may a book be kept?"
INSTRUCTIONS = "Answer in English."
SOURCES = (
    Source(
        number=1,
        document="loans",
        uri="file:loans.md",
        title="Loans",
        text="Loans\nA book is lent for 28 days.",
    ),
    Source(
        number=2,
        document="fees",
        uri="file:fees.md",
        title="Fees",
        text="Fees\nA day too late costs 10 cents.",
    ),
)


def sample(
    template: PromptTemplate, question: str = QUESTION, *, sources: bool = True, instructions: str = ""
) -> list[Message]:
    """The messages that `template` makes of a question, with two sources or none.

    Raises:
        PromptError: it cannot be rendered.
    """
    said = [Message("system", instructions)] if instructions else []
    return template.render([*said, Message("user", question)], SOURCES if sources else ())


def check_template(template: str, root: Path = Path()) -> PromptTemplate:
    """The template that `prompt.template` names, once it has been rendered in each way a branch may ask for.

    Raises:
        PromptError: there is no such template, or it is wrong.
    """
    checked = load_template(template, root)
    for sources in (True, False):
        for instructions in (INSTRUCTIONS, ""):
            sample(checked, sources=sources, instructions=instructions)
    return checked
