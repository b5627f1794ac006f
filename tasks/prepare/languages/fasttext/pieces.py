"""What a classifier knows of words: of each itself and of its pieces, for many words at once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tasks.prepare.languages.fasttext.file import Classifier, Floats

_BEHIND = "\n"  # each word; none holds one
_OFFSET, _PRIME = np.uint32(2166136261), np.uint32(16777619)
Letters = npt.NDArray[np.uint32]


def sums(words: Sequence[str], known: Classifier) -> Floats:
    """For each word the sum of the rows that are known of it, and behind it how many they are."""
    text = "".join(f"<{word}>{_BEHIND}" for word in words)
    letters = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    behind = letters == ord(_BEHIND)
    least, most = known.sizes
    # By the letter that they begin with, and by their size. A word's own stands behind it.
    rows = np.full((len(letters), most), -1, np.int32)
    rows[behind, 0] = [known.words.get(word, len(known.rows) - 1) for word in words]  # the last one is zero
    hashes, whole = np.full(len(letters) + 1, _OFFSET), np.full(len(letters) + 1, fill_value=True)
    for size in range(1, most + 1):
        hashes = _hashed(hashes[:-1], letters[size - 1 :])
        whole = whole[:-1] & ~behind[size - 1 :]
        if size >= least:
            begins = np.flatnonzero(whole)
            rows[begins, size - 1] = known.buckets[hashes[begins] % np.uint32(len(known.buckets))]
    there = np.flatnonzero(rows.ravel() >= 0)
    starts = np.searchsorted(there, (np.flatnonzero(behind) + 1) * most)
    found = rows.ravel()[there]
    counts = np.diff(starts, prepend=0) - (found[starts - 1] == len(known.rows) - 1)
    added = np.add.reduceat(known.rows.take(found, axis=0), np.concatenate(([0], starts[:-1])))
    return np.column_stack((added, counts)).astype(np.float32)


def _hashed(hashes: Letters, letters: Letters) -> Letters:
    """Hashes of which each goes on with a letter: FNV-1a in 32 bits, of the bytes that it has in UTF-8."""
    found: Letters = (hashes ^ letters) * _PRIME
    wide = np.flatnonzero(letters > 127)
    if len(wide):
        found[wide] = _hashed_wide(hashes[wide], letters[wide])
    return found


def _hashed_wide(hashes: Letters, letters: Letters) -> Letters:
    """The same of letters with several bytes, which the library takes for negative numbers."""
    first = np.select(
        [letters < 0x800, letters < 0x10000],
        [letters >> 6 | 0xC0, letters >> 12 | 0xE0],
        letters >> 18 | 0xF0,
    )
    found: Letters = (hashes ^ (first.astype(np.uint32) | np.uint32(0xFFFFFF00))) * _PRIME
    for shift, above in ((12, 0x10000), (6, 0x800), (0, 0)):
        byte = letters >> shift & 0x3F | 0xFFFFFF80
        found = np.where(letters >= above, (found ^ byte.astype(np.uint32)) * _PRIME, found)
    return found
