"""Protects the notion of sameness: the same sets and roots come out in whatever order things are united."""

from hypothesis import given
from hypothesis import strategies as st

from deploy.messages import Message
from tasks.rows.identity import prompt_key, united


@given(pairs=st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh"))), data=st.data())
def test_roots_do_not_depend_on_the_order(pairs: list[tuple[str, str]], data: st.DataObject) -> None:
    roots = united(pairs)
    assert united((b, a) for a, b in data.draw(st.permutations(pairs))) == roots
    assert all(root <= item for item, root in roots.items())
    assert all(roots[a] == roots[b] for a, b in pairs)
    assert all(roots[root] == root for root in roots.values())


def test_prompts_are_the_same_whatever_blanks_and_case_outside_code() -> None:
    def key(text: str) -> object:
        return prompt_key([Message("user", text)])

    assert key("Why  IS\nit?") == key("why is it?")
    assert key("What is `m`?") != key("What is `M`?")
