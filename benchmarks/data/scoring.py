"""Whether the right thing has become of each line, whatever the reason is called that stages give for it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.data.fates import Fate, Text
from benchmarks.data.truth import Line

COPIES = ("exact_duplicate", "near_duplicate")
LEAKED = "leakage"  # of an evaluation set
_TRAINED = ("train", "validation")
Fates = Mapping[int, Sequence[Fate]]


def scored(lines: Sequence[Line], fates: Fates) -> dict[str, Any]:
    """The counts of one file: faults, clean lines, reasons, pairs of copies, and where all lines went."""
    faults: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    clean: dict[str, Counter[str]] = defaultdict(Counter)
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    groups = _groups(lines)
    for line in lines:
        fate = fate_of(fates, line)
        if fate.reason:
            reasons[fate.reason][line.fault] += 1
        if line.fault == "none":
            _judge_clean(clean[line.lookalike or "plain"], line, fate, fates, groups)
        else:
            _judge_fault(faults[line.fault][line.kind], line, fate, fates, groups)
    return {
        "faults": _plain(faults),
        "clean": _plain(clean),
        "reasons": _plain(reasons),
        "pairs": _plain({fault: _pairs(lines, fates, fault) for fault in COPIES}),
        "lines": _plain(_lines(lines, fates)),
    }


def fate_of(fates: Fates, line: Line) -> Fate:
    """What became of a line; `lost` is the reason where nothing tells."""
    return next(iter(fates.get(line.number, ())), Fate(reason="lost without a reason"))


def found(line: Line, fates: Fates, groups: Mapping[str, Sequence[Line]]) -> bool:
    """Whether the right thing was done with a faulty line.

    Dropped where it should go, equal to the original where it can be repaired, without the values where it
    has to be redacted (or gone with them). Of a line and its copies one may stay, whichever.
    """
    fate = fate_of(fates, line)
    if line.fault in COPIES:
        return fate.text is None or _stands_for_all(line, fates, groups)
    if line.action == "repair":
        return fate.text is not None and line.original is not None and _repaired(line, fate.text)
    if line.action == "redact":
        return fate.text is None or not any(remains(value, fate.text) for value in line.values)
    return fate.text is None


def _repaired(line: Line, text: Text) -> bool:
    """Whether a text is the original; where control characters were planted, but for its blanks.

    A separator of lines that no keyboard has may become a newline: nobody knows what it was to be.
    """
    wanted = line.original or ("", "")
    if line.fault == "control_chars":
        return all(a.split() == b.split() for a, b in zip(text, wanted, strict=True))
    return same(text, wanted)


def same(one: Text, other: Text) -> bool:
    """Whether two texts differ in nothing but blanks at the ends of lines and around the text."""
    return all(_trimmed(a) == _trimmed(b) for a, b in zip(one, other, strict=True))


def remains(value: str, text: Text) -> bool:
    """Whether a value, or half of it, stands in a text, however it is written."""
    wanted = _letters(value)
    half = len(wanted) // 2
    return any(part in _letters(side) for side in text for part in (wanted[:half], wanted[half:]))


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().split("\n"))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _groups(lines: Iterable[Line]) -> dict[str, list[Line]]:
    groups: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if line.group and line.fault in ("none", *COPIES):
            groups[line.group].append(line)
    return groups


def _stands_for_all(line: Line, fates: Fates, groups: Mapping[str, Sequence[Line]]) -> bool:
    """Whether of a line and its copies this one alone has stayed."""
    stayed = [other.id for other in groups[line.group] if fate_of(fates, other).text is not None]
    return stayed == [line.id]


def _judge_fault(
    counts: Counter[str], line: Line, fate: Fate, fates: Fates, groups: Mapping[str, Sequence[Line]]
) -> None:
    """A fault is found, or is not. What is leaked may stand in the test, and is not counted where it does."""
    counted = line.fault != LEAKED or fate.split in ("", *_TRAINED)
    right = counted and found(line, fates, groups)
    counts.update(planted=counted, found=right, trained=not right and fate.split in _TRAINED)
    became = _became(line, fate) if counted else "in the test, not counted"
    if line.fault in COPIES and fate.text is not None:
        first = next((fate_of(fates, other) for other in groups[line.group] if other.id == line.of), fate)
        apart = first.text is not None and first.split != fate.split
        became = "kept on another side of the split" if apart else "kept on the same side"
    counts[f"> {became}"] += 1


def _judge_clean(
    counts: Counter[str], line: Line, fate: Fate, fates: Fates, groups: Mapping[str, Sequence[Line]]
) -> None:
    """A clean line is lost where it is gone and no copy stands for it, altered where its text is another."""
    copied = line.group and any(fate_of(fates, other).text is not None for other in groups[line.group])
    lost = fate.text is None and not copied
    altered = fate.text is not None and line.given is not None and not same(fate.text, line.given)
    counts.update(rows=1, lost=lost, altered=altered)
    if lost or altered:
        counts[f"> {_became(line, fate)}"] += 1


def _became(line: Line, fate: Fate) -> str:
    """What became of a line in a word: the reason why it went, or whether its text is another."""
    if fate.text is None:
        return fate.reason
    return "kept" if line.given is not None and same(fate.text, line.given) else "kept, changed"


def _pairs(lines: Sequence[Line], fates: Fates, fault: str) -> Counter[str]:
    """Copies, those that stay beside what they copy, and those of them on the other side of the split."""
    by_id = {line.id: line for line in lines}
    counts: Counter[str] = Counter(planted=0, left=0, apart=0)
    for line in lines:
        if line.fault == fault:
            mine, first = fate_of(fates, line), fate_of(fates, by_id[line.of])
            left = mine.text is not None and first.text is not None
            counts.update(planted=1, left=left, apart=left and mine.split != first.split)
    return counts


def _lines(lines: Sequence[Line], fates: Fates) -> Counter[str]:
    """How many lines there are, and where they have gone; each has one fate, or is told apart."""
    counts: Counter[str] = Counter(lines=len(lines), collected=0, without=0, twice=0)
    for line in lines:
        told = fates.get(line.number, ())
        fate = fate_of(fates, line)
        if len(told) == 1:
            counts[fate.split or f"dropped by {fate.stage}"] += 1
        counts.update(without=not told, twice=len(told) > 1, collected=bool(told) and fate.stage != "collect")
    return counts


def _plain(counts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(some) if isinstance(some, Mapping) else int(some) for name, some in counts.items()}
