"""The score of each method against what it costs: weights that learn, memory, and time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from tasks.lab.compare.figures import MethodFigures
from tasks.lab.settings import UNTUNED
from tasks.pages.curves import COLOURS, STYLE, figure_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
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
    """One picture for each cost as SVG, one after the other; empty without methods to show."""
    import matplotlib as mpl

    methods = [row for row in rows if row.method != UNTUNED]
    base = next((row.score for row in rows if row.method == UNTUNED), None)
    pictures: list[str] = []
    for number, cost in enumerate(COSTS, start=1):
        placed = [(x, row) for row in methods for x in [cost.of(row)] if x is not None]
        if placed:
            with mpl.rc_context(STYLE):
                label = f"Score against {cost.title} of each method"
                pictures.append(
                    figure_svg(_drawn(cost, placed, base), prefix=f"methods-{number}", label=label)
                )
    return Markup("\n").join(map(Markup, pictures))  # drawn by matplotlib from numbers and names of methods


def _drawn(cost: Cost, placed: Sequence[tuple[float, MethodFigures]], base: float | None) -> "Figure":
    """The methods at their costs, each with its name, and a line at the score of the untuned model."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.9, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for x, row in placed:
        error = [[row.score - row.low], [row.high - row.score]]
        axes.errorbar([x], [row.score], yerr=error, fmt="o", color=COLOURS[0], elinewidth=0.8)
    if base is not None:
        axes.axhline(base, color=COLOURS[1], linewidth=1.0, linestyle="--")
    if cost.log:
        axes.set_xscale("log")
    axes.set_xlabel(cost.title)
    axes.set_ylabel("score")
    figure.draw_without_rendering()  # from here on the axes stay where they are
    _name(axes, placed)
    return figure


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
