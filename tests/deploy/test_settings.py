"""Protects the setting of the prompt: what may be named, and what is said of anything else."""

import pytest
from pydantic import ValidationError

from deploy.settings import PromptSettings


@pytest.mark.parametrize("template", ["assistant", "my-own_2", "sources/prompts/mine.prompty"])
def test_a_template_is_a_name_or_a_file_that_the_stages_watch(template: str) -> None:
    assert PromptSettings(template=template).template == template


@pytest.mark.parametrize(
    ("template", "advice"),
    [
        ("support.prompty", "sources/prompts/support.prompty"),
        ("sources/support.prompty", "sources/prompts/support.prompty"),
        ("/tmp/my-own.prompty", "sources/prompts/my-own.prompty"),
        ("sources/prompts/a/mine.prompty", "sources/prompts/mine.prompty"),
        ("sources/prompts/../mine.prompty", "sources/prompts/mine.prompty"),
        ("sources/prompts/mine.txt", r"sources/prompts/NAME\.prompty, NAME of a-z, 0-9, - and _"),
        ("sources/prompts/Mine.prompty", r"sources/prompts/NAME\.prompty, NAME of a-z, 0-9, - and _"),
        ("Assistant", "the name of a template in deploy/prompts"),
        ("", "the name of a template in deploy/prompts"),
        ("plain\n", "the name of a template in deploy/prompts"),
    ],
)
def test_anything_else_is_refused_with_what_to_write(template: str, advice: str) -> None:
    with pytest.raises(ValidationError, match=advice):
        PromptSettings(template=template)
