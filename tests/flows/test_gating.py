"""Protects `threeply gate`: what a run would say of a file, an exit code for scripts, nothing written."""

from pathlib import Path

import pytest

from tasks.prepare.collect_settings import FileSource
from tests.flows.terminal import shown
from tests.tasks.prepare.tracing.chain import asked, lines, run_chain

pytestmark = pytest.mark.filterwarnings(r"ignore:module 'sre_\w+' is deprecated:DeprecationWarning")
GOOD = [asked(n, f"What about thing number {n} of the shelf?") for n in range(60)]


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int) -> str:
    return shown(capsys, "gate", *words, code=code)


def test_a_good_file_passes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "faq.jsonl").write_text(lines(*GOOD, asked("x", "Is it a caf\u00c3\u00a9?")))
    before = sorted(here.rglob("*"))
    said = told(capsys, "faq.jsonl", code=0)
    assert "faq.jsonl: 61 rows, read as prompt+completion" in said
    assert "rows: 61 examples" in said
    assert "would be repaired: encoding 1" in said
    assert "the gate would let them pass: " in said
    assert "progress" not in said
    assert sorted(here.rglob("*")) == before


def test_what_would_go_no_further_is_told_with_five_of_each(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = [asked(f"s{n}", f"Why is number {n} so short?", "x") for n in range(7)]
    wordy = asked("wordy", "Is it long?", " ".join(f"word{n}" for n in range(500)))
    (here / "faq.jsonl").write_text(lines(*GOOD[:20], *short, *["{"] * 12, wordy))
    said = told(capsys, "faq.jsonl", code=1)
    assert "collect would drop 12 examples: broken_json" in said
    assert "  line 28: column" in said
    assert "and 7 more" in said
    assert "clean would drop 7 examples: short" in said
    assert "  faq.jsonl:s0: 1 characters: Why is number 0 so short?" in said
    assert "validate would hold back 1 examples: answer_length" in said
    assert "critical: example enough: There are at least 50 examples. (it is 21)" in said
    assert "    The gate stops the chain. Mend the sources" in said
    assert "Nothing to compare with: no run has passed the gate before this one." in said
    assert "the gate would let no rows pass: 2 of" in said
    assert "share of examples dropped: 0.475, allowed is 0.3 (gate.max_dropped in params.yaml)" in said


def test_a_file_that_would_change_the_rows_is_told_of_what_changes(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "other.jsonl").write_text(lines(*(asked(n, f"Why is the number {n}?") for n in range(100))))
    run_chain(here, [FileSource(kind="file", path=Path("other.jsonl"))])
    (here / "faq.jsonl").write_text(lines(*GOOD))
    said = told(capsys, "faq.jsonl", code=0)  # params.yaml does not name it: it is meant to bring other rows
    assert "Compared with the rows that the gate let pass last." in said
    assert "`collect` or `clean` had other settings then: what differs is a warning." in said
    assert "warning: example source_drift: " in said
    assert "other.jsonl 100 % then, 62 % now" in said
    (here / "data/accepted.json").write_text("{")
    assert "accepted.json cannot be read: Invalid JSON" in told(capsys, "faq.jsonl", code=1)


def test_a_file_that_params_names_is_read_as_they_say(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "sources").mkdir()
    rows = [{"q": f"Why is number {n}?", "a": "Because."} for n in range(60)]
    (here / "sources/faq.jsonl").write_text(lines(*rows))
    said = told(capsys, "sources/faq.jsonl", "--columns", "prompt=q", "completion=a", code=0)
    assert "rows: 60 examples" in said
    params = (here / "params.yaml").read_text()
    named = "  sources:\n    - {kind: file, path: sources/faq.jsonl, columns: {prompt: q, completion: a}}\n"
    (here / "params.yaml").write_text(params.replace("  sources:\n", named, 1))
    assert "rows: 60 examples" in told(capsys, "sources/faq.jsonl", code=0)
    assert "has its columns in params.yaml" in told(
        capsys, "sources/faq.jsonl", "--columns", "prompt=q", code=2
    )


def test_the_rows_that_other_sources_had_in_the_last_run_count(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "faq.jsonl").write_text(lines(*GOOD[:5]))
    assert "it is 5" in told(capsys, "faq.jsonl", code=1)
    (here / "other.jsonl").write_text(lines(*GOOD[5:]))
    run_chain(here, [FileSource(kind="file", path=Path("other.jsonl"))], until="clean")
    capsys.readouterr()
    told(capsys, "faq.jsonl", code=0)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["none.jsonl"], 1, "none.jsonl is not there"),
        (["."], 2, ". is a folder; threeply gate tries one file"),
        (["faq.jsonl", "--columns", "prompt"], 2, "--columns 'prompt' is wrong; it should be OURS=THEIRS"),
    ],
)
def test_wrong_words_are_told(
    here: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, message: str
) -> None:
    (here / "faq.jsonl").write_text(lines(*GOOD))
    assert message in told(capsys, *words, code=code)
