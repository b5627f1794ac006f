"""The score of each method against what it costs: weights that learn, memory, and time."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from tasks.lab.compare.figures import MethodFigures
from tasks.lab.settings import UNTUNED
from tasks.pages.curves import COLOURS, STYLE, embeddable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What stands on the x axis."""

    title: str
    of: Callable[[MethodFigures], float | None]
    log: bool


COSTS = (
    Cost(title="share of the weights that learn (%)", of=lambda row: _percent(row.trainable_share), log=True),
    Cost(title="peak memory of training (MiB)", of=lambda row: row.peak_mib, log=False),
    Cost(title="seconds for 1,000 tokens of training", of=lambda row: _seconds(row.tokens_per_s), log=False),
)


def scatter(rows: Sequence[MethodFigures]) -> Markup:
    """One picture for each cost, side by side, as SVG; empty without methods to show."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    methods = [row for row in rows if row.method != UNTUNED]
    base = next((row.score for row in rows if row.method == UNTUNED), None)
    costs = [cost for cost in COSTS if any(cost.of(row) is not None for row in methods)]
    if not costs:
        return Markup()
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.0 * len(costs), 3.4), layout="constrained")
        FigureCanvasAgg(figure)
        places: list[tuple[Axes, float, MethodFigures]] = []
        for number, cost in enumerate(costs, start=1):
            axes = figure.add_subplot(1, len(costs), number)
            for row in methods:
                x = cost.of(row)
                if x is None:
                    continue
                error = [[row.score - row.low], [row.high - row.score]]
                axes.errorbar([x], [row.score], yerr=error, fmt="o", color=COLOURS[0], elinewidth=0.8)
                places.append((axes, x, row))
            if base is not None:
                axes.axhline(base, color=COLOURS[1], linewidth=1.0, linestyle="--")
            if cost.log:
                axes.set_xscale("log")
            axes.set_xlabel(cost.title)
            axes.set_ylabel("score")
        figure.draw_without_rendering()  # from here on the axes stay where they are
        for axes in figure.axes:
            _name(axes, [(x, row) for other, x, row in places if other is axes])
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = embeddable(buffer.getvalue().decode(), prefix="methods", label="Score against cost of each method")
    return Markup(svg)  # noqa: S704 - drawn by matplotlib from numbers and names of methods


def _name(axes: "Axes", points: Sequence[tuple[float, MethodFigures]]) -> None:
    """Write the names of `points` beside them, from above, each as far down as it needs to be free."""
    taken: list[Bbox] = []
    for x, row in sorted(points, key=lambda point: -point[1].score):
        text = axes.annotate(row.method, (x, row.score), xytext=(4, 4), textcoords="offset points")
        for down in range(4, -80, -3):
            text.xyann = (4, down)
            if not any(box.overlaps(text.get_window_extent()) for box in taken):
                break
        taken.append(text.get_window_extent())


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _seconds(speed: float | None) -> float | None:
    return None if not speed else 1000 / speed
