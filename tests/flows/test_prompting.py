"""Protects the sight of a prompt: what `threeply prompt` shows, and that a wrong one stops a run at once."""

from pathlib import Path

import pytest

from flows.cli import main

TITLES = "{% for s in sources %}<{{ s.title }}>{% endfor %}"
RIGHT = f"---\nversion: 1.0.0\n---\nsystem:\nBe kind.\n\nuser:\n{TITLES} {{{{ question }}}}\n"
OWN = Path("sources/prompts/mine.prompty")


@pytest.fixture
def own(here: Path) -> Path:
    """A template of the user's own, which params.yaml names, in the current folder."""
    path = here / OWN
    path.parent.mkdir(parents=True)
    path.write_text(RIGHT, encoding="utf-8")
    params = (here / "params.yaml").read_text(encoding="utf-8")
    (here / "params.yaml").write_text(
        params.replace("template: assistant", f"template: {OWN}"), encoding="utf-8"
    )
    return path


def test_the_turns_are_shown_as_the_model_reads_them(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prompt", "--question", "Why?"]) == 0
    assert capsys.readouterr().out == (
        f"The template mine ({OWN}) makes these turns:\n\n"
        "--- system\nBe kind.\n\n--- user\n<Loans><Fees> Why?\n"
    )
    assert main(["prompt", "--no-sources"]) == 0
    assert capsys.readouterr().out.endswith("--- user\nHow long may a book be kept?\n")


def test_any_template_can_be_looked_at(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own.rename("draft.prompty")
    for template, said in (("plain", "[1] Loans\n"), ("draft.prompty", "Be kind.")):
        assert main(["prompt", "--template", template]) == 0
        assert said in capsys.readouterr().out


def test_a_question_that_asks_nothing_is_refused(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prompt", "--question", " "]) == 1
    assert "error: the question is empty" in capsys.readouterr().err


def test_check_reads_and_renders_the_template(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    assert "the prompt mine is fine" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["check"], ["prompt"], ["run"]])
def test_a_wrong_template_is_found_before_anything_runs(
    command: list[str], own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own.write_text(RIGHT.replace("s.title", "s.body"), encoding="utf-8")
    assert main(command) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: the prompt mine cannot be rendered: ")
    assert "of each of the sources number, title, text" in said
    own.unlink()
    assert main(command) == 1
    assert "no prompt is called 'mine' in sources/prompts; there are: none" in capsys.readouterr().err


def test_a_template_that_no_stage_watches_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (here / "params.yaml").read_text(encoding="utf-8")
    (here / "params.yaml").write_text(
        text.replace("template: assistant", "template: sources/mine.prompty"), encoding="utf-8"
    )
    assert main(["check"]) == 2
    said = capsys.readouterr().err
    assert "prompt.template: 'sources/mine.prompty' is wrong; it should be" in said
    assert said.endswith("which the stages watch: sources/prompts/mine.prompty\n")
