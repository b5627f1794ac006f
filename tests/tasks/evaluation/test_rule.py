"""Protects the rule without a model: what it copies from passages, and when it says that they do not say."""

import pytest

from deploy.abstention import ABSTENTION
from deploy.prompts.template import Source
from tasks.evaluation.rule import Rule, by_rule
from tests.deploy.engines.scripted import ScriptedEngine
from tests.tasks.evaluation.test_arms import QUESTIONS, assistant

SVC = (
    "svm.SVC",
    "SVC(C, kernel, tol)\n"
    "C-Support vector classification.\n"
    "C=1.0 : float\n"
    "Regularization parameter. The strength is inversely proportional to it.\n"
    "kernel='rbf' : str\n"
    "tol, eps : float",
)
NUSVC = ("svm.NuSVC", "Similar to SVC but uses a parameter nu.\nnu=0.5 : float\nC=7 : float")
SHOP = (
    "Returns",
    "Parcels leave us on the next day. Shoes can be sent back within thirty days. A refund takes a week.",
)


def found(*passages: tuple[str, str]) -> list[Source]:
    return [
        Source(number=number, document=title, uri="", title=title, text=f"{title}\n{body}")
        for number, (title, body) in enumerate(passages, start=1)
    ]


@pytest.mark.parametrize(
    ("question", "passages", "answer"),
    [
        # A default is the value behind the name, in the passage in which all names of the question stand.
        ("In `svm.SVC`, what is the default of `C`?", [NUSVC, SVC], "`1.0` [2]"),
        ("Which value does `svm.SVC` use when `kernel` is not given?", [SVC], "`'rbf'` [1]"),
        ("what is nu set to by default", [SVC, NUSVC], "`0.5` [2]"),
        # There is a line for it, but without a default.
        ("What is the default of `eps`?", [SVC], ABSTENTION),
        # The line is of another callable.
        ("What is the default of `nu` in `svm.SVC`?", [NUSVC, SVC], ABSTENTION),
        # Not the default: the first sentence behind the line.
        ("In `svm.SVC`, what is `C` for?", [SVC], "Regularization parameter. [1]"),
        # The name of a passage that holds the description.
        ("Which class does C-support vector classification?", [NUSVC, SVC], "`svm.SVC` [2]"),
        ("What is it called? Linear regression with a ridge penalty.", [NUSVC, SVC], ABSTENTION),
        # Text without any definition: the sentence that shares most words.
        ("Within how many days can I send back shoes?", [SVC, SHOP], f"{SHOP[1].split('. ')[1]}. [2]"),
        ("Do you ship shoes to the moon on Sundays?", [SVC, SHOP], ABSTENTION),
        ("What is the default of `C` in `svm.SVC`?", [], ABSTENTION),
    ],
)
def test_what_the_rule_copies(question: str, passages: list[tuple[str, str]], answer: str) -> None:
    assert by_rule(question, found(*passages)) == answer


def test_names_count_as_whole_words_and_in_their_case() -> None:
    assert by_rule("What is `c` for in `svm.SVC`?", found(SVC)) == ABSTENTION
    assert by_rule("What is `tol` for in `svm.SV`?", found(SVC)) == ABSTENTION


def test_it_reads_the_sources_that_models_are_shown_and_asks_no_model() -> None:
    engine = ScriptedEngine({})
    said = assistant(engine)
    replies = Rule().replies(QUESTIONS, said, said.sampling)
    assert engine.asked == []
    assert [reply.text for reply in replies][:2] == ["d0 p0=0 [1]", "d1 p1=1 [1]"]
    assert replies[4].text == ABSTENTION  # its document is withheld
    assert [source.document for source in replies[4].sources] == ["d9"]
    assert all(reply.seconds > 0 for reply in replies)
