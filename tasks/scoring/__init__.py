"""Scorers of tasks whose answers have a form: an answer is parsed, run or laid beside the good one.

`SCORERS` is the only list of them. The column `task` of a row names its scorer.
"""

from collections.abc import Callable

from tasks.scoring.forms import field_f1, rouge_l, same_label, same_program
from tasks.scoring.sql import same_result
from tasks.scoring.verdicts import same_comparison, same_verdict, same_verdict_and_values

# Each is given the question, the good answer and the answer to score, and gives 0..1.
SCORERS: dict[str, Callable[[str, str, str], float]] = {
    "label": same_label,
    "summary": rouge_l,
    "json": field_f1,
    "sql": same_result,
    "code": same_program,
    "exists": same_verdict,
    "confirm": same_verdict_and_values,
    "compare": same_comparison,
}
