"""Protects the reliability diagram: a dot for each bin, and nothing without figures."""

import re
from xml.etree import ElementTree

from tasks.release.report.reliability import reliability
from tasks.training.rewards.quality import calibration

SURE = {"calibration": calibration([3.0, 3.0, -3.0, 0.1])}


def dots(svg: str) -> int:
    return sum(
        group.count("<path") for group in re.findall(r"PathCollection_\d+\">(.*?)</g>", svg, re.DOTALL)
    )


def test_each_bin_of_each_part_is_a_dot_and_the_legend_has_the_error() -> None:
    one = reliability({"validation": SURE, "test": None})
    both = reliability({"validation": SURE, "test": SURE})
    for svg, parts in ((one, 1), (both, 2)):
        ElementTree.fromstring(svg)
        assert svg.count(f", off by {SURE['calibration']['error']:.3f}") == parts
        assert 'aria-label="Reliability of the reward model"' in svg
    assert ("test, off" in one, "test, off" in both) == (False, True)
    shown = len(SURE["calibration"]["bins"]) + 1  # with the one of the legend
    assert (dots(one), dots(both)) == (shown, 2 * shown)


def test_without_figures_there_is_no_diagram() -> None:
    assert reliability({"skipped": "no pairs"}) == ""
    assert reliability({"validation": None}) == ""
