"""The reliability diagram of a reward model (Guo et al. 2017): how often it is right where it is certain."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tasks.pages.curves import COLOURS, STYLE, figure_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PARTS = {"validation": "validation", "test": "test"}  # of the figures, as the legend calls them
_AREA = 4.0  # of a dot, in points squared, for each pair


def reliability(figures: Mapping[str, Any]) -> str:
    """The diagram of each part that was measured as SVG; empty where none was.

    On the diagonal certainty and accuracy agree. A dot is a bin; its area shows how many pairs it has.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    told = {part: figures[part] for part in PARTS if isinstance(figures.get(part), Mapping)}
    if not told:
        return ""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.4, 2.3), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        axes.plot((0.5, 1.0), (0.5, 1.0), color="#808080", linewidth=0.8, linestyle="--")
        for (part, each), colour in zip(told.items(), COLOURS, strict=False):
            _dots(axes, each["calibration"], PARTS[part], colour)
        axes.set_title("right, over how certain it is", fontsize=9, loc="left")
        axes.set_xlabel("certainty")
        axes.set_xlim(0.48, 1.02)
        axes.set_ylim(-0.03, 1.05)
        axes.legend(frameon=False, fontsize=8, loc="lower right")
        return figure_svg(figure, prefix="reliability", label="Reliability of the reward model")


def _dots(axes: "Axes", calibration: Mapping[str, Any], name: str, colour: str) -> None:
    xs, ys, pairs = zip(
        *((each["certainty"], each["accuracy"], each["pairs"]) for each in calibration["bins"]), strict=True
    )
    axes.plot(xs, ys, color=colour, linewidth=1.0, alpha=0.6)
    label = f"{name}, off by {calibration['error']:.3f}"
    axes.scatter(xs, ys, s=[_AREA * count for count in pairs], color=colour, alpha=0.7, label=label)
