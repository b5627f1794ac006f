"""The sentence that says that there is no answer, and how it is recognised."""

import re

ABSTENTION = "The documentation does not say."

# An untuned model does not know our sentence: other plain ways to say it count as well.
_SAID = re.compile(
    r"\b(?:documentation|docs?|context|sources?|texts?|excerpts?|passages?)\b[^.!?]{0,40}"
    r"\b(?:do|does|did)(?: not|n't) (?:\w+ly )?"
    r"(?:say|mention|specify|state|tell|contain|provide|describe|include|document)\b"
    r"|\b(?:do not|don't|cannot|can't|could not|couldn't) (?:know|find|answer|say|tell)\b"
    r"|\b(?:is|are|was)(?: not|n't) (?:documented|mentioned|specified|stated)\b"
    r"|\b(?:has|have|is|there's) no (?:such )?(?:parameter|argument|information|mention)\b"
    r"|\b(?:do|does)(?: not|n't) (?:have|accept|take) (?:a|an|any|such a) (?:parameter|argument)\b"
)


def abstains(text: str) -> bool:
    """Whether an answer says, in its first sentence, that it does not know.

    "No, the documentation does not say that ..." is an answer.
    """
    first = re.split(r"(?<=[.!?])\s", text.strip().lower().replace("\u2019", "'"), maxsplit=1)[0]
    return _SAID.search(first) is not None and not first.startswith(("yes,", "no,"))
