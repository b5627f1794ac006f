"""The documentation of a package as a source, small enough for tests."""

from typing import Any

from tasks.prepare.collect_settings import PackagesSource, QuestionKinds


def source(
    package: str, *, max_facts: int = 30, unanswerable: float = 0.25, **changed: Any
) -> PackagesSource:
    values: dict[str, Any] = {"held_out": [], **changed}
    return PackagesSource(
        kind="packages",
        packages=[package],
        max_facts=max_facts,
        kinds=QuestionKinds(
            default=6.0, confirm=1.5, exists=1.0, purpose=3.0, none=1.0, lookup=2.0, compare=1.0, which=1.0
        ),
        follow_ups=0.2,
        talk=0.03,
        off_topic=0.03,
        unanswerable=unanswerable,
        max_same_default=0.1,
        preferences=12,
        **values,
    )
