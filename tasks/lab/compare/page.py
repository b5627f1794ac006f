"""The pages of the lab, as HTML that needs nothing beside it."""

from collections.abc import Sequence
from pathlib import Path

from tasks.lab.compare.claims import Claim
from tasks.lab.compare.figures import MethodFigures
from tasks.lab.compare.plots import scatter
from tasks.lab.settings import CompareSettings, Variant
from tasks.pages import environment
from tasks.pages.numbers import fine_percent, number, times
from tasks.pages.tables import as_written, lines

TEMPLATES = Path(__file__).parent


def render(
    template: str, *, rows: Sequence[MethodFigures], settings: CompareSettings, claims: Sequence[Claim] = ()
) -> str:
    """The page that `template` makes of the rows and claims."""
    pages = environment(TEMPLATES)
    pages.filters |= {"share": fine_percent, "times": times, "number": number}
    shown = {row.method for row in rows}
    return pages.get_template(template).render(
        rows=rows,
        plots=scatter([row for row in rows if row.method not in settings.variants]),
        variants={name: changes(settings.variants[name]) for name in settings.variants if name in shown},
        budget=budget(settings),
        seeds=settings.seeds,
        rates=[number(rate) for rate in settings.rates],
        claims=claims,
    )


def budget(settings: CompareSettings) -> str:
    """The budget in words."""
    if settings.tokens is not None:
        return f"{settings.tokens:,} tokens each"
    return f"{settings.minutes:g} minutes each"


def changes(variant: Variant) -> str:
    """What a variant changes, in words."""
    told = [f"{key}: {value}" for key, value in lines(variant.sft, say=as_written)]
    if variant.wrong:
        told.append(f"{variant.wrong:.0%} of the rows with the answer of another one")
    if not variant.trained:
        told.append("attached and not trained")
    return f"{variant.method}; " + ", ".join(told) if told else variant.method
