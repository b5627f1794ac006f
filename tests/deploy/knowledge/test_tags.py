"""Protects tags: who holds one of them sees a document, others do not, and no other text passes for one."""

import pytest

from deploy.errors import SettingsError
from deploy.knowledge.tags import Held, checked_tags, is_open


@pytest.mark.parametrize(
    ("tags", "held", "expected"),
    [
        ((), (), True),
        ((), None, True),
        (("a",), None, True),
        (("a",), (), False),
        (("a",), ("b",), False),
        (("a", "b"), ("b", "c"), True),
        (("ab",), ("a", "b"), False),
        (("staff",), frozenset({"staff"}), True),
    ],
)
def test_one_tag_is_enough_and_none_is_not(tags: tuple[str, ...], held: Held, expected: bool) -> None:
    assert is_open(tags, held) is expected


def test_tags_stand_once_and_in_order() -> None:
    assert checked_tags(["staff", "a-1", "staff", "0_x"]) == ("0_x", "a-1", "staff")
    assert checked_tags([]) == ()
    assert checked_tags(["a" * 40]) == ("a" * 40,)


@pytest.mark.parametrize("tag", ["", "Staff", "a b", "a\n", "-a", "_a", "ä", "a" * 41, "a,b"])
def test_what_is_no_tag_is_refused(tag: str) -> None:
    with pytest.raises(SettingsError, match="it should be a tag of a-z, 0-9, - and _, at most 40 characters"):
        checked_tags(["staff", tag])
