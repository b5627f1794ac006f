"""What a follow-up still asks of the turn before it.

"And `tol`?" after "What is `C` of SVC?" asks about SVC and no longer about `C`, while "And its default?" asks
about both. So where a follow-up names something of its own, what the turn before named beside the document is
left out of it: with it, the passage on `C` is found again.
"""

from collections.abc import Sequence

from deploy.knowledge.lexical import LexicalIndex
from deploy.knowledge.terms import GRAMMAR, LONGEST_NAME, definition_term, named_words, title_term

# Share of the chunks with a word that define it, by which it is a name: of `axis` 0.26, of `default` 0.001.
_DEFINED = 0.05


def still_asked(before: str, query: str, lexical: LexicalIndex) -> str:
    """`before`, as it was said, or without the names that the follow-up `query` has put its own in place of.

    What names a document stays: a qualified name, or the last part of one, also where it is written out
    (`random forest classifier`).
    """
    if not before or not any(_is_name(word, lexical) for word in named_words(query)):
        return before
    words = named_words(before)
    surely, perhaps = _naming_documents(words, lexical)
    gone = {at for at, word in enumerate(words) if at not in surely and _is_name(word, lexical)}
    if not (surely | perhaps) - gone:
        gone -= perhaps  # a function may be called as a parameter is: one has to be what is spoken of
    return " ".join(word for at, word in enumerate(words) if at not in gone)


def _is_name(word: str, lexical: LexicalIndex) -> bool:
    """Whether a word is one that lines define, rather than one that some line happens to define as well."""
    defining = 0 if word in GRAMMAR else lexical.holders(definition_term(word))
    return bool(defining) and ("_" in word or defining >= _DEFINED * lexical.holders(word))


def _naming_documents(words: Sequence[str], lexical: LexicalIndex) -> tuple[set[int], set[int]]:
    """The places of words that name documents: of several words or with dots, and of one word alone."""
    surely: set[int] = {at for at, word in enumerate(words) if "." in word}
    perhaps: set[int] = set()
    for count in range(1, LONGEST_NAME + 1):
        for start in range(len(words) - count + 1):
            part = words[start : start + count]
            if any(title_term(written) in lexical.known for written in ("_".join(part), "".join(part))):
                (surely if count > 1 else perhaps).update(range(start, start + count))
    return surely, perhaps
