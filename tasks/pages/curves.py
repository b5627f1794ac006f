"""Pictures of curves, drawn from the CSV files that the stages write."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tasks.errors import SourceError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One picture: its title, the column on the x axis and the columns drawn, with their names."""

    title: str
    x: str
    lines: Mapping[str, str]


# The pictures of each curve file; a column that a file lacks is left out.
PANELS: dict[str, tuple[Panel, ...]] = {
    "sft": (Panel(title="loss", x="step", lines={"loss": "training", "validation_loss": "validation"}),),
    "reward": (
        Panel(title="loss", x="step", lines={"loss": "training"}),
        Panel(title="accuracy", x="step", lines={"validation_accuracy": "validation"}),
    ),
    "rlhf": (
        Panel(
            title="reward",
            x="update",
            lines={"reward": "reward", "score": "task score", "heldout": "task score, held-out prompts"},
        ),
        Panel(title="KL from the sft policy (nats)", x="update", lines={"kl": "KL"}),
        Panel(title="entropy (nats a token)", x="update", lines={"entropy": "entropy"}),
        Panel(title="value loss", x="update", lines={"value_loss": "value loss"}),
        Panel(title="clipped share", x="update", lines={"clip_fraction": "policy"}),
        Panel(title="length (tokens)", x="update", lines={"response_length": "length"}),
        # Where the reward goes on rising and the score does not, the reward is being gamed (Gao et al. 2022).
        Panel(title="over KL (nats)", x="kl", lines={"reward": "reward", "score": "task score"}),
    ),
    "calibrate": (
        Panel(
            title="abstains rightly, over abstains wrongly",
            x="abstains_wrongly",
            lines={"sft": "fine-tuning", "rlhf": "RLHF"},
        ),
    ),
}
# Plain black, which `svg` makes follow the page; blue and orange stand out on white and on black.
INK = "#000000"
COLOURS = ("#3b7dd8", "#d9822b", "#3c9a5f")
STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: it is read aloud, searched, and set in the page's font
    "svg.hashsalt": "threeply",  # names of clip paths repeat from run to run
    "font.size": 9.0,
    "axes.edgecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.15,
    "grid.color": INK,
}

Columns = dict[str, list[tuple[float, float]]]


def read_curve(path: Path, x: str) -> Columns:
    """For each column of a curve file its points (x, value); empty cells are left out.

    Raises:
        SourceError: the file is missing, has no column `x`, or a cell is no number.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        columns: Columns = {}
        for row in rows:
            for name, cell in row.items():
                if name != x and cell not in ("", None):
                    columns.setdefault(name, []).append((float(row[x]), float(cell)))
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise SourceError(f"the curve {path} cannot be read: {error!r}; run dvc repro") from None
    return columns


def draw(path: Path, stage: str, *, form: Literal["svg", "png"]) -> bytes:
    """The pictures of a stage's curve file: one PNG, or an SVG each, which follow the page's colour.

    Empty where there is nothing to draw.
    """
    import matplotlib as mpl

    first, *others = PANELS[stage]
    columns = read_curve(path, first.x)
    read = [(first, columns)]
    read += [(each, read_curve(path, each.x)) for each in others if each.x in (first.x, *columns)]
    panels = [(panel, columns) for panel, columns in read if _says_something(panel, columns)]
    if not panels:
        return b""
    with mpl.rc_context(STYLE):
        if form == "png":
            return _png(panels)
        # Each by itself: a narrow page puts them below each other, where one wide picture would shrink.
        pictures = [
            figure_svg(
                _figure([drawn]), prefix=f"{stage}-{number}", label=f"Curves of {stage}: {drawn[0].title}"
            )
            for number, drawn in enumerate(panels, start=1)
        ]
    return "\n".join(pictures).encode()


def _figure(panels: Sequence[tuple[Panel, Columns]]) -> "Figure":
    """The panels side by side, at most three in a row."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    per_row = min(len(panels), 3)
    num_rows = -(-len(panels) // per_row)
    figure = Figure(figsize=(3.4 * per_row, 2.3 * num_rows), layout="constrained")
    FigureCanvasAgg(figure)  # no window and no global state, unlike pyplot
    for number, (panel, columns) in enumerate(panels, start=1):
        _panel(figure.add_subplot(num_rows, per_row, number), panel, columns)
    return figure


def _png(panels: Sequence[tuple[Panel, Columns]]) -> bytes:
    buffer = io.BytesIO()
    _figure(panels).savefig(buffer, format="png", dpi=150, metadata={"Software": None})
    return buffer.getvalue()


def figure_svg(figure: "Figure", *, prefix: str, label: str) -> str:
    """A figure as an element of a page, its background that of the page."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return embeddable(buffer.getvalue().decode(), prefix=prefix, label=label)


def _says_something(panel: Panel, columns: Columns) -> bool:
    """Whether a line of the picture is there, and not 0 throughout."""
    return any(value for name in panel.lines.keys() & columns.keys() for _, value in columns[name])


def embeddable(svg: str, *, prefix: str, label: str) -> str:
    """An SVG file as an element of a page: its ids are made unique, and black becomes the page's colour."""
    svg = svg[svg.index("<svg") :]
    # A style element would reach beyond the picture, over the whole page.
    svg = re.sub(r"<(metadata|style)\b.*?</\1>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family: [^;\"]*", "font-family: inherit", svg)
    svg = re.sub(r' (?:id="|xlink:href="#|href="#)', lambda match: match.group() + f"{prefix}-", svg)
    svg = svg.replace("url(#", f"url(#{prefix}-").replace(INK, "currentColor")
    # matplotlib leaves the fill of text to its default, which is black on any page.
    svg = re.sub(r"<text\b", '<text fill="currentColor"', svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def _panel(axes: "Axes", panel: Panel, columns: Columns) -> None:
    drawn = [(label, columns[name]) for name, label in panel.lines.items() if name in columns]
    for (label, points), colour in zip(drawn, COLOURS, strict=False):
        xs, ys = zip(*sorted(points), strict=True)
        marker = "o" if len(points) < 25 else None
        axes.plot(xs, ys, label=label, color=colour, linewidth=1.4, marker=marker, markersize=3)
    axes.set_title(panel.title, fontsize=9, loc="left")
    axes.set_xlabel(panel.x)
    whole = all(float(x).is_integer() for _, points in drawn for x, _ in points)
    axes.locator_params(axis="x", integer=whole and len(drawn[0][1]) > 2, nbins=6)
    if len(drawn) > 1:
        axes.legend(frameon=False, fontsize=8)
