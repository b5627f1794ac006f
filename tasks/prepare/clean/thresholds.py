"""Measures signals of quality, and drops rows outside the bounds of params.yaml, which sets none at first."""

from tasks.prepare.clean.verdict import Reason
from tasks.prepare.clean_settings import CleanSettings
from tasks.prepare.signals import SIGNALS, Text
from tasks.prepare.signals.subject import taught
from tasks.rows.records import Row


def outside(row: Row, settings: CleanSettings) -> Reason | None:
    """A row with a signal of its answer or text below or above its bounds, by the first such signal."""
    text = Text(taught(row))
    for name, (least, most) in settings.signals.items():
        found = round(SIGNALS[name](text), 4)
        if not least <= found <= most:
            return Reason("signal", f"{name} {found:g} is not within {least:g} and {most:g}")
    return None
