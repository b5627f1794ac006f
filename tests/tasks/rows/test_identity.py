"""Protects the notion of sameness: the same sets and roots come out in whatever order things are united."""

from hypothesis import given
from hypothesis import strategies as st

from deploy.messages import Message
from tasks.rows.identity import Sets, prompt_key


@given(pairs=st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh"))), data=st.data())
def test_roots_do_not_depend_on_the_order(pairs: list[tuple[str, str]], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(pairs))
    one: Sets[str] = Sets()
    two: Sets[str] = Sets()
    for a, b in pairs:
        one.unite(a, b)
    for a, b in shuffled:
        two.unite(b, a)
    assert one.roots() == two.roots()
    assert all(root <= item for item, root in one.roots().items())


def test_prompts_are_the_same_whatever_blanks_and_case_outside_code() -> None:
    def key(text: str) -> object:
        return prompt_key([Message("user", text)])

    assert key("Why  IS\nit?") == key("why is it?")
    assert key("What is `m`?") != key("What is `M`?")
