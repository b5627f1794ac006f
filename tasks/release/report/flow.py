"""The flow of rows as a picture (Sankey's): from the sources through the stages to what was trained on.

The height of a band is its share of the rows that were collected, and none is too thin to be seen.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tasks.prepare.tracing.balance import Line
from tasks.prepare.tracing.stored import SPLITS
from tasks.rows.records import RowKind
from tasks.rows.tables import KINDS

WIDTH, TALL = 1000, 150  # of the picture, and of all rows that were collected
TOP, GAP, BAR = 26, 20, 8  # above the first band, between two, and the width of a column's bars
THINNEST = 1.5
SOURCES = 6  # that have a band of their own
LONGEST = 16  # characters of a source's name, so that it ends before the next column

Edge = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A bar: what it is called, how many rows stand there, and where it is drawn."""

    name: str
    count: int
    note: str
    lost: bool
    x: float
    y: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Rows on their way from one bar to another, as a path."""

    path: str
    lost: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The picture of the rows of one kind; `sentence` says the same in words."""

    kind: RowKind
    height: float
    titles: tuple[tuple[float, str], ...]
    nodes: tuple[Node, ...]
    bands: tuple[Band, ...]
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """What stands below each other: the stage, its nodes by name, and the rows that come from which node."""

    title: str
    edges: Mapping[Edge, int]
    lost: frozenset[str] = frozenset()


def flows(lines: Sequence[Line]) -> list[Flow]:
    """A picture for each kind of rows of which some were collected."""
    found: list[Flow] = []
    for kind in KINDS:
        mine = [line for line in lines if line.kind == kind and line.collected]
        if mine:
            found.append(_drawn(kind, mine))
    return found


def _columns(lines: Sequence[Line]) -> list[_Column]:
    names = _names(lines)
    lost = {
        stage: Counter({names[line.source]: 0 for line in lines})
        for stage in ("collect", "clean", "split", "sft")
    }
    collected: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    for line in lines:
        collected[names[line.source]] += line.collected
        outcomes += line.outcomes
        for (stage, _), count in line.reasons.items():
            if stage in lost:
                lost[stage][names[line.source]] += count
    read = {name: collected[name] - lost["collect"][name] for name in collected}
    clean = sum(read.values()) - lost["clean"].total()
    valid = clean - outcomes["quarantined"]
    ends = {name: outcomes[name] for name in (*SPLITS, "searched", "waiting")}
    columns = [
        _Column(title="source", edges={("", name): count for name, count in collected.items()}),
        _Column(
            title="collect",
            edges={(name, "read"): count for name, count in read.items()}
            | {(name, "not taken in"): count for name, count in lost["collect"].items()},
            lost=frozenset({"not taken in"}),
        ),
        _Column(
            title="clean",
            edges={("read", "clean"): clean, ("read", "dropped"): lost["clean"].total()},
            lost=frozenset({"dropped"}),
        ),
        _Column(
            title="validate",
            edges={("clean", "valid"): valid, ("clean", "quarantined"): outcomes["quarantined"]},
            lost=frozenset({"quarantined"}),
        ),
        _Column(
            title="split",
            edges={("valid", name): count for name, count in ends.items()}
            | {("valid", "unused"): lost["split"].total()},
            lost=frozenset({"unused"}),
        ),
    ]
    known = [line.trained for line in lines if line.trained is not None]
    if known:
        before = "train" if ends["train"] else "searched"
        idle = max(ends[before] - sum(known), 0)
        columns.append(
            _Column(
                title="sft",
                edges={(before, "trained on"): sum(known), (before, "not drawn"): idle},
                lost=frozenset({"not drawn"}),
            )
        )
    return columns


def _names(lines: Sequence[Line]) -> dict[str, str]:
    """What each source is called in the picture: the smallest of many share a band."""
    largest = sorted(lines, key=lambda line: (-line.collected, line.source))
    kept = SOURCES if len(largest) <= SOURCES else SOURCES - 1
    names = {line.source: _short(line.source) for line in largest[:kept]}
    return names | {line.source: f"{len(largest) - kept} other sources" for line in largest[kept:]}


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"\u2026{name[1 - LONGEST :]}"


def _drawn(kind: RowKind, lines: Sequence[Line]) -> Flow:
    columns = _columns(lines)
    scale = TALL / sum(line.collected for line in lines)
    step = (WIDTH - 150) / (len(columns) - 1)
    tokens = sum(line.tokens or 0 for line in lines)
    nodes: list[Node] = []
    bands: list[Band] = []
    before: dict[str, Node] = {}
    for place, column in enumerate(columns):
        placed = _placed(column, place * step, scale, tokens)
        bands += _bands(column, before, placed, scale)
        nodes += placed.values()
        before = placed
    told = [f"{node.name} {node.count:,}" for node in nodes if node.x > 0]
    return Flow(
        kind=kind,
        height=max(node.y + node.height for node in nodes) + 14,
        titles=tuple((round(place * step, 1), column.title) for place, column in enumerate(columns)),
        nodes=tuple(nodes),
        bands=tuple(bands),
        sentence=f"{sum(line.collected for line in lines):,} {kind}s were collected: {', '.join(told)}",
    )


def _placed(column: _Column, x: float, scale: float, tokens: int) -> dict[str, Node]:
    """The nodes of a column below each other; those without rows are left out."""
    counts: Counter[str] = Counter()
    for (_, name), count in column.edges.items():
        counts[name] += count
    placed: dict[str, Node] = {}
    y = float(TOP)
    for name, count in counts.items():
        if count:
            height = max(count * scale, THINNEST)
            placed[name] = Node(
                name=name,
                count=count,
                note=f"{tokens:,} tokens" if name == "trained on" else "",
                lost=name in column.lost,
                x=round(x, 1),
                y=round(y, 1),
                height=round(height, 1),
            )
            y += height + GAP
    return placed


def _bands(
    column: _Column, before: Mapping[str, Node], placed: Mapping[str, Node], scale: float
) -> Iterable[Band]:
    """The bands into a column, each as wide as its rows, below each other at both ends."""
    left: defaultdict[str, float] = defaultdict(float)
    right: defaultdict[str, float] = defaultdict(float)
    for (start, end), count in column.edges.items():
        if start in before and count:
            wide = max(count * scale, THINNEST)
            one, other = before[start], placed[end]
            yield Band(
                path=_path(one.x + BAR, one.y + left[start], other.x, other.y + right[end], wide),
                lost=other.lost,
            )
            left[start] += wide
            right[end] += wide


def _path(x: float, y: float, to_x: float, to_y: float, wide: float) -> str:
    middle = (x + to_x) / 2
    return (
        f"M{x:.1f} {y:.1f}C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
        f"v{wide:.1f}C{middle:.1f} {to_y + wide:.1f} {middle:.1f} {y + wide:.1f} {x:.1f} {y + wide:.1f}z"
    )
