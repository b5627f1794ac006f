"""Protects what becomes of ratings: every one is in a ranking, and pairs say what people have said."""

import json
from pathlib import Path

from hypothesis import given as over
from hypothesis import strategies as st

from deploy.feedback.store import Rated
from tasks.prepare.collect.feedback import read_feedback, unpaired
from tasks.prepare.collect.pieces import in_memory
from tasks.prepare.collect_settings import FeedbackSource
from tasks.prepare.rankings import as_lines, rankings
from tasks.rows.identity import prompt_key
from tests.deploy.feedback.made import given, rated


def test_a_better_answer_and_two_thumbs_make_rankings() -> None:
    corrected = rated("down", "It is 2 [1].", question="What is C?", better="It is 1.0 [2].")
    up = rated("up", "Because [1].", name="chatcmpl-2")
    down = rated("down", "No idea.", name="chatcmpl-3")
    assert rankings([corrected, up, down]) == [
        {
            "prompt": [{"role": "user", "content": "What is C?"}],
            "responses": ["It is 2.", "It is 1.0."],
            "ratings": [0.0, 1.0],
            "label": "human",
            "evidence": ["file:sources/b.md"],
            "answers": ["chatcmpl-1"],
        },
        {
            "prompt": [{"role": "user", "content": "Why?"}],
            "responses": ["Because.", "No idea."],
            "ratings": [1.0, 0.0],
            "label": "human",
            "evidence": ["py:svm.SVC"],
            "answers": ["chatcmpl-2", "chatcmpl-3"],
        },
    ]


def test_what_several_people_think_of_one_answer_is_averaged() -> None:
    said = [rated(thumb, "So [1].", name=f"chatcmpl-{n}") for n, thumb in enumerate(("up", "up", "down"))]
    [ranking] = rankings([*said, rated("down", "So  ", name="chatcmpl-9", question="why?")])
    assert ranking["responses"] == ["So.", "So"]
    assert ranking["ratings"] == [2 / 3, 0.0]
    [torn] = rankings(said[1:])
    assert (torn["ratings"], torn["evidence"], unpaired(torn)) == ([0.5], [], "up_and_down")


def test_what_is_no_citation_stays_as_it_was_said() -> None:
    [ranking] = rankings([rated("up", "Take `a[3]` [2] [7], not [1].")])
    assert ranking["responses"] == ["Take `a[3]` [7], not."]
    assert ranking["evidence"] == ["file:sources/b.md", "py:svm.SVC"]


OPINIONS = st.lists(
    st.tuples(
        st.sampled_from(["Why?", "Who?"]),
        st.sampled_from(["A.", "B.", "C."]),
        st.sampled_from(["up", "down"]),
        st.one_of(st.none(), st.sampled_from(["A.", "D."])),
    ),
    max_size=12,
)


@over(OPINIONS)
def test_pairs_follow_from_opinions_and_nothing_is_lost(told: list[tuple[str, str, str, str | None]]) -> None:
    opinions = [
        Rated(
            answer=given(f"chatcmpl-{number}", question, text=text),
            rating="up" if thumb == "up" else "down",
            better=better if thumb == "down" else None,
            rated=number,
        )
        for number, (question, text, thumb, better) in enumerate(told)
    ]
    found = rankings(opinions)
    assert sorted(name for each in found for name in each["answers"]) == sorted(
        each.answer.id for each in opinions
    )
    for question in ("Why?", "Who?"):
        own = [each for each in opinions if each.answer.conversation[0].content == question]
        worths: dict[str, list[float]] = {}
        for each in own:
            worths.setdefault(each.answer.text, []).append(1.0 if each.rating == "up" else 0.0)
            if each.better is not None:
                worths.setdefault(each.better, []).append(1.0)
        means = {text: sum(each) / len(each) for text, each in worths.items()}
        [ranking] = [each for each in found if each["prompt"][0]["content"] == question] or [None]
        assert (ranking is None) == (not own)
        if ranking is not None:
            assert dict(zip(ranking["responses"], ranking["ratings"], strict=True)) == means
            assert bool(unpaired(ranking)) == (len(set(means.values())) == 1)


def test_what_is_exported_is_collected(tmp_path: Path) -> None:
    opinions = [
        rated("down", "It is 2 [1].", question="What is C?", better="It is 1.0 [1]."),
        rated("up", "Because [1].", name="chatcmpl-2"),
        rated("down", "No idea.", name="chatcmpl-3"),
        rated("up", "Yes.", name="chatcmpl-4", question="Is it?"),
        rated("down", "No.", name="chatcmpl-5", question="Was it?"),
    ]
    path = tmp_path / "feedback.jsonl"
    path.write_text(as_lines(rankings(opinions)), encoding="utf-8")
    found = in_memory(read_feedback(FeedbackSource(kind="feedback", path=path), watched=tmp_path))
    pairs = found.rows.preferences
    assert [(pair.prompt[0].content, pair.chosen, pair.rejected) for pair in pairs] == [
        ("What is C?", "It is 1.0.", "It is 2."),
        ("Why?", "Because.", "No idea."),
    ]
    assert {(pair.label, pair.evidence, pair.margin) for pair in pairs} == {("human", ("py:svm.SVC",), 1.0)}
    assert found.unused == {"only_up": 1, "only_down": 1}
    assert found.dropped == ()
    assert len({prompt_key(pair.prompt) for pair in pairs}) == len({pair.group for pair in pairs}) == 2
    assert json.loads(path.read_text(encoding="utf-8").splitlines()[0])["label"] == "human"
