"""Proves that nothing of an evaluation set, nor of a test set of one's own, is trained on in any dress.

Planted rows go through the real stages from collect to split. That none is left is then judged by their names
and, so that the code does not judge itself, by searching the text of every row that may be trained on.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.messages import Message
from tasks.prepare.collect_settings import FileSource
from tasks.prepare.decontamination.evaluations import CONTAMINATED, holding, texts_of
from tasks.prepare.similar.rows import near_rows
from tasks.prepare.split.sides import SPLITS
from tasks.rows.records import Dropped, EvaluationItem, Example, Preference
from tasks.rows.reports import read_report, unbalanced
from tasks.rows.tables import read_table
from tests.conftest import small_settings
from tests.tasks.prepare.tracing.chain import asked, lines, run_chain
from tests.tasks.rows.made import pair, question

# Great Expectations imports a module that Python 3.11 has deprecated.
pytestmark = pytest.mark.filterwarnings(r"ignore:module 'sre_\w+' is deprecated:DeprecationWarning")

EXAM = [
    "Which mountain range lies between the old harbour of Trelling and the salt lakes in the east?",
    "How many years did the builders of the second lighthouse wait for stones from the quarry at Harn?",
    "Why did the council of Ostmar forbid the ringing of bells after the flood of the eleventh spring?",
    "What did the non-resident keepers have to pay for each lamp that went out before the dawn?",
]
SHORT = "Who painted the ceiling?"
OWN = [
    "For how many weeks may a reader keep a borrowed atlas of the northern counties at home?",
    "What does the town library charge a visitor who has lost the blue card of membership?",
]
CONTEXT = "The text was found in a chest. Nobody knows who wrote it, and the last pages are gone."
SETTINGS = small_settings(
    clean={"max_characters": 2000},
    validate_={"min_examples": 1},
    gate={"max_dropped": 0.9, "max_quarantined": 0.9},
    split={"evaluations": []},
)


def edited(text: str) -> str:
    """The text with one word in nine exchanged, so that it is near and not the same."""
    words = text.split()
    return " ".join("perhaps" if at % 9 == 5 else word for at, word in enumerate(words))


DISGUISES = {
    "exact": lambda text: text,
    "folded": lambda text: re.sub(r"[^\w\s]", "", text).upper(),
    "spaced": lambda text: "  " + text.replace(" ", "  ").replace("the", "the\n") + " ",
    "near": edited,
    "quoted": lambda text: f'{CONTEXT}\n\n"{text}"\n\nAnswer in a single sentence, please.',
}


def chat(name: str, *turns: str) -> dict[str, Any]:
    """A record of a conversation, in which the turns of user and assistant alternate."""
    roles = ("user", "assistant")
    said = [{"role": roles[at % 2], "content": turn} for at, turn in enumerate(turns)]
    return {"id": name, "messages": said}


def planted(name: str, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """A row for each place where a text may stand, with the file that it belongs into."""
    yield "faq", asked(f"prompt {name}", text, f"Answer to {name}.")
    yield "chats", chat(f"follow-up {name}", f"Hello, this is {name}.", "Yes?", text, f"Reply to {name}.")
    yield "chats", chat(f"earlier {name}", text, f"Said to {name}.", f"And of {name}, why?", f"For {name}.")
    yield (
        "pairs",
        {"id": f"pair {name}", "prompt": text, "chosen": f"Yes, {name}.", "rejected": f"No, {name}."},
    )


def in_answers(name: str, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Places where a stranger's item may stand, and a question of one's own is no leak."""
    yield "faq", asked(f"answer {name}", f"What is written in place {name}?", text)
    better = {
        "id": f"chosen {name}",
        "prompt": f"Read me {name}!",
        "chosen": text,
        "rejected": f"No, {name}.",
    }
    yield "pairs", better
    worse = {
        "id": f"rejected {name}",
        "prompt": f"Recite {name}!",
        "chosen": f"I know {name}.",
        "rejected": text,
    }
    yield "pairs", worse


CLEAN = [
    asked(
        f"clean {n}", f"What about thing number {n} of shelf {n % 7}?", f"It is thing {n}, as the list says."
    )
    for n in range(60)
] + [
    asked("like exam", "Which mountain range lies to the north of the capital?", "The Ulm hills."),
    asked("like short", "Who painted the ceiling of the great hall in Ostmar, and when was it?", "Nobody."),
    asked("like own", "For how many weeks does the exhibition of maps stay open?", "For three weeks."),
]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a chain with planted rows has left: what is trained on, what is left out, and what was planted."""

    root: Path
    trained: tuple[Example | Preference, ...]
    unused: tuple[Dropped, ...]
    exam: frozenset[str]
    own: frozenset[str]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    root = tmp_path_factory.mktemp("leakage")
    files: dict[str, list[dict[str, Any]]] = {"faq": list(CLEAN), "chats": [], "pairs": []}
    names: dict[str, set[str]] = {"exam": set(), "own": set()}
    for kind, items in (("exam", EXAM), ("own", OWN)):
        for number, item in enumerate(items):
            for disguise, dress in DISGUISES.items():
                name = f"{kind} {number} {disguise}"
                rows = [*planted(name, dress(item))]
                rows += in_answers(name, dress(item)) if kind == "exam" and disguise != "near" else []
                for file, row in rows:
                    files[file].append(row)
                    names[kind].add(f"{root.as_posix()}/sources/{file}.jsonl:{row['id']}")
    for file, row in planted("short", f"{CONTEXT}\n{SHORT}"):
        files[file].append(row)
        names["exam"].add(f"{root.as_posix()}/sources/{file}.jsonl:{row['id']}")
    (root / "sources").mkdir()
    for file, records in files.items():
        (root / f"sources/{file}.jsonl").write_text(lines(*records), encoding="utf-8")
    own = [asked(f"own {n}", text, "As the rules say.") for n, text in enumerate(OWN)]
    (root / "sources/own.jsonl").write_text(lines(*own), encoding="utf-8")
    (root / "sources/exam.txt").write_text("\n".join([*EXAM, SHORT]), encoding="utf-8")
    named = [FileSource(kind="file", path=root / f"sources/{file}.jsonl") for file in files]
    named.append(FileSource(kind="file", path=root / "sources/own.jsonl", held_out="own questions"))
    listed = SETTINGS.split.model_copy(update={"evaluations": [root / "sources/exam.txt"]})
    run_chain(root, named, settings=SETTINGS.model_copy(update={"split": listed}))
    splits = root / "data/splits"
    trained: list[Example | Preference] = []
    for name in ("train", "validation"):
        trained += read_table(splits / name / "examples.parquet", Example)
        trained += read_table(splits / name / "preferences.parquet", Preference)
    unused = tuple(read_table(splits / "unused.parquet", Dropped))
    return Ran(root, tuple(trained), unused, frozenset(names["exam"]), frozenset(names["own"]))


def test_no_planted_row_is_trained_on(ran: Ran) -> None:
    trained = {row.id for row in ran.trained}
    assert sorted(trained & ran.exam) == []
    assert sorted(trained & ran.own) == []


def test_no_text_that_is_trained_on_holds_an_item(ran: Ran) -> None:
    """The same by another way: letters and figures alone, as a plain search finds them."""
    told = ["".join(filter(str.isalnum, " ".join(texts_of(row)).casefold())) for row in ran.trained]
    for item in EXAM:
        assert not [text for text in told if "".join(filter(str.isalnum, item.casefold())) in text]
    prompts = [
        "".join(filter(str.isalnum, turn.content.casefold())) for row in ran.trained for turn in row.prompt
    ]
    for item in OWN:
        assert not [text for text in prompts if "".join(filter(str.isalnum, item.casefold())) in text]


def test_no_two_near_rows_stand_on_two_sides(ran: Ran) -> None:
    splits = ran.root / "data/splits"
    found = [
        (name, row)
        for name in SPLITS
        for row in (
            *read_table(splits / name / "examples.parquet", Example),
            *read_table(splits / name / "preferences.parquet", Preference),
        )
        if not row.held_out
    ]
    assert {name for name, _ in found} == set(SPLITS)
    pairs = near_rows([row for _, row in found], near=SETTINGS.split.near_groups or 0.5)
    assert [pair for pair in pairs if found[pair.earlier][0] != found[pair.later][0]] == []


def test_sound_rows_stay_and_every_row_is_accounted_for(ran: Ran) -> None:
    lost = {row.id.rpartition(":")[2] for row in ran.unused}
    assert [row["id"] for row in CLEAN if row["id"] in lost] == []
    assert {row.reason for row in ran.unused} >= {CONTAMINATED, "near to a held-out question"}
    assert {row.detail.rpartition(":")[0] for row in ran.unused if row.reason == CONTAMINATED} == {
        f"{ran.root.as_posix()}/sources/exam.txt"
    }
    report = read_report(ran.root / "data/reports/split.json")
    assert unbalanced(report.rows) == []
    counts = report.figures["evaluations"][f"{ran.root.as_posix()}/sources/exam.txt"]
    taken = [row.kind for row in ran.unused if row.reason == CONTAMINATED]
    assert counts["items"] == len(EXAM) + 1
    assert (counts["examples"], counts["preferences"]) == (taken.count("example"), taken.count("preference"))


def test_the_evaluation_set_itself_is_no_source(ran: Ran) -> None:
    sources = {row.source for row in ran.trained} | {row.source for row in ran.unused}
    assert not [source for source in sources if source.endswith("exam.txt")]


WORDS = st.lists(st.text(st.characters(codec="utf-8", categories=["L"]), min_size=1, max_size=7), max_size=15)
DRESSES = st.lists(
    st.sampled_from([str.upper, str.title, DISGUISES["spaced"], DISGUISES["quoted"]]), max_size=3
)


@settings(max_examples=80)
@given(
    item=st.sampled_from([*EXAM, SHORT]),
    before=WORDS,
    behind=WORDS,
    dresses=DRESSES,
    place=st.sampled_from(
        ["prompt", "answer", "system", "follow-up", "prompt of a pair", "chosen", "rejected"]
    ),
)
def test_no_dress_and_no_place_hides_an_item(
    item: str, before: list[str], behind: list[str], dresses: list[Any], place: str
) -> None:
    text = item
    for dress in dresses:
        text = dress(text)
    text = "\n".join([" ".join(before), text, " ".join(behind)])
    turns = (Message("user", "Hello."), Message("assistant", "Yes?"), Message("user", text))
    row = {
        "prompt": question("row", text),
        "answer": question("row", "Why?", text),
        "system": question("row", messages=(Message("system", text), *question("", "So?").messages)),
        "follow-up": question("row", messages=(*turns, Message("assistant", "So."))),
        "prompt of a pair": pair("row", prompt=turns),
        "chosen": pair("row", chosen=text),
        "rejected": pair("row", rejected=text),
    }[place]
    items = [
        EvaluationItem(id=f"exam.txt:{n}", source="exam.txt", prompt=(Message("user", each),))
        for n, each in enumerate([*EXAM, SHORT])
    ]
    (found,) = holding([row], items)
    assert found.item == items[[*EXAM, SHORT].index(item)]
