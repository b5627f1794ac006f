"""Protects the shipped templates, each word for word, and that a wrong one of a user's is found."""

from pathlib import Path

import pytest

from deploy.abstention import ABSTENTION
from deploy.errors import PromptError
from deploy.prompts.sample import INSTRUCTIONS, check_template, sample
from deploy.prompts.template import PROMPTS, load_template

ASKED = "How long may a book be kept?"
SHOWN = f"[1] Loans\nA book is lent for 28 days.\n\n[2] Fees\nA day too late costs 10 cents.\n\n{ASKED}"
COMMAND = "Answer with one shell command on one line, without explanation and without marks around it."
SUPPORT = "You help customers, in a friendly way and in one to three short sentences."
SUMMARY = (
    "Summarise the text in one or two sentences. "
    "Say only what it says, and keep its names and numbers as they are."
)
SAID = {
    ("commands", True): [
        (
            "system",
            f"{COMMAND} Use what the sources show. If they do not show how it is done, say: {ABSTENTION}",
        ),
        ("user", SHOWN),
    ],
    ("commands", False): [("system", COMMAND), ("user", ASKED)],
    ("support", True): [
        (
            "system",
            f"{SUPPORT} Answer from the sources only, and cite the source of each fact, as in [1]. "
            f"If the sources do not hold the answer, say: {ABSTENTION}",
        ),
        ("user", SHOWN),
    ],
    ("support", False): [
        ("system", f"{SUPPORT} There are no sources for this question. Say: {ABSTENTION}"),
        ("user", ASKED),
    ],
    ("summary", True): [("system", SUMMARY), ("user", ASKED)],
    ("summary", False): [("system", SUMMARY), ("user", ASKED)],
}


@pytest.mark.parametrize(("name", "sources"), SAID)
def test_a_shipped_template_says_this(name: str, sources: bool) -> None:
    template = load_template(name)
    plain = [(turn.role, turn.content) for turn in sample(template, sources=sources)]
    assert plain == SAID[name, sources]
    (_, system), last = SAID[name, sources]
    told = sample(template, sources=sources, instructions=INSTRUCTIONS)
    assert [(turn.role, turn.content) for turn in told] == [("system", f"{system}\n\n{INSTRUCTIONS}"), last]


@pytest.mark.parametrize("name", sorted(path.stem for path in PROMPTS.glob("*.prompty")))
def test_every_shipped_template_is_right_and_on_its_page(name: str) -> None:
    assert check_template(name).name == name
    page = (PROMPTS.parents[1] / "docs/prompts.md").read_text(encoding="utf-8")
    assert f"| `{name}` |" in page


@pytest.mark.parametrize(
    "wrong",
    [
        "{% if sources %}{{ sources[0].body }}{% endif %}",
        "{% if not sources %}{{ sources[0].text }}{% endif %}",
        "{% if instructions %}{{ instructions.language }}{% endif %}",
        "{% if not instructions %}{{ 1 / 0 }}{% endif %}",
        "{{ '{name}'.format(question) }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    ],
)
def test_what_is_wrong_in_one_branch_alone_is_found(wrong: str, tmp_path: Path) -> None:
    (tmp_path / "mine.prompty").write_text(f"---\nversion: 1\n---\nuser:\n{wrong}\n{{{{ question }}}}\n")
    with pytest.raises(PromptError, match="the prompt mine cannot be rendered"):
        check_template("mine.prompty", tmp_path)
