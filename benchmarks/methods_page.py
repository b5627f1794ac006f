"""The page on the methods, made from the code: `python -m benchmarks.methods_page` writes docs/methods.md."""

import sys
from pathlib import Path

from deploy.atomic import write_text
from tasks.methods import METHODS
from tasks.methods.method import ABILITIES, Method

PAGE = Path("docs/methods.md")
HEAD = """# Adaptation methods

Choose one by `sft.method` in params.yaml; its settings stand in a section of its name below `sft`, and where
that is left out the defaults below hold. A method that is asked for what it cannot do refuses, with a reason.

There is no setting `packing`: rows are never joined into longer ones, and a params.yaml that asks for it is
refused. Where a method can, a batch runs as one sequence in which its rows share what they begin with, and
attention keeps them apart: loss and gradients are those of the padded batch
(`tasks/methods/layers/shared_prefix.py`).

*Made from the code by `python -m benchmarks.methods_page`; a test holds them together.*
"""


def page() -> str:
    """The page as Markdown."""
    settings = (_settings(method) for method in METHODS.values())
    return "\n".join([HEAD, _abilities(), _reasons(), "## Settings\n", *settings])


def _abilities() -> str:
    head = "| method | " + " | ".join(name.replace("_", " ") for name in ABILITIES) + " |"
    line = "|---|" + ":-:|" * len(ABILITIES)
    rows = [
        f"| `{method.name}` | "
        + " | ".join("no" if ability in method.cannot else "yes" for ability in ABILITIES)
        + " |"
        for method in METHODS.values()
    ]
    meanings = [f"- **{name.replace('_', ' ')}**: {text}." for name, text in ABILITIES.items()]
    return "\n".join(["## What each can do\n", head, line, *rows, "", *meanings, ""])


def _reasons() -> str:
    lines = ["## Why not\n"]
    for method in METHODS.values():
        lines += [
            f"- `{method.name}`, {ability.replace('_', ' ')}: {why}."
            for ability, why in method.cannot.items()
        ]
        lines += [
            f"- `{method.name}` with `{setting}`, {ability.replace('_', ' ')}: {why}."
            for setting, reasons in method.cannot_with.items()
            for ability, why in reasons.items()
        ]
    return "\n".join([*lines, ""])


def _settings(method: Method) -> str:
    doc = (sys.modules[method.attach.__module__].__doc__ or "").strip()
    defaults = method.settings.model_validate({}).model_dump(mode="json")
    values = [f"    {name}: {_shown(value)}" for name, value in defaults.items()]
    return "\n".join([f"### {method.name}\n", doc, "\n```yaml", f"  {method.name}:", *values, "```\n"])


def _shown(value: object) -> str:
    if value is None:
        return "null"
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)


def main() -> int:
    """Write the page."""
    write_text(PAGE, page())
    print(f"{PAGE} is written")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
