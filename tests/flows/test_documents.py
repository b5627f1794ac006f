"""Protects `threeply documents`: what it adds is found by a server, and what it deletes leaves no word."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from deploy.bundle import load_verified
from deploy.documents.lines import MOST_LINE_BYTES, BadLine, read_lines
from deploy.errors import FilterError, SettingsError
from deploy.feedback.store import FeedbackStore, Rated
from deploy.knowledge.chunking import KnowledgeDocument
from deploy.prompts.template import Source
from flows.adding import Adding
from flows.cli import main
from flows.release import BUNDLE
from tests.deploy.documents.made import live
from tests.deploy.documents.reading.pdfs import PICTURE, drawn, pdf
from tests.deploy.feedback.made import given, kept
from tests.flows.bundles import of_models

CANARY = "The canary-7431 sings in the aquarium of the zoo.\n"


@pytest.fixture
def project(here: Path, tiny_base: Path, tiny_embedder: Path) -> Path:
    """A project with a bundle of one document, and two files to add."""
    of_models(here, "tiny", base=tiny_base, embedder=tiny_embedder)
    (here / "pages/birds").mkdir(parents=True)
    (here / "pages/birds/canary.md").write_text(f"# Canaries\n\n{CANARY}", encoding="utf-8")
    (here / "pages/cow.txt").write_text("The cow eats grass.", encoding="utf-8")
    return here


def found(project: Path) -> list[str]:
    """What a server of the bundle finds about the canary."""
    from deploy.manifest import read_manifest

    bundle = project / BUNDLE
    assistant = load_verified(bundle, read_manifest(bundle), documents=project / ".threeply/documents")
    assert assistant.knowledge is not None
    [hits] = assistant.knowledge.search(["where does the canary-7431 sing"])
    return [hit.title for hit in hits]


def run(*words: str) -> int:
    return main(["documents", "--bundle", str(BUNDLE), *words])


def test_documents_are_added_listed_found_and_deleted_without_a_trace(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("add", "pages") == 0
    assert capsys.readouterr().out.splitlines() == ["birds/canary.md: 1 passages", "cow.txt: 1 passages"]
    assert found(project)[0] == "Canaries"
    assert run("list") == 0
    listed = capsys.readouterr().out
    assert "birds/canary.md" in listed
    assert "2 documents beside the 1 of the bundle" in listed
    assert run("delete", "birds/canary.md") == 0
    said = capsys.readouterr().out
    assert "birds/canary.md is deleted: it is found no more\nNo added file holds its words" in said
    assert "Canaries" not in found(project)
    files = [path for path in (project / ".threeply").rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if b"canary-7431" in path.read_bytes()]


def test_it_goes_where_the_variables_of_the_server_say(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THREEPLY_SERVE_DOCUMENTS", "elsewhere")
    assert run("add", "pages/cow.txt") == 0
    assert sorted(path.name for path in Path("elsewhere").iterdir()) == ["documents.sqlite"]
    assert not Path(".threeply").exists()
    monkeypatch.setenv("THREEPLY_SERVE_DOCUMENTS", "null")
    assert run("list") == 2
    assert "serve.documents is null" in capsys.readouterr().err
    monkeypatch.setenv("THREEPLY_SERVE_DOCUMENT", "elsewhere")
    assert run("list") == 2
    assert "THREEPLY_SERVE_DOCUMENT" in capsys.readouterr().err


def test_ratings_lose_its_passages_and_those_that_quote_it_are_told(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("add", "pages") == 0
    store = FeedbackStore(project / ".threeply/feedback")
    shown = Source(number=1, document="birds/canary.md", uri="u", title="Canaries", text=CANARY)
    for name, said in (("quotes", f"It says: {CANARY}"), ("cites", "In the aquarium [1].")):
        answer = given(name, text=said, sources=(shown,))
        store.put(Rated(answer=answer, rating="up", better=None, rated=1), "anna")
    store.close()
    assert run("delete", "birds/canary.md") == 0
    said = capsys.readouterr().out
    assert "words of it are left in .threeply/feedback/feedback.sqlite\n" in said
    assert "Answers that were rated quote it: threeply feedback list" in said
    assert [
        source.text for each in kept(project / ".threeply/feedback") for source in each.answer.sources
    ] == [
        "",
        "",
    ]


def test_a_document_of_the_bundle_is_hidden_and_it_is_said_where_it_still_lies(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("delete", "svm.SVC") == 0
    assert "The bundle still holds its text, which is not searched" in capsys.readouterr().out
    assert found(project) == []


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["add", "nowhere.md"], 2, "nowhere.md is not there"),
        (["add", "params.yaml"], 2, "params.yaml is none of .md, .markdown, .txt, .html, .htm, .xhtml, .pdf"),
        (["add", "index"], 2, "index has no file that ends in .md"),
        (["delete", "nobody"], 1, "no document is called 'nobody'; added were: none"),
    ],
)
def test_what_cannot_be_done_is_told(
    project: Path, words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert project
    assert run(*words) == code
    assert message in capsys.readouterr().err


def test_a_file_that_is_no_text_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "pages/broken.md").write_bytes(b"\xff\xfe\x00")
    assert run("add", "pages/broken.md") == 1
    assert "pages/broken.md: it is no text in UTF-8" in capsys.readouterr().err


def test_of_a_folder_what_can_be_read_is_added_and_the_rest_is_counted(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = project / "pages/birds"
    (pages / "canary.md").unlink()
    (pages / "canary.html").write_text(
        f"<title>Canaries</title><main><p>{CANARY}</main><footer>2024</footer>"
    )
    (pages / "scan.pdf").write_bytes(pdf([PICTURE]))
    (pages / "locked.pdf").write_bytes(pdf([b""], encrypted=True))
    (pages / "guide.pdf").write_bytes(pdf([PICTURE, drawn([(11, 600, "The jay hops.")])]))
    (pages / "logo.png").write_bytes(b"")
    assert run("add", "pages/birds") == 0
    assert capsys.readouterr().out.splitlines() == [
        "locked.pdf: skipped: it is encrypted; save a copy without a password",
        "scan.pdf: skipped: there is no text in it; it may be scanned: let a program for text recognition "
        "(OCR) read it first",
        "canary.html: 1 passages",
        "guide.pdf: 1 passages; 1 of its pages have pictures and no text, maybe scanned: 1",
        "2 documents were added, 3 skipped: 1 encrypted, 1 no text, 1 other format",
    ]
    assert found(project)[0] == "Canaries"
    for name in ("canary.html", "guide.pdf"):
        (pages / name).unlink()
    assert run("add", "pages/birds") == 1
    assert "no document could be read; what is wrong with each stands above" in capsys.readouterr().err


@pytest.mark.parametrize(("characters", "times"), [(30, 3), (60, 2), (100_000, 1)])
def test_pages_are_embedded_together_up_to_a_size_and_each_is_told_of(
    tmp_path: Path,
    characters: int,
    times: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("flows.adding._CHARACTERS_AT_ONCE", characters)
    (tmp_path / "pages").mkdir()
    for name in "abc":
        (tmp_path / f"pages/{name}.txt").write_text("The cow eats grass and gives milk.", encoding="utf-8")
    (tmp_path / "known").mkdir()
    embedded: list[int] = []
    with closing(live(tmp_path / "known")) as knowledge:
        embed = knowledge.store.embedder.embed_texts

        def counted(texts: list[str], **more: Any) -> Any:
            embedded.append(len(texts))
            return embed(texts, **more)

        monkeypatch.setattr(knowledge.store.embedder, "embed_texts", counted)
        Adding(knowledge).add([tmp_path / "pages"])
        assert [document.id for document, _ in knowledge.documents()] == ["a.txt", "b.txt", "c.txt"]
    assert len(embedded) == times
    told = capsys.readouterr().out.splitlines()
    assert told == [f"{name}.txt: 1 passages" for name in "abc"]


def test_that_others_see_a_document_than_before_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plan.md").write_text("The aquarium opens in May.", encoding="utf-8")
    (tmp_path / "known").mkdir()
    knowledge = live(tmp_path / "known")

    def said(*tags: str) -> str:
        Adding(knowledge, tags).add([tmp_path / "plan.md"])
        return capsys.readouterr().out

    assert said("board") == said("board") == "plan.md: 1 passages\n"
    assert (
        said("staff") == "plan.md: 1 passages; it was for the tags board, and now it is for the tags staff\n"
    )
    assert said().endswith("it was for the tags staff, and now it has no tags, so whoever may ask sees it\n")
    assert said() == "plan.md: 1 passages\n"


def test_each_line_of_a_file_is_a_document_and_a_bad_one_stops_none(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        b'{"id": "birds/canary", "title": "Canaries", "text": ' + json.dumps(CANARY).encode() + b"}",
        b"",
        b'{"id": "cow", "text": "The cow eats grass."}\r',
        b'{"id": "cow"',
        b"[1]",
        b'{"id": "x", "text": "y", "kind": "z"}',
        b'{"id": 7, "text": "y"}',
        b'{"id": "../x", "text": "y"}',
        b'{"id": "x", "text": " "}',
        b'{"id": "x", "text": "\\ud800"}',
        b'{"id": "x", "text": "\xff"}',
        b"[" * 100_000,
        b'{"id": "cow", "text": "The cow gives milk."}',
    ]
    (project / "faq.jsonl").write_bytes(b"\n".join(lines))
    assert run("add", "faq.jsonl") == 0
    told = capsys.readouterr().out
    assert "faq.jsonl: 3 documents, 3 passages" in told
    assert "faq.jsonl, line 6: skipped: kind: extra inputs are not permitted; a document has id, text" in told
    assert "3 documents were added, 9 skipped: 2 broken json, 1 no text, 2 not utf8, 1 wrong name" in told
    assert found(project)[0] == "Canaries"
    assert run("list") == 0
    listed = capsys.readouterr().out
    assert "2 documents beside the 1 of the bundle" in listed  # the last of a name counts
    assert run("delete", "birds/canary") == 0
    assert "No added file holds its words" in capsys.readouterr().out


def test_a_line_that_is_too_long_is_skipped_and_the_next_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"x" * (2 * MOST_LINE_BYTES + 3) + b'\n{"id": "a", "text": "b"}\n')
    long, short = read_lines(tmp_path / "a.jsonl")
    assert isinstance(long, BadLine)
    assert (long.number, long.error.reason) == (1, "too_large")
    assert isinstance(short, KnowledgeDocument)
    assert (short.id, short.title, short.uri) == ("a", "a", f"file:{tmp_path / 'a.jsonl'}:2")


def test_tags_of_a_line_need_keys_and_join_those_of_all(tmp_path: Path) -> None:
    line = {"id": "plan", "text": "The plan is secret.", "tags": ["board"]}
    (tmp_path / "a.jsonl").write_text(json.dumps(line), encoding="utf-8")
    (tmp_path / "known").mkdir()
    with closing(live(tmp_path / "known")) as knowledge:
        with pytest.raises(SettingsError, match=r"serve\.keys is null"):
            Adding(knowledge, keyed=False).add([tmp_path / "a.jsonl"])
        assert not knowledge.documents()
        Adding(knowledge, ["staff"]).add([tmp_path / "a.jsonl"])
        assert [document.tags for document, _ in knowledge.documents()] == [("board", "staff")]


def test_metadata_goes_with_what_is_added(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [{"id": "a", "text": "b"}, {"id": "c", "text": "d", "metadata": {"product": "press"}}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    with closing(live(tmp_path, filters=("product",))) as knowledge:
        Adding(knowledge, metadata={"product": "kiln"}).add([tmp_path / "a.jsonl"])
        known = {document.id: document.metadata for document, _ in knowledge.documents()}
        assert known == {"a": {"product": "kiln"}, "c": {"product": "press"}}
        with pytest.raises(FilterError, match=r"'region' is no metadata .* there are: product"):
            Adding(knowledge, metadata={"region": "north"})


def test_metadata_that_a_bundle_has_none_of_is_refused_by_the_command(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("add", "pages", "--metadata", "product=kiln") == 1
    assert "there are none (knowledge.filters in params.yaml)" in capsys.readouterr().err
    assert run("add", "pages", "--metadata", "kiln") == 2
