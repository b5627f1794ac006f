"""What a function says of words, worked out once for each: most words of a corpus are a few thousand."""

from collections.abc import Callable
from typing import TypeVar

SaidT = TypeVar("SaidT")
_MOST = 2**17  # words at once: enough for most corpora, some 30 MB
_LONGEST = 40  # characters of a word that may come again; where no blanks part words, a page may be one


class Remembered(dict[str, SaidT]):
    """What `say` says of each word. Looked up by `[word]`, which costs a third of a call."""

    def __init__(self, say: Callable[[str], SaidT]) -> None:
        super().__init__()
        self._say = say

    def __missing__(self, word: str) -> SaidT:
        said = self._say(word)
        if len(word) <= _LONGEST:
            if len(self) == _MOST:
                self.clear()
            self[word] = said
        return said
