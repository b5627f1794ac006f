"""A small project for tests of the card: two sources with groups and judges, up to what was learned."""

from collections.abc import Sequence
from pathlib import Path

from tasks.evaluation.answers import AnsweredQuestion, ArmAnswer, write_answers
from tasks.prepare.collect_settings import DatasetSource, FileSource, Source
from tasks.prepare.tracing.stored import read_stored
from tasks.release.card import card
from tasks.release.settings import CardSettings
from tasks.rows.learned import write_learned
from tasks.rows.records import Example
from tasks.rows.reports import Report, read_report, write_report
from tasks.rows.tables import read_table
from tests.tasks.prepare.tracing.chain import asked, lines, run_chain
from tests.tasks.rows.made import learned

FAQ, PAIRS, SET = "sources/faq.jsonl", "sources/pairs.jsonl", "sources/set"
SETTINGS = CardSettings(groups=["region"], smallest_group=5, annotator="judge")
KEPT = ["region", "judge", "chosen_region", "rejected_region"]


def write_sources(root: Path) -> list[Source]:
    """Questions of two regions, one of them small; pairs that two people have judged; a dataset."""
    (root / SET).mkdir(parents=True)
    (root / FAQ).write_text(
        lines(
            *(asked(n, f"What about thing number {n} of the shelf?", region="north") for n in range(40)),
            *(asked(f"s{n}", f"And thing {n} in the south?", "It is.", region="south") for n in range(3)),
            asked("none", "Which region is this of?"),
            asked("short", "Why?", "x"),
            "{broken",
        )
    )
    pairs = []
    answers = {"north": "Yes, it is.", "south": "No."}
    for n in range(30):
        for who, better in (("ada", "north" if n % 3 else "south"), ("bob", "north")):
            worse = "south" if better == "north" else "north"
            pairs.append(
                {
                    "id": f"{n}{who}",
                    "prompt": f"Is number {n} there?",
                    "chosen": answers[better],
                    "rejected": answers[worse],
                    "chosen_region": better,
                    "rejected_region": worse,
                    "judge": who,
                }
            )
    (root / PAIRS).write_text(lines(*pairs))
    (root / SET / "README.md").write_text(
        "---\nlicense: cc-by-4.0\nlanguage:\n- de\n- en\nhomepage: https://example.org/set\n---\n# A set\n"
    )
    (root / SET / "train.jsonl").write_text(lines(*(asked(n, f"Row {n} of the set?") for n in range(20))))
    return [
        FileSource(kind="file", path=Path(FAQ), keep=["region"], licence="CC0-1.0", origin="our | desk"),
        FileSource(kind="file", path=Path(PAIRS), keep=KEPT[1:]),
        DatasetSource(kind="dataset", path=Path(SET), split="train"),
    ]


def answered(rows: Sequence[Example]) -> list[AnsweredQuestion]:
    """Answers to every question of the test, half of them right."""
    return [
        AnsweredQuestion(
            id=row.id,
            task=row.task,
            answerable=True,
            question=row.prompt[-1].content,
            gold=row.answer,
            arms={
                "sft": ArmAnswer(text="", score=float(place % 2), abstained=False, citations=(), sources=())
            },
        )
        for place, row in enumerate(rows)
    ]


def write_training(root: Path) -> None:
    """What fine-tuning would leave that has learned from every second example, and what evaluation would."""
    data = root / "data"
    rows = read_table(data / "splits/train/examples.parquet", Example)
    told = [learned(row.id, row.source, taught=place % 2 == 1) for place, row in enumerate(rows)]
    write_learned(data / "models/sft", told)
    figures = {"answer_tokens": sum(each.tokens for each in told)}
    write_report(data / "reports/sft.json", Report(stage="sft", figures=figures))
    test = read_table(data / "splits/test/examples.parquet", Example)
    write_answers(data / "reports/answers.jsonl", answered(test))


def run_card(root: Path, settings: CardSettings = SETTINGS) -> Report:
    """Run the stage with the files that dvc.yaml gives it."""
    data = root / "data"
    card(
        data / "raw/rows",
        data / "raw/dropped.parquet",
        data / "clean/rows",
        data / "clean/dropped.parquet",
        data / "clean/quarantine.parquet",
        data / "splits",
        data / "models/sft",
        data / "reports/collect.json",
        data / "reports/clean.json",
        data / "reports/sft.json",
        data / "reports/answers.jsonl",
        card=data / "card.md",
        report=data / "reports/card.json",
        settings=settings,
    )
    return read_report(data / "reports/card.json")


def make(root: Path) -> Report:
    """The whole project below the current folder, and the report of its card."""
    run_chain(root, write_sources(root))
    write_training(root)
    assert read_stored(root / "data").learned
    return run_card(root)
