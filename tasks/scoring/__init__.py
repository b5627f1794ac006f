"""Scorers of tasks whose answers have a form: an answer is parsed, run or laid beside the good one.

`SCORERS` is the only list of them. The column `task` of a row names its scorer.
"""

from collections.abc import Callable

from tasks.scoring.code import same_program
from tasks.scoring.fields import field_f1
from tasks.scoring.label import same_label
from tasks.scoring.overlap import rouge_l
from tasks.scoring.sql import same_result

# Each is given the question, the good answer and the answer to score, and gives 0..1.
SCORERS: dict[str, Callable[[str, str, str], float]] = {
    "label": same_label,
    "summary": rouge_l,
    "json": field_f1,
    "sql": same_result,
    "code": same_program,
}
