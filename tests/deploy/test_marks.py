"""Protects the server from texts of nested marks: they are gone in one pass, and none is left."""

import re

from hypothesis import given
from hypothesis import strategies as st

from deploy.marks import without_marks
from deploy.prompts.template import neutral

TOKEN = re.compile(r"<\|[^|<>\s]{1,64}\|>")
PIECES = st.sampled_from(["<|", "|>", "<", "|", ">", "a", "im_start", " ", "<|end|>", "x" * 70])


def again_and_again(text: str) -> str:
    """What is left once no mark is: the plain way, which takes a pass for each level of nesting."""
    while (shorter := TOKEN.sub("", text)) != text:
        text = shorter
    return text


@given(st.lists(PIECES, max_size=40).map("".join))
def test_one_pass_leaves_what_many_would(text: str) -> None:
    assert neutral(text) == again_and_again(text)


def test_each_end_is_looked_at_once_however_deep_the_nesting() -> None:
    looked: list[int] = []

    def ending(part: str) -> int:
        looked.append(len(part))
        return 4 if part.endswith("<|a>") else 0

    deep = "<|a" * 5_000 + ">" * 5_000
    assert without_marks(deep, ends=frozenset(">"), longest=4, ending=ending) == ""
    assert len(looked) == 5_000
    assert max(looked) == 4
