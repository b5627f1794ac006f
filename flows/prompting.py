"""The command `threeply prompt`: shows what a template makes of a question, as the model is given it."""

import argparse
from pathlib import Path


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The words that `threeply prompt` understands."""
    parser.add_argument(
        "--template", metavar="NAME", help="a name or any .prompty file, instead of prompt.template"
    )
    parser.add_argument("--question", metavar="TEXT", help="what is asked, instead of a sample")
    parser.add_argument(
        "--no-sources", action="store_true", help="as where retrieval is off or finds nothing"
    )


def show_prompt(root: Path, template: str, *, question: str | None, sources: bool) -> None:
    """Print the turns that the template makes of a question and two sample sources, or none.

    Raises:
        PromptError: there is no such template, or it is wrong.
        QuestionError: the question is empty.
    """
    from deploy.messages import Message
    from deploy.prompts.question import question_of
    from deploy.prompts.sample import QUESTION, check_template, sample
    from deploy.prompts.template import template_path

    checked = check_template(template, root)
    shown = QUESTION if question is None else question
    question_of([Message("user", shown)])
    print(f"The template {checked.name} ({template_path(template, root)}) makes these turns:")
    for turn in sample(checked, shown, sources=sources):
        print(f"\n--- {turn.role}\n{turn.content}")
