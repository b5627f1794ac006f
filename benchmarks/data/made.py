"""Questions with answers in any number: words as often as words are, with copies and faults among them.

Of a copy that is `near`, such a share of its words is changed; of one that is `asked`, of its question alone.
The words are those of Python's own documentation, the commonest first, so that the text is English to whoever
guesses languages by words; behind them come made ones. The same arguments give the same records.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from benchmarks.data.personal import VALUES, sentence
from benchmarks.scale.made import spelled
from tasks.rows.records import Example

SHARES = {
    "exact": 0.02, "near 5%": 0.02, "near 10%": 0.02, "near 20%": 0.02, "asked 10%": 0.02,
    "garbled": 0.01, "markup": 0.01, "foreign": 0.01, "personal": 0.02, "short": 0.01,
}  # fmt: skip
COPIES = tuple(kind for kind in SHARES if kind.startswith(("exact", "near", "asked")))
SOURCE = "made"
_VOCABULARY = 50_000
_EXPONENT, _SHIFT = 1.2, 2.7  # steeper than in most texts, so that most words are English ones
_WORDS = (12, 30), (50, 110)  # of a question, of an answer: at least, at most
_SENTENCE = 11
BLOCK = 5_000  # records drawn at once; a copy stands in the block of its original
_ACCENTS = (
    "It\u2019s for the café\u2019s menu.",
    "Names like François, Müller and Søren stay \u2013 always.",
)
_FOREIGN = (
    "ich der die das und nicht mit wir haben eine können Server läuft heute wieder langsam deshalb brauchen "
    "auch Befehl Datei schreiben ohne Verzeichnis welche müssen zuerst geöffnet werden danach schließen",
    "je le la les nous avons une dans pour avec commande fichier ouvrir ensuite sans répertoire quelle faut "
    "utiliser cette ligne après depuis hier machine lente pourquoi écrire toujours",
    "yo el la los nosotros tenemos una en para con orden archivo abrir después sin carpeta cuál hay que usar "
    "esta línea desde ayer máquina lenta por qué escribir siempre también",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A question with its answer; `kind` says what is special (`plain`: nothing), `of` what it copies."""

    id: str
    prompt: str
    answer: str
    kind: str
    of: str = ""

    def example(self) -> Example:
        """It as a row."""
        return Example.plain(self.id, self.prompt, self.answer, source=SOURCE, task="chat", group=self.id)


def records(count: int, *, seed: int, first: int = 0) -> Iterator[Made]:
    """So many records from number `first` on, a multiple of `BLOCK`; copies stand behind what they copy."""
    words, up_to = _vocabulary(), _zipf()
    kinds, shares = list(SHARES), np.array(list(SHARES.values()))
    for start in range(first, first + count, BLOCK):
        draw = np.random.default_rng([seed, start])
        size = min(BLOCK, first + count - start)
        chosen = draw.choice(len(kinds) + 1, size=size, p=[*shares, 1.0 - shares.sum()])
        lengths = np.stack([draw.integers(low, high + 1, size=size) for low, high in _WORDS])
        ranks = np.searchsorted(up_to, draw.random(int(lengths.sum())))
        plain: list[Made] = []
        at = 0
        for number in range(size):
            texts: list[list[str]] = []
            for length in lengths[:, number].tolist():
                texts.append([words[rank] for rank in ranks[at : at + length].tolist()])
                at += length
            kind = kinds[chosen[number]] if chosen[number] < len(kinds) else "plain"
            if kind in COPIES and not plain:
                kind = "plain"
            made = _record(f"m{start + number}", kind, texts, plain, draw)
            if kind == "plain":
                plain.append(made)
            yield made


def lines(made: Iterable[Made]) -> Iterator[str]:
    """Records as lines of a source."""
    for each in made:
        record = {"id": each.id, "prompt": each.prompt, "completion": each.answer}
        yield json.dumps(record, ensure_ascii=False) + "\n"


def _record(
    name: str, kind: str, texts: Sequence[list[str]], plain: Sequence[Made], draw: np.random.Generator
) -> Made:
    asked, said = map(_written, texts)
    match kind.partition(" ")[0]:
        case "exact" | "near" | "asked" as parts:
            first = plain[int(draw.integers(len(plain)))]
            share = float(kind.partition(" ")[2].rstrip("%") or 0) / 100
            asked = edited(first.prompt, share, draw)
            said = edited(first.answer, share if parts == "near" else 0.0, draw)
            return Made(id=name, prompt=asked, answer=said, kind=kind, of=first.id)
        case "garbled":
            said = f"{said} {_ACCENTS[int(draw.integers(len(_ACCENTS)))]}".encode().decode("cp1252")
        case "markup":
            said = f"<div><p>{said.replace('. ', '.</p><p>')}</p>&nbsp;</div>"
        case "foreign":
            own = _FOREIGN[int(draw.integers(len(_FOREIGN)))].split()
            asked, said = (_written(draw.choice(own, size=len(text)).tolist()) for text in texts)
        case "personal":
            what = list(VALUES)[int(draw.integers(len(VALUES)))]
            said = f"{said} {sentence(what, VALUES[what](draw), draw)}"
        case "short":
            said = "?"
    return Made(id=name, prompt=asked, answer=said, kind=kind)


def edited(text: str, share: float, draw: np.random.Generator) -> str:
    """A text with this share of its words replaced, left out, put in, or exchanged with the next."""
    words, known, other = text.split(), _vocabulary(), ""
    if not share:
        return text
    for at in draw.choice(len(words), size=max(1, round(share * len(words))), replace=False).tolist():
        other = known[int(draw.integers(2_000))]
        way = draw.random()
        if way < 0.5:
            words[at] = other
        elif way < 0.7:
            words[at] = ""
        elif way < 0.9 or at + 1 == len(words):
            words[at] += f" {other}"
        else:
            words[at], words[at + 1] = words[at + 1], words[at]
    changed = " ".join(filter(None, words))
    return changed if changed != text else f"{changed} {other}"  # two equal words may have changed places


def _written(words: Sequence[str]) -> str:
    """Words as sentences."""
    parts = (" ".join(words[at : at + _SENTENCE]) for at in range(0, len(words), _SENTENCE))
    return " ".join(f"{part[:1].upper()}{part[1:]}." for part in parts)


@cache
def _vocabulary() -> list[str]:
    """The words of Python's documentation by how often they stand there, then made ones."""
    from pydoc_data.topics import topics

    found = Counter(word for text in topics.values() for word in re.findall(r"\b[a-z]{2,14}\b", text.lower()))
    real = sorted(found, key=lambda word: (-found[word], word))
    known = set(real)
    made = (word for rank in range(30, 2 * _VOCABULARY) if (word := spelled(rank)) not in known)
    return [*real, *(next(made) for _ in range(_VOCABULARY - len(real)))]


@cache
def _zipf() -> np.ndarray:
    """The share of all words that are of the first ranks, by Zipf's law with Mandelbrot's shift (1953)."""
    up_to = np.cumsum((np.arange(1, _VOCABULARY + 1) + _SHIFT) ** -_EXPONENT)
    return np.asarray(up_to / up_to[-1])
